"""The sequencer: turns pending entries into the chain, one batch at a time.

A unit of work leaves its entries as pending rows, in the transaction of the data they speak of. One
sequencer at a time (SQLite: the write lock; PostgreSQL: an advisory lock) drains them in batches:
within one transaction it chains each body to the root before it, adds to the tally of its sentences
and deletes the pending row. Rows are drained by deletion, never by highest id: a database may commit
out of order. A batch is shuffled, so that the order of entries does not say who came first.

What lies there and is no entry (a damaged row, or one that somebody put there) does not stop the others: its bytes
are moved aside, and an entry `unreadable` with their SHA-256 is chained in its place.

After the commit the entries are appended to a journal outside the database, and a copy of the head (size and root) is
written beside it. A ledger that has become shorter than that copy, or has another root at that size, was tampered with.
Where it was put back from a backup, `recover` gives it the entries since.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, LargeBinary, bindparam, cast, delete, func, select, text

from avow.errors import LedgerError, StoreError
from avow.ledger import tally
from avow.ledger.chain import EMPTY, Head, replay
from avow.ledger.entry import Entry
from avow.ledger.figures import count as count_cells
from avow.ledger.journal import NAME as JOURNAL
from avow.ledger.journal import Chained, Journal
from avow.store.connection import Store
from avow.store.files import alone_in, replace_durably
from avow.store.schema import Schema

log = logging.getLogger("avow.ledger")

#: Entries chained in one transaction.
BATCH = 500

#: The event of an entry that stands for something unreadable; its object is this prefix and a SHA-256.
UNREADABLE, DIGEST = "unreadable", "sha256."

#: The digest of no policy, in an entry that rests on none.
_NO_POLICY = "0" * 64

#: PostgreSQL advisory lock of the sequencer ("avow" in ASCII).
_LOCK = 0x61766F77


class Sequencer:
    """Chains the pending entries of one installation; `head_file` is the copy outside the database.

    The journal lies beside it. `clock` gives unix seconds.
    """

    def __init__(self, store: Store, schema: Schema, head_file: Path, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.schema = schema
        self.head_file = head_file
        self.journal = Journal(head_file.with_name(JOURNAL))
        self.clock = clock

    def begin(self) -> None:
        """Write the first copy of the head, where both the ledger and the copy are still empty.

        Raises:
            LedgerError: the ledger has entries that the copy does not vouch for, or lacks some that it tells of.
        """
        with self.store.reading() as connection:
            head = current_head(connection, self.schema)
            if head.size or read_head(self.head_file) is not None:
                self._check(head, connection)
            self._copy(connection, head)  # a crash may have come between the chain and its copies

    def run(self) -> int:
        """Chain everything that is pending now; the number of entries chained.

        Raises:
            LedgerError: the head's copy is ahead of the database: the ledger was cut or exchanged.
            StoreError: the head's copy cannot be written.
        """
        total = 0
        while count := self._batch():
            total += count
        return total

    def _batch(self) -> int:
        with self.store.writing() as connection:
            if self.store.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            # Cast, since SQLite keeps whatever is put into a column: a text there would stop the driver.
            body_column = cast(self.schema.pending.c.body, LargeBinary)
            pending = list(connection.execute(select(self.schema.pending.c.id, body_column).limit(BATCH)))
            if not pending:
                return 0
            secrets.SystemRandom().shuffle(pending)
            head = current_head(connection, self.schema)
            self._check(head, connection)
            rows: list[dict[str, object]] = []
            entries: list[Entry] = []
            for _, found in pending:
                body, entry = self._read(connection, bytes(found))
                entries.append(entry)
                number, head = head.size, head.after(body)
                rows.append({"number": number, "body": body, "root": head.root})
            connection.execute(self.schema.entry.insert(), rows)
            connection.execute(
                delete(self.schema.pending).where(self.schema.pending.c.id.in_([row.id for row in pending]))
            )
            tally.add(connection, self.schema, count_cells(entries))
        with self.store.reading() as connection:
            self._copy(connection, head)
        return len(rows)

    def _copy(self, connection: Connection, head: Head) -> None:
        """Bring the journal and then the copy of the head up to what is committed."""
        entry = self.schema.entry.c
        missing = (
            select(entry.number, entry.body, entry.root)
            .where(entry.number >= self.journal.size())
            .order_by(entry.number)
            .execution_options(yield_per=BATCH)
        )
        for part in connection.execute(missing).partitions(BATCH):
            self.journal.append(Chained(row.number, bytes(row.body), bytes(row.root)) for row in part)
        write_head(self.head_file, head)

    def recover(self) -> int:
        """Take from the journal what the head tells of and the database has lost; how many entries; all or nothing.

        For a database that was put back from a backup, and by whoever put it back: at any other time a ledger that lost
        its end was tampered with. What was waiting to be chained when the backup was made, and has been since, waits no
        longer; an entry says that this was done.

        Raises:
            LedgerError: the journal lacks what the head tells of, or does not fit what the database still has.
        """
        kept = read_head(self.head_file)
        with self.store.writing() as connection:
            head = current_head(connection, self.schema)
            if kept is None or kept.size <= head.size:
                return 0
            if self.journal.size() < kept.size:
                raise LedgerError(
                    f"the ledger has {head.size} entries, its head tells of {kept.size}, and its journal holds "
                    f"{self.journal.size()}",
                    help=f"put the newest copy of `{self.journal.path}` in its place: a shortened ledger is not served",
                )
            lost = list(self.journal.read(head.size))
            replay(((entry.body, entry.root) for entry in lost), start=head, kept=kept)
            connection.execute(self.schema.entry.insert(), [entry._asdict() for entry in lost])
            waiting = delete(self.schema.pending).where(self.schema.pending.c.body == bindparam("chained"))
            connection.execute(waiting, [{"chained": entry.body} for entry in lost])
            tally.add(connection, self.schema, count_cells(Entry.decode(entry.body) for entry in lost))
            said = self._event("restored", "keep", "ledger")
            connection.execute(self.schema.pending.insert().values(id=secrets.token_hex(16), body=said.encode()))
        return len(lost)

    def _event(self, event: str, verb: str, object: str) -> Entry:
        """An entry that rests on no policy."""
        hour = max(0, int(self.clock() // 3600))
        return Entry(event, verb, object, None, None, (), _NO_POLICY, hour, secrets.token_hex(16))

    def _read(self, connection: Connection, found: bytes) -> tuple[bytes, Entry]:
        """The entry in a pending row; of what is none, the entry that says so."""
        try:
            return found, Entry.decode(found)
        except LedgerError:
            digest = hashlib.sha256(found).hexdigest()
        log.error("a pending row is no ledger entry; it is set aside as %s%s", DIGEST, digest)
        aside = self.schema.aside
        if connection.scalar(select(aside.c.digest).where(aside.c.digest == digest)) is None:
            connection.execute(aside.insert().values(digest=digest, body=found))
        entry = self._event(UNREADABLE, "keep", f"{DIGEST}{digest}")
        return entry.encode(), entry

    def _check(self, head: Head, connection: Connection) -> None:
        """Never build on a ledger that no longer contains what was once written outside."""
        kept = read_head(self.head_file)
        if kept is None:
            raise LedgerError(
                f"the head's copy `{self.head_file}` is missing",
                help="put it back from where it is kept; the ledger is not continued without it",
            )
        if kept.size == 0:
            return
        root = connection.scalar(select(self.schema.entry.c.root).where(self.schema.entry.c.number == kept.size - 1))
        if kept.size > head.size or root is None or bytes(root) != kept.root:
            raise LedgerError(
                f"the ledger has {head.size} entries, but its head outside the database tells of {kept.size}"
                if kept.size > head.size
                else f"entry {kept.size} of the ledger is not the one that its head outside the database tells of",
                help="if the database was put back from a backup, run `avow restore`; if not, stop the service, run "
                "`avow ledger verify` and restore the database that belongs to the head",
            )


def current_head(connection: Connection, schema: Schema) -> Head:
    """The head of the chain as the database has it."""
    last = connection.execute(
        select(schema.entry.c.number, schema.entry.c.root).order_by(schema.entry.c.number.desc()).limit(1)
    ).first()
    return EMPTY if last is None else Head(last.number + 1, bytes(last.root))


def pending_count(connection: Connection, schema: Schema) -> int:
    """How many entries wait to be chained."""
    return connection.scalar(select(func.count()).select_from(schema.pending)) or 0


def read_head(file: Path) -> Head | None:
    """The head's copy outside the database, or None where none was written yet.

    Raises:
        LedgerError: the copy is there and cannot be read.
    """
    try:
        return Head.decode(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerError(f"the head's copy `{file}` cannot be read: {error.strerror}") from None


def write_head(file: Path, head: Head) -> None:
    """Replace the copy of the head: written, synced and renamed, so that a crash leaves the old or the new one."""
    try:
        with alone_in(file.parent):  # two at once would write into the same scratch file
            kept = read_head(file)
            if kept is not None and kept.size > head.size:
                return  # another process was quicker: the copy never goes back
            replace_durably(file, head.encode())
    except OSError as error:
        raise StoreError(
            f"the head's copy `{file}` cannot be written: {error.strerror}", help="free space, or mend the rights"
        ) from None
