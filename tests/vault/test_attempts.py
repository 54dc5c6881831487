"""Attempts at what could be guessed: counted by whom they are about, slowed down, forgotten; nothing can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.errors import Refused
from avow.testing.clock import FrozenClock
from avow.vault.attempts import FIRST_WAIT, FORGOTTEN, FREE, LONGEST_WAIT
from avow.vault.sealed import Given

from .club import club

ANN, BO = "ann@example.org", "bo@example.org"


@pytest.fixture
def site(store: str, tmp_path: Path, clock: FrozenClock) -> Iterator[Any]:
    site = club()
    site.open(tmp_path / "data", store=store, background=False, clock=clock)
    yield site
    site.close()


def attempt(site: Any, whom: str = ANN, what: str = "login", channel: str = "https") -> float:
    with site.acting("desk", "lending", place="hall", channel=channel) as work:
        return float(work.attempt(what, Given("contact.email", whom)))


def rows(site: Any) -> list[Any]:
    with site.opened.vault.store.reading() as connection:
        return list(connection.execute(site.home.schema.attempt.select()))


def test_a_few_are_free_then_each_costs_twice_the_wait_of_the_one_before(site: Any, clock: FrozenClock) -> None:
    assert [attempt(site) for _ in range(FREE)] == [0.0] * FREE
    wait = FIRST_WAIT
    while wait < LONGEST_WAIT:
        assert attempt(site, "  ANN@Example.org ") == wait, "another spelling of the same address"
        clock.advance(wait / 2)
        assert attempt(site) == wait / 2, "an attempt that has to wait costs nothing"
        clock.advance(wait / 2)
        assert attempt(site) == 0.0
        wait *= 2
    assert attempt(site) == LONGEST_WAIT
    assert attempt(site, what="reset") == 0.0


def test_success_and_time_forget_them(site: Any, clock: FrozenClock) -> None:
    for _ in range(FREE):
        attempt(site)
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        work.succeeded("login", Given("contact.email", ANN))
    assert [attempt(site) for _ in range(FREE)] == [0.0] * FREE
    clock.advance(FORGOTTEN + FIRST_WAIT + 1)
    attempt(site, BO)
    assert len(rows(site)) == 1


def test_what_is_kept_is_a_keyed_hash_that_no_column_shares(site: Any) -> None:
    attempt(site)
    [row] = rows(site)
    assert len(row.token) == 32
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.collect(site.Member, person=work.person(), name="Ann", email=ANN)
        assert member.email_ix != row.token


def test_it_counts_though_the_unit_is_undone_and_is_judged_as_collected(site: Any) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        work.attempt("login", Given("contact.email", ANN))
        work.unit.rollback()
    assert [row.tries for row in rows(site)] == [1]
    with pytest.raises(Refused):
        attempt(site, channel="http")
    assert [row.tries for row in rows(site)] == [1]
