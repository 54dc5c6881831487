"""The outbox table: putting a send in, claiming one that is due, and saying how it ended.

A row holds ids only; what leaves is read from the record at the moment of leaving and judged again.

    ready ──claim──▶ attempted ──▶ done | failed | refused
      ▲                  │               │
      └──── retry ───────┘               │      (an attempt whose worker died becomes due again)
      └──── put_back ────────────────────┘      (by hand, once the reason is gone)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, CursorResult, func, or_, select
from sqlalchemy.orm import Session

from avow.store.schema import Schema
from avow.vault.vault import new_id

if TYPE_CHECKING:
    from avow.vault.record import Record
    from avow.vault.unit import Unit

#: Seconds that an attempt may take before another worker takes it for dead.
LEASE = 60.0

#: Seconds before the first retry; doubled each time up to the longest.
FIRST_RETRY, LONGEST_RETRY = 2.0, 3600.0

#: The states of a send that has not ended.
_OPEN: Final = ("ready", "attempted")

#: The kind of a send that calls another one back: its record id is the id of that. See `avow.outbox.recalling`.
RECALL: Final = "recall"

#: Attempts after which a send is given up and stays visible as failed.
MOST_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Lane:
    """What is served one at a time: the sends to one recipient, or all mails, which share one server.

    `name` is the recipient, or empty for the mails.
    """

    kind: str
    name: str

    @classmethod
    def of(cls, kind: str, name: str) -> Lane:
        """The lane of a send of this kind and name."""
        return cls(kind, name if kind == "share" else "")


@dataclass(frozen=True, slots=True)
class Send:
    """One row of the outbox. `kind` names the door (`share`, `send`) or is RECALL, `name` the recipient or message.

    `abandoned` says that the attempt before this one never told how it ended: its worker died.
    """

    id: str
    kind: str
    name: str
    owner: str
    record_table: str
    record_id: str
    role: str
    purpose: str
    attempts: int
    abandoned: bool

    @property
    def calls_back(self) -> bool:
        """Whether it says nothing but that another send is to be erased, that of the id `record_id`."""
        return self.kind == RECALL

    @property
    def word(self) -> str:
        """The recipient or message as the policy calls it: `newsletter` of `newsletter/2026-48`, one issue of it."""
        return self.name.partition("/")[0]


def put(unit: Unit, kind: str, name: str, record: Record, *, purpose: str, identity: str | None = None) -> str:
    """Queue a send in the unit's transaction; it leaves after the commit. Its id, a random one unless given."""
    outbox = unit.vault.home.schema.outbox
    identity = identity or new_id()
    unit.db.flush()  # the owner's row must be there before the send refers to it
    unit.db.execute(
        outbox.insert().values(
            id=identity,
            owner=record.owner_id,
            kind=kind,
            name=name,
            record_table=record.__table__.name,  # type: ignore[attr-defined]
            record_id=record.id,
            role=unit.role,
            purpose=purpose,
            state="ready",
            attempts=0,
            due=unit.vault.clock(),
            note="",
        )
    )
    return identity


def put_once(unit: Unit, kind: str, name: str, record: Record, *, identity: str) -> None:
    """Queue a send that there is to be once, of an id that follows from what it is. What was refused waits again."""
    outbox = unit.vault.home.schema.outbox
    state = unit.db.scalar(select(outbox.c.state).where(outbox.c.id == identity))
    if state is None:
        put(unit, kind, name, record, purpose=unit.purpose, identity=identity)
    elif state == "refused":
        again = outbox.update().where(outbox.c.id == identity)
        unit.db.execute(again.values(state="ready", attempts=0, due=unit.vault.clock(), note=""))


def due_lanes(connection: Connection, schema: Schema, now: float) -> list[Lane]:
    """The lanes in which something is due, the one that waits longest first."""
    outbox = schema.outbox
    rows = connection.execute(
        select(outbox.c.kind, outbox.c.name)
        .where(outbox.c.due <= now, or_(outbox.c.state == "ready", outbox.c.state == "attempted"))
        .group_by(outbox.c.kind, outbox.c.name)
        .order_by(func.min(outbox.c.due))
    )
    return list(dict.fromkeys(Lane.of(row.kind, row.name) for row in rows))


