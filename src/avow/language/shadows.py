"""Finds permissions that can never permit: everything they allow, another rule forbids without condition.

Such a `may` is a fault, because its sentence promises a use that the policy rules out elsewhere. The rules that
forbid are an unconditional `never`, and the `never` that an `only` implies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from avow.language.rules import Ref, Rule, object_kinds, phrase_kinds, reference
from avow.language.syntax import Position, Term
from avow.language.verbs import MAY_USE, NEVER_USE
from avow.language.vocabulary import Vocabulary
from avow.values import DIMENSIONS

Set = frozenset[Ref]


@dataclass(frozen=True, slots=True)
class _Wall:
    """What an unconditional prohibition covers: `inside` each of these, and `outside` that list, if one is given."""

    rule: Rule
    verbs: frozenset[str]
    objects: Set
    inside: tuple[tuple[str, Set], ...]
    outside: tuple[str, Set] | None


def shadows(rules: Iterable[Rule], words: Vocabulary) -> Iterator[tuple[Position, str, str | None]]:
    """For each dead part of a `may`: where it stands, what is wrong, what to do."""
    rules = list(rules)
    walls = [wall for rule in rules for wall in _walls(rule, words)]
    for rule in rules:
        if rule.modal == "may":
            yield from _dead_parts(rule, walls, words)


def _dead_parts(rule: Rule, walls: list[_Wall], words: Vocabulary) -> Iterator[tuple[Position, str, str | None]]:
    verbs = set(MAY_USE) if rule.verb == "use" else {rule.verb}
    for wall in walls:
        if wall.rule is rule or not verbs <= wall.verbs:
            continue
        dead = [term for term in rule.objects if _ref(rule, term, None, words) in wall.objects]
        if not dead or not all(_named_inside(rule, *inside, words) for inside in wall.inside):
            continue
        culprit = dead[0]
        if wall.outside is not None:
            preposition, allowed = wall.outside
            phrase = rule.statement.phrase(preposition)
            beyond = [
                term
                for term in (phrase.terms if phrase else ())
                if _below(_ref(rule, term, preposition, words), words).isdisjoint(allowed)
            ]
            if not beyond and (phrase or preposition != "as"):  # a `may` without `as` is about no form at all
                continue
            culprit = beyond[0] if beyond else culprit
        word = "`only`" if wall.outside else "`never`"
        message = f"`{culprit}` can never be permitted here: the {word} of line {wall.rule.line} forbids it"
        yield culprit.at, message, f"#{wall.rule.sentence.anchor} says `{wall.rule.text}`; change one of the two"


def _walls(rule: Rule, words: Vocabulary) -> Iterator[_Wall]:
    verbs = frozenset(NEVER_USE) if rule.verb == "use" else frozenset((rule.verb,))
    objects = _closure(rule, rule.objects, None, words)
    phrases = [phrase for phrase in rule.phrases if phrase.preposition in DIMENSIONS]
    named = [(p.preposition, _closure(rule, p.terms, p.preposition, words), p.only) for p in phrases]
    if rule.modal == "never" and rule.guard is None and not rule.exceptions:
        if not any(phrase.preposition in ("before", "after") for phrase in rule.phrases):
            yield _Wall(rule, verbs, objects, tuple((p, allowed) for p, allowed, _ in named), None)
    elif rule.modal == "may":
        for index, (preposition, allowed, only) in enumerate(named):
            if only:
                rest = tuple((p, other) for i, (p, other, _) in enumerate(named) if i != index)
                yield _Wall(rule, verbs, objects, rest, (preposition, allowed))


def _named_inside(rule: Rule, preposition: str, allowed: Set, words: Vocabulary) -> bool:
    phrase = rule.statement.phrase(preposition)
    return phrase is not None and any(_ref(rule, term, preposition, words) in allowed for term in phrase.terms)


def _closure(rule: Rule, terms: Iterable[Term], preposition: str | None, words: Vocabulary) -> Set:
    return frozenset(ref for term in terms for ref in _below(_ref(rule, term, preposition, words), words))


def _below(ref: Ref | None, words: Vocabulary) -> Set:
    return frozenset((ref[0], name) for name in words.below(*ref)) if ref else frozenset()


def _ref(rule: Rule, term: Term, preposition: str | None, words: Vocabulary) -> Ref | None:
    if preposition is None:
        return reference(words, term, object_kinds(rule.verb, rule.modal))
    return reference(words, term, phrase_kinds(rule.verb, rule.modal, preposition))
