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

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from avow.errors import Refused
from avow.values import Sentence
from avow.vault.aside import Aside
from avow.vault.sealed import Sealed, Stored

if TYPE_CHECKING:
    from avow.store.schema import Schema
    from avow.vault.columns import Field
    from avow.vault.record import Record
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
    people = list(dict.fromkeys(record.owner_id for record in records))
    versions = _versions(unit)
    items = tuple(item for kind in unit.vault.home.records for item in _items(unit, kind, people, fact, purpose))
    accepted, standings = _standings(unit, people)
    schema, rest = unit.vault.home.schema, _counts(unit, people)
    return Holdings(
        items=items,
        sendings=tuple(_sendings(unit, people)),
        accepted=tuple(dict.fromkeys(_version(versions, digest) for digest in accepted)),
        standings=tuple(standings),
        links=rest.pop(schema.link.name),
        log=rest.pop(schema.trace.name),
        others={name: count for name, count in rest.items() if count},
    )


# -- records ------------------------------------------------------------------------------------------


def called(kind: type[Any]) -> str:
    """How a class of records is called: by its `__label__`, or else the first line of its docstring, or its name."""
    label = getattr(kind, "__label__", "") or (kind.__doc__ or "").strip().partition("\n")[0]
    return label or kind.__name__


def _items(unit: Unit, kind: Any, people: list[str], fact: str, purpose: str) -> Iterator[Item]:
    layout, versions = kind.__layout__, _versions(unit)
    one, whose = len(people) == 1, _whose(people)
    own = unit.db.scalars(_records(kind, layout.owner, one), whose).all()
    found: list[Any] = sorted(own, key=_collected)
    for record in found:
        fields = _values(unit, record, [(f, not f.of) for f in layout.fields.values()], fact, purpose)
        notes = tuple(_note(record, name) for name in layout.plain)
        yield Item(called(kind), record.id, True, _version(versions, record.policy), tuple(fields), notes)
    for attribute in layout.parties:
        for record in unit.db.scalars(_records(kind, attribute, one), whose):
            theirs = [(f, True) for f in layout.fields.values() if f.of == attribute]
            fields = _values(unit, record, theirs, fact, purpose)
            yield Item(called(kind), record.id, False, _version(versions, record.policy), tuple(fields), ())


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
        version = _version(_versions(unit), label.version)
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


def _versions(unit: Unit) -> dict[str, str]:
    """The number of each version that something may be under, by the beginning of its digest as labels have it.

    With one that was brought along goes the site that it was in force at.
    """
    table = unit.vault.home.schema.policy.c
    known: dict[str, str] | None = unit.db.info.get("avow_versions")
    if known is None:
        rows = unit.db.execute(select(table.digest, table.version, table.brought))
        known = {row.digest[:16]: f"{row.version} ({row.brought})" if row.brought else row.version for row in rows}
        unit.db.info["avow_versions"] = known
    return known


def _version(versions: dict[str, str], digest: str) -> str:
    return versions.get(digest[:16], digest[:16])


def _standings(unit: Unit, people: list[str]) -> tuple[list[str], list[Stood]]:
    """The digests of the versions that people are under, and how they stand to versions, the latest last."""
    words, whose = unit.vault.policy.vocabulary, _whose(people)
    came, stood = _standing(unit.vault.home.schema, len(people) == 1)
    under: dict[str, str] = {row.id: row.policy for row in unit.db.execute(came, whose)}
    told = []
    for row in unit.db.execute(stood, whose):
        if row.way in _ACCEPTING:
            under[row.owner] = row.policy
        place = words.label(row.place, "place") if row.place else ""
        told.append(Stood(WAYS[row.way], _version(_versions(unit), row.policy), row.hour, place))
    return list(under.values()), told


# -- Avow's own rows ----------------------------------------------------------------------------------


def _sendings(unit: Unit, people: list[str]) -> Iterator[Sending]:
    words, whose = unit.vault.policy.vocabulary, _whose(people)
    queued, talked = _sending(unit.vault.home.schema, len(people) == 1)
    for row in unit.db.execute(queued, whose):
        mail = row.kind == "send"
        # What follows the word tells apart the editions of a mail, by what is nobody's business but the shop's.
        name = words.label(row.name.partition("/")[0], "message" if mail else "recipient")
        yield Sending("mail" if mail else "share", name, words.label(row.purpose, "purpose"), _state(row.state))
    for recipient, purpose, state in unit.db.execute(talked, whose):
        said = words.label(recipient, "recipient"), words.label(purpose, "purpose")
        yield Sending("exchange", *said, _state(state))


def _state(state: str) -> str:
    return STATES.get(state, state)


def _counts(unit: Unit, people: list[str]) -> dict[str, int]:
    """How many rows are theirs, by table, in Avow's tables that say whose a row is and have no words above.

    They are found by their columns, so a new one is not forgotten.
    """
    names, statement = _counting(unit.vault.home.schema, len(people) == 1)
    return dict(zip(names, unit.db.execute(statement, _whose(people)).one(), strict=True))


# -- statements, made once: to spell one out takes as long as to have it answered ---------------------


@lru_cache(maxsize=512)
def _records(kind: Any, attribute: str, one: bool) -> Select[Any]:
    """The records of a class that name in an attribute who is asked about."""
    return select(kind).where(_of(getattr(kind, attribute), one)).order_by(kind.id)


@lru_cache(maxsize=16)
def _standing(schema: Schema, one: bool) -> tuple[Select[Any], Select[Any]]:
    """Under which versions people came about, and what came about with versions since."""
    table, person = schema.standing.c, schema.person.c
    came = select(person.id, person.policy).where(_of(person.id, one)).order_by(person.id)
    stood = select(schema.standing).where(_of(table.owner, one)).order_by(table.hour, table.policy, table.way)
    return came, stood


@lru_cache(maxsize=16)
def _sending(schema: Schema, one: bool) -> tuple[Select[Any], Select[Any]]:
    """What waits or has left, and the conversations with recipients."""
    outbox, exchange = schema.outbox.c, schema.exchange.c
    queued = select(outbox.kind, outbox.name, outbox.purpose, outbox.state).where(_of(outbox.owner, one))
    talked = select(exchange.recipient, exchange.purpose, exchange.state).where(_of(exchange.owner, one))
    return queued.order_by(outbox.due, outbox.id), talked.order_by(exchange.begun, exchange.id)


@lru_cache(maxsize=16)
def _counting(schema: Schema, one: bool) -> tuple[tuple[str, ...], Select[Any]]:
    told = (schema.outbox, schema.exchange, schema.standing)
    tables = [
        table
        for table in schema.metadata.sorted_tables
        if table.name.startswith("avow_") and "owner" in table.columns and table not in told
    ]
    counts = (select(func.count()).select_from(each).where(_of(each.c.owner, one)) for each in tables)
    return tuple(each.name for each in tables), select(*(count.scalar_subquery() for count in counts))


def _of(column: Any, one: bool) -> ColumnElement[bool]:
    """That a column names who is asked about: one person, which is nearly always, without a list to be spelled out."""
    found: ColumnElement[bool] = (
        column == bindparam("people") if one else column.in_(bindparam("people", expanding=True))
    )
    return found


def _whose(people: list[str]) -> dict[str, object]:
    """Who is asked about, for `_of`."""
    return {"people": people[0] if len(people) == 1 else people}
