"""Finding ledger entries by their commitments: for a person whose traces name them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from sqlalchemy import Connection, LargeBinary, cast, select

from avow.errors import LedgerError
from avow.ledger.entry import commitment
from avow.ledger.waiting import WaitingSeal
from avow.store.schema import Schema

#: Entries that are asked for at a time.
_PORTION: Final = 500


class Found(NamedTuple):
    """The body of an entry, and its number in the log; None while it waits to come into it."""

    body: bytes
    number: int | None


def find(connection: Connection, schema: Schema, seal: WaitingSeal, sought: Mapping[bytes, str]) -> dict[bytes, Found]:
    """The entries of some commitments, as far as they are there; each body is the one that was committed to.

    Args:
        connection: one that sees a single moment, or an entry that comes into the log meanwhile may be missed.
        seal: of the entries that wait.
        sought: by its commitment, the id under which each waited to come into the log.
    """
    found: dict[bytes, Found] = {}
    pending, entry = schema.pending.c, schema.entry.c
    names = list(sought.items())
    for start in range(0, len(names), _PORTION):
        part = dict(names[start : start + _PORTION])
        waiting = select(pending.id, cast(pending.body, LargeBinary)).where(pending.id.in_(list(part.values())))
        for identity, sealed in connection.execute(waiting):
            with suppress(LedgerError):  # it will be put aside when it would come into the log
                body = seal.unseal(identity, bytes(sealed))
                found[commitment(body)] = Found(body, None)
        logged = select(entry.number, cast(entry.body, LargeBinary)).where(entry.commitment.in_(list(part)))
        for number, body in connection.execute(logged):
            found[commitment(bytes(body))] = Found(bytes(body), number)
    return {leaf: each for leaf, each in found.items() if leaf in sought}
