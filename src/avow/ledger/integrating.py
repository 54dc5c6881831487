"""Putting entries into the log: their rows, the tiles that come new, and the tally of their sentences.

All in the caller's transaction. A statement here takes the rows of a whole batch, and goes to the driver as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, case

from avow.ledger.entry import Entry, commitment
from avow.ledger.growing import Edge, grow
from avow.ledger.merkle import leaf_hashes
from avow.ledger.stored import StoredLog
from avow.store.schema import Schema


def integrate(log: StoredLog, edge: Edge, bodies: Sequence[bytes], entries: Sequence[Entry]) -> Edge:
    """Append entries to a log.

    Args:
        edge: of the log before.
        bodies: of the entries, in the order that they get.
        entries: what the bodies say.

    Returns:
        The new edge.

    Raises:
        DBAPIError: they cannot be written.
    """
    commitments = [commitment(body) for body in bodies]
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
            (list(numbers), list(bodies), commitments),
        )
    log.put(tiles)
    _tally(connection, log.schema, entries)
    return grown


def _tally(connection: Connection, schema: Schema, entries: Sequence[Entry]) -> None:
    """Count for each sentence how often it permitted and refused, and when it last did."""
    tally = schema.tally
    permitted: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    hours: dict[str, int] = {}
    kinds = Counter((entry.event, entry.sentences, entry.hour) for entry in entries)
    for (event, sentences, hour), count in kinds.items():
        for anchor in sentences:
            (refused if event == "refused" else permitted)[anchor] += count
            hours[anchor] = max(hours.get(anchor, 0), hour)
    for anchor, hour in sorted(hours.items()):
        row = {"permitted": permitted[anchor], "refused": refused[anchor], "hour": hour}
        sums = {
            "permitted": tally.c.permitted + row["permitted"],
            "refused": tally.c.refused + row["refused"],
            "hour": case((tally.c.hour > hour, tally.c.hour), else_=hour),
        }
        if connection.execute(tally.update().where(tally.c.anchor == anchor).values(sums)).rowcount == 0:
            connection.execute(tally.insert().values(anchor=anchor, **row))
