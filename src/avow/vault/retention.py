"""Retention: what the policy says must be gone by some time is taken out by then, with evidence.

A deadline of the policy (`must destroy message within 90 days after arrived`) begins with an event. A record says when
that happened to it (`moment("arrived", …)`), and from then on what the deadline names is taken out of the record on
time: the values of the category, the whole record if nothing else is in it, or its owner with all that is theirs.

Carried out a day before the last, or after half the time where that is less than two days, unless the column says
sooner: what is done at the last moment is done too late when something is in the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, delete, func, not_, select, update

from avow.engine.schedule import Deadline, deadlines
from avow.errors import SetupError
from avow.vault.columns import Field, Moment
from avow.vault.erasure import erase
from avow.vault.standing import DIGITS

if TYPE_CHECKING:
    from avow.engine import Policy
    from avow.vault.older import Older
    from avow.vault.record import Home
    from avow.vault.vault import Vault

#: Records whose values are taken out in one transaction.
BATCH = 200

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Task:
    """A deadline as it concerns the records of one class.

    Attributes:
        column: the attribute that says when the event happened.
        wait: seconds from then until it is carried out.
        fields: what is taken out of the record; empty where its owner is erased.
        under: the digest of the version of the policy whose deadline this is, for records that were collected under it
            and for which the one in force does not hold. None for that of the version in force, which is for all.
        superseded: gives the condition that the version in force holds for what the person in a column gave.
    """

    deadline: Deadline
    record: type[Any]
    column: str
    wait: float
    fields: tuple[Field, ...]
    under: str | None = None
    superseded: Callable[[ColumnElement[Any]], ColumnElement[bool]] | None = None

    @property
    def begun(self) -> ColumnElement[Any]:
        """The column of the moment."""
        found: ColumnElement[Any] = self.record.__table__.c[self.column]
        return found

    @property
    def concerns(self) -> ColumnElement[bool]:
        """Which records of the table the deadline is for."""
        table = self.record.__table__
        if self.under is None or self.superseded is None:
            return self.begun.is_not(None)
        owner: ColumnElement[Any] = table.c[self.record.__layout__.owner]
        return and_(self.begun.is_not(None), table.c.policy == self.under, not_(self.superseded(owner)))


@dataclass(frozen=True, slots=True)
class Due:
    """How a task stands: how many records wait, when the first is carried out (unix seconds), how many are overdue."""

    task: Task
    waiting: int
    first: float
    overdue: int


def earlier_tasks(home: Home, older: Older) -> list[Task]:
    """What earlier versions of the policy have destroyed or erased, for what was collected under them.

    Raises:
        SetupError: as `tasks`.
    """
    return [
        replace(task, under=policy.digest, superseded=partial(older.superseded_sql, policy.digest[:DIGITS]))
        for policy in older.stricter()
        for task in tasks(home, policy)
    ]


def tasks(home: Home, policy: Policy) -> list[Task]:
    """What has to be done by itself under a policy.

    Raises:
        SetupError: the policy has something destroyed or erased after an event, and no record says when that happens,
            or a value has to go that its record cannot lack. All faults are named at once.
    """
    found: list[Task] = []
    faults: list[str] = []
    for deadline in deadlines(policy):
        moments = list(_moments(home, deadline.event))
        if not moments:
            faults.append(
                f"`{deadline.duty.text}` (#{deadline.duty.sentence.anchor}): no record says when that is; "
                f'give one a column moment("{deadline.event}", …)'
            )
        for record, name, moment in moments:
            if moment.after is not None and moment.after >= deadline.within:
                faults.append(f"`{record.__table__.name}.{name}` waits longer than `{deadline.duty.text}` allows")
            last = deadline.within - _DAY if deadline.within >= 2 * _DAY else deadline.within / 2
            wait = last if moment.after is None else moment.after
            fields = _fields(record, deadline.object, policy)
            whole = deadline.object in policy.vocabulary.words["subject"]
            if not whole and not fields:
                faults.append(f"`{record.__table__.name}` holds no `{deadline.object}` that could be destroyed")
            if whole and record.__layout__.erased in ("keep", "anonymise"):
                faults.append(
                    f"`{record.__table__.name}` changes hands when its owner is erased, and `{deadline.duty.text}` "
                    f"would erase whoever has it then, too: put `{name}` into a record that is deleted with its owner"
                )
            kept = [f for f in record.__layout__.fields.values() if f not in fields]
            faults += [
                f"`{record.__table__.name}.{f.name}` is taken out by `{deadline.duty.text}`: it has to be optional"
                for f in (() if whole or not kept else fields)
                if not f.optional
            ]
            found.append(Task(deadline, record, name, wait, () if whole else fields))
    if faults:
        raise SetupError(
            "what the policy says must be gone cannot be carried out:\n  - " + "\n  - ".join(faults),
            help="see `moment` in docs/keeping.md",
        )
    return found


def due(vault: Vault) -> list[Due]:
    """How each task stands, those first whose time comes first."""
    now = vault.clock()
    found = []
    with vault.store.reading() as connection:
        for task in vault.tasks:
            last = func.count().filter(task.begun < now - task.deadline.within)
            row = connection.execute(
                select(func.count(), func.min(task.begun), last).select_from(task.record.__table__).where(task.concerns)
            ).one()
            if row[0]:
                found.append(Due(task, row[0], row[1] + task.wait, row[2]))
    return sorted(found, key=lambda one: one.first)


def carry_out(vault: Vault) -> int:
    """Do everything whose time has come, each person and each batch of records in a transaction; how many records."""
    done = 0
    for task in vault.tasks:
        while count := _some(vault, task):
            done += count
    return done


def _some(vault: Vault, task: Task) -> int:
    table, owner = task.record.__table__, task.record.__layout__.owner
    come = and_(task.concerns, task.begun <= vault.clock() - task.wait)
    if not task.fields:
        with vault.store.reading() as connection:
            people = list(connection.scalars(select(table.c[owner]).where(come).distinct().limit(BATCH)))
        for identity in people:
            erase(vault, identity)
        return len(people)
    with vault.store.writing() as connection:
        rows = connection.execute(
            select(table.c[owner], table.c.id).where(come).limit(BATCH).with_for_update(skip_locked=True)
        ).all()
        for identity, record in rows:
            this = (table.c[owner] == identity) & (table.c.id == record)
            if len(task.fields) == len(task.record.__layout__.fields):
                link = vault.home.schema.link
                connection.execute(delete(link).where(link.c.record_table == table.name, link.c.record_id == record))
                connection.execute(delete(table).where(this))
            else:
                emptied = dict.fromkeys(name for field in task.fields for name in field.columns)
                connection.execute(update(table).where(this).values({**emptied, task.column: None}))
        if rows:
            duty = task.deadline.duty
            vault.note(connection, "done", duty.verb, task.deadline.object, [duty], task.under)
    if rows:
        vault.after_commit()
        vault.store.want_checkpoint()
    return len(rows)


def _moments(home: Home, event: str) -> Iterator[tuple[type[Any], str, Moment]]:
    for record in home.records:
        for column in record.__table__.columns:
            moment = column.info.get("moment")
            if moment is not None and moment.event == event:
                yield record, column.name, moment


def _fields(record: type[Any], category: str, policy: Policy) -> tuple[Field, ...]:
    """The fields of a record that hold a category or one below it."""
    words = policy.vocabulary
    if category not in words.words["category"]:
        return ()
    return tuple(f for f in record.__layout__.fields.values() if words.covers("category", category, f.category))
