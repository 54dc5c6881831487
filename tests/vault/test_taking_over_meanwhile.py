"""Taking over while the service writes, erases, or is taken over twice at once; and after a run that died."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text

from avow.vault.erasure import erase
from avow.vault.keeping import update

from .library import Library, declare, loans, members, take


@pytest.fixture
def old(store: str) -> Library:
    return Library(store).fill()


def test_who_is_erased_while_a_row_of_theirs_is_being_sealed_stays_erased(
    old: Library, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if old.engine.dialect.name == "sqlite":
        return  # one writes at a time there: who erases waits for the batch
    declare(site)
    take(site)
    old.run("UPDATE reader SET email = 'new@example.org' WHERE id = 1")
    vault = site.opened.vault

    def erased_first(unit: Any, record: Any, **values: Any) -> None:
        erase(vault, record.owner_id)  # in a transaction of its own, while the batch has the row in its hands
        update(unit, record, **values)

    monkeypatch.setattr("avow.vault.taking_over_rows.write_anew", erased_first)
    taken, _ = take(site)
    assert (taken.rows, taken.erased) == (0, 1)
    assert old.readers()[1][1] is None
    assert [one["name"] for one in members(site)] == ["Bob Example", "Cid Example"]


def test_two_commands_at_once_take_nothing_twice(old: Library, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avow.vault.taking_over_rows.TRIES", 1)  # neither gets in the other's way
    declare(site)
    for number in range(10, 50):
        old.run('INSERT INTO "order" VALUES (:n, 77, :name, 1)', n=f"p-{number}", name=f"Order {number} Example")
    for number in range(10, 50):
        old.read(number, f"Reader {number} Example", f"{number}@example.org", None, None, "R")
    rows: list[int] = []
    both = [threading.Thread(target=lambda: rows.append(take(site, batch=3)[0].rows)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(60)
    assert sum(rows) == 43
    assert len(members(site)) == 43
    assert len(loans(site)) == 42
    assert {row[:2] for row in old.readers().values()} == {("", None)}


def test_a_run_that_died_between_two_batches_is_gone_on_with(old: Library, site: Any) -> None:
    declare(site)

    def die(done: int, total: int) -> None:
        assert total == 5
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        take(site, progress=die)
    assert [row[0] for row in old.readers().values()] == ["", "", "Cid Example"]
    assert [one["name"] for one in members(site)] == ["Ann Example", "Bob Example"]
    take(site)
    assert [one["name"] for one in members(site)] == ["Ann Example", "Bob Example", "Cid Example"]


def test_rows_that_the_service_writes_meanwhile_are_taken_too(old: Library, site: Any) -> None:
    declare(site)
    for number in range(10, 60):
        old.read(number, f"Reader {number} Example", f"{number}@example.org", None, None, "R")
    over = threading.Event()

    def serve() -> None:
        for number in range(100, 140):
            old.read(number, f"Reader {number} Example", f"{number}@example.org", None, None, "R")
            old.run("UPDATE reader SET email = :mail WHERE id = :id", mail=f"new{number}@example.org", id=number - 90)
        over.set()

    service = threading.Thread(target=serve)
    service.start()
    rows = 0
    while not over.is_set():
        rows += take(site, batch=7)[0].rows
    service.join(60)
    rows += take(site, batch=7)[0].rows
    assert rows >= 93
    assert len(members(site)) == 93
    assert {row[:2] for row in old.readers().values()} == {("", None)}
    mails = {one["email"] for one in members(site)}
    assert {f"new{number}@example.org" for number in range(100, 140)} <= mails
    assert len(mails) == 93


def test_a_row_that_the_service_has_in_its_hands_is_waited_for(old: Library, site: Any) -> None:
    """On PostgreSQL the first pass goes around it, the last one waits; SQLite's writers are one at a time."""
    declare(site)
    take(site)
    old.run("UPDATE reader SET address = 'somewhere else' WHERE id = 2")  # the only one that is left to take
    done = threading.Event()

    def seal() -> None:
        take(site)
        done.set()

    sealing = threading.Thread(target=seal)
    with old.engine.begin() as connection:
        connection.execute(text("UPDATE reader SET address = '2 Lane of Bats' WHERE id = 2"))
        sealing.start()
        assert not done.wait(0.5)
    sealing.join(60)
    assert done.is_set()
    assert members(site)[1]["address"] == "2 Lane of Bats"
