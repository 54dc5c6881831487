"""Chaining what is pending, and finding whatever was done to the chain afterwards."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import MetaData, delete, insert, select, update

from avow.errors import LedgerError
from avow.ledger import tally
from avow.ledger.chain import Head
from avow.ledger.entry import Entry
from avow.ledger.sequencer import Sequencer, pending_count, read_head, write_head
from avow.ledger.verify import verify
from avow.store.connection import Store
from avow.store.schema import Schema, declare

from .pending import add, body


def test_batches_are_chained_tallied_and_drained(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 1203)
    add(store, schema, 2000, 2, "refused")
    assert sequencer.run() == 1205
    with store.reading() as connection:
        assert pending_count(connection, schema) == 0
        counted = tally.read(connection, schema)
    told = {(cell.anchor, cell.event, cell.day): times for cell, times in counted}
    assert told == {(a, e, 20_833): n for a in "ab" for e, n in (("permitted", 1203), ("refused", 2))}
    report = verify(store, schema, sequencer.head_file)
    assert (report.head.size, report.pending) == (1205, 0)
    assert read_head(sequencer.head_file) == report.head


def test_a_batch_is_shuffled(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 300)
    sequencer.run()
    with store.reading() as connection:
        bodies = connection.scalars(select(schema.entry.c.body).order_by(schema.entry.c.number)).all()
    nonces = [Entry.decode(bytes(item)).nonce for item in bodies]
    assert nonces != sorted(nonces)


def test_two_sequencers_at_once_chain_each_entry_once(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 2000)
    threads = [Thread(target=sequencer.run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify(store, schema, sequencer.head_file).head.size == 2000


GARBAGE = [
    b"",
    b"garbage",
    b"\xff" * 70_000,
    b"{}",
    body(7)[:-1],
    body(7) + b" ",
    body(7).replace(b'"format":1', b'"format":2'),
]


def test_what_is_no_entry_is_set_aside_and_the_rest_is_chained(
    ledger: tuple[Store, Schema, Sequencer], caplog: pytest.LogCaptureFixture
) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 5)
    with store.writing() as connection:
        rows = [{"id": f"{900 + n:032x}", "body": found} for n, found in enumerate([*GARBAGE, GARBAGE[1]])]
        connection.execute(insert(schema.pending), rows)
    add(store, schema, 2000, 5)
    assert sequencer.run() == 10 + len(GARBAGE) + 1
    report = verify(store, schema, sequencer.head_file)
    assert (report.head.size, report.pending) == (18, 0)
    digests = sorted(hashlib.sha256(found).hexdigest() for found in [*GARBAGE, GARBAGE[1]])
    assert sorted(found.digest for found in report.unreadable) == digests
    assert all(found.kept for found in report.unreadable)
    with store.reading() as connection:
        kept = {bytes(found) for found in connection.scalars(select(schema.aside.c.body))}
        bodies = connection.scalars(select(schema.entry.c.body).order_by(schema.entry.c.number)).all()
    assert kept == set(GARBAGE)
    entries = [Entry.decode(bytes(found)) for found in bodies]
    assert {number + 1 for number, entry in enumerate(entries) if entry.event == "unreadable"} == {
        found.number for found in report.unreadable
    }
    assert sum(entry.event == "permitted" for entry in entries) == 10
    assert all(digest in caplog.text for digest in digests)
    assert "garbage" not in caplog.text


def test_what_was_set_aside_and_is_gone_or_changed_is_told(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    with store.writing() as connection:
        connection.execute(insert(schema.pending), [{"id": f"{n:032x}", "body": GARBAGE[n]} for n in (1, 3)])
    sequencer.run()
    with store.writing() as connection:
        connection.execute(delete(schema.aside).where(schema.aside.c.body == GARBAGE[1]))
        connection.execute(update(schema.aside).values(body=b"other"))
    report = verify(store, schema, sequencer.head_file)
    assert [found.kept for found in report.unreadable] == [False, False]


def test_a_text_where_bytes_belong_stops_nobody(tmp_path: Path) -> None:
    """SQLite keeps whatever is put into a column, also what its driver cannot read back."""
    store, schema = Store.open(f"sqlite:///{tmp_path / 'site.db'}"), declare(MetaData())
    schema.metadata.create_all(store.engine)
    sequencer = Sequencer(store, schema, tmp_path / "ledger.head")
    sequencer.begin()
    add(store, schema, 0, 1)
    with store.writing() as connection:
        for number, value in enumerate(("'text'", "42", "CAST(x'ff' AS TEXT)")):
            connection.exec_driver_sql(f"INSERT INTO avow_pending VALUES ('row{number}', {value})")
    assert sequencer.run() == 4
    assert len(verify(store, schema, sequencer.head_file).unreadable) == 3
    store.close()


def _flip(store: Store, schema: Schema, column: str, number: int) -> None:
    entry = schema.entry
    with store.writing() as connection:
        old = bytes(connection.scalar(select(entry.c[column]).where(entry.c.number == number)) or b"")
        new = bytes([*old[:-3], old[-3] ^ 1, *old[-2:]])
        connection.execute(update(entry).where(entry.c.number == number).values({column: new}))


def _swap(store: Store, schema: Schema) -> None:
    entry = schema.entry
    with store.writing() as connection:
        rows = {n: connection.execute(select(entry).where(entry.c.number == n)).one() for n in (3, 4)}
        for here, there in ((3, 4), (4, 3)):
            connection.execute(
                update(entry).where(entry.c.number == here).values(body=rows[there].body, root=rows[there].root)
            )


def _drop(store: Store, schema: Schema, first: int) -> None:
    with store.writing() as connection:
        connection.execute(delete(schema.entry).where(schema.entry.c.number >= first))


def _drop_one(store: Store, schema: Schema) -> None:
    with store.writing() as connection:
        connection.execute(delete(schema.entry).where(schema.entry.c.number == 4))


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        pytest.param(lambda s, c: _flip(s, c, "body", 4), "entry 5", id="flipped body"),
        pytest.param(lambda s, c: _flip(s, c, "root", 4), "entry 5", id="flipped link"),
        pytest.param(_swap, "entry 4", id="swapped"),
        pytest.param(_drop_one, "entry 5", id="dropped in the middle"),
        pytest.param(lambda s, c: _drop(s, c, 9), "expected at least 10 entries, found 9", id="cut by one"),
        pytest.param(lambda s, c: _drop(s, c, 0), "expected at least 10 entries, found 0", id="emptied"),
    ],
)
def test_tampering_is_found(ledger: tuple[Store, Schema, Sequencer], tamper: Any, found: str) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 10)
    sequencer.run()
    tamper(store, schema)
    with pytest.raises(LedgerError, match=found):
        verify(store, schema, sequencer.head_file)


def test_nothing_is_built_on_a_ledger_that_was_cut_or_rewritten(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 10)
    sequencer.run()
    _drop(store, schema, 9)
    add(store, schema, 100, 1)
    with pytest.raises(LedgerError, match="tells of 10"):
        sequencer.run()
    with pytest.raises(LedgerError):
        sequencer.begin()
    _drop(store, schema, 0)  # written anew from its beginning, and longer than before
    sequencer.head_file.rename(sequencer.head_file.with_name("kept"))
    sequencer.begin()
    add(store, schema, 200, 20)
    sequencer.run()
    sequencer.head_file.with_name("kept").rename(sequencer.head_file)
    with pytest.raises(LedgerError, match="is not the one"):
        sequencer.begin()
    with pytest.raises(LedgerError, match="entry 10"):
        verify(store, schema, sequencer.head_file)


def test_a_missing_or_damaged_head_is_said(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 10)
    sequencer.run()
    kept = sequencer.head_file.read_bytes()
    sequencer.head_file.write_bytes(kept[:-3])
    with pytest.raises(LedgerError, match="cut off or damaged"):
        verify(store, schema, sequencer.head_file)
    sequencer.head_file.unlink()
    for attempt in (lambda: verify(store, schema, sequencer.head_file), sequencer.begin):
        with pytest.raises(LedgerError, match="missing"):
            attempt()


def test_who_copies_the_head_at_once_with_others_succeeds_and_it_never_goes_back(tmp_path: Path) -> None:
    """As processes do that are started at the same time, or chain one after the other and are quick."""
    file, failures, seen = tmp_path / "ledger.head", [], []
    heads = [Head(size, hashlib.sha256(b"%d" % size).digest()) for size in range(1, 101)]

    def copy() -> None:
        try:
            for head in heads:
                write_head(file, head)
                kept = read_head(file)
                seen.append(kept is not None and kept.size >= head.size)
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [Thread(target=copy) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert seen == [True] * 400
    assert read_head(file) == heads[-1]
