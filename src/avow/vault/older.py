"""What was collected under an earlier version of the policy stays under it until its owner agrees to the newer one.

The label of a sealed value names the version under which it was collected. If that is the version in force, there is
nothing to ask. If not, the policy in force says when it holds for what came before:

    may apply version to customer when consented(version) or not weaker(version)
    never apply version otherwise

`weaker(version)` is computed, by comparing the two; `consented(version)` is whether the owner has accepted a version
that the one in force protects no less than (`work.accept`); what else such a rule asks for is a fact of the site. A
policy that says nothing of it holds for what came before as far as it is not weaker.

Where it does not hold, a flow must be permitted by both: by the version under which the value was collected, with the
duties that come with it there, and by the one in force, since that is what everybody reads today. A word that the old
version does not know, such as a new purpose, was never permitted by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from avow.engine import Policy
from avow.errors import SealedError
from avow.language.vocabulary import UnknownTerm
from avow.values import Facts, Verdict

if TYPE_CHECKING:
    from avow.vault.record import Person
    from avow.vault.sealed import Stored
    from avow.vault.unit import Unit
    from avow.vault.vault import Vault

#: Digits of a policy's digest that the label of a value has.
DIGITS = 16


class Older:
    """The versions before the one in force, as far as something may still be held under them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._current = vault.policy.digest[:DIGITS]
        self._policies: dict[str, Policy] = {}
        self._weaker: dict[str, bool] = {self._current: False}
        self._applies = any((rule.verb, *map(str, rule.objects)) == ("apply", "version") for rule in vault.policy.rules)
        self._back = {new: old for old, new in vault.policy.renamed.items()}

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
        if self.superseded(unit, version, value.person):
            return verdict
        old = self.policy(version)
        verb, object = flow
        words = {name: self._back.get(word, word) if word else word for name, word in dimensions.items()}
        try:
            earlier = old.judge(verb, self._back.get(object, object), facts=old.facts(_plain(old, facts)), **words)
        except UnknownTerm as unknown:
            # Raised with the verdict that it stands for: nothing permits what nobody had a word for.
            earlier = unknown.verdict or Verdict(False, verdict.sentences, (), "", "it had no word for this")
        if not earlier.permitted:
            said = f"collected under version {old.version} of the policy, which is still good for it: {earlier.reason}"
            return Verdict(False, earlier.sentences, (), earlier.rule, said)
        return Verdict(True, verdict.sentences, (*verdict.duties, *earlier.duties), verdict.rule, verdict.reason)

    def superseded(self, unit: Unit, version: str, person: Person) -> bool:
        """Whether the version in force holds for what `person` gave under `version`."""
        weaker = self.weaker(version)
        if not self._applies:
            return not weaker
        known = dict(unit.known())
        known["weaker(version)"] = weaker
        known["consented(version)"] = not self.weaker(person.policy[:DIGITS])
        policy = self._vault.policy
        return policy.judge("apply", "version", audience=self._vault.subject, facts=policy.facts(known)).permitted

    def holds_some_of(self, unit: Unit, person: Person) -> bool:
        """Whether there may be something of `person` for which the version in force does not hold yet."""
        accepted = person.policy[:DIGITS]
        return accepted != self._current and not self.superseded(unit, accepted, person)

    def stricter(self) -> list[Policy]:
        """The earlier versions that protect more than the one in force: some of what they demand is demanded still."""
        table = self._vault.home.schema.policy
        with self._vault.store.reading() as connection:
            digests = [digest[:DIGITS] for digest in connection.scalars(select(table.c.digest))]
        return [self.policy(version) for version in digests if self.weaker(version)]

    def weaker(self, version: str) -> bool:
        """Whether the version in force protects anything less than an earlier one."""
        if version not in self._weaker:
            from avow.engine.compare import compare  # only where a version has changed

            self._weaker[version] = compare(self.policy(version), self._vault.policy).verdict != "not weaker"
        return self._weaker[version]

    def policy(self, version: str) -> Policy:
        """The policy of a version, by the first digits of its digest. What its own code answered is unknown now.

        Raises:
            SealedError: the installation was never under it.
        """
        if version not in self._policies:
            table = self._vault.home.schema.policy
            with self._vault.store.reading() as connection:
                known = table.c.digest.startswith(version, autoescape=True)
                found = connection.execute(select(table).where(known)).first() if len(version) == DIGITS else None
            if found is None:
                raise SealedError(
                    "a value says that it was collected under a version of the policy that nobody knows",
                    help="it was changed, or a row of avow_policy is lost: restore it from a backup",
                )
            policy = Policy.parse(found.source, f"version {found.version}")
            policy.digest = found.digest  # that of the file, which may begin with a mark or end its lines otherwise
            self._policies[version] = policy
        return self._policies[version]


def _plain(old: Policy, facts: Facts) -> Facts:
    """The facts that an old policy may be asked with: without the answers of today's code to its words."""
    return {name: fact for name, fact in facts.items() if name.partition("(")[0] not in old.predicates}
