"""The words of two versions, paired: which word of the new version is which of the old.

A word's counterpart has the same name, or the name that the new version's front matter gives under `renamed`. For each
slot of a flow the pairs are all that a flow may say there: words of both, words that only one of them has, forms
with their arguments, and nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from avow.engine.compare_conditions import around, no_weaker_term
from avow.language.rules import Rule
from avow.language.syntax import ATTESTED, Argument, Number, Phrase, Term
from avow.language.vocabulary import Vocabulary

_WORD = re.compile(r"[a-z][a-z0-9_.]*")
#: The arguments of a form that no rule names.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Value:
    """What a flow says in one slot, as each version spells it. None: nothing."""

    old: str | None
    new: str | None
    in_old: bool = True
    in_new: bool = True

    @property
    def silent(self) -> bool:
        """Whether the flow leaves the slot unstated."""
        return self.old is None


SILENT = Value(None, None)


class Words:
    """The vocabularies of both versions and what was renamed between them."""

    def __init__(
        self, old: Vocabulary, new: Vocabulary, renamed: Mapping[str, str], old_rules: Iterable[Rule],
        new_rules: Iterable[Rule],
    ) -> None:  # fmt: skip
        self.old, self.new = old, new
        self.renamed = renamed
        self._old_forms = dict(_forms(old_rules))
        self._new_forms = dict(_forms(new_rules))
        self._tried: dict[str, Term] = {}  # the forms with arguments that are tried, as the old version spells them
        self._named = frozenset(_named(old_rules)) | frozenset(_named(new_rules))

    def rename(self, term: Term) -> Term:
        """A term of the old version in the words of the new one."""
        if not self.renamed or term.name == ATTESTED:
            return term
        if "(" in term.name:  # `done(ask age)`, `due(anchor)`: a spelled fact
            return replace(term, name=self.text(term.name))
        arguments = tuple(self.rename(part) if isinstance(part, Term) else part for part in term.arguments)
        return replace(term, name=self.renamed.get(term.name, term.name), arguments=arguments)

    def text(self, spelled: str) -> str:
        """Words of the old version, as in a fact's key, in the words of the new one."""
        if not self.renamed or spelled.startswith((f"{ATTESTED}(", "due(")):
            return spelled
        return _WORD.sub(lambda found: self.renamed.get(found[0], found[0]), spelled)

    def counterpart(self, name: str, kinds: tuple[str, ...]) -> str | None:
        """The new version's word for one of the old version, or None if there is none of these kinds."""
        other = self.renamed.get(name, name)
        return other if self.new.kind_of(other, kinds) else None

    def values(self, kinds: tuple[str, ...], *, optional: bool) -> list[Value]:
        """All that a flow may say in a slot that takes words of these kinds, those that read best first.

        Silence comes first: a witness says no more than it must. Then words that rules name, known to both.
        """
        values: dict[Value, None] = {}
        taken: set[str] = set()
        for name in dict.fromkeys(self.old.names(*kinds)):
            other = self.counterpart(name, kinds)
            values[Value(name, other or self.renamed.get(name, name), True, other is not None)] = None
            taken.add(other or "")
        for name in dict.fromkeys(self.new.names(*kinds)):
            if name not in taken:
                # A word that the old version has under another meaning (it was renamed away) is new all the same.
                values[Value(name, name, False, True)] = None
        if "form" in kinds:
            values.update(dict.fromkeys(self._with_arguments(list(values))))
        ordered = sorted(values, key=self._rank)
        return [SILENT, *ordered] if optional else ordered

    def _with_arguments(self, bare: list[Value]) -> Iterator[Value]:
        for value in bare:
            if value.old not in self.old.words["form"] and value.new not in self.new.words["form"]:
                continue
            named = {
                term.arguments
                for forms, name in ((self._old_forms, value.old), (self._new_forms, value.new))
                for term in forms.values() if term.name == name
            }  # fmt: skip
            ordered = {*self.old.orders(value.old or ""), *self.new.orders(value.new or "")}
            for arguments in (*_strictnesses(named, ordered), (Term(OTHER),)):
                term = Term(value.old or "", arguments)
                self._tried[str(term)] = term
                yield replace(value, old=str(term), new=str(replace(term, name=value.new or "")))

    def _rank(self, value: Value) -> tuple[bool, bool, bool]:
        spelled = value.old or ""
        named = value.old in self._named or value.new in self._named
        return spelled.endswith(f"({OTHER})"), not (value.in_old and value.in_new), not named

    def looser_forms(self, spelled: str) -> Iterator[str]:
        """The forms with arguments in rules of the old version of which this one is a stricter kind."""
        term = self._tried.get(spelled)
        if term is not None:
            orders = self.old.orders(term.name)
            for other, loose in self._old_forms.items():
                if other != spelled and no_weaker_term(term, loose, orders):
                    yield other


def _forms(rules: Iterable[Rule]) -> Iterator[tuple[str, Term]]:
    for term in _terms(rules):
        if term.arguments:
            yield str(term), term


def _named(rules: Iterable[Rule]) -> Iterator[str]:
    for term in _terms(rules):
        yield str(term)


def _terms(rules: Iterable[Rule]) -> Iterator[Term]:
    for rule in rules:
        phrases: tuple[Phrase, ...] = (*rule.phrases, *rule.exceptions)
        yield from rule.objects
        for phrase in phrases:
            yield from phrase.terms


def _strictnesses(named: Iterable[tuple[Argument, ...]], ordered: Iterable[str]) -> Iterator[tuple[Argument, ...]]:
    """The arguments in rules, each ordered number also below, between and above all that the rules name."""
    named = sorted(named, key=str)
    numbers = {
        name: around(part.value for each in named for part in each if isinstance(part, Number) and part.name == name)
        for name in ordered
    }
    made: dict[tuple[Argument, ...], None] = dict.fromkeys(named)
    for each in named:
        choices = [
            [replace(part, value=number) for number in numbers[part.name or ""]]
            if isinstance(part, Number) and part.name in numbers else [part] for part in each
        ]  # fmt: skip
        made.update(dict.fromkeys(product(*choices)))
    yield from made
