"""Giving a ledger that was put back from a backup the entries since, from its journal.

Nothing of the journal is believed: appended to what the database has, its entries must lead to the root that the kept
checkpoint has under the log's signature. What was waiting when the backup was made, and has been integrated since,
waits no longer; an entry says that this was done.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice

from sqlalchemy import LargeBinary, cast, delete, select

from avow.errors import LedgerError
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.entry import commitment, own_entry, read_quickly
from avow.ledger.integrating import Coming, integrate
from avow.ledger.journal import Journal
from avow.ledger.stored import StoredLog
from avow.ledger.waiting import WaitingSeal, put_own


def recover(log: StoredLog, kept: Checkpoint | None, journal: Journal, seal: WaitingSeal, hour: int, batch: int) -> int:
    """Append what a log has lost, in the transaction of its connection; how many entries.

    Args:
        seal: of the entries that wait.
        kept: the checkpoint outside the database; where there is none, nothing is known to be lost.
        hour: now, for the entry that tells of it.
        batch: entries in memory at a time.

    Raises:
        LedgerError: the journal lacks what the checkpoint tells of, or does not lead to its root. The caller's
            transaction must not be committed then.
    """
    size, held = log.size(), journal.size()
    if kept is None or size >= max(kept.size, held):
        return 0
    if held < kept.size:
        raise LedgerError(
            f"the ledger has {size} entries, its checkpoint tells of {kept.size}, and its journal holds {held}",
            help=f"put the newest copy of `{journal.path}` in its place: a shortened ledger is not served",
        )
    edge = log.check_holds(kept, size) if kept.size <= size else log.edge(size)
    waiting, over = _waiting(log, seal), list[str]()
    lost = journal.read(size)
    while edge.size < held:
        # One batch ends where the checkpoint does, so that its root can be compared.
        most = min(batch, (kept.size if edge.size < kept.size else held) - edge.size)
        coming: list[Coming] = []
        for entry in islice(lost, most):
            if commitment(entry.body) != entry.commitment:
                break
            coming.append(Coming(entry.body, read_quickly(entry.body), entry.commitment))
        if len(coming) < most:
            raise LedgerError(
                f"the ledger's journal `{journal.path}` is damaged at entry {edge.size + len(coming)}",
                help="put the newest copy of it in its place; nothing was restored",
            )
        edge = integrate(log, edge, coming)
        if edge.size == kept.size and edge.root != kept.root:
            raise LedgerError(
                f"the entries in the journal `{journal.path}` do not lead to the ledger's checkpoint: of {kept.size} "
                f"entries the root {kept.root.hex()} was expected, and they have {edge.root.hex()}",
                help="the journal was changed, or the database or the journal belongs to another ledger; put the "
                "newest copy of each in its place. Nothing was restored",
            )
        for each in coming:
            over += waiting.pop(each.commitment, ())
    pending = log.schema.pending
    for identity in over:
        log.connection.execute(delete(pending).where(pending.c.id == identity))
    put_own(log.connection, log.schema, seal, own_entry("restored", "keep", "ledger", hour))
    return held - size


def _waiting(log: StoredLog, seal: WaitingSeal) -> dict[bytes, list[str]]:
    """The ids of the pending entries, by commitment."""
    pending = log.schema.pending.c
    found: dict[bytes, list[str]] = {}
    for identity, body in log.connection.execute(select(pending.id, cast(pending.body, LargeBinary))):
        with suppress(LedgerError):  # what is none is put aside when it would be integrated
            found.setdefault(commitment(seal.unseal(identity, bytes(body))), []).append(identity)
    return found
