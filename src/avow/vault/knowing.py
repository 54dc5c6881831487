"""What a unit of work knows: the facts of it, who is looking, and what the site says of the record that it deals with.

Facts come from three sides, and end with what they speak of: those of the unit itself stay; what somebody has shown of
themselves counts until somebody else is recognised; what was learned of a record counts until the next one is dealt
with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from sqlalchemy.orm.attributes import instance_state

from avow.vault.applying import check_supplied
from avow.vault.lines import Whom

if TYPE_CHECKING:
    from avow.values import Facts
    from avow.vault.record import Person, Record
    from avow.vault.vault import Vault


class Knowing(ABC):
    """What is known in one unit of work; the unit is one itself.

    Args:
        facts: what is known beforehand, by the canonical spelling of conditions.

    Raises:
        SetupError: among the facts is what the vault knows, or the answer of the policy's own code to a predicate.
    """

    def __init__(self, vault: Vault, facts: dict[str, bool | float | None] | None) -> None:
        self.vault = vault
        check_supplied(facts or {})
        self.facts = {**vault.attesting.facts(), **(facts or {})}
        self.known()
        self.viewer: str | None = None
        self._learned: tuple[str, ...] = ()
        self._shown: set[str] = set()
        self.discharged: set[tuple[str, str | None]] = set()
        #: The epoch and wrapped key of everybody whom this unit deals with, by their id.
        self.people: dict[str, tuple[int, bytes]] = {}
        self._new: list[Person] = []

    def known(self, owner: str | None = None) -> Facts:
        """What is known now: the facts of this unit, and what the policy's own predicates answer to them.

        Of what is `owner`'s, what somebody else has shown of themselves here says nothing.
        """
        others = self._shown if owner and owner != self.viewer else ()
        theirs = {n: fact for n, fact in self.facts.items() if n not in others} if others else self.facts
        return self.vault.policy.facts(theirs)

    def regard(self, record: Record, recipient: str | None = None) -> None:
        """Deal with `record` from now on: what the site knows of it and of its owner becomes known here.

        Facts learned of another record before are forgotten. `recipient` is to whom it is about to be shared, if it is.
        """
        for name in self._learned:
            self.facts.pop(name, None)
        learned = self._learn(record, recipient)
        self._learned = tuple(learned.keys() - self.facts.keys())
        self.facts.update(learned)

    def whom(self, record: Record) -> Whom:
        """Whom a record is about: its owner."""
        found: Whom | None = record.__dict__.get("_avow_whom")  # it is asked for with every flow
        if found is None:
            table: str = record.__table__.name  # type: ignore[attr-defined]
            found = record.__dict__["_avow_whom"] = Whom(record.avow_person.id, table, record.id)
        if found.owner not in self.people:
            self.meet(record.avow_person)
        return found

    def meet(self, *people: Person) -> None:
        """Deal with some people: what the ledger is told of them will lead them to it."""
        for person in people:
            if person.wrapped:  # their key was destroyed if not, and they were put back from a backup
                self.people[person.id] = person.epoch, person.wrapped
            if not instance_state(person).has_identity:
                self._new.append(person)

    @abstractmethod
    def _learn(self, record: Record, recipient: str | None) -> Facts:
        """What is known of a record and its owner."""

    def recognise(self, record: Record, fact: str) -> None:
        """Take who is looking for the owner of `record`, because `fact` has been shown: `presented(link)`.

        What was shown before by somebody else is forgotten: it must not open what is this person's.
        """
        self.whom(record)
        self._seen_as(record.owner_id)
        self._shown |= {fact} - self.facts.keys()
        self.facts[fact] = True
        self.regard(record)

    def _seen_as(self, person: str) -> None:
        if person != self.viewer:
            for name in self._shown:
                self.facts.pop(name, None)
            self._shown.clear()
        self.viewer = person

    @property
    def shown(self) -> bool:
        """Whether who is looking has shown here who they are."""
        return bool(self._shown)

    def common_facts(self) -> dict[str, bool | float | None]:
        """The facts that are about nobody in particular: neither shown by who is looking nor learned of a record."""
        return {name: fact for name, fact in self.facts.items() if name not in {*self._shown, *self._learned}}

    def discharge(self, verb: str, object: str | None = None) -> None:
        """Say that a duty was done in this unit, for example `discharge("ask", "age")`."""
        self.discharged.add((verb, object))
        self.facts[f"done({verb} {object})" if object else f"done({verb})"] = True
