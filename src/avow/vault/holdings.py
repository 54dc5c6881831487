"""Everything that is held about a person, found by the columns that say whose each row is, and by nothing else.

No list of record classes is kept anywhere, so none can be left off it: a class is known by its `owner()` and `party()`
columns, and one that has neither keeps the service from starting. The same goes for Avow's own tables.

What somebody may see of it is up to the policy: each value is judged as shown to them, here. One that may not be shown
is held all the same, so it is named with the reason, and stays closed.

| of a record | its owner gets | another person whom it concerns gets |
|---|---|---|
| personal fields | those that are not `of` somebody else | those that are `of` them |
| plain columns | all, with what they hold | none |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnElement, Row, Select, Table, bindparam, func, select

from avow.errors import Refused
from avow.values import Sentence
from avow.vault.aside import Aside
from avow.vault.sealed import Sealed, Stored

if TYPE_CHECKING:
    from avow.store.schema import Schema
    from avow.vault.columns import Field
    from avow.vault.record import Home, Record
    from avow.vault.unit import Unit

#: How a send stands, in words, by its state in the outbox or of an exchange.
STATES = {
    "ready": "waits to be sent",
    "attempted": "is on its way",
    "done": "was sent",
    "failed": "could not be sent",
    "refused": "was held back by the policy",
    "declined": "was sent, and declined there",
    "unknown": "was sent, and not answered yet",
}

#: How somebody stands to a version, in words, by the way that `avow_standing` names.
WAYS = {
    "consented": "you agreed to it",
    "returned": "you went on using the service after it was announced",
    "mailed": "you were told of it by mail",
    "bounced": "the mail that told of it came back",
    "resubmitted": "you gave something new after you were told of it",
}

#: The ways by which somebody comes under a version.
_ACCEPTING = ("consented", "returned", "resubmitted")

#: Why a value stays closed that tells of somebody else.
OF_ANOTHER = "It tells of somebody else."


@dataclass(frozen=True, slots=True)
class Value:
    """A personal field of a record: what it is called, and where and when its value was collected, under which version.

    `hour` counts from 1970. `sealed` writes a marker into a page; it is None where the value may not be shown, and then
    `reason` says why, with the `sentences` of the policy that decide it.
    """

    label: str
    category: str
    hour: int
    place: str
    version: str
    sealed: Sealed | None
    reason: str = ""
    sentences: tuple[Sentence, ...] = ()

    @property
    def day(self) -> date:
        """The day on which it was collected, in UTC."""
        return datetime.fromtimestamp(self.hour * 3600, UTC).date()


@dataclass(frozen=True, slots=True)
class Note:
    """A plain column: what it holds, as its declaration says, and its content."""

    why: str
    content: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Item:
    """One record. `own` says whether it is theirs, or somebody else's that also concerns them."""

    kind: str
    id: str
    own: bool
    version: str
    values: tuple[Value, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Sending:
    """What goes or went out about somebody: as `mail`, `share` or `exchange`; which mail, or to whom; for what."""

    way: str
    name: str
    purpose: str
    state: str


@dataclass(frozen=True, slots=True)
class Stood:
    """How somebody stands to a version of the policy: in words, since which `hour` since 1970, and at which place."""

    what: str
    version: str
    hour: int
    place: str

    @property
    def day(self) -> date:
        """The day since when, in UTC."""
        return datetime.fromtimestamp(self.hour * 3600, UTC).date()


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything that is held about one or more people who are the same one outside.

    `accepted` are the versions of the policy that they are under, `standings` what came about with versions; `links`
    counts the secret links that lead to something of theirs, `log` the entries of their log (`avow.vault.my_log`);
    `others` counts rows of Avow's own tables beside these, by table.
    """

    items: tuple[Item, ...]
    sendings: tuple[Sending, ...]
    accepted: tuple[str, ...]
    standings: tuple[Stood, ...]
    links: int
    log: int
    others: dict[str, int]


def holdings(unit: Unit, records: Iterable[Record], fact: str, purpose: str) -> Holdings:
    """Everything that is held about the owners of `records`, for who has shown `fact` of each of them in this unit.

    Raises:
        Refused: nobody has shown that here.
        SealedError: a row was changed or moved to another person behind the service's back.
    """
    if unit.facts.get(fact) is not True:
        raise Refused(
            f"nobody has shown `{fact}` here, so nobody is shown what is held",
            help="work.recognise or work.presented comes first",
        )
    unit.db.flush()
    people = sorted({record.owner_id for record in records})
    rows, schema = _counts(unit, people), unit.vault.home.schema
    items = tuple(item for kind in unit.vault.home.records for item in _items(unit, kind, people, rows, fact, purpose))
    accepted, standings = _standings(unit, people, rows)
    told = (schema.outbox, schema.exchange, schema.standing, schema.link, schema.trace)
    others = {c.table: count for c, count in rows.items() if c.table.name.startswith("avow_") and c.table not in told}
    return Holdings(
        items=items,
        sendings=tuple(_sendings(unit, people, rows)),
        accepted=tuple(dict.fromkeys(_version(unit, digest) for digest in accepted)),
        standings=tuple(standings),
        links=rows[schema.link.c.owner],
        log=rows[schema.trace.c.owner],
        others={table.name: count for table, count in others.items() if count},
    )


# -- records ------------------------------------------------------------------------------------------


def called(kind: type[Any]) -> str:
    """How a class of records is called: by its `__label__`, or else the first line of its docstring, or its name."""
    label = getattr(kind, "__label__", "") or (kind.__doc__ or "").strip().partition("\n")[0]
    return label or kind.__name__


def _items(
    unit: Unit, kind: Any, people: list[str], rows: dict[Column[Any], int], fact: str, purpose: str
) -> Iterator[Item]:
    layout, table = kind.__layout__, kind.__table__

    def naming_them(attribute: str) -> list[Any]:
        if not rows[table.c[attribute]]:
            return []
        return list(unit.db.scalars(unit.vault.home.once(_records, kind, attribute, len(people) == 1), _whose(people)))

    for record in sorted(naming_them(layout.owner), key=_collected):
        fields = _values(unit, record, [(f, not f.of) for f in layout.fields.values()], fact, purpose)
        notes = tuple(_note(record, name) for name in layout.plain)
        yield Item(called(kind), record.id, True, _version(unit, record.policy), tuple(fields), notes)
    for attribute in layout.parties:
        for record in naming_them(attribute):
            theirs = [(f, True) for f in layout.fields.values() if f.of == attribute]
            fields = _values(unit, record, theirs, fact, purpose)
            yield Item(called(kind), record.id, False, _version(unit, record.policy), tuple(fields), ())


def _collected(record: Record) -> int:
    values = (getattr(record, name) for name in record.__layout__.fields)
    return min((value.hour for value in values if value is not None), default=0)


def _values(
    unit: Unit, record: Record, fields: Iterable[tuple[Field, bool]], fact: str, purpose: str
) -> Iterator[Value]:
    """The values of a record; with each field goes whether it tells of who is looking."""
    aside, words = Aside(unit, record, fact, purpose), unit.vault.policy.vocabulary
    for field, of_them in fields:
        value: Stored | None = getattr(record, field.name)
        if value is None:
            continue
        label = value.label()
        place = words.label(label.place, "place") if label.place else ""
        about = (words.label(field.category), field.category, label.collected, place)
        version = _version(unit, label.version)
        if not of_them:
            yield Value(*about, version, None, OF_ANOTHER)
            continue
        verdict = aside.verdict(field.name)
        if verdict.permitted:
            yield Value(*about, version, getattr(aside, field.name))
        else:
            yield Value(*about, version, None, verdict.reason, verdict.sentences)


def _note(record: Record, name: str) -> Note:
    column, content = record.__table__.columns[name], getattr(record, name)  # type: ignore[attr-defined]
    if not isinstance(content, (str, int, float, bool, type(None))):
        content = content.hex() if isinstance(content, bytes) else str(content)
    return Note(column.info["why"], content)


# -- versions -----------------------------------------------------------------------------------------


def _version(unit: Unit, digest: str) -> str:
    return unit.vault.older.called(unit, digest)


def _standings(unit: Unit, people: list[str], rows: dict[Column[Any], int]) -> tuple[list[str], list[Stood]]:
    """The digests of the versions that people are under, and how they stand to versions, the latest last."""
    words, schema = unit.vault.policy.vocabulary, unit.vault.home.schema
    under = {identity: unit.db.get_one(unit.vault.person_class, identity).policy for identity in people}
    told = []
    for row in _rows(unit, people, rows, schema.standing):
        if row.way in _ACCEPTING:
            under[row.owner] = row.policy
        place = words.label(row.place, "place") if row.place else ""
        told.append(Stood(WAYS[row.way], _version(unit, row.policy), row.hour, place))
    return list(under.values()), told


# -- Avow's own rows ----------------------------------------------------------------------------------


def _sendings(unit: Unit, people: list[str], rows: dict[Column[Any], int]) -> Iterator[Sending]:
    words, schema = unit.vault.policy.vocabulary, unit.vault.home.schema
    for row in _rows(unit, people, rows, schema.outbox):
        mail = row.kind == "send"
        # What follows the word tells apart the editions of a mail, by what is nobody's business but the shop's.
        name = words.label(row.name.partition("/")[0], "message" if mail else "recipient")
        yield Sending("mail" if mail else "share", name, words.label(row.purpose, "purpose"), _state(row.state))
    for row in _rows(unit, people, rows, schema.exchange):
        said = words.label(row.recipient, "recipient"), words.label(row.purpose, "purpose")
        yield Sending("exchange", *said, _state(row.state))


def _state(state: str) -> str:
    return STATES.get(state, state)


def _rows(unit: Unit, people: list[str], rows: dict[Column[Any], int], table: Table) -> Sequence[Row[Any]]:
    """The rows of one of Avow's own tables that are theirs, in the order in which they are told."""
    if not rows[table.c.owner]:
        return ()
    telling = unit.vault.home.once(_telling, unit.vault.home.schema, table, len(people) == 1)
    return unit.db.execute(telling, _whose(people)).all()


def _counts(unit: Unit, people: list[str]) -> dict[Column[Any], int]:
    """How many rows name them, by each column that names people: most tables need not be asked any more then.

    They are found by their columns, so a new one is not forgotten.
    """
    columns, statement = unit.vault.home.once(_counting, unit.vault.home, len(people) == 1)
    return dict(zip(columns, unit.db.execute(statement, _whose(people)).one(), strict=True))


# -- statements, made once: to spell one out takes as long as to have it answered ---------------------


def _records(kind: Any, attribute: str, one: bool) -> Select[Any]:
    """The records of a class that name in an attribute who is asked about."""
    return select(kind).where(_of(getattr(kind, attribute), one)).order_by(kind.id)


def _telling(schema: Schema, table: Table, one: bool) -> Select[Any]:
    """What came about with versions, what waits or has left, or the conversations with recipients."""
    standing, outbox, exchange = schema.standing.c, schema.outbox.c, schema.exchange.c
    told: dict[Table, tuple[Column[Any], ...]] = {
        schema.standing: (standing.hour, standing.policy, standing.way),
        schema.outbox: (outbox.due, outbox.id),
        schema.exchange: (exchange.begun, exchange.id),
    }
    return select(table).where(_of(table.c.owner, one)).order_by(*told[table])


def _counting(home: Home, one: bool) -> tuple[tuple[Column[Any], ...], Select[Any]]:
    own = [
        table.c.owner for table in home.metadata.sorted_tables if table.name.startswith("avow_") and "owner" in table.c
    ]
    theirs = [
        kind.__table__.c[name] for kind in home.records for name in (kind.__layout__.owner, *kind.__layout__.parties)
    ]
    counts = (select(func.count()).select_from(each.table).where(_of(each, one)) for each in (*own, *theirs))
    return (*own, *theirs), select(*(count.scalar_subquery() for count in counts))


def _of(column: Any, one: bool) -> ColumnElement[bool]:
    """That a column names who is asked about: one person, which is nearly always, without a list to be spelled out."""
    found: ColumnElement[bool] = (
        column == bindparam("people") if one else column.in_(bindparam("people", expanding=True))
    )
    return found


def _whose(people: list[str]) -> dict[str, object]:
    """Who is asked about, for `_of`."""
    return {"people": people[0] if len(people) == 1 else people}
