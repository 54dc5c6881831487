"""What threads write at the same time shares a transaction; what fails is told to each of them."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, String, Table, event, func, select
from sqlalchemy.exc import IntegrityError

from avow.errors import StoreError
from avow.store.adding import Adding
from avow.store.connection import Store
from avow.store.together import Together

METADATA = MetaData()
LINES = Table("line", METADATA, Column("id", String(9), primary_key=True))


@pytest.fixture(autouse=True)
def tables(opened: Store) -> None:
    METADATA.create_all(opened.engine)


@pytest.fixture
def commits(opened: Store) -> list[None]:
    """One for each transaction that may have written: each takes a connection of its own from the pool."""
    found: list[None] = []
    event.listen(opened.engine, "checkout", lambda *_: found.append(None))
    return found


def count(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(LINES)) or 0)


class Held(Together):
    """Its first transaction does not begin to write before so many others wait."""

    def __init__(self, store: Store, others: int) -> None:
        super().__init__(Adding(store, LINES))
        self._others = others

    def _take(self) -> list[Any]:
        late = time.monotonic() + 20
        while len(self._waiting) <= self._others:
            assert time.monotonic() < late, "nobody else came"
            time.sleep(0.001)
        self._others = 0
        return super()._take()


def at_once(together: Together, rows: list[list[tuple[str]]]) -> list[Future[None]]:
    with ThreadPoolExecutor(len(rows)) as pool:
        return [pool.submit(together.write, each) for each in rows]


def test_who_is_alone_writes_at_once(opened: Store, commits: list[None]) -> None:
    together = Together(Adding(opened, LINES))
    together.write([("a",), ("b",)])
    together.write([("c",)])
    assert (count(opened), len(commits)) == (3, 2)


def test_who_comes_meanwhile_shares_a_transaction(opened: Store, commits: list[None]) -> None:
    done = at_once(Held(opened, others=7), [[(f"{n}",)] for n in range(8)])
    assert [each.result() for each in done] == [None] * 8
    assert count(opened) == 8
    assert len(commits) == 1


def test_under_load_every_row_is_there_when_its_writer_goes_on(opened: Store, commits: list[None]) -> None:
    together = Together(Adding(opened, LINES))

    def write(number: int) -> bool:
        together.write([(f"{number}",)])
        with opened.reading() as connection:
            return connection.scalar(select(LINES.c.id).where(LINES.c.id == f"{number}")) is not None

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(200)))
    assert count(opened) == 200
    assert len(commits) <= 200


def test_what_comes_to_nothing_is_told_to_all_who_shared_it_and_to_nobody_else(opened: Store) -> None:
    together = Held(opened, others=3)
    done = at_once(together, [[("a",)], [("b",)], [("c",)], [("a",)]])
    told = sorted(type(each.exception()).__name__ for each in done)
    assert told == sorted([IntegrityError.__name__, *[StoreError.__name__] * 3])
    assert count(opened) == 0, "all or nothing"
    together.write([("a",)])
    assert count(opened) == 1, "the next one leads again"
