"""The pages and forms of the service itself, asked for by strangers, by the holder of a link, and by staff.

What is declared is what is tried: each route with its role, purpose and place, each secret link, each cookie. Of what
a page wants to be given besides, only its own forms tell; they are filled in by the kinds of their fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
from starlette.routing import Route

from avow.edge.acts import Acts, declared
from avow.errors import AvowError
from avow.site.demo import Demo
from avow.testing.canaries import core
from avow.testing.probing.bench import told
from avow.testing.probing.browser import Browser
from avow.testing.probing.entrance import CONTENT_POLICY, HEADERS
from avow.testing.probing.needles import Needle, plainly
from avow.testing.probing.scratch import random_word
from avow.testing.probing.showing import staff_headers
from avow.testing.visitor import Page

if TYPE_CHECKING:
    from avow.testing.probing.own import Own

_PARAMETER = re.compile(r"\{[^}]*\}")
#: Classes of records whose ids are tried as if they were secrets: those with the most to lose.
CLASSES = 4
#: Answers that hang on what is known: a page may know more than a probe does.
_PERHAPS = ("may", "condition", "never")
#: Redirects that are followed in a row.
_FOLLOWED = 5


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a route: the path, and whose secret it carries, if anybody's."""

    path: str
    what: str
    owner: str | None = None


