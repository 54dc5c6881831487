"""Entries that wait to be chained."""

from __future__ import annotations

from sqlalchemy import insert

from avow.ledger.entry import Entry
from avow.store.connection import Store
from avow.store.schema import Schema


def body(number: int, event: str = "permitted") -> bytes:
    return Entry(event, "show", "contact", None, None, ("a", "b"), "0" * 64, 500_000, f"{number:032x}").encode()


def add(store: Store, schema: Schema, start: int, count: int, event: str = "permitted") -> None:
    with store.writing() as connection:
        rows = [{"id": f"{start + n:032x}", "body": body(start + n, event)} for n in range(count)]
        connection.execute(insert(schema.pending), rows)
