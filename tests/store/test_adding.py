"""Rows that go to the driver itself: as durable, as atomic and as silent about values as all others."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, LargeBinary, MetaData, String, Table, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from avow.store.adding import Adding, Batch
from avow.store.connection import Store
from avow.testing.postgres import Server

METADATA = MetaData()
LINES = Table("line", METADATA, Column("id", String(9), primary_key=True), Column("body", LargeBinary))
PEOPLE = Table("somebody", METADATA, Column("id", String(9), primary_key=True))
MARKS = Table(
    "mark",
    METADATA,
    Column("who", String(9), ForeignKey("somebody.id"), primary_key=True),
    Column("id", String(9), primary_key=True),
    Column("sealed", LargeBinary),
)
SECRET = "canary7"


@pytest.fixture(autouse=True)
def tables(opened: Store) -> None:
    METADATA.create_all(opened.engine)


@pytest.fixture
def adding(opened: Store) -> Adding:
    return Adding(opened, LINES)


def lines(count: int) -> list[tuple[str, bytes]]:
    return [(f"{number}", f"body {number}".encode()) for number in range(count)]


def kept(store: Store) -> dict[str, bytes]:
    with store.reading() as connection:
        return {row.id: bytes(row.body) for row in connection.execute(select(LINES))}


@pytest.mark.parametrize("count", [0, 1, 2, 50, 51, 100, 101])
@pytest.mark.parametrize("alone", [True, False])
def test_all_rows_are_added_however_many(opened: Store, adding: Adding, count: int, alone: bool) -> None:
    if alone:
        adding.add_alone(lambda: Batch(lines(count)))
    else:
        with opened.writing() as connection:
            adding.add(connection, lines(count))
    assert kept(opened) == dict(lines(count))


def test_rows_are_in_the_transaction_of_the_connection(opened: Store, adding: Adding) -> None:
    with opened.engine.connect() as connection:
        adding.add(connection, lines(3))
        assert connection.scalar(select(func.count()).select_from(LINES)) == 3
        connection.rollback()
    assert kept(opened) == {}


def test_rows_are_asked_for_when_the_transaction_has_begun_and_all_or_none_stay(opened: Store, adding: Adding) -> None:
    def rows() -> Batch:
        if opened.dialect == "sqlite":  # of whose writers there is one at a time
            assert opened.engine.pool.checkedout() == 1  # type: ignore[attr-defined]
        raise ValueError("none after all")

    with pytest.raises(ValueError, match="none after all"):
        adding.add_alone(rows)
    with pytest.raises(IntegrityError):
        adding.add_alone(lambda: Batch([*lines(60), lines(1)[0]]))
    assert kept(opened) == {}
    adding.add_alone(lambda: Batch(lines(1)))
    assert len(kept(opened)) == 1, "the next one finds a connection in order"


@pytest.mark.parametrize(("count", "beside"), [(1, 1), (0, 2), (3, 0), (1, 60), (60, 1), (101, 101)])
@pytest.mark.parametrize("alone", [True, False])
def test_rows_beside_are_added_but_for_who_is_gone(opened: Store, count: int, beside: int, alone: bool) -> None:
    adding = Adding(opened, LINES, MARKS)
    marks = [("ann" if number % 2 else "gone", f"{number}", f"mark {number}".encode()) for number in range(beside)]
    with opened.writing() as connection:
        connection.execute(PEOPLE.insert(), [{"id": "ann"}, {"id": "bob"}])
    if alone:
        adding.add_alone(lambda: Batch(lines(count), marks))
    else:
        with opened.writing() as connection:
            adding.add(connection, lines(count), marks)
    assert kept(opened) == dict(lines(count))
    with opened.reading() as connection:
        found = sorted((row.who, row.id, bytes(row.sealed)) for row in connection.execute(select(MARKS)))
    assert found == sorted(mark for mark in marks if mark[0] == "ann")


def test_both_tables_or_neither(opened: Store) -> None:
    adding = Adding(opened, LINES, MARKS)
    with opened.writing() as connection:
        connection.execute(PEOPLE.insert(), [{"id": "ann"}])
    with pytest.raises(IntegrityError):
        adding.add_alone(lambda: Batch(lines(1), [("ann", "1", b""), ("ann", "1", b"")]))
    assert kept(opened) == {}


@pytest.mark.parametrize("alone", [True, False])
def test_an_error_shows_no_value(opened: Store, adding: Adding, alone: bool) -> None:
    def twice() -> list[tuple[str, bytes]]:
        return [("1", SECRET.encode()), ("1", SECRET.encode())]

    def add() -> None:
        if alone:
            adding.add_alone(lambda: Batch(twice()))
        else:
            with opened.writing() as connection:
                adding.add(connection, twice())

    with pytest.raises(DBAPIError) as caught:
        add()
    shown: Any = caught.value
    while shown is not None:
        assert SECRET not in f"{shown}{shown!r}"
        shown = shown.__cause__
    assert "line" in str(caught.value)


@pytest.mark.parametrize("alone", [True, False])
def test_a_connection_that_is_cut_is_told_of_as_such_and_given_to_nobody_again(
    postgres: Server, alone: bool, caplog: pytest.LogCaptureFixture
) -> None:
    opened = Store.open(postgres.fresh_database())
    METADATA.create_all(opened.engine)
    adding = Adding(opened, LINES)
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> :own"

    def cut() -> list[tuple[str, bytes]]:
        with opened.reading() as connection:
            own = connection.scalar(text("SELECT pg_backend_pid()"))
            connection.execute(text(others), {"own": own})
        return lines(1)

    def add() -> None:
        with opened.writing() as connection:
            connection.scalar(select(1))
            adding.add(connection, cut())

    with pytest.raises(OperationalError, match="INSERT INTO line"):  # and not that it cannot be rolled back
        adding.add_alone(lambda: Batch(cut())) if alone else add()
    assert not [record for record in caplog.records if record.name.startswith("sqlalchemy")]
    assert opened.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    adding.add_alone(lambda: Batch(lines(2)))
    assert len(kept(opened)) == 2
    opened.close()
