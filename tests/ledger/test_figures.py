"""What the entries count to, and the tally that is kept of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import MetaData, delete, select, update

from avow.errors import LedgerError
from avow.ledger import tally
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.entry import Entry
from avow.ledger.figures import Cell, by_sentence, cells_of, count
from avow.ledger.sequencer import Sequencer
from avow.ledger.verify import verify
from avow.store.connection import Store
from avow.store.schema import Schema, declare

from .pending import SIGNER, add


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


@pytest.mark.parametrize("event", ["withdrawn", "shredded", "unknown", "declined", "attempted"])
def test_only_what_was_carried_out_counts_as_done(event: str) -> None:
    """Not the end of a signature, nor the key that is destroyed after an erasure: that would be one erasure as two."""
    found = by_sentence(count([entry("signed", 1, "a"), entry("done", 1, "a"), entry(event, 30, "a")]).items())["a"]
    assert all(by_sentence(count([entry(each, 1, "a")]).items())["a"].done == 1 for each in ("packed", "brought"))
    assert (found.done, found.permitted, found.refused, found.failed) == (2, 0, 0, 0)
    assert (found.days, found.last) == ({0: (2, 0), 1: (0, 0)}, 1)
    assert found.by[event, "share", "", "ups", ""] == 1


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


def test_a_tally_that_was_lost_is_counted_anew_and_the_ledger_says_so(
    ledger: tuple[Store, Schema, Sequencer],
) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 300)
    sequencer.run()
    with store.writing() as connection:
        connection.execute(delete(schema.tally))
        tally.add(connection, schema, count(ENTRIES))
    with pytest.raises(LedgerError, match="the entries say 0") as caught:
        verify(store, schema, sequencer.file, SIGNER.key)
    assert "avow ledger recount" in str(caught.value.help)
    report = verify(store, schema, sequencer.file, SIGNER.key, tallied=False)
    add(store, schema, 300, 5)
    sequencer.run()  # the log goes on between verifying and counting
    sequencer.recount(Checkpoint(SIGNER.key.name, report.size, report.root), report.counted)
    assert sequencer.run() == 1
    assert verify(store, schema, sequencer.file, SIGNER.key).size == 306
    with store.reading() as connection:
        told = [Entry.decode(bytes(each)) for each in connection.scalars(select(schema.entry.c.body))]
        assert by_sentence(tally.read(connection, schema))["a"].permitted == 305
    assert [(each.verb, each.object) for each in told if each.event == "recounted"] == [("keep", "tally")]


def test_nothing_is_counted_of_another_log_than_the_one_that_was_verified(
    ledger: tuple[Store, Schema, Sequencer],
) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 3)
    sequencer.run()
    with pytest.raises(LedgerError, match="is not the one"):
        sequencer.recount(Checkpoint(SIGNER.key.name, 3, bytes(32)), count([]))
    assert verify(store, schema, sequencer.file, SIGNER.key).pending == 0
