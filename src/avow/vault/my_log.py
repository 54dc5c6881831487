"""What happened to somebody's information, told to them: the ledger entries about them, in words, the latest first.

Their traces lead to the entries (`avow.vault.traces`). What an entry says is told with the labels of the version of the
policy that decided it, and with the sentences that it rests on. Refusals are among them, and so is the role of who was
at a desk. Which one of two came first within an hour nobody knows: neither the ledger nor a trace has a finer time.

Like what is held (`avow.vault.holdings`), it is for who has shown whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from avow.errors import Refused
from avow.language.happened import Happening, happened
from avow.ledger.entry import Entry
from avow.ledger.finding import Found, find
from avow.values import Sentence
from avow.vault.holdings import called
from avow.vault.standing import DIGITS

if TYPE_CHECKING:
    from avow.engine import Policy
    from avow.vault.record import Person, Record
    from avow.vault.traces import Trace
    from avow.vault.unit import Unit

#: Lines on a page of a log.
SIZE = 50


@dataclass(frozen=True, slots=True)
class Written:
    """One entry: what the log has for it, 64 hexadecimal digits; its number there, None while it waits to come in."""

    commitment: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """One line: what happened, in words, and why that was so.

    Attributes:
        hour: since 1970, in which it was.
        text: one sentence; empty where the entry is not in the database that was put back.
        refused: whether it did not happen, because the policy forbids it.
        record: what kind of record it was about, in words; empty where it was none, or more than one.
        because: the sentences of the policy that decided it, as they stand in that version.
        version: of the policy, as it calls itself; empty without the entry.
        in_force: whether that version is the one in force.
        entries: those that say this; more than one where it happened more than once within the hour.
    """

    hour: int
    text: str
    refused: bool
    record: str
    because: tuple[Sentence, ...]
    version: str
    in_force: bool
    entries: tuple[Written, ...]

    @property
    def day(self) -> date:
        """The day on which it was, in UTC."""
        return datetime.fromtimestamp(self.hour * 3600, UTC).date()

    @property
    def hours(self) -> str:
        """Between which hours of that day, in UTC: `14 and 15 h UTC`."""
        begun = self.hour % 24
        return f"{begun} and {begun + 1} h UTC"


@dataclass(frozen=True, slots=True)
class MyLog:
    """One page of somebody's log. `page` counts from 1 to `pages`, `count` the entries on all of them."""

    lines: tuple[Told, ...]
    page: int
    pages: int
    count: int


def my_log(unit: Unit, records: Iterable[Record], fact: str, page: int = 1, size: int = SIZE) -> MyLog:
    """A page of what happened to what is of the owners of `records`, for who has shown `fact` of each of them.

    A page that there is not is the nearest one.

    Raises:
        Refused: nobody has shown that here, or none of the records is of who is looking.
        SealedError: a trace was changed, or moved to another person behind the service's back.
    """
    every = sorted(_traces(unit, _people(unit, records, fact)), key=lambda trace: (-trace.hour, trace.commitment))
    pages = max(1, -(-len(every) // size))
    page = min(max(1, page), pages)
    chosen = every[(page - 1) * size : page * size]
    found = _found(unit, {trace.commitment: trace.pending for trace in chosen})
    lines: dict[tuple[Any, ...], tuple[Told, list[Written]]] = {}
    for trace in chosen:
        entry = found.get(trace.commitment)
        told = _told(unit, trace, entry)
        same = (-told.hour, not told.refused, told.record, told.text, told.version, told.because)
        written = Written(trace.commitment.hex(), None if entry is None else entry.number)
        lines.setdefault(same, (told, []))[1].append(written)
    # Of one hour nobody knows what came first: what is about one thing stands together.
    ordered = sorted(lines, key=lambda same: same[:5])
    told_all = tuple(replace(lines[same][0], entries=tuple(lines[same][1])) for same in ordered)
    return MyLog(told_all, page, pages, len(every))


def my_entry(unit: Unit, records: Iterable[Record], fact: str, commitment: str) -> Found | None:
    """One entry of somebody's log by its commitment, 64 hexadecimal digits: its body and number, for a receipt of it.

    None where the entry is about others, is not here any more, or never was: nobody is told which.

    Raises:
        Refused, SealedError: as `my_log`.
    """
    mine = _traces(unit, _people(unit, records, fact))
    sought = {trace.commitment: trace.pending for trace in mine if trace.commitment.hex() == commitment}
    return next(iter(_found(unit, sought).values()), None)


def _people(unit: Unit, records: Iterable[Record], fact: str) -> dict[str, Person]:
    """The owners of some records, once whoever is looking has shown to be one of them."""
    if unit.facts.get(fact) is not True:
        raise Refused(
            f"nobody has shown `{fact}` here, so nobody is told what happened",
            help="work.recognise or work.presented comes first",
        )
    people = {record.avow_person.id: record.avow_person for record in records}
    if unit.viewer not in people:  # others are known by the same address, and whoever shows that it is theirs is one
        raise Refused("who is looking is somebody else than whose log this is", help="give a record of theirs as well")
    unit.db.flush()
    return people


def _found(unit: Unit, sought: dict[bytes, str]) -> dict[bytes, Found]:
    if not sought:
        return {}
    with unit.vault.store.one_moment() as connection:
        return find(connection, unit.vault.home.schema, unit.vault.waiting, sought)


def _traces(unit: Unit, people: dict[str, Person]) -> list[Trace]:
    table = unit.vault.home.schema.trace.c
    seals = {identity: unit.vault.trace_seal(person) for identity, person in people.items()}
    rows = unit.db.execute(select(table.owner, table.id, table.sealed).where(table.owner.in_(list(people))))
    return [seals[owner].unseal(identity, bytes(sealed)) for owner, identity, sealed in rows]


def _told(unit: Unit, trace: Trace, found: Found | None) -> Told:
    if found is None:
        return Told(trace.hour, "", False, "", (), "", False, ())
    entry = Entry.decode(found.body)
    policy = _policy(unit, entry.policy)
    objects = tuple(name for bit, name in enumerate(entry.object.split(", ")) if trace.objects >> bit & 1)
    what = Happening(
        entry.event, entry.verb, objects, entry.recipient, entry.purpose, entry.role, trace.place, trace.own
    )
    return Told(
        hour=trace.hour,
        text=happened(what, policy.vocabulary),
        refused=entry.event == "refused",
        record=_kind(unit, trace),
        because=tuple(sentence for sentence in policy.sentences if sentence.anchor in entry.sentences),
        version=policy.version,
        in_force=policy.digest == unit.vault.policy.digest,
        entries=(),
    )


def _policy(unit: Unit, digest: str) -> Policy:
    vault = unit.vault
    return vault.policy if digest == vault.policy.digest else vault.older.policy(digest[:DIGITS])


def _kind(unit: Unit, trace: Trace) -> str:
    if trace.record is None:
        return ""
    return next((called(kind) for kind in unit.vault.home.records if kind.__table__.name == trace.record[0]), "")
