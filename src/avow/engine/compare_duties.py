"""Duties of two versions, as declared: whether everything that was owed is still owed, as wide and as soon.

A duty is taken apart into single demands: one object, one word per phrase (`must show policy at shop, cart` is two).
Each must be covered by the new version's duties together. Duties that go along with permitted flows are compared there
(`compare_flows`); here are those that stand by themselves: states, schedules, and those whose occasion
the old version never permitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from avow.engine.clauses import Clause
from avow.engine.compare_boxes import Side
from avow.engine.compare_conditions import Known, Search, TooMany, is_false, renamed_condition
from avow.engine.compare_words import Words
from avow.engine.duties import duties_of
from avow.language.rules import Ref, Rule, is_contact_data, object_kinds, phrase_kinds, reference
from avow.language.syntax import Condition, Not, Phrase, Span, Term
from avow.language.verbs import FLOWS
from avow.language.vocabulary import Vocabulary
from avow.values import Duty

#: What says by whom a duty is done, and since when; every other phrase says on what occasions.
_DOERS = "by"
_EVENTS = ("after",)
_OCCASIONS = ("in", "with", "before")
#: Which way a length of time may go without weakening the duty.
_SHORTER = ("within", "every")

Atom = Mapping[str, str]  # preposition, or "" for the object, to one word of the old version


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """One object of a `must`, with what its phrases mean in its version's vocabulary."""

    rule: Rule
    duty: Duty
    object: Term
    condition: Condition | None
    words: Vocabulary

    @property
    def spans(self) -> dict[str, Span]:
        """Preposition to length of time."""
        return {p.preposition: p.span for p in self.rule.phrases if p.span is not None}

    @property
    def phrases(self) -> dict[str, Phrase]:
        """Preposition to phrase, for those that name words."""
        return {p.preposition: p for p in self.rule.phrases if p.terms}

    def below(self, preposition: str, term: Term | None = None) -> frozenset[str]:
        """All words that a phrase (or, with "", the object) stands for; of one of its terms, if that is given."""
        if preposition == "":
            terms: Iterable[Term] = (self.object,)
            kinds = object_kinds(self.rule.verb, "must")
            if is_contact_data(self.rule.verb, self.object):
                return frozenset(("contact_details",))
        else:
            terms = (term,) if term else self.phrases[preposition].terms
            kinds = phrase_kinds(self.rule.verb, "must", preposition)
        found: set[str] = set()
        for one in terms:
            found.add(str(one))
            ref: Ref | None = reference(self.words, one, kinds)
            if ref is not None and not one.arguments and one.name not in FLOWS:
                found |= self.words.below(*ref)
        return frozenset(found)


def demands(side: Side, words: Words, *, old: bool) -> Iterator[Demand]:
    """All demands of a version; conditions are in the words of the new version."""
    for rule in side.policy.rules:
        if rule.modal != "must":
            continue
        condition = rule.condition
        if condition is not None and old:
            condition = renamed_condition(condition, words.rename)
        if condition is not None and rule.guard is not None and rule.guard.word == "unless":
            condition = Not(condition)
        for duty, term in zip(duties_of(rule), rule.objects, strict=True):
            yield Demand(rule, duty, term, condition, side.policy.vocabulary)


@dataclass(frozen=True, slots=True, eq=False)
class Lapse:
    """A demand of the old version that the new one does not make in full, on one occasion."""

    demand: Demand
    atom: Atom
    facts: Known
    nearest: Demand | None  # the new demand of the same thing, if there is one
    lost_word: str | None  # a word of the occasion that the new version does not have
    undecided: bool = False


def lapses(old: Side, new: Side, words: Words, search: Search) -> Iterator[Lapse]:
    """The first lapse of each demand that stands by itself."""
    kept = list(demands(new, words, old=False))
    for demand in demands(old, words, old=True):
        if demand.duty.timing in ("before", "with") and _has_occasion(demand.rule, old):
            continue
        like = [other for other in kept if other.rule.verb == demand.rule.verb]
        like = [other for other in like if _as_strong(demand, other, words)]
        for atom in _atoms(demand, words):
            lapse = _lapse(demand, atom, like, words, search)
            if lapse is not None:
                facts, undecided = lapse
                lost = next((w for p, w in atom.items() if not _counterpart(demand, p, w, words)), None)
                yield Lapse(demand, atom, facts, _nearest(demand, kept, words), lost, undecided)
                break


def _lapse(
    demand: Demand, atom: Atom, like: list[Demand], words: Words, search: Search
) -> tuple[Known, bool] | None:  # fmt: skip
    covering = [other for other in like if _on(other, demand, atom, words)]
    conditions = [other.condition for other in covering]
    if None in conditions:
        return None
    try:
        facts = search.first(
            [(c, False) for c in conditions if c is not None], lambda known: is_false(demand.condition, known)
        )
    except TooMany:
        return {}, True
    return None if facts is None else (facts, False)


