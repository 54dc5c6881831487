"""Finding ledger entries by their commitments: for a person whose traces name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, LargeBinary, cast, select

from avow.ledger.entry import commitment
from avow.store.schema import Schema


class Found(NamedTuple):
    """The body of an entry, and its number in the log; None while it waits to come into it."""

    body: bytes
    number: int | None


def find(connection: Connection, schema: Schema, sought: Mapping[bytes, str]) -> dict[bytes, Found]:
    """The entries of some commitments, as far as they are there; each body is the one that was committed to.

    Args:
        connection: one that sees a single moment, or an entry that comes into the log meanwhile may be missed.
        sought: by its commitment, the id under which each waited to come into the log.
    """
    found: dict[bytes, Found] = {}
    pending, entry = schema.pending.c, schema.entry.c
    waiting = select(cast(pending.body, LargeBinary)).where(pending.id.in_(list(sought.values())))
    for body in connection.scalars(waiting):
        found[commitment(bytes(body))] = Found(bytes(body), None)
    chained = select(entry.number, cast(entry.body, LargeBinary)).order_by(entry.number.desc())
    missing = sought.keys() - found.keys()
    if missing:
        for number, body in connection.execution_options(yield_per=1000).execute(chained):
            leaf = commitment(bytes(body))
            if leaf in missing:
                found[leaf] = Found(bytes(body), number)
                missing.discard(leaf)
                if not missing:
                    break
    return {leaf: each for leaf, each in found.items() if leaf in sought}