def claim(db: Session, schema: Schema, now: float, lane: Lane) -> Send | None:
    """Take the send of `lane` that is due longest and mark it attempted until the lease ends.

    Several workers may claim at once: on PostgreSQL each skips what another has locked, on SQLite
    the write lock of the transaction keeps them apart.
    """
    outbox = schema.outbox
    due = select(outbox).where(
        outbox.c.kind == lane.kind,
        outbox.c.due <= now,
        or_(outbox.c.state == "ready", outbox.c.state == "attempted"),
    )
    if lane.name:
        due = due.where(outbox.c.name == lane.name)
    row = db.execute(due.order_by(outbox.c.due).limit(1).with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    db.execute(
        outbox.update()
        .where(outbox.c.id == row.id)
        .values(state="attempted", attempts=row.attempts + 1, due=now + LEASE)
    )
    return Send(
        row.id,
        row.kind,
        row.name,
        row.owner,
        row.record_table,
        row.record_id,
        row.role,
        row.purpose,
        row.attempts + 1,
        row.state == "attempted",
    )


def close(connection: Connection | Session, schema: Schema, send: Send, state: str, note: str = "") -> bool:
    """Say how an attempt ended for good: `done`, `failed` or `refused`; whether that was not known yet.

    An attempt that outlived its lease has been made again elsewhere: what is done stays done, whatever came of another.
    """
    outbox = schema.outbox
    still = outbox.c.state != "done" if state == "done" else outbox.c.state.in_(_OPEN)
    changed: CursorResult[Any] = connection.execute(  # type: ignore[assignment]
        outbox.update().where(outbox.c.id == send.id, still).values(state=state, note=note)
    )
    return bool(changed.rowcount)


def retry(connection: Connection | Session, schema: Schema, send: Send, now: float, note: str) -> bool:
    """Put an attempt back for later, with a growing pause; False when it has been tried too often.

    One that outlived its lease changes nothing: whoever took the send up since says how that ends.
    """
    if send.attempts >= MOST_ATTEMPTS:
        close(connection, schema, send, "failed", note)
        return False
    pause = min(FIRST_RETRY * 2 ** (send.attempts - 1), LONGEST_RETRY)
    outbox = schema.outbox
    connection.execute(
        outbox.update()
        .where(outbox.c.id == send.id, outbox.c.attempts <= send.attempts, outbox.c.state.in_(_OPEN))
        .values(state="ready", attempts=send.attempts, due=now + pause, note=note)
    )
    return True


@dataclass(frozen=True, slots=True)
class Standing:
    """How the sends of one kind and name stand: how many are in a state, and the latest reason given for it."""

    kind: str
    name: str
    state: str
    count: int
    note: str


def standings(connection: Connection, schema: Schema) -> list[Standing]:
    """How all sends stand, by kind, name and state."""
    outbox = schema.outbox
    latest = select(outbox.c.note).where(outbox.c.note != "").order_by(outbox.c.due.desc()).limit(1)
    found = []
    groups = connection.execute(
        select(outbox.c.kind, outbox.c.name, outbox.c.state, func.count().label("many"))
        .group_by(outbox.c.kind, outbox.c.name, outbox.c.state)
        .order_by(outbox.c.kind, outbox.c.name, outbox.c.state)
    )
    for row in groups:
        note = connection.scalar(
            latest.where(outbox.c.kind == row.kind, outbox.c.name == row.name, outbox.c.state == row.state)
        )
        found.append(Standing(row.kind, row.name, row.state, row.many, note or ""))
    return found


def put_back(connection: Connection, schema: Schema, name: str, now: float) -> int:
    """Let what failed for good be sent again, under the same ids, to a recipient or of a message; how many."""
    outbox = schema.outbox
    changed = connection.execute(
        outbox.update()
        .where(outbox.c.name == name, outbox.c.state == "failed")
        .values(state="ready", attempts=0, due=now, note="")
    )
    return changed.rowcount
