"""The reading club on the web, in-process: every request goes through the real edge."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse

from avow.edge.form import Form, card_number, email, integer, text
from tests.vault.club import club

HERE = Path(__file__).parent
ORIGIN = "http://127.0.0.1"
#: How the club is reached by those who are not on the same machine.
OUTSIDE = "https://club.example"


class Join(Form):
    name = text("contact.name", "Name", maximum=40)
    email = email("contact.email", "Mail")
    wishes = text("wishes", "Wishes", required=False)
    books = integer("Books", least=1, most=9)
    card = card_number("card.number", "Card", required=False)


class Browser:
    """A client that talks to the ASGI application as a browser on the same machine would."""

    def __init__(self, app: Any, client: str = "127.0.0.1", base: str = ORIGIN) -> None:
        self.base = base
        transport = httpx.ASGITransport(app, client=(client, 50_000), raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url=base)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return _run(self.http.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()}))

    def post(self, path: str, data: dict[str, str], *, origin: str | None = None, **headers: str) -> httpx.Response:
        sent = {"origin": origin or self.base, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return _run(self.http.post(path, data=data, headers=sent))

    def token(self, path: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        assert found
        return found[1]


def _run(request: Any) -> httpx.Response:
    import asyncio

    async def wait() -> Any:
        return await request

    return asyncio.run(wait())  # type: ignore[no-any-return]


def with_pages(site: Any) -> Any:  # noqa: C901  # many small pages
    """Give the club pages that behave well, and pages that leak in every way one can think of."""

    def show(work: Any, form: Any = None, **more: Any) -> Response:
        return work.render("hall.html", **{"word": "", "member": None, "form": form, **more})  # type: ignore[no-any-return]

    def page(path: str, place: str = "hall") -> Callable[[Any], Any]:
        return site.page(path, role="desk", purpose="lending", place=place)  # type: ignore[no-any-return]

    def any_member(work: Any) -> Any:
        return work.select(site.Member)[0]

    @page("/")
    def home(work: Any) -> Response:
        return show(work, word="welcome")

    @site.form("/join", Join, role="desk", purpose="lending", place="hall", page=show)
    def join(work: Any, form: Any) -> Response:
        if form["name"] is None:
            raise AssertionError
        if form["books"] == "9":
            form.fail("books", "Nine are gone.")
            return show(work, form)
        member = work.collect(
            site.Member, person=work.person(), name=form["name"], email=form["email"], wishes=form["wishes"]
        )
        return work.redirect(f"/card/{work.secret(member)}")  # type: ignore[no-any-return]

    @page("/card/{secret}", "shelf")
    def card(work: Any) -> Response:
        member = work.presented(site.Member, work.path["secret"])
        word = f"{member.name}" if member else "unknown"
        return HTMLResponse(f"<p>{word}</p><p>{member.name.__html__() if member else ''}</p>")

    @page("/own/{secret}")
    def own(work: Any) -> Response:
        return show(work, member=work.presented(site.Member, work.path["secret"]))

    @page("/stranger")
    def stranger(work: Any) -> Response:
        return show(work, member=any_member(work))

    @page("/opened")
    def opened(work: Any) -> Response:
        return show(work, word=any_member(work).name.open())

    @page("/header")
    def header(work: Any) -> Response:
        return Response("x", headers={"x-name": any_member(work).name.open()})

    @page("/location")
    def location(work: Any) -> Response:
        return RedirectResponse("/?for=" + any_member(work).name.open().replace(" ", "%20"))

    @page("/cookie")
    def cookie(work: Any) -> Response:
        response = PlainTextResponse("x")
        response.set_cookie(work.query["name"], "1")
        return response

    @page("/declared")
    def declared(work: Any) -> Response:
        work.set_cookie("shelf", "B")
        return show(work, word=work.cookie("shelf") or "no cookie")

    @page("/undeclared")
    def undeclared(work: Any) -> Response:
        work.set_cookie("tracker", "1")
        return show(work)

    @page("/card-number")
    def card_number(work: Any) -> Response:
        return show(work, word="4242 4242 4242 4242")

    @page("/script")
    def script(work: Any) -> Response:
        return HTMLResponse(f"<script>let name = '{any_member(work).name.__html__()}'</script>")

    @page("/kinds")
    def kinds(work: Any) -> Response:
        kind = work.query["kind"].replace(".", "/")
        return Response(any_member(work).name.open(), headers={"content-type": kind} if kind else None)

    @page("/typed/{secret}")
    def typed(work: Any) -> Response:
        name = work.presented(site.Member, work.path["secret"]).name.__html__()
        kind = work.query["kind"].replace(".", "/")
        return Response(f'{{"name": "{name}"}}' if "json" in kind else name, media_type=kind)

    @page("/streamed")
    def streamed(work: Any) -> Response:
        return StreamingResponse(iter(("one", "two")), media_type="text/plain")

    @page("/two/{secret}")
    def two(work: Any) -> Response:
        name = work.presented(site.Member, work.path["secret"]).name.open()
        work.presented(site.Member, work.query["other"])
        return show(work, word=name)

    @page("/fails")
    def fails(work: Any) -> Response:
        raise RuntimeError("no luck with " + any_member(work).name.open())

    @page("/sees")
    def sees(work: Any) -> Response:
        return show(work, word=repr((work._intake.headers, work.query)))

    return site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    site = with_pages(club())
    site.pages = HERE / "pages"
    site.open(tmp_path / "data", background=False, base=OUTSIDE)
    yield site
    site.close()


@pytest.fixture
def browser(site: Any) -> Browser:
    return Browser(site.opened.app)


@pytest.fixture
def ann(site: Any) -> str:
    """The secret of a member who is in the database."""
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.collect(site.Member, person=work.person(), name="Ann Example", email="ann@example.org")
        return str(work.secret(member))
