"""Entries that wait are sealed: nobody who has a copy of the database reads them, or puts one there."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from avow.errors import LedgerError
from avow.ledger.sequencer import Sequencer
from avow.ledger.waiting import WaitingSeal
from avow.store.connection import Store
from avow.store.schema import Schema

from .pending import WAITING, add, body

ID = "0" * 32


def test_what_is_sealed_opens_in_its_row_and_nowhere_else() -> None:
    sealed = WAITING.seal(ID, body(7))
    assert WAITING.unseal(ID, sealed) == body(7)
    assert sealed != WAITING.seal(ID, body(7))
    for identity, data in (
        ("1" * 32, sealed),
        (ID, sealed[:-1]),
        (ID, sealed[:20]),
        (ID, b""),
        (ID, b"\x02" + sealed[1:]),
        (ID, body(7)),
        (b"0" * 32, sealed),
        (None, sealed),
    ):
        with pytest.raises(LedgerError, match="does not open"):
            WAITING.unseal(identity, data)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(LedgerError, match="does not open"):
            WAITING.unseal(ID, bytes(changed))
    with pytest.raises(LedgerError, match="does not open"):
        WaitingSeal(bytes(32)).unseal(ID, sealed)


def test_no_word_of_an_entry_lies_in_the_clear_while_it_waits(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, _ = ledger
    add(store, schema, 0, 50)
    with store.reading() as connection:
        rows = [bytes(each) for each in connection.scalars(select(schema.pending.c.body))]
    assert len(rows) == 50
    assert not any(word in row for row in rows for word in (b"permitted", b"contact", b'"event"'))


def test_an_entry_that_was_moved_to_another_row_is_put_aside(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 2)
    pending = schema.pending
    with store.writing() as connection:
        first, second = connection.execute(select(pending).order_by(pending.c.id)).all()
        connection.execute(update(pending).where(pending.c.id == first.id).values(body=second.body))
    assert sequencer.run() == 2
    with store.reading() as connection:
        bodies = [bytes(each) for each in connection.scalars(select(schema.entry.c.body))]
        aside = [bytes(each) for each in connection.scalars(select(schema.aside.c.body))]
    assert sum(b'"unreadable"' in each for each in bodies) == 1
    assert aside == [bytes(second.body)]
