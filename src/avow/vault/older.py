"""What was collected under an earlier version of the policy stays under it until the newer one may hold for it.

The label of a sealed value names the version under which it was collected. If that is the version in force, there is
nothing to ask. If not, the policy in force says when it holds for what came before:

    may apply version to customer when consented(version) or not weaker(version)
    never apply version otherwise

`weaker(version)` is computed, by comparing the two; how its owner stands to the newer one, the vault knows from what
happened (`avow.vault.standing`). A policy that says nothing of it holds for what came before as far as it is not
weaker.

Where it does not hold, a flow must be permitted by both: by the version under which the value was collected, with the
duties that come with it there, and by the one in force, since that is what everybody reads today. A word that the old
version does not know, such as a new purpose, was never permitted by it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, false, not_, or_, select, true

from avow.engine import Policy
from avow.engine.compare_result import Comparison
from avow.errors import SealedError
from avow.language.vocabulary import UnknownTerm
from avow.values import Duty, Facts, Verdict
from avow.vault.applying import FACT, KNOWN_HERE, Applying, Way
from avow.vault.concerned import Concerned
from avow.vault.published import published
from avow.vault.sealed import Stored
from avow.vault.standing import DIGITS

if TYPE_CHECKING:
    from avow.vault.record import Person
    from avow.vault.sealed import Sealed
    from avow.vault.unit import Unit
    from avow.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody is to be asked: whether the newer version may hold for what they gave under earlier ones.

    Both are numbers of versions, as those say them.
    """

    version: str
    earlier: tuple[str, ...]


