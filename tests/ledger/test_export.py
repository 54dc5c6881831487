"""The ledger as a log: a commitment for each entry and nothing else, receipts, and bodies for who is to have them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select

from avow.errors import LogError, StoreError
from avow.ledger import bundle, folder
from avow.ledger.entry import commitment
from avow.ledger.export import export, receipt
from avow.ledger.merkle import leaf_hash
from avow.ledger.note import Signer
from avow.ledger.sequencer import Sequencer
from avow.ledger.tiles import ENTRIES, tile_at
from avow.store.connection import Store
from avow.store.schema import Schema

from .pending import OTHER, SIGNER, add

Ledger = tuple[Store, Schema, Sequencer]


def filled(ledger: Ledger, count: int) -> list[bytes]:
    """The bodies of so many entries, in the order of the log."""
    store, schema, sequencer = ledger
    if count:
        add(store, schema, 0, count)
    sequencer.run()
    with store.reading() as connection:
        return [bytes(row.body) for row in connection.execute(select(schema.entry).order_by(schema.entry.c.number))]


def entries(log: Path, size: int) -> list[bytes]:
    found: list[bytes] = []
    for number in range(-(-size // 256)):
        tile = tile_at(ENTRIES, number, size)
        found += bundle.decode(tile, folder.reader(log)(tile))
    return found


@pytest.mark.parametrize("count", [0, 1, 300])
def test_each_entry_is_committed_to_in_its_place(ledger: Ledger, tmp_path: Path, count: int) -> None:
    bodies = filled(ledger, count)
    report = export(*ledger[:2], tmp_path / "log", SIGNER)
    assert (report.checkpoint.size, report.checkpoint.origin) == (count, "shop.example/ledger")
    assert entries(tmp_path / "log", count) == [hashlib.sha256(each).digest() for each in bodies]
    assert folder.verify(tmp_path / "log", SIGNER.key) == report


def test_the_log_tells_nothing_of_what_its_entries_say(ledger: Ledger, tmp_path: Path) -> None:
    filled(ledger, 40)
    export(*ledger[:2], tmp_path / "log", SIGNER)
    whole = b"".join(path.read_bytes() for path in (tmp_path / "log").rglob("*") if path.is_file())
    for word in (b"permitted", b"contact", b'"show"', b'"hour"', b"500000"):
        assert word not in whole


def test_the_bodies_are_disclosed_apart_a_line_each(ledger: Ledger, tmp_path: Path) -> None:
    bodies = filled(ledger, 1100)
    export(*ledger[:2], tmp_path / "log", SIGNER, bodies=tmp_path / "bodies")
    lines = (tmp_path / "bodies").read_bytes().split(b"\n")
    assert lines == [*bodies, b""]
    assert [commitment(line) for line in lines[:-1]] == entries(tmp_path / "log", 1100)
    assert (tmp_path / "bodies").stat().st_mode & 0o777 == 0o600


def test_a_receipt_verifies_for_its_entry_and_no_other(ledger: Ledger, tmp_path: Path) -> None:
    bodies = filled(ledger, 300)
    export(*ledger[:2], tmp_path / "log", SIGNER)
    for index in (0, 255, 256, 299):
        held = receipt(tmp_path / "log", SIGNER.key, bodies[index])
        assert held.index == index
        assert held.verify(leaf_hash(commitment(bodies[index])), SIGNER.key).size == 300
        with pytest.raises(LogError):
            held.verify(leaf_hash(commitment(bodies[index - 1])), SIGNER.key)


def test_no_receipt_is_made_for_what_is_not_in_the_log(ledger: Ledger, tmp_path: Path) -> None:
    bodies = filled(ledger, 3)
    export(*ledger[:2], tmp_path / "log", SIGNER)
    for other in (OTHER, bodies[0] + b"\n", b""):
        with pytest.raises(LogError, match="it has no entry with the SHA-256"):
            receipt(tmp_path / "log", SIGNER.key, other)
    tile = tmp_path / "log" / tile_at(ENTRIES, 0, 3).path
    tile.write_bytes(tile.read_bytes().replace(commitment(bodies[0]), commitment(OTHER)))
    with pytest.raises(LogError):
        receipt(tmp_path / "log", SIGNER.key, OTHER)


def test_no_receipt_is_made_from_a_log_of_somebody_else(ledger: Ledger, tmp_path: Path) -> None:
    [only] = filled(ledger, 1)
    export(*ledger[:2], tmp_path / "log", SIGNER)
    other = Signer.from_seed("shop.example/ledger", bytes(32))
    with pytest.raises(LogError):
        receipt(tmp_path / "log", other.key, only)
    with pytest.raises(LogError):
        receipt(tmp_path / "nothing", SIGNER.key, only)


def test_nothing_is_written_over(ledger: Ledger, tmp_path: Path) -> None:
    filled(ledger, 2)
    (tmp_path / "bodies").write_text("mine")
    with pytest.raises(StoreError, match="is there already"):
        export(*ledger[:2], tmp_path / "log", SIGNER, bodies=tmp_path / "bodies")
    assert not (tmp_path / "log").exists()
    export(*ledger[:2], tmp_path / "log", SIGNER)
    with pytest.raises(StoreError, match="is not empty"):
        export(*ledger[:2], tmp_path / "log", SIGNER)
    assert (tmp_path / "bodies").read_text() == "mine"


def test_a_log_that_has_grown_begins_with_the_one_before(ledger: Ledger, tmp_path: Path) -> None:
    filled(ledger, 300)
    before = export(*ledger[:2], tmp_path / "before", SIGNER)
    store, schema, sequencer = ledger
    add(store, schema, 1000, 30)
    sequencer.run()
    after = export(store, schema, tmp_path / "after", SIGNER)
    assert entries(tmp_path / "after", after.checkpoint.size)[:300] == entries(tmp_path / "before", 300)
    assert before.checkpoint.size == 300
