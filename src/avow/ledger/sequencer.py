"""The sequencer: integrates pending entries into the log, one batch at a time, and signs what the log says then.

A unit of work leaves its entries as sealed rows, in the transaction of the data they speak of. One sequencer at a time
(SQLite: the write lock; PostgreSQL: an advisory lock) drains them in batches: within one transaction it appends their
commitments to the log, counts their sentences and deletes the pending rows. They are taken in the order of their ids,
which are random: so the order in the log does not say who came first. They are drained by deletion, never by highest
id: a database may commit out of order.

Where a service runs, this is done once an hour, and only with what came in the hours before (`run_due`): then a place
in the log tells no more of the time than the entry says itself. Commands and backups integrate everything at once.

What lies there and is no entry (a damaged row, or one that somebody put there) does not stop the others: its bytes
are moved aside, and an entry `unreadable` with their SHA-256 takes its place. So is a row whose entry the log has
already: nonces are random, so it is a copy of one that was integrated before.

After the commit, in this order: the log is read back from its stored bytes and recomputed; its new entries are appended
to a journal outside the database; a checkpoint is signed and put in place of the one there. A log that does not go on
from that checkpoint is not built upon. Where a database was put back from a backup, `recover` gives it the entries
since.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, LargeBinary, cast, func, select, text

from avow.errors import LedgerError
from avow.ledger import tally
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.entry import commitment, own_entry, read_quickly
from avow.ledger.figures import Cell, count
from avow.ledger.growing import Edge, grow
from avow.ledger.integrating import Coming, integrate
from avow.ledger.journal import NAME as JOURNAL
from avow.ledger.journal import Journal, Logged
from avow.ledger.kept import keep, missing, read_kept
from avow.ledger.merkle import EMPTY_ROOT, leaf_hashes
from avow.ledger.note import Signer
from avow.ledger.recovering import recover
from avow.ledger.stored import StoredLog
from avow.ledger.waiting import WaitingSeal, put_own
from avow.store.connection import Store
from avow.store.schema import Schema

log = logging.getLogger("avow.ledger")

#: Entries integrated in one transaction: some tenths of a second, in which on SQLite nobody else writes.
BATCH: Final = 4096

#: Seconds from one integration to the next, by the clock, where nothing else is said.
EVERY: Final = 3600.0

#: The event of an entry that stands for something unreadable or repeated; its object is this prefix and a SHA-256.
UNREADABLE, DIGEST = "unreadable", "sha256."

_HOUR: Final = 3600

#: PostgreSQL advisory lock of the sequencer ("avow" in ASCII).
_LOCK: Final = 0x61766F77

#: Whether an entry of a unix hour is to be integrated now.
_Due = Callable[[int], bool]


class Sequencer:
    """Integrates the pending entries of one installation. For all threads; several processes may do it at once.

    Args:
        file: the checkpoint outside the database (`kept.NAME`); the journal lies beside it.
        signer: of the log (`kept.log_signer`).
        waiting: what the waiting entries are sealed with.
        clock: gives unix seconds.
        every: seconds from one integration to the next, for `run_due`.
    """

    def __init__(
        self,
        store: Store,
        schema: Schema,
        file: Path,
        signer: Signer,
        waiting: WaitingSeal,
        clock: Callable[[], float] = time.time,
        every: float = EVERY,
    ) -> None:
        self.store = store
        self.schema = schema
        self.file = file
        self.signer = signer
        self.waiting = waiting
        self.journal = Journal(file.with_name(JOURNAL))
        self.clock = clock
        self.every = every
        self._done: float | None = None

    def begin(self) -> None:
        """Look whether the log goes on from its checkpoint, and sign the first one where there is neither.

        Raises:
            LedgerError: the log has entries that no checkpoint vouches for, or does not go on from the one there.
        """
        with self.store.one_moment() as connection:
            size = StoredLog(connection, self.schema).size()
        held = self.journal.size()
        if read_kept(self.file, self.signer.key) is None:  # looked at last: whoever adds to the others has one
            if size or held:
                raise missing(self.file)
            keep(self.file, Checkpoint(self.signer.key.name, 0, EMPTY_ROOT), self.signer, lambda kept: None)
        self._publish(None)  # a crash may have come between the log and its checkpoint

    def run(self) -> int:
        """Integrate everything that is pending now; how many entries.

        Raises:
            LedgerError: the log does not go on from its checkpoint: it was cut, exchanged or put back.
            StoreError: journal or checkpoint cannot be written.
        """
        return self._drain(lambda hour: True)

    def run_due(self) -> int:
        """Integrate what is due, if that has not been done since the last full interval of the clock; how many entries.

        An interval of whole hours leaves for the next time what came in the one that is not over.

        Raises:
            LedgerError, StoreError: as `run`. It is tried again at the next call then.
        """
        now = self.clock()
        interval = now // self.every
        if interval == self._done:
            return 0
        begun, here, whole = interval * self.every // _HOUR, now // _HOUR, self.every % _HOUR == 0
        # What seems to come from later has come by a clock that was wrong, and waits for nothing.
        count = self._drain(lambda hour: not (whole and begun <= hour <= here))
        self._done = interval
        return count

    def recover(self) -> int:
        """Take from the journal what a database that was put back has lost; how many entries: all or nothing.

        By whoever put it back: at any other time a ledger that lost its end was tampered with. See
        `avow.ledger.recovering`.

        Raises:
            LedgerError: the journal lacks what the checkpoint tells of, or does not lead to its root.
        """
        kept = read_kept(self.file, self.signer.key)
        with self.store.writing() as connection:
            self._alone(connection)
            stored = StoredLog(connection, self.schema)
            return recover(stored, kept, self.journal, self.waiting, self._hour(), BATCH)

    def recount(self, vouched: Checkpoint, counted: Counter[Cell]) -> None:
        """Put what the entries say in place of the tally; an entry of its own tells that this was done.

        Args:
            vouched: the log as it was verified a moment ago; it may have gone on since.
            counted: what the entries of then say.

        Raises:
            LedgerError: the log does not go on from that.
        """
        with self.store.writing() as connection:
            self._alone(connection)
            stored = StoredLog(connection, self.schema)
            stored.check_holds(vouched, stored.size())
            cells = Counter(counted)
            with closing(self._parts(connection, vouched.size)) as parts:
                for part in parts:
                    cells += count([read_quickly(each.body) for each in part])
            tally.renew(connection, self.schema, cells)
            # A tally that was changed must not become right without a trace.
            put_own(connection, self.schema, self.waiting, own_entry("recounted", "keep", "tally", self._hour()))

    def _drain(self, due: _Due) -> int:
        total, after, more = 0, None, True
        while more:
            count, after, more = self._batch(after, due)
            total += count
        return total

    def _batch(self, after: str | None, due: _Due) -> tuple[int, str | None, bool]:
        """Integrate one batch of what is due after an id, if one is given; how many, the last id, if more follow."""
        pending = self.schema.pending.c
        # Cast, since SQLite keeps whatever is put into a column: a text there would stop the driver.
        rows = select(pending.id, cast(pending.body, LargeBinary)).order_by(pending.id).limit(BATCH)
        if after is not None:
            rows = rows.where(pending.id > after)
        with self.store.writing() as connection:
            self._alone(connection)
            found = [(row[0], row[1]) for row in connection.execute(rows)]
            if not found:
                return 0, None, False
            ids, coming = self._opened(connection, found, due)
            edge = None
            if ids:
                stored = StoredLog(connection, self.schema)
                edge = stored.check_holds(self._kept(), stored.size())
                edge = integrate(stored, edge, coming)
                self._delete(connection, ids, whole=len(ids) == len(found))
        if edge is not None:
            self._publish(edge)
        return len(ids), found[-1][0], len(found) == BATCH

    def _opened(
        self, connection: Connection, found: Sequence[tuple[str, bytes]], due: _Due
    ) -> tuple[list[str], list[Coming]]:
        """Of some pending rows those that are due: their ids, and the entries as they come into the log."""
        taken: list[tuple[str, bytes, Coming | None]] = []
        for identity, there in found:
            try:
                body = self.waiting.unseal(identity, there)
                entry = read_quickly(body)
            except LedgerError:
                taken.append((identity, there, None))
            else:
                if due(entry.hour):
                    taken.append((identity, there, Coming.of(body, entry)))
        seen = StoredLog(connection, self.schema).has([opened.commitment for _, _, opened in taken if opened])
        come: list[Coming] = []
        for _, there, opened in taken:
            if opened is None:
                come.append(self._put_aside(connection, there, "is no ledger entry"))
            elif opened.commitment in seen:  # a copy that was put back would make of one event many
                come.append(self._put_aside(connection, there, "repeats an entry of the ledger"))
            else:
                seen.add(opened.commitment)
                come.append(opened)
        return [each[0] for each in taken], come

    def _alone(self, connection: Connection) -> None:
        """Let no other sequencer in until the end of the transaction. On SQLite nobody else writes anyway."""
        if self.store.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})

    def _delete(self, connection: Connection, ids: list[str], *, whole: bool) -> None:
        """Delete what was taken: all from the first id to the last, or some of it."""
        if self.store.dialect == "postgresql":  # in the range may be what was committed meanwhile
            connection.exec_driver_sql("DELETE FROM avow_pending WHERE id = ANY(%s)", (ids,))
        elif whole:  # nobody else writes
            connection.exec_driver_sql("DELETE FROM avow_pending WHERE id BETWEEN ? AND ?", (ids[0], ids[-1]))
        else:
            connection.exec_driver_sql("DELETE FROM avow_pending WHERE id = ?", [(each,) for each in ids])

    def _publish(self, computed: Edge | None) -> None:
        """Read back what is stored, bring the journal up to it, and sign it.

        Args:
            computed: what the log was to be after the last batch; others may have gone on since.
        """
        # Both before the moment that is looked at: what others integrate meanwhile does not put them ahead of it.
        kept, last = self._kept(), self.journal.last()
        with self.store.one_moment() as connection:
            stored = StoredLog(connection, self.schema)
            size = stored.size()
            edge = stored.check_holds(kept, size)
            if computed is not None and stored.edge(computed.size).root != computed.root:
                raise _not_as_written(computed.size, computed.root, stored.edge(computed.size).root)
            with closing(self._parts(connection, kept.size)) as parts:
                fresh = [entry for part in parts for entry in part]
            grown, _ = grow(stored.edge(kept.size), leaf_hashes(entry.commitment for entry in fresh))
            if grown.root != edge.root:
                raise _not_as_written(size, grown.root, edge.root)
            self._check_journal(connection, size, last)
            held = self.journal.size()
            if held < kept.size:  # it was lost, and is written anew
                with closing(self._parts(connection, held)) as parts:
                    for part in parts:
                        self.journal.append(part)
            else:
                self.journal.append(fresh)
            found = Checkpoint(self.signer.key.name, size, edge.root)
            keep(self.file, found, self.signer, lambda newer: stored.check_holds(newer, size))

    def _parts(self, connection: Connection, first: int) -> Generator[list[Logged], None, None]:
        """The entries from a number on, a batch at a time, each looked at whether it is what the log commits to."""
        entry = self.schema.entry.c
        columns = (entry.number, cast(entry.body, LargeBinary), cast(entry.commitment, LargeBinary))
        statement = select(*columns).where(entry.number >= first).order_by(entry.number)
        with connection.execute(statement.execution_options(yield_per=BATCH)) as rows:
            for part in rows.partitions(BATCH):
                found = [Logged(row[0], bytes(row[1]), bytes(row[2])) for row in part]
                for each in found:
                    if commitment(each.body) != each.commitment:
                        raise LedgerError(
                            f"entry {each.number} of the ledger was changed: its body has the SHA-256 "
                            f"{commitment(each.body).hex()}, and the log commits to {each.commitment.hex()}",
                            help="nothing was signed; run `avow ledger verify`, and find out who could write the "
                            "database",
                        )
                yield found

    def _check_journal(self, connection: Connection, size: int, last: Logged | None) -> None:
        """That the journal with that last entry is of this log and not ahead of it."""
        if last is None:
            return
        entry = self.schema.entry.c
        here = connection.scalar(select(entry.commitment).where(entry.number == last.number))
        if last.number >= size:
            raise LedgerError(
                f"the ledger has {size} entries, and its journal `{self.journal.path}` holds {last.number + 1}",
                help="if the database was put back from a backup, run `avow restore`; if not, it was cut: stop the "
                "service and restore the newest one",
            )
        if here is None or bytes(here) != last.commitment:
            raise LedgerError(
                f"entry {last.number} in the ledger's journal `{self.journal.path}` is not the one in the database",
                help="if the database verifies (`avow ledger verify`), put the file aside: it is written anew at the "
                "next start",
            )

    def _kept(self) -> Checkpoint:
        kept = read_kept(self.file, self.signer.key)
        if kept is None:
            raise missing(self.file)
        return kept

    def _put_aside(self, connection: Connection, found: bytes, why: str) -> Coming:
        """Keep a row apart that is no entry, or one that came before; the entry that says so."""
        digest = hashlib.sha256(found).hexdigest()
        log.error("a pending row %s; it is set aside as %s%s", why, DIGEST, digest)
        aside = self.schema.aside
        if connection.scalar(select(aside.c.digest).where(aside.c.digest == digest)) is None:
            connection.execute(aside.insert().values(digest=digest, body=found))
        entry = own_entry(UNREADABLE, "keep", f"{DIGEST}{digest}", self._hour())
        return Coming.of(entry.encode(), entry)

    def _hour(self) -> int:
        return max(0, int(self.clock() // _HOUR))


def _not_as_written(size: int, expected: bytes, found: bytes) -> LedgerError:
    return LedgerError(
        f"the first {size} entries of the ledger should have the root {expected.hex()}, and what is stored has "
        f"{found.hex()}",
        help="nothing was signed; run `avow ledger verify`, and find out who could write the database",
    )


def pending_count(connection: Connection, schema: Schema) -> int:
    """How many entries wait to be integrated."""
    count: Any = connection.scalar(select(func.count()).select_from(schema.pending))
    return count or 0