def _atoms(demand: Demand, words: Words) -> Iterator[Atom]:
    """Every single occasion of a demand. Words below a named one count only if the new version still has them."""
    choices: dict[str, list[str]] = {"": _members(demand, "", None, words)}
    for preposition, phrase in demand.phrases.items():
        if preposition not in (_DOERS, *_EVENTS):
            choices[preposition] = [w for term in phrase.terms for w in _members(demand, preposition, term, words)]
    for picked in product(*choices.values()):
        yield dict(zip(choices, picked, strict=True))


def _members(demand: Demand, preposition: str, term: Term | None, words: Words) -> list[str]:
    own = str(term or demand.object)
    below = demand.below(preposition, term)
    return [own if own in below else next(iter(below))] + [
        w for w in sorted(below) if w != own and own in below and _counterpart(demand, preposition, w, words)
    ]


def _counterpart(demand: Demand, preposition: str, word: str, words: Words) -> bool:
    term = word.partition("(")[0]
    kinds = phrase_kinds(demand.rule.verb, "must", preposition) if preposition else object_kinds(
        demand.rule.verb, "must"
    )  # fmt: skip
    return term in FLOWS or term == "contact_details" or words.counterpart(term, kinds) is not None


def _on(new: Demand, old: Demand, atom: Atom, words: Words) -> bool:
    """Whether a new demand applies on this occasion of the old one."""
    for preposition in ("", *new.phrases):
        if preposition in (_DOERS, *_EVENTS):
            continue
        word = atom.get(preposition)
        if word is None:
            return False  # the old one applied everywhere
        renamed = words.text(word)
        below = new.below(preposition)
        if renamed not in below and renamed.partition("(")[0] not in below:
            return False
    return True


def _as_strong(old: Demand, new: Demand, words: Words) -> bool:
    """Whether a new demand is of the same class, as soon, as often, and by nobody else."""
    return new.duty.timing == old.duty.timing and _as_soon(old, new) and _same_people(old, new, words)


def _as_soon(old: Demand, new: Demand) -> bool:
    before, now = old.spans, new.spans
    if ("every" in before) is not ("every" in now):
        return False  # what comes round again and what answers an event are two duties
    for preposition, span in before.items():
        other = now.get(preposition)
        if other is None or span.seconds is None or other.seconds is None:
            return False
        if preposition in _SHORTER and other.seconds > span.seconds:
            return False
        if preposition not in _SHORTER and (other.seconds < span.seconds or old.rule.verb == "keep"):
            return other.seconds == span.seconds
    return True


def _same_people(old: Demand, new: Demand, words: Words) -> bool:
    by, now = old.phrases.get(_DOERS), new.phrases.get(_DOERS)
    if by is not None and (now is None or {words.text(w) for w in by.words} != set(now.words)):
        return False
    for preposition in _EVENTS:
        since, later = old.phrases.get(preposition), new.phrases.get(preposition)
        if later is not None and (since is None or {words.text(w) for w in since.words} != set(later.words)):
            return False
    return True


def same_content(old: Duty, new: Duty, words: Words) -> bool:
    """Whether a new duty asks for at least what an old one asks for, its occasion apart."""
    if old.verb != new.verb or old.object is None or new.object is None:
        return False
    object = words.text(old.object)
    kind = words.new.kind_of(object)
    if object != new.object and not (kind and words.new.covers(kind, new.object, object)):
        return False
    before = {p: {words.text(w) for w in said} for p, said in old.phrases if p not in _OCCASIONS}
    now = {p: set(said) for p, said in new.phrases if p not in _OCCASIONS}
    return before == now or (before == {p: said for p, said in now.items() if p != _DOERS} and _DOERS not in before)


def _nearest(demand: Demand, kept: list[Demand], words: Words) -> Demand | None:
    """The new demand of the same thing, if there is one."""
    return next(
        (
            other for other in kept
            if other.rule.verb == demand.rule.verb and words.text(str(demand.object)) in other.below("")
        ),
        None,
    )  # fmt: skip


def _has_occasion(rule: Rule, side: Side) -> bool:
    """Whether the version permits some flow that the duty goes along with."""
    permits = [c for c in side.clauses if c.effect == "permit"]
    return any(
        _meets(clause, permit)
        for clause in side.clauses
        if clause.rule is rule and clause.effect == "duty"
        for permit in permits
    )


def _meets(clause: Clause, permit: Clause) -> bool:
    if clause.verbs.isdisjoint(permit.verbs):
        return False
    return all(
        slot not in permit.limits or not permit.limits[slot].refs.isdisjoint(limit.refs)
        for slot, limit in clause.limits.items()
    )
