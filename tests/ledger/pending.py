"""Entries that wait to be integrated, and who signs the log that they come into."""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from avow.ledger import tally
from avow.ledger.entry import Entry
from avow.ledger.figures import count
from avow.ledger.note import Signer
from avow.ledger.waiting import WaitingSeal
from avow.store.connection import Store
from avow.store.schema import Schema

SIGNER: Final = Signer.from_seed("shop.example/ledger", bytes(range(32)))
WAITING: Final = WaitingSeal(bytes(range(32)))


def body(number: int, event: str = "permitted", hour: int = 500_000) -> bytes:
    return Entry(event, "show", "contact", None, None, ("a", "b"), "0" * 64, hour, f"{number:032x}").encode()


#: An entry that no ledger of the tests has: which place another one of them has is chance.
OTHER: Final = body(1 << 64)


def add(store: Store, schema: Schema, start: int, count: int, event: str = "permitted", hour: int = 500_000) -> None:
    with store.writing() as connection:
        rows = [sealed(body(start + n, event, hour)) for n in range(count)]
        connection.execute(insert(schema.pending), rows)


def sealed(body: bytes, identity: str | None = None) -> dict[str, object]:
    """A row of an entry that waits, under an id of its own or a given one."""
    identity = identity or secrets.token_hex(16)
    return {"id": identity, "body": WAITING.seal(identity, body)}


def tally_anew(connection: Connection, schema: Schema) -> None:
    """Let the tally be that of the entries which are left."""
    left = connection.scalars(select(schema.entry.c.body)).all()
    connection.execute(delete(schema.tally))
    tally.add(connection, schema, count([Entry.decode(bytes(body)) for body in left]))
