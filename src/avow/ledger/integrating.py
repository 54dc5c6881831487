"""Putting entries into the log: their rows, the tiles that come new, and the tally of their sentences.

All in the caller's transaction. A statement here takes the rows of a whole batch, and goes to the driver as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from avow.ledger import tally
from avow.ledger.entry import Entry, commitment
from avow.ledger.figures import count
from avow.ledger.growing import Edge, grow
from avow.ledger.merkle import leaf_hashes
from avow.ledger.stored import StoredLog


class Coming(NamedTuple):
    """An entry on its way into the log: its body, what that says, and what the log will say of it."""

    body: bytes
    entry: Entry
    commitment: bytes

    @classmethod
    def of(cls, body: bytes, entry: Entry) -> Coming:
        """The entry of a body."""
        return cls(body, entry, commitment(body))


def integrate(log: StoredLog, edge: Edge, coming: Sequence[Coming]) -> Edge:
    """Append entries to a log.

    Args:
        edge: of the log before.
        coming: the entries, in the order that they get.

    Returns:
        The new edge.

    Raises:
        DBAPIError: they cannot be written.
    """
    bodies, entries, commitments = zip(*coming, strict=True)
    grown, tiles = grow(edge, leaf_hashes(commitments))
    numbers = range(edge.size, grown.size)
    connection = log.connection
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "INSERT INTO avow_entry (number, body, commitment) VALUES (?, ?, ?)",
            list(zip(numbers, bodies, commitments, strict=True)),
        )
    else:  # one statement is one way to the server and back
        connection.exec_driver_sql(
            "INSERT INTO avow_entry (number, body, commitment) SELECT * FROM unnest(%s::bigint[], %s::bytea[], "
            "%s::bytea[])",
            (list(numbers), list(bodies), list(commitments)),
        )
    log.put(tiles)
    tally.add(connection, log.schema, count(entries))
    return grown