class Guest:
    """A visitor as examples use one (`avow.testing.visitor`), in this process."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def get(self, path: str) -> Page:
        """Ask for a page, and follow where it leads."""
        for _ in range(_FOLLOWED):
            answer = self.browser.get(path.partition("#")[0])
            onward = answer.headers.get("location")
            if not onward:
                return Page(answer.status_code, path, answer.text)
            path = onward
        raise AvowError("the page leads on and on")

    def send(self, path: str, typed: dict[str, str], *, page: str | None = None) -> Page:
        """Fill in the form of a page, and send it."""
        source = self.get(page or path)
        form = next((each for each in forms_of(source.text, page or path) if each.action == path), None)
        if form is None:
            raise AvowError(f"the page has no form that goes to `{path}`")
        answer = self.browser.post(path, {**form.hidden, **typed})
        onward = answer.headers.get("location")
        if onward:
            return self.get(onward)
        if answer.status_code >= 400:
            raise AvowError(f"what was sent was answered with status {answer.status_code}")
        return Page(answer.status_code, path, answer.text)


def examples(own: Own) -> None:
    """Make the examples that a service declares, as `avow serve --local-peers` does."""
    if own.site.examples is None:
        return
    own.bench.report.tried("own.examples")
    demo = Demo(own.site, lambda: Guest(own.scratch.browser()))  # type: ignore[arg-type,return-value]  # the same methods
    try:
        own.site.examples(demo)
        own.scratch.deliver()
    except Exception as error:  # noqa: BLE001  # they may need more than is here
        own.bench.report.without("all of the examples", f"they came to an end early ({type(error).__name__})")
    own.learn()


def said_to_all(own: Own) -> str:
    """Everything that the service says to who is nobody, before it knows anybody: pages, templates and its policy."""
    said = [own.site.policy.source]
    for folder in filter(None, (own.site.pages, own.site.policy_file.parent)):
        said += [file.read_text("utf-8", "replace") for file in sorted(folder.rglob("*"))
                 if file.suffix in (".html", ".txt", ".py")]  # fmt: skip
    for route in own.site.routes:
        acts = declared(route)
        if isinstance(route, Route) and acts is not None and not acts.public and "{" not in route.path:
            said.append(own.scratch.browser().get(route.path).text)
    return plainly("\n".join(said))


def probe(own: Own) -> None:
    """Ask for every route in every way, and fill in every form that is found."""
    found: dict[tuple[str, str], Form] = {}
    for route in own.site.routes:
        acts = declared(route)
        if not isinstance(route, Route) or acts is None or acts.public:
            continue
        for way in _ways(own, route.path):
            answer = _ask(own, way.path)
            _judge(own, acts, way, answer)
            for form in forms_of(answer.text, way.path):
                found.setdefault(
                    (_PARAMETER.sub("*", route.path), form.action if "{" not in route.path else route.path), form
                )
        if acts.staff:
            _desk(own, acts, route.path)
        _with_cookies(own, acts, route.path)
    for form in list(found.values()):
        _fill_in(own, form)


def _ways(own: Own, path: str) -> Iterator[Way]:
    if "{" not in path:
        yield Way(path, "a stranger")
        return

    def to(word: str) -> str:
        return _PARAMETER.sub(lambda found: quote(word, safe=""), path)

    yield Way(to(random_word()), "a stranger with a made-up link")
    for kind, people in sorted(own.people.items(), key=lambda pair: -len(pair[0].__layout__.fields))[:CLASSES]:
        owner, identity = people[0]
        yield Way(to(identity), f"a stranger with the id of a `{kind.__table__.name}`")
        yield Way(to(owner), f"a stranger with the id of the owner of a `{kind.__table__.name}`")
    shape = _PARAMETER.sub("*", path)
    uses = {use for use, link in (("", own.site.link), *own.site.links.items())
            if shape.startswith(_PARAMETER.sub("*", link))}  # fmt: skip
    for kind, use, secret in own.secrets:
        if use in (uses or {""}):
            name = f"the link of a `{kind.__table__.name}`" + (f" for `{use}`" if use else "")
            yield Way(to(secret), f"who holds {name}", own.people[kind][0][0])


def _ask(own: Own, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    own.bench.report.tried("own.page")
    return own.scratch.browser().get(path, headers)


def _judge(own: Own, acts: Acts, way: Way, answer: httpx.Response, role: str | None = None) -> None:
    """Everything personal in an answer has to be shown by a sentence to who has asked for it."""
    left = answer.content + b"\n" + b"\n".join(key + b": " + value for key, value in answer.headers.raw)
    asked = f"{way.what} asks for {_shape(own, way.path)}"
    for needle in own.found(left):
        _judge_shown(own, acts, way, needle, role, asked)
    lacking = [name for name, value in HEADERS.items() if value not in answer.headers.get(name, "")]
    lacking += [part for part in CONTENT_POLICY if part not in answer.headers.get("content-security-policy", "")]
    for name in lacking:
        own.bench.hole(
            "own.headers",
            f"the page {_shape(own, way.path)}",
            asked,
            f"its headers say `{name}`",
            "they do not",
            "avow.edge.headers",
            *own.bench.duty_anchors("attach", "security_headers"),
        )
    for line in answer.headers.get_list("set-cookie"):
        name = line.partition("=")[0].strip()
        if name not in own.bench.reading.front.cookies:
            answers = own.bench.asked("set", "cookie", {}, purpose=acts.purpose, place=acts.place)
            own.bench.hole(
                "own.cookie",
                f"the page {_shape(own, way.path)}",
                asked,
                "it sets declared cookies only",
                f"it set `{name}`",
                "the handler of this page",
                *own.bench.anchors(answers)[:2],
            )


def _judge_shown(own: Own, acts: Acts, way: Way, needle: Needle, role: str | None, asked: str) -> None:
    bench, subject = own.bench, own.site.subject
    door = f"the page {_shape(own, way.path)}"
    audience = role or (subject if way.owner == needle.owner else None)
    where: dict[str, str | None] = {
        "purpose": acts.purpose, "place": acts.place, "role": role or acts.role, "audience": audience,
    }  # fmt: skip
    known_here: dict[str, bool | float | None] = {"presented(link)": True} if way.owner == needle.owner else {}
    answer = bench.asked("show", needle.category, known_here, **where)
    look = "the handler of this page, and what it writes into its template"
    if way.owner is not None and way.owner != needle.owner:
        bench.hole(
            "own.other",
            door,
            asked,
            "it shows what is theirs, and nothing of others",
            f"it showed somebody else's `{needle.category}` ({needle.column})",
            look,
            *bench.anchors(answer)[:2],
        )
    elif way.owner is None and role is None and not answer.permitted:
        bench.let_through(
            "own.stranger",
            door,
            f"{asked}: " + told("show", needle.category, known_here, **where),
            answer,
            f"it showed somebody's `{needle.category}` ({needle.column})",
            look,
        )
    elif not answer.permitted and answer.how not in ("condition", "never") and not _perhaps(own, needle, where):
        bench.let_through(
            "own.shown",
            door,
            f"{asked}: " + told("show", needle.category, known_here, **where),
            answer,
            f"it showed their `{needle.category}` ({needle.column})",
            look,
        )


def _perhaps(own: Own, needle: Needle, where: dict[str, str | None]) -> bool:
    """Whether under some purpose a rule lets it be shown there: a page may show things beside its own matter."""
    return any(
        own.bench.asked("show", needle.category, {}, **{**where, "purpose": purpose}).how
        in ("may", "condition", "never")
        for purpose in own.bench.reading.front.vocabulary.words["purpose"]
    )


def _desk(own: Own, acts: Acts, path: str) -> None:
    """A desk: nobody comes to it but members with the role; what it shows is shown to that role."""
    bench = own.bench
    own.scratch.hire()
    way = Way(_PARAMETER.sub("1", path), "nobody of the staff")
    for what, headers in (("nobody of the staff", {}), ("a wrong password", staff_headers(password="wrong"))):  # noqa: S106
        answer = _ask(own, way.path, headers)
        if answer.status_code not in (401, 403, 429):
            bench.hole(
                "own.desk",
                f"the desk {path}",
                f"{what} asks for {path}",
                "it is not served",
                f"it was answered with status {answer.status_code}",
                "the route: staff=True",
            )
    own.scratch.clock.advance(3600)
    answer = _ask(own, way.path, staff_headers())
    for role in acts.staff:
        _judge(own, acts, Way(way.path, "a member of the staff"), answer, role)
        break


def _with_cookies(own: Own, acts: Acts, path: str) -> None:
    """Cookies that were made up, or hold what is no secret."""
    if "{" in path or acts.staff:
        return
    identity = next((found[0][1] for found in own.people.values()), random_word())
    for what, word in (("made-up cookies", random_word()), ("the id of a record in its cookies", identity)):
        sent = "; ".join(f"{name}={word}" for name in own.bench.reading.front.cookies)
        if sent:
            _judge(own, acts, Way(path, f"a stranger with {what}"), _ask(own, path, {"cookie": sent}))


def _shape(own: Own, path: str) -> str:
    """A path as a report may say it: what is secret in it is left out."""
    shown = path.partition("?")[0]
    for _, _, secret in own.secrets:
        shown = shown.replace(secret, "…")
    return "/".join(part if len(part) < 24 else "…" for part in shown.split("/"))


# -- forms --------------------------------------------------------------------------------------------


class Form:
    """One form of a page: where it goes, what it hides, and the fields that it asks for."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.hidden: dict[str, str] = {}
        self.fields: dict[str, str] = {}
        self.page = action


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._path = path
        self._now: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        name, value = known.get("name") or "", known.get("value") or ""
        if tag == "form":
            self._now = (
                Form(known.get("action") or self._path) if (known.get("method") or "").lower() == "post" else None
            )
            if self._now is not None:
                self._now.page = self._path
                self.forms.append(self._now)
        elif self._now is None:
            return
        elif tag == "input" and known.get("type") == "hidden":
            self._now.hidden[name] = value
        elif tag == "input" and known.get("type") in ("radio", "checkbox"):
            self._now.hidden.setdefault(name, value or "on")
        elif tag in ("input", "textarea") and known.get("type") not in ("submit", "button"):
            self._now.fields[name] = known.get("autocomplete") or known.get("type") or tag
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            self._now.hidden.setdefault(self._select, value)
        elif tag == "button" and name:
            self._now.hidden.setdefault(name, value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._now = None
        elif tag == "select":
            self._select = ""


def forms_of(page: str, path: str) -> list[Form]:
    """The forms of a page that are posted."""
    reader = _Reader(path)
    reader.feed(page)
    return [form for form in reader.forms if form.action.startswith("/")]


def _fill_in(own: Own, form: Form) -> None:
    """Send a form with canaries in its fields, without its token and with it."""
    typed = {name: _typed(name, kind) for name, kind in form.fields.items() if name}
    own.bench.report.tried("own.form", 2)
    browser = own.scratch.browser()
    page = browser.get(form.page)
    fresh = next((each for each in forms_of(page.text, form.page) if each.action == form.action), None)
    if fresh is None:
        return
    bare = {name: value for name, value in fresh.hidden.items() if name != "csrf"}
    answer = browser.post(form.action, {**bare, **typed}, {"origin": "https://evil.example"})
    if answer.status_code < 400:
        own.bench.hole(
            "own.forged",
            f"the form {_shape(own, form.action)}",
            "another site sends it",
            "it is turned away",
            f"it was answered with status {answer.status_code}",
            "avow.edge.csrf; Site: check_form",
        )
    answer = browser.post(form.action, {**fresh.hidden, **typed})
    if answer.headers.get("location"):
        browser.get(answer.headers["location"])
    own.scratch.deliver()


def _typed(name: str, kind: str) -> str:
    word = core()
    if "email" in kind or "email" in name:
        return f"{word.lower()}@canary.example"
    if "password" in kind:
        return f"{word} a long one"
    if kind == "number":
        return "1"
    return f"Zoë {word}"
