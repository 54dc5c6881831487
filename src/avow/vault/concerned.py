"""Whom a newer version concerns: those of whom something is held that it protects less than the version before.

Each difference of the comparison has a witness, one flow that the two versions answer differently. Somebody is
concerned if they have a value, still under the earlier version, of a category for which they answer so:

- where the witness is a flow of a category, both are asked about the same flow of the category at hand;
- else by the words of the witness and of the rules that differ: their categories, and all below them;
- where those name no category at all but people, or code or a signature differs, by every value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from avow.engine import Policy
from avow.engine.compare_result import Comparison, Difference
from avow.language.vocabulary import UnknownTerm

if TYPE_CHECKING:
    from sqlalchemy import Table

    from avow.vault.columns import Field
    from avow.vault.older import Older
    from avow.vault.unit import Unit
    from avow.vault.vault import Vault

#: Differences that are about everything that some rule speaks of.
_OF_EVERYTHING = ("attestation", "predicate")


def touched(comparison: Comparison, old: Policy, new: Policy, subject: str, categories: Collection[str]) -> set[str]:
    """Which of `categories` the differences of a comparison are about, in words of the new version.

    Args:
        subject: the policy's name for whose values they are.
    """
    found = [_Touching(difference, old, new) for difference in comparison.differences]
    found = [each for each in found if each.is_about(subject)]
    return {category for category in categories if any(each.touches(category) for each in found)}


class _Touching:
    """One difference, and what it is about."""

    def __init__(self, difference: Difference, old: Policy, new: Policy) -> None:
        self._difference = difference
        self._old = old
        self._new = new
        self._back = {now: then for then, now in new.renamed.items()}
        self._words = set(self._named())

    def is_about(self, subject: str) -> bool:
        """Whether it may be about values of people whom the policy calls `subject`."""
        told = self._difference.witness.new_dimensions.get("subject")
        words = self._new.vocabulary
        return not told or words.covers("subject", told, subject) or words.covers("subject", subject, told)

    def touches(self, category: str) -> bool:
        """Whether it is about values of a category."""
        witness, new = self._difference.witness, self._new
        flow = witness.judged and self._difference.old.permitted is False and self._difference.new.permitted is True
        if flow and witness.new_object in new.vocabulary.words["category"]:
            before = self._back.get(category, category)
            now = _permits(new, witness.verb, category, witness.new_dimensions, witness.facts)
            return now and not _permits(self._old, witness.verb, before, witness.old_dimensions, witness.facts)
        if self._difference.kind in _OF_EVERYTHING:
            return True
        return any(new.vocabulary.covers("category", word, category) for word in self._words) or (
            not self._words and self._of_people()
        )

    def _named(self) -> Iterator[str]:
        """The categories that the witness and the rules that differ name, in words of the new version."""
        witness, known = self._difference.witness, self._new.vocabulary.words["category"]
        rules = {self._difference.old.rule, self._difference.new.rule}
        said = [witness.new_object, *witness.new_dimensions.values()]
        for policy in (self._old, self._new):
            said += [term.name for rule in policy.rules if rule.text in rules for term in rule.objects]
        recipient = self._new.recipients.get(witness.new_dimensions.get("recipient", ""))
        if recipient is not None and not witness.new_object:
            said += recipient.fields
        for word in said:
            now = self._new.renamed.get(word, word)
            if now in known:
                yield now

    def _of_people(self) -> bool:
        """Whether what is spoken of are people, with everything that is theirs, or nothing in particular."""
        word, words = self._difference.witness.new_object, self._new.vocabulary
        return not word or word in words.words["subject"] or self._difference.kind in ("undecided", "term")


class Concerned:
    """Who is concerned by the version in force, in one installation."""

    def __init__(self, vault: Vault, older: Older) -> None:
        self._vault = vault
        self._older = older
        self._touched: dict[str, set[str]] = {}

    def of(self, unit: Unit, people: Collection[str]) -> set[str]:
        """Those of `people` of whom something is held that the version in force protects less, and does not hold for.

        One statement for each class of records and whose its values are.
        """
        self._vault.standing.load(unit, people)
        return {whose for table, who, owner, fields in self._columns() for whose in
                self._some(unit, people, table, who, owner, fields)}  # fmt: skip

    def _some(
        self, unit: Unit, people: Collection[str], table: Table, who: str, owner: str, fields: list[Field]
    ) -> Iterator[str]:
        columns = [table.c[field.name] for field in fields]
        # A value is never under an earlier version than its record is.
        before = table.c.policy != self._vault.policy.digest
        with unit.db.no_autoflush:
            rows = unit.db.execute(
                select(table.c[who], table.c[owner], *columns).where(table.c[who].in_(people), before)
            )
            for whose, theirs, *values in rows:
                for field, value in zip(fields, values, strict=True):
                    if value is not None and self._counts(unit, value.version, field.category, theirs):
                        yield whose
                        break

    def _counts(self, unit: Unit, version: str, category: str, owner: str) -> bool:
        return (
            self._older.weaker(version)
            and category in self._of_version(version)
            and not self._older.superseded(unit, version, owner)
        )

    def _of_version(self, version: str) -> set[str]:
        if version not in self._touched:
            old, new = self._older.policy(version), self._vault.policy
            comparison = self._older.comparison(version)
            categories = {field.category for _, _, _, fields in self._columns() for field in fields}
            self._touched[version] = touched(comparison, old, new, self._vault.subject, categories)
        return self._touched[version]

    def _columns(self) -> Iterator[tuple[Table, str, str, list[Field]]]:
        """The tables with personal fields; the columns that say of whom these tell and whose the row is; the fields."""
        for kind in self._vault.home.records:
            layout: Any = kind.__layout__
            for who in (layout.owner, *layout.parties):
                fields = [field for field in layout.fields.values() if (field.of or layout.owner) == who]
                if fields:
                    yield kind.__table__, who, layout.owner, fields


def _permits(policy: Policy, verb: str, category: str, dimensions: Any, facts: Any) -> bool:
    try:
        return policy.judge(verb, category, facts=facts, **dict(dimensions)).permitted
    except UnknownTerm:
        return False
