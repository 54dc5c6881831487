"""What the entries count to, and the tally that is kept of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import MetaData, update

from avow.errors import LedgerError
from avow.ledger import tally
from avow.ledger.entry import Entry
from avow.ledger.figures import Cell, by_sentence, cells_of, count
from avow.store.connection import Store
from avow.store.schema import Schema, declare


def entry(event: str, hour: int, *sentences: str, purpose: str | None = None) -> Entry:
    return Entry(event, "share", "contact", purpose, "ups", sentences, "0" * 64, hour, f"{hour:032x}")


ENTRIES = [
    entry("permitted", 23, "a", "b", purpose="shipping"),
    entry("permitted", 24, "a", purpose="shipping"),
    entry("permitted", 47, "a", purpose="shipping"),
    entry("refused", 47, "a"),
    entry("done", 48, "b"),
    entry("failed", 49, "b"),
    entry("attempted", 49),
]


def test_an_entry_counts_on_the_day_of_its_hour_once_for_each_sentence() -> None:
    first, second = cells_of(ENTRIES[0])
    assert first == Cell(0, "a", "permitted", "share", "shipping", "ups", "")
    assert (second.anchor, first.date) == ("b", date(1970, 1, 1))
    assert cells_of(ENTRIES[1])[0].date == date(1970, 1, 2)
    assert cells_of(ENTRIES[-1]) == []


def test_the_figures_of_a_sentence() -> None:
    found = by_sentence(count(ENTRIES).items())
    a, b = found["a"], found["b"]
    assert (a.permitted, a.refused, a.done, a.kept, a.last) == (3, 1, 0, 3, 1)
    assert (b.permitted, b.refused, b.done, b.failed, b.kept, b.last) == (1, 0, 1, 1, 2, 2)
    assert a.days == {0: (1, 0), 1: (2, 1)}
    assert a.by == {("permitted", "share", "shipping", "ups", ""): 3, ("refused", "share", "", "ups", ""): 1}


@pytest.fixture
def kept(store: str, tmp_path: Path) -> tuple[Store, Schema]:
    opened, schema = Store.open(store), declare(MetaData())
    schema.metadata.create_all(opened.engine)
    return opened, schema


def test_the_tally_adds_up_over_batches_and_is_read_by_day(kept: tuple[Store, Schema]) -> None:
    store, schema = kept
    for part in (ENTRIES[:3], ENTRIES[3:], ENTRIES[:1], []):
        with store.writing() as connection:
            tally.add(connection, schema, count(part))
    with store.reading() as connection:
        found = tally.read(connection, schema)
        assert dict(found) == count([*ENTRIES, ENTRIES[0]])
        assert found == sorted(found)
        assert {cell.day for cell, _ in tally.read(connection, schema, since=1, until=2)} == {1}
        tally.compare(found, count([*ENTRIES, ENTRIES[0]]))
    store.close()


def test_a_tally_that_was_changed_is_named(kept: tuple[Store, Schema]) -> None:
    store, schema = kept
    with store.writing() as connection:
        tally.add(connection, schema, count(ENTRIES))
        connection.execute(update(schema.tally).where(schema.tally.c.event == "refused").values(times=0))
    with store.reading() as connection:
        found = tally.read(connection, schema)
    with pytest.raises(LedgerError, match=r"`a` on 1970-01-02 \(refused share\) is 0, and the entries say 1"):
        tally.compare(found, count(ENTRIES))
    with pytest.raises(LedgerError, match="is 0, and the entries say 1"):
        tally.compare([], count(ENTRIES[:1]))
    with pytest.raises(LedgerError, match="is 1, and the entries say 0"):
        tally.compare(count(ENTRIES[:1]).items(), count([]))
    store.close()
