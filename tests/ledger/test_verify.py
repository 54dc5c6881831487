"""Verifying a ledger from its stored bytes: whatever is done to any part of it is found, and named."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from sqlalchemy import delete, insert, select, update

from avow.errors import LedgerError
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.entry import commitment
from avow.ledger.growing import EMPTY, grow
from avow.ledger.journal import NAME as JOURNAL
from avow.ledger.kept import read_kept
from avow.ledger.merkle import leaf_hashes
from avow.ledger.note import Signer
from avow.ledger.stored import StoredLog
from avow.ledger.verify import verify

from .pending import OTHER, SIGNER, add, body
from .touched import SIZE, Ledger, found_in


def bodies(ledger: Ledger) -> list[bytes]:
    store, schema, _ = ledger
    with store.reading() as connection:
        rows = connection.scalars(select(schema.entry.c.body).order_by(schema.entry.c.number))
        return [bytes(each) for each in rows]


def write(ledger: Ledger, number: int, **values: bytes) -> None:
    store, schema, _ = ledger
    with store.writing() as connection:
        connection.execute(update(schema.entry).where(schema.entry.c.number == number).values(values))


def write_anew(ledger: Ledger, entries: list[bytes]) -> None:
    """Entries, commitments and tiles as they would be if these had been written: all fit each other."""
    store, schema, _ = ledger
    with store.writing() as connection:
        connection.execute(delete(schema.entry))
        connection.execute(delete(schema.tile))
        commitments = [commitment(each) for each in entries]
        rows = zip(range(len(entries)), entries, commitments, strict=True)
        connection.execute(insert(schema.entry), [{"number": n, "body": b, "commitment": c} for n, b, c in rows])
        StoredLog(connection, schema).put(grow(EMPTY, leaf_hashes(commitments))[1])


def tile(ledger: Ledger, level: int, number: int, change: Callable[[bytes], bytes]) -> None:
    store, schema, _ = ledger
    table = schema.tile.c
    where = (table.level == level, table.number == number)
    with store.writing() as connection:
        old = bytes(connection.scalar(select(table.hashes).where(*where)) or b"")
        connection.execute(update(schema.tile).where(*where).values(hashes=change(old)))


def flipped(data: bytes, at: int = -3) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def test_a_ledger_that_nobody_touched_verifies_at_every_size(ledger: Ledger) -> None:
    store, schema, sequencer = ledger
    for start, count in ((0, 0), (0, 1), (1, 254), (255, 1), (256, 1), (257, 300)):
        if count:
            add(store, schema, start, count)
        sequencer.run()
        report = verify(store, schema, sequencer.file, SIGNER.key)
        assert report.size == start + count
        assert report.kept == Checkpoint("shop.example/ledger", report.size, report.root)


def test_what_came_after_the_checkpoint_is_verified_and_not_vouched_for(full: Ledger) -> None:
    store, schema, sequencer = full
    note = sequencer.file.read_bytes()
    add(store, schema, SIZE, 20)
    sequencer.run()
    sequencer.file.write_bytes(note)  # as a crash leaves it
    report = verify(store, schema, sequencer.file, SIGNER.key)
    assert report.kept is not None
    assert (report.size, report.kept.size) == (SIZE + 20, SIZE)
    write(full, SIZE + 3, body=OTHER)
    assert f"entry {SIZE + 3} of the ledger" in found_in(full)


@pytest.mark.parametrize("number", [0, 255, 256, SIZE - 1])
def test_an_entry_that_was_changed_is_named(full: Ledger, number: int) -> None:
    old = bodies(full)[number]
    for values, said in (
        ({"body": flipped(old)}, "does not verify: its body has the SHA-256"),
        ({"body": b""}, "does not verify: its body"),
        ({"commitment": flipped(commitment(old))}, "its commitment is"),
        ({"body": OTHER, "commitment": commitment(OTHER)}, "and it hashes to"),
    ):
        write(full, number, **values)
        assert re.search(rf"entry {number} of the ledger .*{said}", found_in(full))
        write(full, number, body=old, commitment=commitment(old))
    assert verify(full[0], full[1], full[2].file, SIGNER.key).size == SIZE


def test_it_is_told_whether_the_body_or_the_commitment_was_changed(full: Ledger) -> None:
    store, schema, sequencer = full
    old = bodies(full)[4]
    for values, what in (
        ({"body": flipped(old)}, "its body was changed"),
        ({"commitment": bytes(32)}, "its commitment was changed"),
        ({"body": OTHER, "commitment": bytes(32)}, "more than one of them was changed"),
    ):
        write(full, 4, **values)
        with pytest.raises(LedgerError, match=what):
            verify(store, schema, sequencer.file, SIGNER.key)
        write(full, 4, body=old, commitment=commitment(old))


@pytest.mark.parametrize(
    ("level", "number", "at", "said"),
    [
        (0, 0, 32 * 5, "tile of entry 5 of the ledger was changed: its tile tile/0/000 "),
        (0, 0, -1, "tile of entry 255 of the ledger was changed"),
        (0, 1, 0, "tile of entry 256 of the ledger was changed: its tile tile/0/001.p/44 "),
        (1, 0, 3, "tile/1/000.p/1 of the ledger was changed: its hash 0, over the entries 0 to 255"),
    ],
)
def test_a_tile_that_was_changed_is_named(full: Ledger, level: int, number: int, at: int, said: str) -> None:
    tile(full, level, number, lambda data: flipped(data, at))
    assert said in found_in(full)


def test_a_tile_that_was_cut_or_has_too_much_is_named(full: Ledger) -> None:
    for level, number, width in ((0, 0, 256), (0, 1, 44), (1, 0, 1)):
        for change in (lambda data: data[:-32], lambda data: data + bytes(32), lambda data: data[:-1]):
            tile(full, level, number, change)
            said = found_in(full)
            path = f"tile/{level}/{number:03d}" + (f".p/{width}" if width < 256 else "")
            assert f"{path} of the ledger" in said
            write_anew(full, bodies(full))
    store, schema, _ = full
    for level, number in ((0, 0), (0, 1), (1, 0)):
        with store.writing() as connection:
            where = (schema.tile.c.level == level, schema.tile.c.number == number)
            connection.execute(delete(schema.tile).where(*where))
        assert re.search(rf"tile/{level}/00{number}.* of the ledger is missing", found_in(full))
        write_anew(full, bodies(full))


def test_a_tile_that_no_such_log_has_is_named(full: Ledger) -> None:
    store, schema, _ = full
    for level, number in ((0, 2), (1, 1), (2, 0), (7, 9)):
        with store.writing() as connection:
            connection.execute(insert(schema.tile).values(level=level, number=number, hashes=bytes(32)))
        assert f"a tile {number} of level {level}, and no log of {SIZE} entries has" in found_in(full)
        write_anew(full, bodies(full))


def test_entries_that_were_dropped_swapped_doubled_or_put_in_are_found(full: Ledger) -> None:
    """Without their tiles, the first entry is named that is not as it was; with them, the root is another one."""
    store, schema, _ = full
    there = bodies(full)
    for changed, first in (
        ([*there[:4], *there[5:]], 4),
        (there[1:], 0),
        ([*there[:10], there[11], there[10], *there[12:]], 10),
        ([*there[:20], there[19], *there[20:]], 20),
        ([*there[:30], OTHER, *there[30:]], 30),
    ):
        write_anew(full, changed)
        said = found_in(full)
        assert "is not the one that its checkpoint tells of" in said or "smaller than its kept checkpoint" in said
        hashes = grow(EMPTY, leaf_hashes(map(commitment, there)))[1]
        with store.writing() as connection:
            connection.execute(delete(schema.tile))
            StoredLog(connection, schema).put(hashes)
        assert f"entry {first} of the ledger" in found_in(full)
    write_anew(full, there)
    with store.writing() as connection:
        connection.execute(delete(schema.entry).where(schema.entry.c.number == 4))
    assert "entry 4 of the ledger is missing: entry 5 follows instead" in found_in(full)


def test_an_entry_that_came_in_twice_is_named(ledger: Ledger) -> None:
    """By a sequencer that did not look: the log is signed and fits, and tells of one event as of two."""
    store, schema, sequencer = ledger
    add(store, schema, 0, 9)
    sequencer.run()
    there = bodies(ledger)
    write_anew(ledger, [*there, body(20), there[4], there[4], there[2]])
    assert "entry 12 of the ledger repeats entry 2: both have the same commitment" in found_in(ledger)


def test_a_journal_that_is_not_the_logs_is_found_and_written_anew_at_a_start(full: Ledger) -> None:
    """A restore hangs on it; its last entry alone is looked at when the service starts."""
    store, schema, sequencer = full
    file = sequencer.file.with_name(JOURNAL)
    whole, there = file.read_bytes(), bodies(full)
    records = [len(each) + 48 for each in there]
    first = len(b"avow-ledger-journal 2\n")
    fifth, last = first + sum(records[:5]), first + sum(records[:-1])
    for changed, said in (
        (None, "is missing, ends or is damaged at entry 0, and the checkpoint tells of 300"),
        (b"", "ends or is damaged at entry 0,"),
        (b"junk", "ends or is damaged at entry 0,"),
        (whole[:first], "ends or is damaged at entry 0,"),
        (flipped(whole, 3), "ends or is damaged at entry 0,"),
        (flipped(whole, first + 30), "entry 0 in the ledger's journal"),
        (flipped(whole, fifth + 7), "entry 5 in the ledger's journal"),
        (flipped(whole, fifth + 9), "ends or is damaged at entry 5,"),
        (flipped(whole, last + 20), f"entry {SIZE - 1} in the ledger's journal"),
        (whole[:fifth] + whole[fifth + records[5] :], "entry 5 in the ledger's journal"),
        (whole[:last], f"ends or is damaged at entry {SIZE - 1},"),
        (whole + whole[last:], f"the ledger has {SIZE} entries, and its journal"),
    ):
        file.unlink(missing_ok=True)
        if changed is not None:
            file.write_bytes(changed)
        assert said in found_in(full)
    file.unlink()
    sequencer.begin()
    assert file.read_bytes() == whole
    for crashed in (b"", whole[last:-1], b"junk", bytes(9)):
        file.write_bytes(whole + crashed)
        assert verify(store, schema, sequencer.file, SIGNER.key).size == SIZE
    file.unlink()
    file.mkdir()
    with pytest.raises(LedgerError, match="cannot be read"):
        verify(store, schema, sequencer.file, SIGNER.key)


def test_a_journal_that_has_not_got_what_nobody_signed_yet_is_no_fault(full: Ledger) -> None:
    store, schema, sequencer = full
    file = sequencer.file.with_name(JOURNAL)
    note, journal = sequencer.file.read_bytes(), file.read_bytes()
    add(store, schema, SIZE, 20)
    sequencer.run()
    sequencer.file.write_bytes(note)
    file.write_bytes(journal)  # a crash came after the commit
    assert verify(store, schema, sequencer.file, SIGNER.key).size == SIZE + 20


@pytest.mark.parametrize("size", [0, 1, 255, 256, SIZE - 1])
def test_a_ledger_that_was_cut_off_is_told_from_its_checkpoint(full: Ledger, size: int) -> None:
    kept = read_kept(full[2].file, SIGNER.key)
    assert kept is not None
    write_anew(full, bodies(full)[:size]) if size else None
    if not size:
        with full[0].writing() as connection:
            connection.execute(delete(full[1].entry))
            connection.execute(delete(full[1].tile))
    said = found_in(full)
    assert f"expected at least {SIZE} entries with the root {kept.root.hex()}, found {size} with" in said


def test_a_ledger_that_was_written_anew_and_is_longer_is_told_from_its_checkpoint(full: Ledger) -> None:
    write_anew(full, [body(number) for number in range(1000, 1000 + SIZE + 50)])
    assert f"of its first {SIZE} entries the root" in found_in(full)


def test_a_checkpoint_that_was_changed_exchanged_or_signed_by_somebody_else_is_not_believed(full: Ledger) -> None:
    store, schema, sequencer = full
    note = sequencer.file.read_bytes()
    kept = read_kept(sequencer.file, SIGNER.key)
    assert kept is not None
    for forged in (
        note[:-3],
        note.replace(b"\n300\n", b"\n299\n"),
        b"",
        kept.sign(Signer.from_seed(SIGNER.key.name, bytes(32))),
        kept.sign(Signer.from_seed("other.example/ledger", bytes(range(32)))),
        Checkpoint("other.example/ledger", kept.size, kept.root).sign(SIGNER),
    ):
        sequencer.file.write_bytes(forged)
        assert "is not to be believed" in found_in(full)
        add(store, schema, 900, 1)
        for attempt in (sequencer.begin, sequencer.run):
            with pytest.raises(LedgerError, match="is not to be believed"):
                attempt()
        assert sequencer.file.read_bytes() == forged
    sequencer.file.unlink()
    assert "is missing" in found_in(full)
    for attempt in (sequencer.begin, sequencer.run):
        with pytest.raises(LedgerError, match="is missing"):
            attempt()
    sequencer.file.write_bytes(note)
    assert sequencer.run() == 6


def test_a_body_that_is_no_entry_is_found_even_if_all_fits_it(ledger: Ledger) -> None:
    """Who could sign could write anything; but a reader must not take for an entry what is none."""
    store, schema, sequencer = ledger
    add(store, schema, 0, 3)
    sequencer.run()
    changed = bodies(ledger)
    changed[1] = changed[1].replace(b'"show"', b'"Ann Example"')
    write_anew(ledger, changed)
    with store.one_moment() as connection:
        root = StoredLog(connection, schema).edge(3).root
    sequencer.file.write_bytes(Checkpoint(SIGNER.key.name, 3, root).sign(SIGNER))
    assert "entry 1 of the ledger is none" in found_in(ledger)


def test_every_flipped_bit_is_found(ledger: Ledger) -> None:
    """One at random in each body, commitment and tile, and in each byte of the checkpoint."""
    store, schema, sequencer = ledger
    chance = random.Random(7)
    add(store, schema, 0, 12)
    sequencer.run()
    there = bodies(ledger)
    for number, old in enumerate(there):
        for name, data in (("body", old), ("commitment", commitment(old))):
            write(ledger, number, **{name: flipped(data, chance.randrange(len(data)))})
            assert f"entry {number} of the ledger" in found_in(ledger)
            write(ledger, number, body=old, commitment=commitment(old))
    for at in range(0, 12 * 32, 5):
        tile(ledger, 0, 0, lambda data, at=at: flipped(data, at))  # type: ignore[misc]
        assert f"entry {at // 32} of the ledger" in found_in(ledger)
        tile(ledger, 0, 0, lambda data, at=at: flipped(data, at))  # type: ignore[misc]
    note = sequencer.file.read_bytes()
    for at in range(len(note)):
        sequencer.file.write_bytes(flipped(note, at))
        assert "is not to be believed" in found_in(ledger)
    sequencer.file.write_bytes(note)
    assert verify(store, schema, sequencer.file, SIGNER.key).size == 12


def test_what_is_no_bytes_at_all_is_found(ledger: Ledger) -> None:
    """SQLite keeps whatever is put into a column."""
    store, schema, sequencer = ledger
    if store.dialect != "sqlite":
        return
    add(store, schema, 0, 5)
    sequencer.run()
    for column, table in (("body", "avow_entry"), ("commitment", "avow_entry"), ("hashes", "avow_tile")):
        for value in ("'text'", "42", "CAST(x'ff' AS TEXT)"):
            with store.writing() as connection:
                connection.exec_driver_sql(f"CREATE TEMP TABLE kept AS SELECT * FROM {table}")
                connection.exec_driver_sql(f"UPDATE {table} SET {column} = {value} WHERE number = 0")
            assert "of the ledger" in found_in(ledger)
            with store.writing() as connection:
                connection.exec_driver_sql(f"DELETE FROM {table}")
                connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM kept")
                connection.exec_driver_sql("DROP TABLE kept")
    with store.writing() as connection:  # the same bytes, and another value: the index of commitments misses it
        connection.exec_driver_sql("UPDATE avow_entry SET commitment = CAST(commitment AS TEXT) WHERE number = 3")
    assert "the commitment of entry 3 of the ledger is not kept as bytes" in found_in(ledger)
