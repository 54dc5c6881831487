"""A page that is asked for by GET is thought to read only; one that writes is done once more, as one that may."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, func, select
from starlette.responses import PlainTextResponse, Response

from tests.site.conftest import Browser


@pytest.fixture
def add(site: Any) -> Callable[[Callable[[Any], Any]], None]:
    """Serves a handler at `/added`."""

    def add(handler: Callable[[Any], Any]) -> None:
        site.page("/added", role="desk", purpose="lending", place="hall", methods=("GET", "POST"))(handler)
        site.opened.app.app.routes.append(site.routes.pop())

    return add


@pytest.fixture
def begun(site: Any) -> list[str]:
    """For each transaction, what its connection may do: `write` or `read`."""
    found: list[str] = []
    store = site.opened.vault.store
    event.listen(store.engine, "checkout", lambda *_: found.append("write"))
    event.listen(store.reader, "checkout", lambda *_: found.append("read"))
    return found


def members(site: Any) -> int:
    with site.opened.vault.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(site.Member)) or 0


def test_a_page_that_reads_takes_no_lock_but_for_its_entries(browser: Browser, ann: str, begun: list[str]) -> None:
    assert "Ann Example" in browser.get(f"/own/{ann}").text
    assert (begun[0], begun.count("write"), begun[-1]) == ("read", 1, "write")


def test_a_page_that_writes_is_done_once_more_and_then_at_once(
    site: Any, browser: Browser, add: Any, begun: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[None] = []

    def greets(work: Any) -> Response:
        calls.append(None)
        work.collect(site.Member, person=work.person(), name="Bob", email="bob@example.org")
        return PlainTextResponse("hello")

    add(greets)
    with caplog.at_level(logging.DEBUG, "avow"):
        assert browser.get("/added").text == "hello"
    assert (members(site), len(calls)) == (1, 2)
    assert not caplog.records, "nothing went wrong"
    begun.clear()
    assert browser.get("/added").text == "hello"
    assert (members(site), len(calls)) == (2, 3)
    assert "read" not in begun[:-1]  # the last one is that of `members`


def test_what_was_typed_is_there_the_second_time(site: Any, browser: Browser, add: Any) -> None:
    def asks(work: Any) -> Response:
        member = work.collect(site.Member, person=work.person(), name="Bob", email="bob@example.org")
        work.set_cookie("shelf", "B")
        return PlainTextResponse(f"{work.query['for']} {member.person == ''}")

    add(asks)
    answer = browser.get("/added?for=bees")
    assert answer.text == "bees False"
    assert answer.headers.get_list("set-cookie") == [answer.headers["set-cookie"]], "set once"


def test_a_refusal_stays_one(site: Any, browser: Browser, add: Any) -> None:
    def careless(work: Any) -> Response:
        work.collect(site.Member, person=work.person(), name="Bob", email="bob@example.org", at="shelf")
        return PlainTextResponse("no")

    add(careless)
    assert browser.get("/added").status_code == 403
    assert members(site) == 0
