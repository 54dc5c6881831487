"""The journal: the ledger's copy outside the database, which gives a database put back its lost entries."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from avow.errors import LedgerError, StoreError
from avow.ledger.entry import Entry, commitment
from avow.ledger.journal import NAME, Journal, Logged
from avow.ledger.sequencer import Sequencer, pending_count
from avow.ledger.stored import StoredLog
from avow.ledger.tiles import Tile
from avow.ledger.verify import verify
from avow.store.connection import Store
from avow.store.schema import Schema

from .pending import OTHER, SIGNER, add, sealed, tally_anew


def entry(number: int) -> Logged:
    return Logged(number, b"body %d" % number * (number % 7), hashlib.sha256(b"%d" % number).digest())


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / NAME)


def test_what_was_appended_is_read(journal: Journal) -> None:
    assert (journal.size(), list(journal.read(0))) == (0, [])
    journal.append(map(entry, range(5)))
    journal.append(map(entry, range(5, 9)))
    assert journal.size() == 9
    assert list(journal.read(0)) == list(map(entry, range(9)))
    assert list(journal.read(7)) == [entry(7), entry(8)]
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_what_it_has_is_not_appended_again(journal: Journal) -> None:
    journal.append(map(entry, range(5)))
    before = journal.path.read_bytes()
    journal.append(map(entry, range(2, 5)))
    assert journal.path.read_bytes() == before


def test_a_gap_is_refused(journal: Journal) -> None:
    journal.append(map(entry, range(5)))
    with pytest.raises(LedgerError, match="has 5 entries, and entry 6 came"):
        journal.append([entry(6)])
    assert journal.size() == 5


def test_wherever_a_crash_cuts_it_the_whole_entries_stay_and_the_rest_is_written_again(journal: Journal) -> None:
    journal.append(map(entry, range(4)))
    whole = journal.path.read_bytes()
    for length in range(len(whole)):
        journal.path.write_bytes(whole[:length])
        size = journal.size()
        assert list(journal.read(0)) == list(map(entry, range(size)))
        journal.append(map(entry, range(size, 4)))
        assert journal.path.read_bytes() == whole


def test_a_file_that_is_none_is_told(journal: Journal) -> None:
    journal.path.write_bytes(b"something else altogether\n")
    with pytest.raises(LedgerError, match="damaged at entry 0"):
        journal.size()


def test_one_that_cannot_be_written_is_told(journal: Journal) -> None:
    journal.path.mkdir()
    with pytest.raises(StoreError, match="will be copied again"):
        journal.append([entry(0)])


def put_back(store: Store, schema: Schema, size: int) -> None:
    """The database as it was when the ledger had `size` entries, and some of what came into it since was waiting."""
    with store.writing() as connection:
        entries = schema.entry
        lost = connection.execute(select(entries).where(entries.c.number >= size).order_by(entries.c.number)).all()
        edge = StoredLog(connection, schema).edge(size)
        connection.execute(delete(entries).where(entries.c.number >= size))
        connection.execute(delete(schema.tile).where(schema.tile.c.number >= size // 256))
        partial = [(Tile(0, size // 256, size % 256), edge.partials[0])] if size % 256 else []
        StoredLog(connection, schema).put(partial)
        tally_anew(connection, schema)
        for number, row in enumerate(lost[:3]):
            connection.execute(schema.pending.insert().values(sealed(bytes(row.body), f"{900 + number:032x}")))


def events(store: Store, schema: Schema) -> list[str]:
    with store.reading() as connection:
        return [
            Entry.decode(bytes(body)).event
            for body in connection.scalars(select(schema.entry.c.body).order_by(schema.entry.c.number))
        ]


def test_a_ledger_put_back_gets_its_end_again_and_says_so(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 20)
    sequencer.run()
    put_back(store, schema, 12)
    with pytest.raises(LedgerError, match="run `avow restore`"):
        sequencer.begin()
    assert sequencer.recover() == 8
    with store.reading() as connection:
        assert pending_count(connection, schema) == 1
    sequencer.begin()
    sequencer.run()
    assert events(store, schema) == ["permitted"] * 20 + ["restored"]
    assert verify(store, schema, sequencer.file, SIGNER.key).size == 21
    assert sequencer.recover() == 0


def test_a_shortened_ledger_without_its_journal_is_refused(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 20)
    sequencer.run()
    put_back(store, schema, 12)
    os.truncate(sequencer.journal.path, sequencer.journal.path.stat().st_size - 1)
    with pytest.raises(LedgerError, match="12 entries, its checkpoint tells of 20, and its journal holds 19"):
        sequencer.recover()
    with store.reading() as connection:
        assert pending_count(connection, schema) == 3  # nothing was touched


def test_a_journal_that_was_changed_is_not_believed(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 20)
    sequencer.run()
    put_back(store, schema, 12)
    content = sequencer.journal.path.read_bytes()
    last = sequencer.journal.last()
    assert last is not None
    assert len(OTHER) == len(last.body)
    for changed, found in (
        (content[:-60] + b"X" + content[-59:], "damaged at entry 19"),
        (content.replace(last.commitment, bytes(32)), "damaged at entry 19"),
        (
            content.replace(last.body, OTHER).replace(last.commitment, commitment(OTHER)),
            "do not lead to the ledger's checkpoint",
        ),
    ):
        sequencer.journal.path.write_bytes(changed)
        with pytest.raises(LedgerError, match=found):
            sequencer.recover()
        with store.reading() as connection:
            assert StoredLog(connection, schema).size() == 12


def test_an_installation_without_a_journal_gets_one(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 1203)
    sequencer.run()
    before = sequencer.journal.path.read_bytes()
    sequencer.journal.path.unlink()
    sequencer.begin()
    assert sequencer.journal.path.read_bytes() == before
