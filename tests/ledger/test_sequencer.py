"""Integrating what is pending, and what the log is then; verifying it afterwards is in test_verify."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Connection, MetaData, delete, insert, select, update

from avow.errors import LedgerError
from avow.ledger import tally
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.entry import Entry, commitment
from avow.ledger.figures import by_sentence
from avow.ledger.growing import Edge
from avow.ledger.journal import Logged
from avow.ledger.kept import NAME, read_kept
from avow.ledger.sequencer import BATCH, Sequencer, pending_count
from avow.ledger.stored import StoredLog
from avow.ledger.tiles import Tile
from avow.ledger.verify import verify
from avow.store.connection import Store
from avow.store.schema import Schema, declare

from .pending import OTHER, SIGNER, WAITING, add, body, sealed, tally_anew
from .trees import sha256, tree


def test_batches_are_integrated_tallied_and_drained(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    count = BATCH + 203
    add(store, schema, 0, count)
    add(store, schema, 9000, 2, "refused")
    assert sequencer.run() == count + 2
    with store.reading() as connection:
        assert pending_count(connection, schema) == 0
        counted = tally.read(connection, schema)
    told = {(cell.anchor, cell.event, cell.day): times for cell, times in counted}
    assert told == {(a, e, 20_833): n for a in "ab" for e, n in (("permitted", count), ("refused", 2))}
    report = verify(store, schema, sequencer.file, SIGNER.key)
    assert (report.size, report.pending) == (count + 2, 0)
    assert report.kept == Checkpoint("shop.example/ledger", report.size, report.root)


def test_entries_are_taken_in_the_order_of_their_random_ids(ledger: tuple[Store, Schema, Sequencer]) -> None:
    """So that their order in the log does not say in which one they came, also where it takes several batches."""
    store, schema, sequencer = ledger
    add(store, schema, 0, BATCH + 300)
    with store.reading() as connection:
        rows = connection.execute(select(schema.pending.c.id, schema.pending.c.body)).all()
    sequencer.run()
    with store.reading() as connection:
        bodies = connection.scalars(select(schema.entry.c.body).order_by(schema.entry.c.number)).all()
    rows = sorted(rows, key=lambda row: row.id)
    assert [bytes(body) for body in bodies] == [WAITING.unseal(row.id, bytes(row.body)) for row in rows]
    nonces = [Entry.decode(bytes(item)).nonce for item in bodies]
    assert nonces != sorted(nonces)


def test_each_commitment_is_of_its_body_and_the_tiles_are_over_all(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    for start, count in ((0, 3), (3, 250), (253, 3), (256, 1), (257, 300)):  # each of them ends otherwise in a tile
        add(store, schema, start, count)
        sequencer.run()
        with store.one_moment() as connection:
            log = StoredLog(connection, schema)
            rows = connection.execute(select(schema.entry).order_by(schema.entry.c.number)).all()
            assert [row.number for row in rows] == list(range(start + count)) == list(range(log.size()))
            assert all(commitment(bytes(row.body)) == bytes(row.commitment) for row in rows)
            leaves = [sha256(b"\0" + bytes(row.commitment)) for row in rows]
            assert [log.edge(size).root for size in (0, 1, 2, len(rows))] == [
                tree(leaves[:size]) for size in (0, 1, 2, len(rows))
            ]
        kept = read_kept(sequencer.file, SIGNER.key)
        assert kept is not None
        assert kept.root == tree(leaves)


def test_two_sequencers_at_once_integrate_each_entry_once(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 2000)
    threads = [Thread(target=sequencer.run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify(store, schema, sequencer.file, SIGNER.key).size == 2000


GARBAGE = [
    b"",
    b"garbage",
    b"\xff" * 70_000,
    b"{}",
    body(7)[:-1],
    body(7) + b" ",
    body(7).replace(b'"format":1', b'"format":2'),
]


def test_what_is_no_entry_is_set_aside_and_the_rest_is_integrated(
    ledger: tuple[Store, Schema, Sequencer], caplog: pytest.LogCaptureFixture
) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 5)
    with store.writing() as connection:
        rows = [{"id": f"{900 + n:032x}", "body": found} for n, found in enumerate([*GARBAGE, GARBAGE[1]])]
        connection.execute(insert(schema.pending), rows)
    add(store, schema, 2000, 5)
    assert sequencer.run() == 10 + len(GARBAGE) + 1
    report = verify(store, schema, sequencer.file, SIGNER.key)
    assert (report.size, report.pending) == (18, 0)
    digests = sorted(hashlib.sha256(found).hexdigest() for found in [*GARBAGE, GARBAGE[1]])
    assert sorted(found.digest for found in report.unreadable) == digests
    assert all(found.kept for found in report.unreadable)
    with store.reading() as connection:
        kept = {bytes(found) for found in connection.scalars(select(schema.aside.c.body))}
        bodies = connection.scalars(select(schema.entry.c.body).order_by(schema.entry.c.number)).all()
    assert kept == set(GARBAGE)
    entries = [Entry.decode(bytes(found)) for found in bodies]
    assert {number for number, entry in enumerate(entries) if entry.event == "unreadable"} == {
        found.number for found in report.unreadable
    }
    assert sum(entry.event == "permitted" for entry in entries) == 10
    assert all(digest in caplog.text for digest in digests)
    assert "garbage" not in caplog.text


def test_a_row_that_is_put_back_after_it_was_integrated_counts_once(
    ledger: tuple[Store, Schema, Sequencer], caplog: pytest.LogCaptureFixture
) -> None:
    """A sealed row needs no key to be copied: of one refusal it would make as many as somebody likes."""
    store, schema, sequencer = ledger
    add(store, schema, 0, 3, event="refused")
    with store.reading() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(schema.pending))]
    sequencer.run()
    for again in range(2):
        with store.writing() as connection:
            connection.execute(insert(schema.pending), rows[:1])
        add(store, schema, 2000 + again, 1)
        assert sequencer.run() == 2
    report = verify(store, schema, sequencer.file, SIGNER.key)
    digest = hashlib.sha256(bytes(rows[0]["body"])).hexdigest()
    assert [(each.digest, each.kept) for each in report.unreadable] == [(digest, True)] * 2
    with store.reading() as connection:
        assert by_sentence(tally.read(connection, schema))["a"].refused == 3
    assert f"repeats an entry of the ledger; it is set aside as sha256.{digest}" in caplog.text


def test_of_one_entry_twice_in_a_batch_the_second_is_set_aside(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    with store.writing() as connection:
        connection.execute(insert(schema.pending), [sealed(body(1)), sealed(body(1)), sealed(body(2))])
    assert sequencer.run() == 3
    report = verify(store, schema, sequencer.file, SIGNER.key)
    assert (report.size, len(report.unreadable)) == (3, 1)


def test_what_was_set_aside_and_is_gone_or_changed_is_told(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    with store.writing() as connection:
        connection.execute(insert(schema.pending), [{"id": f"{n:032x}", "body": GARBAGE[n]} for n in (1, 3)])
    sequencer.run()
    with store.writing() as connection:
        connection.execute(delete(schema.aside).where(schema.aside.c.body == GARBAGE[1]))
        connection.execute(update(schema.aside).values(body=b"other"))
    report = verify(store, schema, sequencer.file, SIGNER.key)
    assert [found.kept for found in report.unreadable] == [False, False]


def test_a_text_where_bytes_belong_stops_nobody(tmp_path: Path) -> None:
    """SQLite keeps whatever is put into a column, also what its driver cannot read back."""
    store, schema = Store.open(f"sqlite:///{tmp_path / 'site.db'}"), declare(MetaData())
    schema.metadata.create_all(store.engine)
    sequencer = Sequencer(store, schema, tmp_path / NAME, SIGNER, WAITING)
    sequencer.begin()
    add(store, schema, 0, 1)
    with store.writing() as connection:
        for number, value in enumerate(("'text'", "42", "CAST(x'ff' AS TEXT)")):
            connection.exec_driver_sql(f"INSERT INTO avow_pending VALUES ('row{number}', {value})")
        connection.exec_driver_sql("INSERT INTO avow_pending VALUES ('', 'a'), (x'ff', 'b')")
    assert sequencer.run() == 6
    assert len(verify(store, schema, sequencer.file, SIGNER.key).unreadable) == 5
    with store.reading() as connection:
        assert pending_count(connection, schema) == 0
    store.close()


def grown(ledger: tuple[Store, Schema, Sequencer]) -> tuple[bytes, bytes]:
    """A log that has gone on from 300 entries to 320: its checkpoint and journal as they were before."""
    store, schema, sequencer = ledger
    add(store, schema, 0, 300)
    sequencer.run()
    kept, journal = sequencer.file.read_bytes(), sequencer.journal.path.read_bytes()
    add(store, schema, 300, 20)
    sequencer.run()
    return kept, journal


def test_what_is_committed_and_not_yet_signed_is_signed_at_the_next_start(
    ledger: tuple[Store, Schema, Sequencer],
) -> None:
    """As after a crash between the commit and the journal, or between the journal and the checkpoint."""
    _, _, sequencer = ledger
    kept, journal = grown(ledger)
    after, whole = sequencer.file.read_bytes(), sequencer.journal.path.read_bytes()
    for left in (journal, whole):
        sequencer.file.write_bytes(kept)
        sequencer.journal.path.write_bytes(left)
        sequencer.begin()
        assert sequencer.file.read_bytes() == after
        assert sequencer.journal.path.read_bytes() == whole


def test_nothing_is_signed_that_was_changed_between_commit_and_signature(
    ledger: tuple[Store, Schema, Sequencer],
) -> None:
    store, schema, sequencer = ledger
    kept, journal = grown(ledger)
    entry = schema.entry
    for values in ({"body": OTHER}, {"body": OTHER, "commitment": commitment(OTHER)}):
        sequencer.file.write_bytes(kept)
        sequencer.journal.path.write_bytes(journal)
        with store.writing() as connection:
            connection.execute(update(entry).where(entry.c.number == 310).values(values))
        with pytest.raises(LedgerError, match="nothing was signed"):
            sequencer.begin()
        assert (sequencer.file.read_bytes(), sequencer.journal.path.read_bytes()) == (kept, journal)


class Tampered(Sequencer):
    """Between its commit and its signature somebody exchanges the last entry, with all that belongs to it."""

    def _publish(self, computed: Edge | None) -> None:
        if computed is not None:
            with self.store.writing() as connection:
                log, last = StoredLog(connection, self.schema), computed.size - 1
                entry, tile = self.schema.entry, self.schema.tile
                leaves = log.read(Tile(0, 0, computed.size))
                connection.execute(
                    update(entry).where(entry.c.number == last).values(body=OTHER, commitment=commitment(OTHER))
                )
                connection.execute(update(tile).values(hashes=leaves[:-32] + sha256(b"\0" + commitment(OTHER))))
        super()._publish(computed)


def test_nothing_is_signed_that_is_not_what_was_committed(ledger: tuple[Store, Schema, Sequencer]) -> None:
    """Even where all of it fits itself and goes on from the checkpoint before."""
    store, schema, sequencer = ledger
    add(store, schema, 0, 10)
    kept = sequencer.file.read_bytes()
    with pytest.raises(LedgerError, match="the first 10 entries of the ledger should have the root"):
        Tampered(store, schema, sequencer.file, SIGNER, WAITING).run()
    assert sequencer.file.read_bytes() == kept
    assert sequencer.journal.size() == 0


class Overtaken(Sequencer):
    """Before it signs, another process has signed: of a database of its own, with the same data folder."""

    def _check_journal(self, connection: Connection, size: int, last: Logged | None) -> None:
        super()._check_journal(connection, size, last)
        self.file.write_bytes(Checkpoint(SIGNER.key.name, 3, bytes(32)).sign(SIGNER))


def test_nothing_is_signed_that_contradicts_what_was_signed_a_moment_ago(
    ledger: tuple[Store, Schema, Sequencer],
) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 10)
    with pytest.raises(LedgerError, match="is not the one"):
        Overtaken(store, schema, sequencer.file, SIGNER, WAITING).run()
    assert read_kept(sequencer.file, SIGNER.key) == Checkpoint(SIGNER.key.name, 3, bytes(32))


def test_a_journal_that_is_ahead_or_of_another_ledger_is_not_gone_on_with(
    ledger: tuple[Store, Schema, Sequencer], tmp_path: Path
) -> None:
    """Entries of the same numbers would be left out of it: what it has there must be what the database has."""
    store, schema, sequencer = ledger
    add(store, schema, 0, 10)
    sequencer.run()
    kept = sequencer.file.read_bytes()
    journal = sequencer.journal.path.read_bytes()
    last = sequencer.journal.last()
    assert last is not None
    sequencer.journal.append([last._replace(number=10)])
    with pytest.raises(LedgerError, match=r"has 10 entries, and its journal .* holds 11"):
        sequencer.begin()
    other = Sequencer(store, schema, tmp_path / "other" / NAME, SIGNER, WAITING)
    other.file.parent.mkdir()
    other.journal.append(entry._replace(commitment=bytes(32)) for entry in sequencer.journal.read(0))
    sequencer.journal.path.write_bytes(other.journal.path.read_bytes()[: len(journal)])
    with pytest.raises(LedgerError, match=r"entry 9 in the ledger's journal .* is not the one in the database"):
        sequencer.begin()
    assert sequencer.file.read_bytes() == kept


def drop_entry(store: Store, schema: Schema, first: int) -> None:
    """Take everything from a number on out of the ledger, tiles included, as who knows how it is built would do it."""
    with store.writing() as connection:
        log = StoredLog(connection, schema)
        partials = log.edge(first).partials
        connection.execute(delete(schema.entry).where(schema.entry.c.number >= first))
        connection.execute(delete(schema.tile))
        log.put([(Tile(0, 0, first), partials[0])] if first else [])
        tally_anew(connection, schema)


def test_nothing_is_built_on_a_ledger_that_was_cut_or_written_anew(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 10)
    sequencer.run()
    kept, journal = sequencer.file.read_bytes(), sequencer.journal.path.read_bytes()
    held = read_kept(sequencer.file, SIGNER.key)
    assert held is not None
    drop_entry(store, schema, 9)
    add(store, schema, 100, 1)
    for attempt in (sequencer.run, sequencer.begin):
        with pytest.raises(LedgerError, match=f"has 9 entries with .* tells of 10 with the root {held.root.hex()}"):
            attempt()
    # Written anew from its beginning, and longer than before; the one who does it cannot sign, but has a new file made.
    drop_entry(store, schema, 0)
    sequencer.file.unlink()
    sequencer.journal.path.unlink()
    sequencer.begin()
    add(store, schema, 200, 20)
    sequencer.run()
    sequencer.file.write_bytes(kept)
    sequencer.journal.path.write_bytes(journal)
    with pytest.raises(LedgerError, match=f"first 10 of its 21 entries have the root .* and had {held.root.hex()}"):
        sequencer.begin()
    add(store, schema, 300, 1)
    with pytest.raises(LedgerError, match="is not the one"):
        sequencer.run()
    with store.reading() as connection:
        assert pending_count(connection, schema) == 1
    assert sequencer.file.read_bytes() == kept


def test_entries_and_tiles_that_do_not_fit_are_not_built_upon(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 10)
    sequencer.run()
    with store.writing() as connection:
        connection.execute(delete(schema.entry).where(schema.entry.c.number == 9))
    with pytest.raises(LedgerError, match="last entry is number 8, and its tiles hold the hashes of 10"):
        sequencer.begin()


def test_an_older_database_with_its_older_checkpoint_is_known_by_the_journal(
    ledger: tuple[Store, Schema, Sequencer],
) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 10)
    sequencer.run()
    kept = sequencer.file.read_bytes()
    add(store, schema, 100, 5)
    sequencer.run()
    drop_entry(store, schema, 10)
    sequencer.file.write_bytes(kept)
    with pytest.raises(LedgerError, match=r"has 10 entries, and its journal .* holds 15"):
        sequencer.begin()
    assert sequencer.recover() == 5
    sequencer.begin()
    assert verify(store, schema, sequencer.file, SIGNER.key).size == 15
