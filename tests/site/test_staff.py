"""Desks: pages for members of staff, through the real edge; what is shown there is shown to the role."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Mapped
from starlette.responses import HTMLResponse, Response

from avow import Form, Sealed, Site, owner, personal
from avow.edge.form import text
from avow.errors import SetupError
from avow.site.staff_file import NEW_MEMBER, SHORTEST, StaffFile, new_password
from avow.testing.clock import FrozenClock
from tests.noted import entries
from tests.site.conftest import Browser

PASSWORD = "kettle over the blue barn"
POLICY = """\
---
site: hall
title: Privacy at the hall
version: "1"
effective: 2026-11-22
contact: {email: desk@hall.example}
categories: {contact.name: user.name, wishes: user.content}
purposes: {lending: essential.service}
subjects: {customer: customer}
roles: {hall: {label: the hall}, desk: {label: the desk}, cellar: {label: the cellar}}
places: {hall: {label: the hall}, counter: {label: the counter}}
---

We ask for your name and your wishes.

```avow #ask
may collect contact.name, wishes from customer at hall, counter for lending
may keep contact.name, wishes about customer for lending
may show contact.name, wishes to customer at hall
```

Our desk sees your name, and no wish.

```avow #counter
may show contact.name to desk at counter for lending
may open contact.name for lending by desk
```
"""


class Guest(Form):
    """Who comes."""

    name = text("contact.name", "Name", maximum=40)
    wishes = text("wishes", "Wishes", required=False)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def site(tmp_path: Path, clock: FrozenClock) -> Iterator[Any]:
    (tmp_path / "policy.md").write_text(POLICY)
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "form.html").write_text(
        '<form>{{ csrf }}{% for f in form %}<input value="{{ f.value }}"><b>{{ f.error }}</b>{% endfor %}</form>'
        '<p>{{ name }}</p><i>{{ work.roles | join(" ") }}</i><a href="/privacy">privacy</a>'
    )
    made = Site(tmp_path / "policy.md", pages=pages)

    class Person(made.Record):  # type: ignore[misc,name-defined]  # a base class made per site
        __tablename__ = "person"
        customer: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="person.name")
        wishes: Mapped[Sealed | None] = personal("wishes", field="person.wishes", optional=True)

    def show(work: Any, form: Any, name: Any = "") -> Response:
        return work.render("form.html", form=form, name=name)  # type: ignore[no-any-return]

    @made.form("/counter", Guest, role="desk", purpose="lending", place="counter", page=show, staff=True)
    def take_in(work: Any, form: Any) -> Response:
        person = work.collect(Person, person=work.person(), name=form["name"])
        return show(work, Guest(), person.name)

    @made.form("/hall", Guest, role="hall", purpose="lending", place="hall", page=show)
    def come(work: Any, form: Any) -> Response:
        return show(work, form)

    def page(path: str, role: Any) -> Any:
        return made.page(path, role=role, purpose="lending", place="counter", staff=True)

    @page("/all", "desk")
    def everybody(work: Any) -> Response:
        return HTMLResponse("".join(f"<p>{person.name.__html__()}</p>" for person in work.select(Person)))

    @page("/opened", "desk")
    def opened(work: Any) -> Response:
        return HTMLResponse("".join(f"<p>{person.name.open()}</p>" for person in work.select(Person)))

    @page("/wishes", "desk")
    def wishes(work: Any) -> Response:
        return HTMLResponse("".join(f"<p>{person.wishes.__html__()}</p>" for person in work.select(Person)))

    @page("/either", ("cellar", "desk"))
    def either(work: Any) -> Response:
        return HTMLResponse(f"<p>{work.unit.role}</p>")

    @page("/fails", "desk")
    def fails(work: Any) -> Response:
        raise RuntimeError

    made.open(tmp_path / "data", background=False, clock=clock)
    file = made.opened.staff_file
    file.add("berta", PASSWORD, ("desk",))
    file.add("otto", PASSWORD, ("cellar",))
    with made.acting("hall", "lending", place="hall", channel="https") as work:
        work.collect(Person, person=work.person(), name="Odalys Quennerstedt", wishes="a kingfisher")
    yield made
    made.close()


@pytest.fixture
def browser(site: Any) -> Browser:
    return Browser(site.opened.app)


def logged_in(name: str = "berta", password: str = PASSWORD) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_a_member_sees_what_is_shown_to_the_role_and_the_ledger_says_so(site: Any, browser: Browser) -> None:
    for path in ("/all", "/opened"):
        answer = browser.get(path, **logged_in())
        assert (answer.status_code, "Odalys Quennerstedt" in answer.text) == (200, True), path
        assert answer.headers["cache-control"] == "no-store"
    shown = [entry for entry in entries(site) if entry.verb == "show"]
    assert {(entry.event, entry.object, entry.role, entry.sentences) for entry in shown} == {
        ("permitted", "contact.name", "desk", ("counter",))
    }
    assert not any("berta" in repr(entry) for entry in entries(site)), "which role, never who"


def test_what_no_sentence_shows_to_the_role_is_not_shown(site: Any, browser: Browser) -> None:
    answer = browser.get("/wishes", **logged_in())
    assert answer.status_code == 403
    assert "kingfisher" not in answer.text
    [refused] = [entry for entry in entries(site) if entry.event == "refused"]
    assert (refused.verb, refused.object, refused.role) == ("show", "wishes", "desk")


@pytest.mark.parametrize("path", ["/counter", "/all", "/opened", "/wishes", "/either", "/fails"])
def test_nobody_else_is_served_anything_of_a_desk(site: Any, browser: Browser, path: str) -> None:
    token = browser.token("/hall")
    stranger = {**logged_in("nobody")}
    wrong = {**logged_in("berta", PASSWORD + "x")}
    for headers in ({}, stranger, wrong):
        for answer in (
            browser.get(path, **headers),
            browser.post(path, {"csrf": token, "name": "Zed"}, **headers),
            browser.post(path, {"name": "Zed"}, origin="https://elsewhere.example", **headers),
            browser.post(path, {"name": "x" * 200_000}, **headers),
        ):
            assert answer.status_code in (401, 429)
            assert "Odalys" not in answer.text
            assert "<form" not in answer.text
            assert "Zed" not in answer.text
    assert not [entry for entry in entries(site) if entry.role]


def test_a_member_without_the_role_is_told_so_and_sees_nothing(browser: Browser) -> None:
    for answer in (browser.get("/all", **logged_in("otto")), browser.post("/counter", {}, **logged_in("otto"))):
        assert answer.status_code == 403
        assert "This is another desk" in answer.text
        assert "Odalys" not in answer.text


def test_of_several_roles_the_first_that_the_member_has_acts(browser: Browser) -> None:
    for name, role in (("berta", "desk"), ("otto", "cellar")):
        assert f"<p>{role}</p>" in browser.get("/either", **logged_in(name)).text


def test_a_form_of_a_desk_works_and_comes_back_only_to_who_may_see_it(site: Any, browser: Browser) -> None:
    def token(headers: dict[str, str]) -> str:
        return browser.get("/counter", **headers).text.partition('name="csrf" value="')[2].partition('"')[0]

    site.opened.staff_file.add("bruno", PASSWORD, ("desk",))
    own, other = token(logged_in()), token(logged_in("bruno"))
    done = browser.post("/counter", {"csrf": own, "name": "Ann"}, **logged_in())
    assert (done.status_code, "<p>Ann</p>" in done.text) == (200, True)
    wrong = browser.post("/counter", {"csrf": own, "name": "x" * 41}, **logged_in())
    assert (wrong.status_code, "x" * 41 in wrong.text) == (422, True)
    unseen = browser.post("/counter", {"csrf": own, "name": "", "wishes": "a kestrel"}, **logged_in())
    assert (unseen.status_code, "kestrel" in unseen.text) == (403, False)
    for forged in (other, browser.token("/hall"), ""):
        answer = browser.post("/counter", {"csrf": forged, "name": "Zed"}, **logged_in())
        assert (answer.status_code, "Zed" in answer.text) == (403, False)
    crossed = browser.post("/counter", {"csrf": own, "name": "Zed"}, origin="https://elsewhere.example", **logged_in())
    assert crossed.status_code == 403
    assert browser.post("/hall", {"csrf": own, "name": "Zed"}).status_code == 403, "a desk's token serves nowhere else"


def test_a_page_that_fails_tells_a_member_that_it_did(browser: Browser) -> None:
    assert browser.get("/fails", **logged_in()).status_code == 500


def test_attempts_are_limited_by_name(browser: Browser, clock: FrozenClock) -> None:
    for _ in range(5):
        assert browser.get("/all", **logged_in("berta", "wrong")).status_code == 401
    answer = browser.get("/all", **logged_in())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "31")
    assert "Please wait" in answer.text
    clock.advance(31)
    assert browser.get("/all", **logged_in()).status_code == 200


def test_the_first_answer_asks_for_name_and_password_in_words(browser: Browser) -> None:
    answer = browser.get("/all")
    assert answer.headers["www-authenticate"] == 'Basic realm="Staff", charset="UTF-8"'
    assert "for our staff" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_a_route_for_everybody_has_one_role(site: Any) -> None:
    for roles in ((), ("desk", "cellar")):
        with pytest.raises(SetupError, match="one role"):
            site.page("/x", role=roles, purpose="lending", place="hall")(lambda work: Response(""))
    assert site.desks["/either"] == ("cellar", "desk")
    assert "/hall" not in site.desks


def test_a_desk_of_a_role_that_the_policy_does_not_have_is_told_before_anything_starts(
    site: Any, tmp_path: Path
) -> None:
    site.close()
    site.page("/x", role=("desk", "attic"), purpose="lending", place="counter", staff=True)(lambda work: Response(""))
    with pytest.raises(SetupError, match="the role `attic`"):
        site.open(tmp_path / "data", background=False)


# -- the file -----------------------------------------------------------------------------------------


def test_a_change_of_the_file_counts_with_the_next_request(site: Any, browser: Browser) -> None:
    assert browser.get("/all", **logged_in()).status_code == 200
    file = StaffFile(site.opened.staff_file.path, frozenset({"desk", "cellar"}))
    file.add("berta", PASSWORD, ("cellar",))
    assert browser.get("/all", **logged_in()).status_code == 403
    file.remove("berta")
    assert browser.get("/all", **logged_in()).status_code == 401


def test_a_damaged_file_lets_nobody_in(site: Any, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    site.opened.staff_file.path.write_text("berta: {roles: [desk], password: hello}\n")
    assert browser.get("/all", **logged_in()).status_code == 500
    assert "is no member of staff" in caplog.text
    assert "hello" not in caplog.text


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("berta: {roles: [desk], password: hello}", 0o600, "`berta` in .* is no member of staff"),
        ("- berta", 0o600, "does not map names to staff"),
        ("berta: [", 0o600, "is no YAML in line"),
        ("", 0o640, "open to others"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_before_anything_starts(
    site: Any, tmp_path: Path, content: str, mode: int, said: str
) -> None:
    site.close()
    path = tmp_path / "data" / "staff.yaml"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(SetupError, match=said):
        site.open(tmp_path / "data", background=False)


def test_a_role_that_the_policy_no_longer_has_is_told(site: Any, tmp_path: Path) -> None:
    StaffFile(tmp_path / "data" / "staff.yaml", frozenset({"dusk"})).path.write_text(
        site.opened.staff_file.path.read_text().replace("desk", "dusk")
    )
    site.close()
    with pytest.raises(SetupError, match="`berta` of the staff has the role `dusk`") as error:
        site.open(tmp_path / "data", background=False)
    assert "`desk`" in (error.value.help or "")


def test_who_is_added_is_checked_and_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = StaffFile(tmp_path / "new" / "staff.yaml", frozenset({"desk"}))
    assert file.members() == {}
    for name, password, roles, said in (
        ("Berta", PASSWORD, ("desk",), "cannot be a name"),
        ("a:b", PASSWORD, ("desk",), "cannot be a name"),
        ("berta", "x" * (SHORTEST - 1), ("desk",), "15 to 128"),
        ("berta", PASSWORD, ("dsk",), "`dsk`"),
        ("berta", PASSWORD, (), "has no role"),
    ):
        with pytest.raises(SetupError, match=said):
            file.add(name, password, roles)
    with pytest.raises(SetupError, match="nobody of the staff"):
        file.remove("berta")
    assert not file.path.exists()
    file.add(NEW_MEMBER, new_password(), ("desk",))
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert new_password() != new_password()
    assert PASSWORD not in file.path.read_text()
