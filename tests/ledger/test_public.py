"""What a log gives out: exactly what its newest checkpoint covers, at exactly the addresses of C2SP tlog-tiles."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from avow.errors import LedgerError, LogError
from avow.ledger import folder
from avow.ledger.entry import commitment
from avow.ledger.export import export
from avow.ledger.merkle import leaf_hash
from avow.ledger.proof import Receipt
from avow.ledger.public import PublicLog
from avow.ledger.sequencer import Sequencer
from avow.ledger.tiles import ENTRIES, Tile, widths
from avow.store.connection import Store
from avow.store.schema import Schema

from .pending import OTHER, SIGNER, add

Ledger = tuple[Store, Schema, Sequencer]


def public(ledger: Ledger) -> PublicLog:
    store, schema, sequencer = ledger
    return PublicLog(store, schema, sequencer.file, SIGNER.key)


def fetched(log: PublicLog, into: Path) -> Path:
    """Everything that a log of the size of its checkpoint has, asked for one by one and written into a folder."""
    note = log.give("checkpoint").body
    size = int(note.split(b"\n")[1])
    paths = ["checkpoint"]
    for level, full, width in widths(size):
        for number in range(full + (width > 0)):
            of = width if number == full else 256
            paths += [Tile(level, number, of).path] + [Tile(ENTRIES, number, of).path] * (level == 0)
    for path in paths:
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).write_bytes(log.give(path).body)
    return into


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 700])
def test_what_is_given_out_is_the_log_that_an_export_has(ledger: Ledger, tmp_path: Path, size: int) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, size) if size else None
    sequencer.run()
    place = fetched(public(ledger), tmp_path / "fetched")
    report = folder.verify(place, SIGNER.key)
    assert (report.checkpoint.size, report.apart) == (size, ())
    assert export(store, schema, tmp_path / "exported", SIGNER) == report
    files = {file.relative_to(place): file.read_bytes() for file in place.rglob("*") if file.is_file()}
    there = tmp_path / "exported"
    assert files == {file.relative_to(there): file.read_bytes() for file in there.rglob("*") if file.is_file()}


def test_partial_tiles_are_given_in_every_width_that_they_have_had(ledger: Ledger) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 300)
    sequencer.run()
    log = public(ledger)
    whole = log.give("tile/0/000")
    assert whole.lasting
    for width in (1, 44, 255):
        given = log.give(f"tile/0/000.p/{width}")
        assert (given.body, given.lasting) == (whole.body[: width * 32], False)
        assert len(log.give(f"tile/entries/000.p/{width}").body) == width * 34


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0/001", "tile/0/001.p/45", "tile/0/002", "tile/0/002.p/1", "tile/1/000", "tile/1/000.p/2",
        "tile/2/000.p/1", "tile/entries/001", "tile/entries/001.p/45", "tile/entries/002.p/1", "tile/0/0", "tile/0/1",
        "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/x000/000", "tile/00/000", "tile/-1/000", "tile/0/000/",
        "checkpoint/", "Checkpoint", "/checkpoint", "tile/64/000", "tile/0/000.p", "tile/8/0/000", "ledger.journal",
        "../keyring", "tile/../checkpoint", "tile/entries/-01", "tile/0/x999/x999/x999/999", "bodies", "key/",
    ],
)  # fmt: skip
def test_nothing_else_is_given_out(ledger: Ledger, path: str) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 300)
    sequencer.run()
    with pytest.raises(LogError):
        public(ledger).give(path)


def test_what_no_checkpoint_covers_is_not_given_out(ledger: Ledger) -> None:
    """It is in the database, and nobody could hold the log to it: a crash has come before the signature."""
    store, schema, sequencer = ledger
    add(store, schema, 0, 300)
    sequencer.run()
    note = sequencer.file.read_bytes()
    add(store, schema, 300, 300)
    sequencer.run()
    log = public(ledger)
    new = ("tile/0/001", "tile/0/001.p/45", "tile/entries/001.p/45", "tile/0/002.p/88", "tile/1/000.p/2")
    for path in new:
        assert log.give(path).body
    sequencer.file.write_bytes(note)
    for path in new:
        with pytest.raises(LogError, match="a log of 300 entries"):
            log.give(path)
    assert log.give("checkpoint").body == note
    assert log.give("tile/0/001.p/44").body


def test_nothing_tells_what_an_entry_says(ledger: Ledger) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 5)
    sequencer.run()
    log = public(ledger)
    whole = b"".join(log.give(path).body for path in ("checkpoint", "key", "tile/0/000.p/5", "tile/entries/000.p/5"))
    for word in (b"permitted", b"contact", b"show", b"hour", b"500000"):
        assert word not in whole


def test_the_verifier_key_is_told_with_a_warning(ledger: Ledger) -> None:
    given = public(ledger).give("key")
    first, rest = given.body.decode().split("\n", 1)
    assert first == str(SIGNER.key)
    assert "by another way" in " ".join(rest.split())


def test_a_log_that_is_not_whole_is_an_error_and_no_missing_page(ledger: Ledger) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 5)
    sequencer.run()
    log, note = public(ledger), sequencer.file.read_bytes()
    for spoiled in (b"", note.replace(b"\n5\n", b"\n6\n"), None):
        sequencer.file.write_bytes(spoiled) if spoiled is not None else sequencer.file.unlink()
        with pytest.raises(LedgerError) as caught:
            log.give("checkpoint")
        assert not isinstance(caught.value, LogError)
    sequencer.file.write_bytes(note)
    with store.writing() as connection:
        connection.execute(delete(schema.tile))
        connection.execute(delete(schema.entry).where(schema.entry.c.number == 3))
    for path in ("tile/0/000.p/5", "tile/entries/000.p/5"):
        with pytest.raises(LedgerError, match="lacks what its checkpoint covers") as caught:
            log.give(path)
        assert not isinstance(caught.value, LogError)


def test_a_tile_or_bundle_that_was_changed_is_not_given_out(ledger: Ledger) -> None:
    """Whoever asked would keep it for ever, and take the log for another one."""
    store, schema, sequencer = ledger
    add(store, schema, 0, 700)
    sequencer.run()
    log = public(ledger)
    tile = schema.tile.c
    for level, number, path in (
        (0, 0, "tile/0/000"), (0, 0, "tile/entries/000"), (0, 1, "tile/0/001"), (0, 2, "tile/0/002.p/188"),
        (0, 2, "tile/entries/002.p/188"), (1, 0, "tile/1/000.p/2"),
    ):  # fmt: skip
        where = (tile.level == level, tile.number == number)
        with store.reading() as connection:
            old = bytes(connection.scalar(select(tile.hashes).where(*where)) or b"")
        assert log.give(path).body
        for at in range(0, len(old), 32 * 37):
            changed = old[:at] + bytes([old[at] ^ 1]) + old[at + 1 :]
            with store.writing() as connection:
                connection.execute(update(schema.tile).where(*where).values(hashes=changed))
            with pytest.raises(LedgerError, match="lacks what its checkpoint covers"):
                log.give(path)
        with store.writing() as connection:
            connection.execute(update(schema.tile).where(*where).values(hashes=old))
        assert log.give(path).body
    entry = schema.entry.c
    for wrong in (b"", b"abc", bytes(32), bytes(33)):
        with store.writing() as connection:
            connection.execute(update(schema.entry).where(entry.number == 2).values(commitment=wrong))
        for path in ("tile/entries/000", "tile/entries/000.p/3"):
            with pytest.raises(LedgerError, match="lacks what its checkpoint covers") as caught:
                log.give(path)
            assert not isinstance(caught.value, LogError)  # which would be a page that is missing
        assert log.give("tile/entries/000.p/2").body


def bodies(ledger: Ledger) -> list[bytes]:
    """What the entries of a log stand for, in its order."""
    store, schema, _ = ledger
    with store.reading() as connection:
        return [bytes(row.body) for row in connection.execute(schema.entry.select().order_by(schema.entry.c.number))]


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_a_receipt_is_enough_to_show_that_the_log_has_an_entry(ledger: Ledger, size: int) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, size)
    sequencer.run()
    log, there = public(ledger), bodies(ledger)
    for number in {0, size // 2, size - 1}:
        held = Receipt.parse(log.receipt(number, there[number]).encode())
        assert (held.index, held.extra, held.checkpoint) == (number, there[number], log.give("checkpoint").body)
        assert held.verify(leaf_hash(commitment(held.extra)), SIGNER.key).size == size


def test_there_is_no_receipt_yet_for_what_no_checkpoint_covers(ledger: Ledger) -> None:
    """It is in the database, and nobody could hold the log to it: a crash has come before the signature."""
    store, schema, sequencer = ledger
    add(store, schema, 0, 3)
    sequencer.run()
    note = sequencer.file.read_bytes()
    add(store, schema, 3, 3)
    sequencer.run()
    log, there = public(ledger), bodies(ledger)
    assert log.receipt(3, there[3]).index == 3
    sequencer.file.write_bytes(note)
    for number in (3, 5):
        with pytest.raises(LogError, match="not under a signature yet: the newest checkpoint covers 3 entries"):
            log.receipt(number, there[number])
    assert log.receipt(2, there[2]).checkpoint == note


def test_no_receipt_is_given_that_would_not_verify(ledger: Ledger) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 5)
    sequencer.run()
    log, there = public(ledger), bodies(ledger)

    def refused(number: int, body: bytes) -> None:
        with pytest.raises(LedgerError, match="lacks what its checkpoint covers") as caught:
            log.receipt(number, body)
        assert not isinstance(caught.value, LogError), "it is not that one has to wait"

    refused(0, there[1])
    refused(0, OTHER)
    refused(-1, there[4])
    with store.reading() as connection:
        [tile] = connection.execute(schema.tile.select()).all()
    for spoiled in (tile.hashes[:64] + bytes(32) + tile.hashes[96:], tile.hashes[:-32], b""):
        with store.writing() as connection:
            connection.execute(update(schema.tile).values(hashes=spoiled))
        refused(0, there[0])
    with store.writing() as connection:
        connection.execute(delete(schema.tile))
    refused(0, there[0])