class Older:
    """The versions before the one in force, as far as something may still be held under them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._current = vault.policy.digest[:DIGITS]
        self._policies: dict[str, Policy] = {}
        self._compared: dict[str, Comparison] = {}
        self._called: dict[str, str] = {}
        self._back = {new: old for old, new in vault.policy.renamed.items()}
        self._concerned = Concerned(vault, self)
        self.applying = Applying(vault.policy, vault.subject)

    def concerns(self, value: Stored) -> bool:
        """Whether a value was collected under an earlier version than the one in force."""
        return value.version != self._current

    def judge(
        self,
        unit: Unit,
        value: Stored,
        verdict: Verdict,
        flow: tuple[str, str],
        facts: Facts,
        dimensions: dict[str, str | None],
    ) -> Verdict:
        """The verdict on a flow of `value` that the version in force permits, with what an earlier one says of it.

        Args:
            verdict: that of the version in force.
            flow: verb and object.
        """
        version = value.version
        if self.superseded(unit, version, value.person.id):
            return verdict
        old = self.policy(version)
        verb, object = flow
        words = {name: self._back.get(word, word) if word else word for name, word in dimensions.items()}
        try:
            earlier = old.judge(verb, self._back.get(object, object), facts=old.facts(_plain(old, facts)), **words)
        except UnknownTerm as unknown:
            # Raised with the verdict that it stands for: nothing permits what nobody had a word for.
            nothing = Verdict(False, verdict.sentences, (), "", "it had no word for this", self._vault.policy.digest)
            earlier = unknown.verdict or nothing
        if not earlier.permitted:
            whose = f" of {old.site}" if old.site != self._vault.policy.site else ""  # it was brought along
            under = f"collected under version {old.version} of the policy{whose}"
            said = f"{under}, which is still good for it: {earlier.reason}"
            return Verdict(False, earlier.sentences, (), earlier.rule, said, earlier.under or old.digest)
        return Verdict(True, verdict.sentences, (*verdict.duties, *earlier.duties), verdict.rule, verdict.reason)

    def duties(self, value: Sealed | None, kept: list[Duty]) -> tuple[str, list[Duty]]:
        """Those among some duties of a flow of `value` that only an earlier version has, and the digest of that one."""
        if not kept or not isinstance(value, Stored) or not self.concerns(value):
            return "", []
        return self.policy(value.version).digest, [duty for duty in kept if duty not in self._vault.policy.duties]

    def superseded(self, unit: Unit, version: str, person: str) -> bool:
        """Whether the version in force holds for what the person of an id gave under `version`."""
        known = _others(unit)
        if self._holds(unit, version, known):  # as for a version that is not weaker: no row has to be read
            return True
        return bool(self.applying.asks) and self._holds(unit, version, known | self._vault.standing.facts(unit, person))

    def question(self, unit: Unit, person: Person) -> Question | None:
        """What to ask somebody so that the version in force may hold for what they gave before; None for nothing.

        A question waits where that version is weaker, and the policy has it hold for who agrees.
        """
        if "consented" not in self.applying.asks or person.policy == self._vault.policy.digest:
            return None
        agreed = {**_others(unit), **self._vault.standing.facts(unit, person.id), FACT["consented"]: True}
        waiting = [
            version
            for version in self._versions_of(unit, person.id)
            if self.weaker(version)
            and not self.superseded(unit, version, person.id)
            and self._holds(unit, version, agreed)
        ]
        numbers = tuple(self.policy(version).version for version in waiting)
        return Question(self._vault.policy.version, numbers) if numbers else None

    def concerned(self, unit: Unit, people: Collection[str]) -> set[str]:
        """Which of these people, by their ids, the version in force concerns; see `avow.vault.concerned`."""
        return self._concerned.of(unit, people)

    def superseded_sql(self, version: str, owner: ColumnElement[Any]) -> ColumnElement[bool]:
        """`superseded` as a condition of a statement, about the person in the column `owner`.

        What a site knows of people is not asked there: it counts as unknown, and what is unknown leaves the earlier
        version in force.
        """
        table = self._vault.home.schema.policy
        with self._vault.store.reading() as connection:
            digests = connection.scalars(select(table.c.digest).where(table.c.brought.is_(None))).all()
        counting = [digest for digest in digests if not self.weaker(digest[:DIGITS])]
        announced = self.applying.on_a_page and self._vault.standing.announced()
        weaker = self.weaker(version)

        def tree(known: dict[str, bool], left: tuple[Way, ...]) -> ColumnElement[bool]:
            if not left:
                return true() if self.applying.holds(known, weaker=weaker, announced=announced) else false()
            here = self._vault.standing.sql(left[0], owner, counting)
            yes, no = (tree({**known, FACT[left[0]]: answer}, left[1:]) for answer in (True, False))
            return or_(and_(here, yes), and_(not_(here), no))

        return tree({}, self._ways())

    def stricter(self) -> list[Policy]:
        """The earlier versions that protect more than the one in force: some of what they demand is demanded still."""
        table = self._vault.home.schema.policy
        with self._vault.store.reading() as connection:
            digests = [digest[:DIGITS] for digest in connection.scalars(select(table.c.digest))]
        return [self.policy(version) for version in digests if self.weaker(version)]

    def weaker(self, version: str) -> bool:
        """Whether the version in force protects anything less than an earlier one."""
        return version != self._current and self.comparison(version).verdict != "not weaker"

    def comparison(self, version: str) -> Comparison:
        """How the version in force stands to an earlier one."""
        if version not in self._compared:
            from avow.engine.compare import compare  # only where a version has changed

            self._compared[version] = compare(self.policy(version), self._vault.policy)
        return self._compared[version]

    def called(self, unit: Unit, digest: str) -> str:
        """How a version is called, by the first digits of its digest: by its number.

        With one that was brought along goes the site that it was in force at.
        """
        version = digest[:DIGITS]
        if version not in self._called:
            table = self._vault.home.schema.policy.c
            for row in unit.db.execute(select(table.digest, table.version, table.brought)):
                site = f" ({row.brought})" if row.brought else ""
                self._called[row.digest[:DIGITS]] = f"{row.version}{site}"
        return self._called.get(version, version)

    def policy(self, version: str) -> Policy:
        """The policy of a version, by the first digits of its digest. What its own code answered is unknown now.

        Raises:
            SealedError: the installation was never under it.
            StoreError: its text was changed.
        """
        if version not in self._policies:
            schema = self._vault.home.schema
            known = schema.policy.c.digest.startswith(version, autoescape=True)
            with self._vault.store.reading() as connection:
                found = published(connection, schema, known) if len(version) == DIGITS else []
            if len(found) != 1:
                raise SealedError(
                    "a value says that it was collected under a version of the policy that nobody knows",
                    help="it was changed, or a row of avow_policy is lost: restore it from a backup",
                )
            self._policies[version] = Policy.parse(found[0].source, f"version {found[0].version}")
        return self._policies[version]

    def _holds(self, unit: Unit, version: str, known: Facts) -> bool:
        announced = self.applying.on_a_page and self._vault.standing.announced(unit)
        return self.applying.holds(known, weaker=self.weaker(version), announced=announced)

    def _ways(self) -> tuple[Way, ...]:
        """The ways on which it depends; that of the mail, too, where a mail is to come before."""
        asks = self.applying.asks
        return (*asks, "mailed") if self.applying.by_mail and "mailed" not in asks else asks

    def _versions_of(self, unit: Unit, person: str) -> list[str]:
        """The earlier versions under which records of a person were collected, as labels name them."""
        found: set[str] = set()
        for kind in self._vault.home.records:
            table = kind.__table__
            mine = table.c[kind.__layout__.owner] == person
            found |= set(unit.db.scalars(select(table.c.policy).where(mine).distinct()))
        return sorted(digest[:DIGITS] for digest in found if digest[:DIGITS] != self._current)


def _others(unit: Unit) -> dict[str, bool | float | None]:
    """What is known in a unit but how somebody stands to versions, which may be known of another there."""
    return {name: fact for name, fact in unit.known().items() if name not in KNOWN_HERE}


def _plain(old: Policy, facts: Facts) -> Facts:
    """The facts that an old policy may be asked with: without the answers of today's code to its words."""
    return {name: fact for name, fact in facts.items() if name.partition("(")[0] not in old.predicates}
