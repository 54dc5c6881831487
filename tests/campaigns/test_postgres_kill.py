"""PostgreSQL killed under load: a slice of the campaign, and that the campaign notices."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from avow.store.adding import Adding
from avow.testing.postgres import Server
from tests.campaigns import postgres_kill
from tests.campaigns.postgres_kill_facts import COLLECTED, ERASED, OPENED, Held, Told, Try, failures, violations
from tests.campaigns.postgres_kill_load import Load
from tests.vault.club import club


@pytest.fixture
def mortal() -> Iterator[Server]:
    """A server of its own: the others' is not killed."""
    with Server() as server:
        yield server


@pytest.mark.campaign
def test_the_service_goes_on_and_nothing_is_lost_or_done_twice(mortal: Server, tmp_path: Path) -> None:
    figures = postgres_kill.Trial(tmp_path, mortal, cycles=4, seed=int(time.time())).run()
    assert figures["violations"] == []
    assert figures["tries_failed"] > 0  # or nothing was under way when the server was killed
    assert min(figures[what] for what in ("joined", "opened", "erased", "mails", "shares")) > 0


# -- the campaign itself notices -----------------------------------------------------------------------


def test_an_error_of_the_driver_itself_is_noticed() -> None:
    load = Load(club(), seed=7)

    def cut() -> None:
        raise psycopg.OperationalError("the connection is lost")

    assert not load._tried("open 0", cut)
    assert list(failures(load.tries, [(0.0, time.monotonic())])) == [
        "an error came out as psycopg.OperationalError: the connection is lost"
    ]


def test_an_entry_that_is_written_only_after_the_opening_was_told_is_noticed(
    mortal: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is lost here is what a crash may take: the lines of every unit that only reads."""
    monkeypatch.setattr(Adding, "add_alone", lambda self, rows: rows())
    figures = postgres_kill.Trial(tmp_path, mortal, cycles=2, seed=7).run()
    assert any("of permitted open contact.name there are" in found for found in figures["violations"])


ANN, BO, CY = "a" * 32, "b" * 32, "c" * 32


def told() -> Told:
    """Ann and Bo joined, Bo has left; two names were opened."""
    return Told({0, 1}, {0: ANN, 1: BO}, {1}, {1}, 3, 2, Counter({("send", "notice"): 2, ("share", "binder"): 1}))


def held() -> Held:
    lines = Counter({COLLECTED: 2, OPENED: 2, ERASED: 1})
    lines.update({("attempted", "send", "notice"): 2, ("attempted", "share", "binder"): 1})
    return Held([ANN], [ANN], [ANN], [(ANN, "send", "notice"), (ANN, "share", "binder")], lines)


def test_what_agrees_is_no_violation() -> None:
    assert violations(told(), held(), told()) == []


def test_what_was_begun_and_not_told_may_be_there_or_not() -> None:
    after = told()
    after.joining |= {2}
    after.leaving |= {0}
    without = held()
    without.people, without.owners, without.linked, without.sends = [], [], [], []
    without.lines[ERASED] = 2
    with_it = held()
    with_it.people, with_it.owners, with_it.lines[COLLECTED] = [ANN, CY], [ANN, CY], 3
    assert violations(told(), without, after) == []
    assert violations(told(), with_it, after) == []


def lost(facts: Held) -> None:
    facts.people, facts.owners = [], []


def returned(facts: Held) -> None:
    facts.people, facts.owners = [ANN, BO], [ANN, BO]


HARMS: list[tuple[Callable[[Held], Any], str]] = [
    (lost, "who joined as 0 is lost"),
    (lambda held: held.people.clear(), "either a key or a record"),
    (lambda held: held.people.append(CY), "either a key or a record"),
    (lambda held: held.owners.append(ANN), "1 people have joined twice"),
    (lambda held: held.sends.append(held.sends[0]), "1 sends are queued twice"),
    (lambda held: held.sends.pop(), "a send for who joined as 0 is lost"),
    (returned, "who joined as 1 was erased, and is there"),
    (lambda held: held.linked.append(BO), "who joined as 1 was erased, and is there"),
    (lambda held: held.sends.append((BO, "send", "notice")), "who joined as 1 was erased, and is there"),
    (lambda held: held.lines.update([COLLECTED]), "there are 3 entries, and not 2 to 2"),
    (lambda held: held.lines.subtract([OPENED]), "of permitted open contact.name there are 1 entries, and not 2 to 3"),
    (lambda held: held.lines.subtract([ERASED]), "of done erase customer there are 0 entries"),
    (
        lambda held: held.lines.subtract([("attempted", "send", "notice")]),
        "2 times send notice arrived, and 1 attempts",
    ),
    (lambda held: setattr(held, "trouble", "entry 3"), "the ledger does not verify: entry 3"),
]


@pytest.mark.parametrize(("harm", "said"), HARMS, ids=[f"{n} {said}" for n, (_, said) in enumerate(HARMS)])
def test_each_violation_is_noticed(harm: Callable[[Held], Any], said: str) -> None:
    facts = held()
    harm(facts)
    assert any(said in found for found in violations(told(), facts, told()))


def test_a_try_that_fails_while_the_server_is_there_is_noticed() -> None:
    across = [Try("open 0", 9.0, 11.0, "cut"), Try("open 0", 19.0, 21.0, "cut"), Try("join 0", 21.0, 22.0)]
    assert list(failures(across, [(10.0, 20.0)])) == []
    late = Try("erase", 20.5, 21.0, "OperationalError: cut")
    assert list(failures([*across, late], [(10.0, 20.0)])) == [
        "`erase` failed while the server was there: OperationalError: cut"
    ]
