"""Verifying a ledger from its stored bytes: every entry, in order, against the head kept outside.

Found: a flipped bit, a dropped, doubled, swapped or inserted entry, and a ledger cut short or
exchanged since its head was copied. Not found: entries that were dropped after the last copy of the
head, before the service ran again; the window is one batch.

Also told: what lay among the pending entries and was none, by the entries that were chained in its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, LargeBinary, cast, select

from avow.errors import LedgerError
from avow.ledger.chain import Head, replay
from avow.ledger.entry import Entry
from avow.ledger.sequencer import DIGEST, UNREADABLE, pending_count, read_head
from avow.store.connection import Store
from avow.store.schema import Schema


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that was no entry: the number of the entry that stands for it, from 1, and its SHA-256 in hexadecimal.

    `kept` says whether the bytes of that digest still lie where they were put aside.
    """

    number: int
    digest: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified: the chained entries, those still pending, and whether a head outside vouches for them."""

    head: Head
    pending: int
    kept: Head | None
    unreadable: tuple[Unreadable, ...] = ()


def verify(store: Store, schema: Schema, head_file: Path) -> Report:
    """Read the whole ledger and recompute it.

    Raises:
        LedgerError: naming the first entry that does not fit, what was expected and what was found.
    """
    kept = read_head(head_file)
    with store.reading() as connection:
        digests: dict[int, str] = {}
        with closing(_rows(connection, schema, digests)) as rows:
            head = replay(rows, kept=kept)
        waiting = pending_count(connection, schema)
        unreadable = tuple(
            Unreadable(number, digest, _lies_aside(connection, schema, digest)) for number, digest in digests.items()
        )
    if kept is None and head.size:
        raise LedgerError(
            f"the head's copy `{head_file}` is missing, so nothing vouches for the {head.size} entries found",
            help="put the file back from where it is kept; without it a shortened ledger cannot be told",
        )
    return Report(head, waiting, kept, unreadable)


def _lies_aside(connection: Connection, schema: Schema, digest: str) -> bool:
    column = cast(schema.aside.c.body, LargeBinary)
    body = connection.scalar(select(column).where(schema.aside.c.digest == digest))
    return body is not None and hashlib.sha256(bytes(body)).hexdigest() == digest


def _rows(
    connection: Connection, schema: Schema, unreadable: dict[int, str]
) -> Generator[tuple[bytes, bytes], None, None]:
    """Body and link of each entry in order; the numbers must have no gap, and every body must be an entry.

    Notes in `unreadable`, by number, the digests of what entries stand for that could not be read.
    """
    entry = schema.entry
    statement = select(entry.c.number, entry.c.body, entry.c.root).order_by(entry.c.number)
    with connection.execution_options(yield_per=1000).execute(statement) as rows:
        for size, row in enumerate(rows):
            if row.number != size:
                raise LedgerError(f"entry {size + 1} of the ledger is missing: entry {row.number + 1} follows instead")
            body = bytes(row.body)
            yield body, bytes(row.root)
            told = Entry.decode(body)
            if told.event == UNREADABLE:
                unreadable[size + 1] = told.object.removeprefix(DIGEST)
