"""How people stand to a version of the policy: what they did about it and what reached them, with proof of it.

One row says that a person agreed to a version, came back under it, got the mail that announced it, and so on: in which
hour, where, and for an agreement which text they saw. What depends on it is derived from the rows each time it is
asked: a row for one version counts for the one in force where that is not weaker.

    consented(version)      they agreed (`work.accept`)
    returned(version)       they were recognised on a page after a page had announced it (`work.recognise`)
    mailed(version)         the mail that announces it was delivered to them, and has not come back
    bounced(version)        it came back (`work.bounced`)
    resubmitted(version)    after that mail they gave something new

Only what the policy asks for is noted, and of those who were here before it only: whoever came about under a version
gave everything under that one or a later one.

Each row carries a keyed hash of what it says (`avow.vault.marks`), so that who can only write rows has no version hold
for anybody. One that is taken away is not missed.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, exists, not_, select

from avow.errors import SetupError
from avow.values import Facts
from avow.vault.applying import CONCERNED, FACT, WAYS, Way
from avow.vault.lines import Whom
from avow.vault.marks import Marks

if TYPE_CHECKING:
    from sqlalchemy import Row, Table

    from avow.vault.record import Person, Record
    from avow.vault.unit import Unit
    from avow.vault.vault import Vault

log = logging.getLogger("avow.vault")

#: Where a unit of work keeps the rows that it has read, and that a page of it announces the version in force. Both are
#: forgotten when it is rolled back.
_READ, _TOLD = "avow_standing", "avow_announced"

#: Digits of a policy's digest that the label of a value has, and the edition of a mail that announces it.
DIGITS = 16

#: The versions of one person, by way; each by the first digits of its digest.
Rows = dict[str, frozenset[str]]


class Standing:
    """What is known of how people stand to versions, in one installation."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._marks = Marks(vault, "standing")
        self._announced = False

    @property
    def _table(self) -> Table:
        return self._vault.home.schema.standing

    # -- what happened ----------------------------------------------------------------------------

    def accept(self, unit: Unit, record: Record, words: str) -> None:
        """Note that the owner of a record agrees to the version in force, having seen `words`.

        Raises:
            Refused: the policy has a word for acceptances, and no sentence permits to keep this one.
            SetupError: there are no words.
        """
        if not words.strip():
            raise SetupError(
                "nobody agrees to nothing", help="give the words that they saw: a digest of them is part of the proof"
            )
        if self._names_acceptance:
            unit.judge("keep", self._vault.acceptance, subject=self._vault.subject)
        self._note(unit, record.owner_id, "consented", seen=hashlib.sha256(words.encode()).hexdigest())

    def came_back(self, unit: Unit, record: Record) -> None:
        """Note that the owner of a record goes on using the service, where the policy says what follows from that.

        That is so on a page, by themselves, once a page has announced the version, and where the policy lets the
        acceptance be kept: for this purpose, about somebody who is known.
        """
        person: Person = record.avow_person
        here = unit.channel is not None and unit.place is not None and not unit.staff
        if not here or not self._asked("returned", person) or not self._names_acceptance:
            return
        if not self.announced(unit) or self.facts(unit, person.id)[FACT["returned"]]:
            return
        kept, whose = self._vault.acceptance, self._vault.subject
        # Asked first: a page that may not note it is refused nothing.
        if unit.verdict("keep", kept, unit.known(), None, subject=whose, purpose=unit.purpose).permitted:
            unit.judge("keep", kept, subject=whose)
            self._note(unit, person.id, "returned")

    def mailed(self, unit: Unit, person: str, version: str) -> None:
        """Note that the mail that announces `version`, by the first digits of its digest, was delivered to a person."""
        self._note(unit, person, "mailed", version=version)

    def bounced(self, unit: Unit, record: Record, version: str | None = None) -> None:
        """Note that a mail to the owner of a record came back: nothing counts as announced to them by it.

        `version` is the one that it announced, if that is known; else none of those before reached them.
        """
        found = self._of(unit, record.owner_id).get("mailed", frozenset()) | {self._current}
        for each in sorted({version} if version is not None else found):
            self._note(unit, record.owner_id, "bounced", version=each)

    def gave(self, unit: Unit, person: Person) -> None:
        """Note that a person gave something of their own, where the policy says what follows from that.

        It counts for who has shown in this unit who they are, after the mail that announces the version was delivered.
        """
        if unit.staff or unit.viewer != person.id or not unit.shown or not self._asked("resubmitted", person):
            return
        rows = self._of(unit, person.id)
        if self._current in rows.get("mailed", frozenset()) - rows.get("bounced", frozenset()):
            self._note(unit, person.id, "resubmitted")

    def announce(self, unit: Unit) -> None:
        """Note that a page that announces the version in force is about to be shown."""
        if not self.announced(unit):
            self._insert(unit, self._vault.home.schema.meta, name=self._page, value=str(self._vault.hour()))
            unit.db.info[_TOLD] = True

    # -- what is known ----------------------------------------------------------------------------

    def announced(self, unit: Unit | None = None) -> bool:
        """Whether a page has announced the version in force; `unit` counts what it has noted itself."""
        if not self._announced:
            meta = self._vault.home.schema.meta.c
            with self._vault.store.reading() as connection:
                noted = connection.scalar(select(meta.value).where(meta.name == self._page))
            self._announced = noted is not None
        return self._announced or (unit is not None and unit.db.info.get(_TOLD) is True)

    def known(self, unit: Unit, record: Record) -> Facts:
        """What rules beside those of applying a version ask about the owner of a record, and the vault knows."""
        asked = self._vault.older.applying.elsewhere
        if not asked:
            return {}
        facts = {name: fact for name, fact in self.facts(unit, record.owner_id).items() if name in asked}
        if CONCERNED in asked:
            facts[CONCERNED] = bool(self._vault.older.concerned(unit, [record.owner_id]))
        return facts

    def facts(self, unit: Unit, person: str) -> dict[str, bool]:
        """How a person stands to the version in force, as facts."""
        rows, weaker = self._of(unit, person), self._vault.older.weaker
        having: dict[Way, set[str]] = {
            way: {version for version in rows.get(way, ()) if not weaker(version)} for way in WAYS
        }
        reached = having["mailed"] - having["bounced"]
        return {
            FACT["consented"]: bool(having["consented"]),
            FACT["returned"]: bool(having["returned"]),
            FACT["mailed"]: bool(reached),
            FACT["bounced"]: bool(having["bounced"]) and not reached,
            FACT["resubmitted"]: bool(having["resubmitted"] & reached),
        }

    def load(self, unit: Unit, people: Collection[str]) -> None:
        """Read the rows of many people at once, for what is asked of them in this unit.

        What somebody agreed to elsewhere, and brought along, says nothing about the versions of this site.
        """
        read: dict[str, Rows] = unit.db.info.setdefault(_READ, {})
        table, policy = self._table.c, self._vault.home.schema.policy.c
        elsewhere = select(policy.digest).where(policy.brought.is_not(None))
        found: dict[str, dict[str, set[str]]] = {person: {} for person in people}
        with unit.db.no_autoflush:
            for row in unit.db.execute(
                select(self._table).where(table.owner.in_(people), table.policy.not_in(elsewhere))
            ):
                if self.vouched(row):
                    found[row.owner].setdefault(row.way, set()).add(row.policy[:DIGITS])
        for person, ways in found.items():
            read[person] = {way: frozenset(versions) for way, versions in ways.items()}

    def sql(self, way: Way, owner: ColumnElement[Any], versions: Collection[str]) -> ColumnElement[bool]:
        """The fact of a way, about the person in the column `owner`, as `facts` has it.

        `versions` are the digests of those that count: that the one in force is not weaker than. A statement cannot
        look at marks: who can write rows decides here, as they do about the moments that it compares.
        """
        row, other, new = (self._table.alias() for _ in range(3))
        back = exists().where(other.c.owner == row.c.owner, other.c.way == "bounced", other.c.policy == row.c.policy)
        mine = row.c.owner == owner, row.c.policy.in_(versions)
        reached = exists().where(*mine, row.c.way == "mailed", not_(back))
        if way == "mailed":
            return reached
        if way == "bounced":
            return and_(exists().where(*mine, row.c.way == "bounced"), not_(reached))
        if way == "resubmitted":
            after = exists().where(new.c.owner == row.c.owner, new.c.way == way, new.c.policy == row.c.policy)
            return exists().where(*mine, row.c.way == "mailed", not_(back), after)
        return exists().where(*mine, row.c.way == way)

    # -- rows -------------------------------------------------------------------------------------

    def vouched(self, row: Row[Any]) -> bool:
        """Whether a row was noted here, and says what it said."""
        if self._marks.fits(row.mark, row[:-1]):
            return True
        log.warning("how somebody stands to a version was not noted here, or was changed; it counts as nothing")
        return False

    def mark(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A row of these values, in whatever order, with its mark."""
        said = {column.name: values[column.name] for column in self._table.columns if column.name != "mark"}
        return {**said, "mark": self._marks.of(said.values())}

    @property
    def _current(self) -> str:
        return self._vault.policy.digest[:DIGITS]

    @property
    def _page(self) -> str:
        return f"announced {self._current}"

    @property
    def _names_acceptance(self) -> bool:
        return self._vault.acceptance in self._vault.policy.vocabulary.words["category"]

    def _asked(self, way: Way, person: Person) -> bool:
        """Whether a way matters to what somebody gave: the policy asks for it, and they were here before it."""
        return way in self._vault.older.applying.asks and person.policy != self._vault.policy.digest

    def _of(self, unit: Unit, person: str) -> Rows:
        read: dict[str, Rows] = unit.db.info.setdefault(_READ, {})
        if person not in read:
            self.load(unit, [person])
        return read[person]

    def _note(self, unit: Unit, person: str, way: Way, *, version: str | None = None, seen: str = "") -> None:
        digest = self._vault.policy.digest
        if version is not None and not digest.startswith(version):
            digest = self._vault.older.policy(version).digest
        table = self._table
        key = and_(table.c.owner == person, table.c.policy == digest, table.c.way == way)
        there = unit.db.execute(select(table).where(key)).first()
        if there is not None and not self.vouched(there):  # else nothing could ever be noted in its place
            unit.db.execute(table.delete().where(key))
        row = {"owner": person, "policy": digest, "way": way, "hour": self._vault.hour(), "place": unit.place or ""}
        if self._insert(unit, table, **self.mark({**row, "seen": seen})):
            unit.note(way, "apply", "version", whom=Whom(person), purpose=unit.purpose)
            unit.db.info.pop(_READ, None)

    def _insert(self, unit: Unit, table: Table, **values: Any) -> bool:
        """Add a row, unless there is one of its key: what happened first stays. Whether it was added."""
        dialect = import_module(f"sqlalchemy.dialects.{self._vault.store.dialect}")
        unit.db.flush()
        added = dialect.insert(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key)
        return unit.db.execute(added).first() is not None
