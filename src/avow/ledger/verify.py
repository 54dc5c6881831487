"""Verifying a ledger from its stored bytes: every entry, in order, against the head kept outside.

Found: a flipped bit, a dropped, doubled, swapped or inserted entry, and a ledger cut short or
exchanged since its head was copied. Not found: entries that were dropped after the last copy of the
head, before the service ran again; the window is one batch.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from avow.errors import LedgerError
from avow.ledger.chain import Head, replay
from avow.ledger.entry import Entry
from avow.ledger.sequencer import pending_count, read_head
from avow.store.connection import Store
from avow.store.schema import Schema


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified: the chained entries, those still pending, and whether a head outside vouches for them."""

    head: Head
    pending: int
    kept: Head | None


def verify(store: Store, schema: Schema, head_file: Path) -> Report:
    """Read the whole ledger and recompute it.

    Raises:
        LedgerError: naming the first entry that does not fit, what was expected and what was found.
    """
    kept = read_head(head_file)
    with store.reading() as connection:
        with closing(_rows(connection, schema)) as rows:
            head = replay(rows, kept=kept)
        waiting = pending_count(connection, schema)
    if kept is None and head.size:
        raise LedgerError(
            f"the head's copy `{head_file}` is missing, so nothing vouches for the {head.size} entries found",
            help="put the file back from where it is kept; without it a shortened ledger cannot be told",
        )
    return Report(head, waiting, kept)


def _rows(connection: Connection, schema: Schema) -> Generator[tuple[bytes, bytes], None, None]:
    """Body and link of each entry in order; the numbers must have no gap, and every body must be an entry."""
    entry = schema.entry
    statement = select(entry.c.number, entry.c.body, entry.c.root).order_by(entry.c.number)
    with connection.execution_options(yield_per=1000).execute(statement) as rows:
        for size, row in enumerate(rows):
            if row.number != size:
                raise LedgerError(f"entry {size + 1} of the ledger is missing: entry {row.number + 1} follows instead")
            body = bytes(row.body)
            yield body, bytes(row.root)
            Entry.decode(body)
