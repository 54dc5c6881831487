"""Moving the rows of old tables into records, a batch in each transaction, while the service goes on.

In one transaction: the rows are locked, what they hold is judged as collected and kept, sealed in records, entered in
the ledger, and the old columns are emptied. So a value is in the clear in the old table, or sealed in its record, and
never neither or both, whatever dies in between.

What the service writes into the old table meanwhile is found by the next pass; the last one is that which finds
nothing. A value that cannot be sealed stays where it is, and is told of by the key of its row: what it is never leaves
the transaction, in no error, log or list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, select, text, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm.exc import StaleDataError

from avow.errors import Refused, StoreError
from avow.vault.erasure import duties_to_erase
from avow.vault.keeping import collect
from avow.vault.keeping import update as write_anew
from avow.vault.taking_over_tables import OldTable
from avow.vault.tombstones import token_of
from avow.vault.unit import Unit

if TYPE_CHECKING:
    from avow.vault.vault import Vault

#: Rows of one transaction, unless said otherwise, and at most.
BATCH, LARGEST_BATCH = 500, 5000

#: Bytes of UTF-8 in the longest text that is sealed.
LONGEST = 1 << 20

#: Rows that could not be taken of which the keys are told.
TOLD = 20

#: How often a batch is tried that another transaction got in the way of.
TRIES = 3

#: PostgreSQL advisory lock of who takes over, one batch at a time ("avot" in ASCII).
LOCK = 0x61766F74

#: Told how many of how many rows are done.
Progress = Callable[[int, int], None]


@dataclass
class Taken:
    """What came of one old table.

    `rows` were sealed; `erased` were of people who have been erased, and were emptied. `left` counts the values that
    were left where they are, by attribute and reason; `keys` are those of the first such rows, with attribute and
    reason, where keys can be shown.
    """

    old: OldTable
    rows: int = 0
    erased: int = 0
    left: Counter[tuple[str, str]] = field(default_factory=Counter)
    keys: list[tuple[str, str, str]] = field(default_factory=list)

    def leave(self, key: str, attribute: str, why: str) -> None:
        """Note that the value of an attribute stays where it is."""
        self.left[attribute, why] += 1
        if self.old.shows_keys and len(self.keys) < TOLD:
            self.keys.append((key, attribute, why))


def take_over(vault: Vault, olds: Sequence[OldTable], *, batch: int, progress: Progress) -> list[Taken]:
    """Take over every row that lies in the clear, until a pass finds none; what came of each table.

    Raises:
        Refused: the policy does not permit to collect or keep a column. What was taken before stays taken.
        StoreError: the database did not take it. The batch was undone; calling this again goes on from there.
    """
    taken = [Taken(old) for old in olds]
    for old in olds:
        _check_permitted(vault, old)
    with vault.store.reading() as connection:
        total = sum(connection.scalar(select(func.count()).select_from(o.table).where(o.holds())) or 0 for o in olds)
    progress(0, total)
    waits = False  # first without waiting for rows that the service has in its hands; the last pass takes them too
    while True:
        before = _done(taken)
        for each in taken:
            each.left.clear()
            each.keys.clear()
            try:
                for _ in _pass(vault, each, batch, waits):
                    progress(min(_done(taken), total), total)
            except Refused as error:  # a duty that goes with it and is not done
                raise Refused(
                    f"{error.args[0]}\n  {_done(taken):,} rows had been taken over by then, and the batch was undone",
                    error.verdict,
                ) from None
        if waits and before == _done(taken):
            return taken
        waits = True


def _done(taken: Sequence[Taken]) -> int:
    return sum(each.rows + each.erased for each in taken)


def _check_permitted(vault: Vault, old: OldTable) -> None:
    """Ask about every column before a row is read: what is refused then is no matter of one value."""
    unit = _unit(vault, old)
    try:
        with unit:
            for attribute in old.of.personal:
                category, whose = old.of.record.__layout__.fields[attribute].category, vault.subject
                unit.judge(
                    "collect",
                    category,
                    source=old.of.source or whose,
                    subject=whose,
                    place=unit.place,
                    role=unit.role,
                    channel=unit.channel,
                )
                unit.judge("keep", category, subject=whose)
            unit.rollback()  # nothing was collected: no entry says so
    except Refused as error:
        raise Refused(
            f"`{old.of.table}` cannot be taken over: {error.args[0]}\n  nothing of it was touched",
            error.verdict,
            help="publish a policy that permits it, or leave the column out and delete what it holds",
        ) from None


def _unit(vault: Vault, old: OldTable) -> Unit:
    of = old.of
    return Unit(vault, of.role, of.purpose, place=of.place, channel=of.channel, facts=dict(of.facts))


def _pass(vault: Vault, taken: Taken, size: int, waits: bool) -> Iterator[int]:
    """Go through a table once, in the order of its keys; the number of rows of each batch."""
    last: Any = None
    while True:
        batch = _tried(vault, taken.old, last, size, waits)
        taken.rows += batch.taken.rows
        taken.erased += batch.taken.erased
        taken.left += batch.taken.left
        taken.keys += batch.taken.keys[: TOLD - len(taken.keys)]
        yield batch.rows
        if batch.rows < size:
            break
        last = batch.last
    nameless = select(func.count()).select_from(taken.old.table).where(taken.old.holds(), taken.old.key.is_(None))
    with vault.store.reading() as connection:
        if count := connection.scalar(nameless):  # SQLite lets a primary key be empty
            taken.left[taken.old.of.key, "is empty: nothing names the row"] += count


@dataclass
class _Batch:
    """One batch: how many rows it looked at, the key of the last, and what came of them."""

    taken: Taken
    rows: int = 0
    last: Any = None


def _tried(vault: Vault, old: OldTable, last: Any, size: int, waits: bool) -> _Batch:
    for left in reversed(range(TRIES)):
        try:
            return _batch(vault, old, last, size, waits)
        except (DatabaseError, StaleDataError) as error:
            # A deadlock, or somebody who was erased at the same moment: the batch was undone, and is done anew.
            # The error itself may hold values (PostgreSQL tells the row that failed): no word of it goes on.
            kind = type(getattr(error, "orig", error)).__name__
        if not left:
            break
    raise StoreError(
        f"a batch of `{old.of.table}` was undone, because the database did not take it: {kind}",
        help="see whether its columns may be emptied (checks, triggers, foreign keys), mend that, and run it again",
    )


def _batch(vault: Vault, old: OldTable, last: Any, size: int, waits: bool) -> _Batch:
    batch = _Batch(Taken(old))
    with _unit(vault, old) as unit:
        connection = unit.db.connection()
        if vault.store.dialect == "postgresql":  # SQLite's writers are one at a time as it is
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        rows = connection.execute(_rows(old, last, size, vault.store.dialect, waits)).all()
        if rows:
            batch.rows, batch.last = len(rows), rows[-1].key
            _Rows(unit, old, batch.taken, rows).move(connection)
    return batch


def _rows(old: OldTable, last: Any, size: int, dialect: str, waits: bool) -> Any:
    of = old.of
    found = select(
        old.key.label("key"),
        old.text_of(of.key, dialect).label("key_text"),
        *([old.text_of(of.person, dialect).label("person")] if of.person else []),
        *(old.text_of(name, dialect).label(f"personal_{attribute}") for attribute, name in of.personal.items()),
        *(old.table.c[name].label(f"plain_{attribute}") for attribute, name in of.plain.items()),
    ).where(old.holds(), old.key.is_not(None))
    if last is not None:
        found = found.where(old.key > last)
    return found.order_by(old.key).limit(size).with_for_update(skip_locked=not waits)


class _Rows:
    """The rows of one batch on their way from the old table into records."""

    def __init__(self, unit: Unit, old: OldTable, taken: Taken, rows: Sequence[Row[Any]]) -> None:
        self.unit = unit
        self.old = old
        self.taken = taken
        vault, of = unit.vault, old.of
        keys = [_spelled(row.key_text) for row in rows]
        numbers = [_spelled(row.person) if of.person and row.person is not None else None for row in rows]
        self.rows = list(zip(rows, keys, strict=True))
        self.owners = {key: of.person_id(vault, number, key) for key, number in zip(keys, numbers, strict=True)}
        self.people = self._people()
        self.erased = self._erased()
        self.records = self._records(keys)
        self.emptied: dict[tuple[str, ...], list[Any]] = {}

    def move(self, connection: Connection) -> None:
        """Seal what can be sealed, and empty the old columns of just that."""
        for row, key in self.rows:
            owner = self.owners[key]
            if owner in self.erased:
                done: tuple[str, ...] = tuple(self.old.of.personal.values())
                self.taken.erased += 1
            else:
                done = self._seal(row, key, owner)
                self.taken.rows += bool(done)
            if done:
                self.emptied.setdefault(done, []).append(row.key)
        for names, keys in self.emptied.items():
            gone = {name: self.old.nothing[name] for name in names}
            result = connection.execute(update(self.old.table).where(self.old.key.in_(keys)).values(gone))
            if result.rowcount != len(keys):  # a trigger, a rule or a row policy that sees to it that they stay
                raise StoreError(
                    f"rows of `{self.old.of.table}` could not be emptied: {result.rowcount} of {len(keys)} were",
                    help="look for a trigger, a rule or row-level security on it; the batch was undone",
                )
        if self.taken.erased:
            vault = self.unit.vault
            vault.note(connection, "done", "erase", vault.subject, duties_to_erase(vault))

    def _seal(self, row: Row[Any], key: str, owner: str) -> tuple[str, ...]:
        """Seal the values of a row; the old columns of those that were."""
        of, unit = self.old.of, self.unit
        texts = dict(self._texts(row, key))
        if not texts:
            return ()
        known = self.records.get(of.record_id(unit.vault, key))
        try:
            if known is not None:
                write_anew(unit, known, source=of.source, **texts)
            else:
                layout = of.record.__layout__
                missing = [name for name, f in layout.fields.items() if not f.optional and name not in texts]
                if missing:
                    if not self._was_left(row, missing):
                        self.taken.leave(key, missing[0], "is empty, and the record needs it")
                    return ()
                plain = {attribute: row._mapping[f"plain_{attribute}"] for attribute in of.plain}
                person = self.people.get(owner) or unit.vault.new_person(owner)
                values = {**texts, **{name: value for name, value in plain.items() if value is not None}}
                collect(unit, of.record, person, of.record_id(unit.vault, key), source=of.source, **values)
                self.people[owner] = person
        except Refused as error:  # of the value itself, or of changing what was sealed before
            self.taken.leave(key, ", ".join(texts), _reason(error))
            return ()
        return tuple(of.personal[attribute] for attribute in texts)

    def _was_left(self, row: Row[Any], missing: list[str]) -> bool:
        """Whether a value that is missing is there, and was told of already."""
        return any(row._mapping[f"personal_{name}"] for name in missing if name in self.old.of.personal)

    def _texts(self, row: Row[Any], key: str) -> Iterator[tuple[str, str]]:
        """The values of a row that can be sealed, by attribute; the others are told of."""
        for attribute, name in self.old.of.personal.items():
            value = row._mapping[f"personal_{attribute}"]
            if value is None or (not value and name in self.old.texts):
                continue
            try:
                given = value.decode() if isinstance(value, bytes) else value
            except UnicodeDecodeError:
                self.taken.leave(key, attribute, "is not text in UTF-8")
                continue
            why = _too_long(given) or self._not_to_be_kept(given)
            if why is None:
                yield attribute, given
            else:
                self.taken.leave(key, attribute, why)

    def _not_to_be_kept(self, given: str) -> str | None:
        """Why a text may not be kept for what is in it, such as a card number."""
        vault = self.unit.vault
        for inspector in vault.inspectors:
            for category in inspector(given):
                try:
                    self.unit.judge("keep", category, subject=vault.subject)
                except Refused as error:
                    return f"seems to contain {vault.policy.vocabulary.label(category)}: {_reason(error)}"
        return None

    def _people(self) -> dict[str, Any]:
        kind = self.unit.vault.person_class
        return {one.id: one for one in self.unit.db.scalars(select(kind).where(kind.id.in_(set(self.owners.values()))))}

    def _erased(self) -> set[str]:
        """Who of those who are not there has been erased."""
        table, vault = self.unit.vault.home.schema.tombstone, self.unit.vault
        tokens = {
            token_of(vault.receipt_of(owner)): owner for owner in self.owners.values() if owner not in self.people
        }
        known = self.unit.db.scalars(select(table.c.token).where(table.c.token.in_(tokens)))
        return {tokens[bytes(token)] for token in known}

    def _records(self, keys: list[str]) -> dict[str, Any]:
        """What was made of these rows before, by id: they were written again, or were taken in part."""
        of, vault = self.old.of, self.unit.vault
        owner = of.record.__table__.c[of.record.__layout__.owner]
        mine = owner.in_(set(self.owners.values())), of.record.id.in_([of.record_id(vault, key) for key in keys])
        return {record.id: record for record in self.unit.db.scalars(select(of.record).where(*mine))}


def _spelled(value: str | bytes) -> str:
    """A key or number as text; what is no text in UTF-8 is told apart all the same."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value


def _too_long(given: str) -> str | None:
    return f"is longer than {LONGEST:,} bytes" if len(given.encode("utf-8", "replace")) > LONGEST else None


def _reason(error: Refused) -> str:
    """What the policy says, in one line: its words and no value."""
    if error.verdict is None:
        return "the policy does not permit it"
    anchors = ", ".join(f"#{sentence.anchor}" for sentence in error.verdict.sentences)
    return f"{error.verdict.reason} ({anchors})" if anchors else error.verdict.reason
