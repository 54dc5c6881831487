"""When the ledger is integrated by itself: once in an interval of the clock, and what came in hours that are over."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from avow.errors import LedgerError
from avow.ledger.entry import Entry
from avow.ledger.sequencer import BATCH, Sequencer, pending_count
from avow.store.connection import Store
from avow.store.schema import Schema
from avow.testing.clock import FrozenClock

from .pending import SIGNER, WAITING, add

HOUR = 500_000


def due(ledger: tuple[Store, Schema, Sequencer], every: float) -> tuple[Sequencer, FrozenClock]:
    """A sequencer that does what is due, ten minutes after an hour has begun."""
    store, schema, sequencer = ledger
    clock = FrozenClock(HOUR * 3600 + 600.0)
    return Sequencer(store, schema, sequencer.file, SIGNER, WAITING, clock, every), clock


def hours(ledger: tuple[Store, Schema, Sequencer]) -> list[int]:
    store, schema, _ = ledger
    with store.reading() as connection:
        bodies = connection.scalars(select(schema.entry.c.body).order_by(schema.entry.c.number))
        return [Entry.decode(bytes(body)).hour for body in bodies]


def test_what_came_in_an_hour_is_integrated_once_it_is_over(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, _ = ledger
    sequencer, clock = due(ledger, 3600.0)
    add(store, schema, 0, 5, hour=HOUR)
    add(store, schema, 5, 3, hour=HOUR - 1)
    assert sequencer.run_due() == 3, "at the first look, what hours before have left"
    add(store, schema, 10, 2, hour=HOUR)
    assert sequencer.run_due() == 0
    clock.advance(3000.0)  # the next hour has begun, and with it something has come
    add(store, schema, 20, 4, hour=HOUR + 1)
    assert sequencer.run_due() == 7
    assert hours(ledger) == [HOUR - 1] * 3 + [HOUR] * 7
    clock.advance(3599.0)
    assert sequencer.run_due() == 0
    clock.advance(1.0)
    assert sequencer.run_due() == 4


def test_what_waits_for_its_hour_holds_nothing_up(ledger: tuple[Store, Schema, Sequencer]) -> None:
    """More waits than a batch takes, and what is due lies between."""
    store, schema, _ = ledger
    sequencer, _clock = due(ledger, 3600.0)
    add(store, schema, 0, BATCH + 100, hour=HOUR)
    add(store, schema, 10_000, 50, hour=HOUR - 1)
    assert sequencer.run_due() == 50
    with store.reading() as connection:
        assert pending_count(connection, schema) == BATCH + 100


def test_what_seems_to_come_from_the_future_does_not_wait_for_it(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, _ = ledger
    sequencer, _clock = due(ledger, 3600.0)
    add(store, schema, 0, 2, hour=HOUR + 9000)
    assert sequencer.run_due() == 2


def test_an_interval_of_several_hours_or_of_seconds_is_kept_too(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, _ = ledger
    sequencer, clock = due(ledger, 4 * 3600.0)  # 500,000 is a multiple of 4
    sequencer.run_due()
    add(store, schema, 0, 2, hour=HOUR)
    clock.advance(3600.0)
    add(store, schema, 2, 2, hour=HOUR + 1)
    assert sequencer.run_due() == 0
    clock.advance(3 * 3600.0)
    assert sequencer.run_due() == 4
    sequencer, clock = due(ledger, 10.0)
    sequencer.run_due()
    add(store, schema, 10, 3, hour=HOUR)
    assert sequencer.run_due() == 0
    clock.advance(10.0)
    assert sequencer.run_due() == 3


def test_what_failed_when_it_was_due_is_tried_again(ledger: tuple[Store, Schema, Sequencer]) -> None:
    store, schema, _ = ledger
    sequencer, _clock = due(ledger, 3600.0)
    add(store, schema, 0, 3, hour=HOUR - 1)
    kept = sequencer.file.read_bytes()
    sequencer.file.unlink()
    with pytest.raises(LedgerError, match="is missing"):
        sequencer.run_due()
    sequencer.file.write_bytes(kept)
    assert sequencer.run_due() == 3
