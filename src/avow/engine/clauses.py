"""Rules become clauses: the form in which the engine compares them with flows.

A flow has eleven slots: the object, then the ten dimensions in the order of `values.DIMENSIONS`. A clause limits
some of them. One rule may give several clauses: `only` adds prohibitions, `use` stands for several verbs, and `link`
reads the same from both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from avow.engine.conditions import all_of
from avow.engine.duties import duties_of
from avow.language.forms import meet, stands_for
from avow.language.rules import Ref, Rule, is_act, is_contact_data, object_kinds, phrase_kinds, reference
from avow.language.syntax import ATTESTED, AnyOf, Condition, Fact, Not, Phrase, Term
from avow.language.verbs import FLOWS, MAY_USE, NARROWING, NEVER_USE
from avow.language.vocabulary import Vocabulary
from avow.values import DIMENSIONS, Duty

OBJECT, RECIPIENT, AUDIENCE, FORM = 0, 1, 2, 10
#: Preposition to slot.
SLOT = {preposition: index for index, preposition in enumerate(DIMENSIONS, 1)}
SLOTS = len(SLOT) + 1

#: permit: a `may` · forbid: a `never` (or what `only` implies, or a gate not yet passed) · close: `otherwise` ·
#: duty: what comes with a permitted flow
Effect = Literal["permit", "forbid", "close", "duty"]
#: within: the flow says it, and is covered · touching: the flow is silent, or the two have a word in common ·
#: meeting: the same of a form, where a silent flow is about the thing as it is · beyond: the flow is silent, or is not
#: covered · plain: the flow is silent
Mode = Literal["within", "touching", "meeting", "beyond", "plain"]
#: The modes that admit a flow that is silent.
SILENT = ("touching", "beyond", "plain")


@dataclass(frozen=True, slots=True)
class Limit:
    """What a clause says about one slot. `refs` holds the words it lists and all below them."""

    mode: Mode
    refs: frozenset[Ref]

    def admits(self, word: Ref | None, words: Vocabulary) -> bool:
        """Whether the flow's word (None: it is silent) falls under the clause."""
        if word is None:
            return self.mode in SILENT
        if self.mode == "plain":
            return False
        kind, name = word
        bare = name.partition("(")[0]  # `counts(group 20)` stands below `counts`
        covered = word in self.refs or (kind, bare) in self.refs
        if bare != name and not covered:
            alike, orders = stands_for if self.mode in ("within", "beyond") else meet, words.orders(bare)
            covered = any(alike(other, name, orders) for own, other in self.refs if own == kind and _named(other, bare))
        if self.mode == "within":
            return covered
        if self.mode == "beyond":
            return not covered
        if covered or bare != name:
            return covered
        below = words.below(kind, name)
        return any(other[0] == kind and other[1].partition("(")[0] in below for other in self.refs)


def _named(spelled: str, bare: str) -> bool:
    """Whether this is the form of that name, with arguments."""
    return spelled.startswith(f"{bare}(")


Limits = Mapping[int, Limit]


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """One comparison with a flow, and what follows if it matches."""

    effect: Effect
    rule: Rule
    verbs: frozenset[str]
    limits: Limits
    condition: Condition | None = None
    exceptions: Limits = field(default_factory=dict)
    duty: Duty | None = None
    implied: bool = False  # by an `only`


def clauses(rules: Iterable[Rule], attested: Iterable[str], words: Vocabulary) -> list[Clause]:
    """All clauses, in the order of the rules. `attested` are the anchors whose permissions need a signature."""
    return list(_Maker(frozenset(attested), words).make(rules))


class _Maker:
    def __init__(self, attested: frozenset[str], words: Vocabulary) -> None:
        self._attested = attested
        self._words = words

    def make(self, rules: Iterable[Rule]) -> Iterator[Clause]:
        for rule in rules:
            if rule.modal == "may":
                yield from self._permissions(rule)
                yield from self._implied(rule)
            elif rule.modal == "never":
                yield from self._prohibitions(rule)
            else:
                yield from self._duties(rule)

    def _permissions(self, rule: Rule) -> Iterator[Clause]:
        condition = all_of([*self._conditions(rule), *self._standing(rule)])
        limits = self._limits(rule, "within")
        limits.setdefault(FORM, Limit("plain", frozenset()))  # a form is a sibling: it needs a `may` of its own
        if rule.verb != "use":
            yield from _both_ways(Clause("permit", rule, frozenset((rule.verb,)), limits, condition))
            return
        yield Clause("permit", rule, frozenset(MAY_USE) - {"show"}, limits, condition)
        people = frozenset(("subject", name) for name in self._words.names("subject"))
        named = limits.get(AUDIENCE)
        audience = Limit("within", named.refs & people if named else people)
        yield Clause("permit", rule, frozenset(("show",)), {**limits, AUDIENCE: audience}, condition)

    def _implied(self, rule: Rule) -> Iterator[Clause]:
        """What `only` forbids: the same with any other value there, whatever the guard."""
        for phrase in rule.phrases:
            if phrase.only:
                limits = dict(self._limits(rule, "touching"))
                slot = SLOT[phrase.preposition]
                limits[slot] = replace(limits[slot], mode="beyond")
                yield from _prohibit(Clause("forbid", rule, frozenset(), limits, implied=True))

    def _prohibitions(self, rule: Rule) -> Iterator[Clause]:
        closing = rule.guard is not None and rule.guard.condition is None
        exceptions = {
            SLOT[phrase.preposition]: Limit("within", self._closure(rule, phrase.terms, phrase.preposition))
            for phrase in rule.exceptions
        }
        condition = all_of(self._conditions(rule))
        limits = self._limits(rule, "touching")
        effect: Effect = "close" if closing else "forbid"
        yield from _prohibit(Clause(effect, rule, frozenset(), limits, condition, exceptions))

    def _duties(self, rule: Rule) -> Iterator[Clause]:
        for duty, term in zip(duties_of(rule), rule.objects, strict=True):
            guard = self._conditions(rule)
            for verbs, limits in self._occasions(rule, term, duty):
                yield Clause("duty", rule, verbs, limits, all_of(guard), duty=duty)
                if duty.timing == "before":
                    undone = Not(Fact(Term(done(duty))))
                    yield Clause("forbid", rule, verbs, limits, all_of([*guard, undone]), duty=duty)

    def _occasions(self, rule: Rule, term: Term, duty: Duty) -> Iterator[tuple[frozenset[str], Limits]]:
        """The flows that a duty accompanies: those it names, else those with its object or at its place."""
        everything = frozenset(FLOWS)
        if duty.timing in ("before", "with"):
            for phrase in rule.phrases:
                if phrase.preposition in (("before",) if duty.timing == "before" else ("in", "with")):
                    yield from self._named_occasions(rule, phrase)
            return
        own = None
        if not is_contact_data(rule.verb, term):
            own = reference(self._words, term, object_kinds(rule.verb, "must"))
        limits = {
            slot: limit for slot, limit in self._limits(rule, "touching").items() if slot not in (OBJECT, RECIPIENT)
        }
        if own is not None:
            yield everything, {**limits, OBJECT: Limit("touching", self._closure(rule, (term,), None))}
        place = limits.get(SLOT["at"])
        if place is not None and (own is None or own[0] not in ("category", "message", "cookie")):
            yield everything, {SLOT["at"]: replace(place, mode="within")}

    def _named_occasions(self, rule: Rule, phrase: Phrase) -> Iterator[tuple[frozenset[str], Limits]]:
        for term in phrase.terms:
            if is_act(self._words, term):
                arguments = [part for part in term.arguments if isinstance(part, Term)]
                refs = self._refs(arguments, FLOWS[term.name].objects)
                limits = {OBJECT: Limit("touching", refs)} if arguments else {}
                if phrase.preposition == "before":
                    limits.update(self._narrowed(rule, term.name))
                for clause in _prohibit(Clause("forbid", rule, frozenset(), limits), verb=term.name):
                    yield clause.verbs, clause.limits
            elif phrase.preposition == "in":
                refs = self._refs((term,), phrase_kinds(rule.verb, "must", "in"))
                yield frozenset(FLOWS), {OBJECT: Limit("touching", refs)}

    def _narrowed(self, rule: Rule, verb: str) -> Iterator[tuple[int, Limit]]:
        """To what the phrases of a gate limit the flows with this verb; a flow that is silent there is stopped."""
        for phrase in rule.phrases:
            if phrase.preposition in NARROWING and phrase.terms:
                refs = self._refs(phrase.terms, FLOWS[verb].takes.get(phrase.preposition, ()))
                yield SLOT[phrase.preposition], Limit("touching", refs)

    def _conditions(self, rule: Rule) -> list[Condition]:
        """The guard; and `before` or `after` an event, unless a span makes it the start of a period."""
        parts: list[Condition] = []
        if rule.condition is not None and rule.guard is not None:
            parts.append(rule.condition if rule.guard.word == "when" else Not(rule.condition))
        if rule.modal != "must" and not any(phrase.span for phrase in rule.phrases):
            for phrase in rule.phrases:
                if phrase.preposition in ("before", "after"):
                    happened = [Fact(term) for term in phrase.terms]
                    each = happened if phrase.preposition == "after" else [Not(fact) for fact in happened]
                    # Of several events a permission waits for all, and a prohibition is content with one.
                    parts += each if rule.modal == "may" or len(each) == 1 else [AnyOf(tuple(each))]
        return parts

    def _standing(self, rule: Rule) -> Iterator[Condition]:
        """A permission may hang on a signature, and on a rate that the unit of work keeps account of."""
        anchor = rule.sentence.anchor
        if anchor in self._attested:
            yield Fact(Term(ATTESTED, (Term(anchor),)))
        if any(phrase.preposition == "every" for phrase in rule.phrases):
            yield Fact(Term(f"due({anchor})"))

    def _limits(self, rule: Rule, mode: Mode) -> dict[int, Limit]:
        limits = {OBJECT: Limit(mode, self._closure(rule, rule.objects, None))}
        for phrase in rule.phrases:
            if phrase.preposition in SLOT and phrase.terms:
                refs = self._closure(rule, phrase.terms, phrase.preposition)
                slot = SLOT[phrase.preposition]
                limits[slot] = Limit("meeting" if slot == FORM and mode == "touching" else mode, refs)
        return limits

    def _closure(self, rule: Rule, terms: Iterable[Term], preposition: str | None) -> frozenset[Ref]:
        if preposition is None:
            return self._refs(terms, object_kinds(rule.verb, rule.modal))
        return self._refs(terms, phrase_kinds(rule.verb, rule.modal, preposition))

    def _refs(self, terms: Iterable[Term], kinds: Iterable[str]) -> frozenset[Ref]:
        kinds = tuple(kinds)
        refs: set[Ref] = set()
        for term in terms:
            ref = reference(self._words, term, kinds)
            if ref is not None:
                refs.add(ref)
                if not term.arguments:
                    refs.update((ref[0], name) for name in self._words.below(*ref))
        return frozenset(refs)


def done(duty: Duty) -> str:
    """The fact that opens a gate: `done(ask age)` for `must ask age before …`."""
    return f"done({duty.verb} {duty.object})"


def _prohibit(clause: Clause, verb: str | None = None) -> Iterator[Clause]:
    """Spread a prohibition over the verbs it means; a verb that cannot say what it names is not among them."""
    verb = verb or clause.rule.verb
    named = {slot for slot in clause.limits if slot != OBJECT}
    able = [
        name for name in (NEVER_USE if verb == "use" else (verb,))
        if named <= {SLOT[preposition] for preposition in FLOWS[name].dimensions}
    ]  # fmt: skip
    plain = frozenset(able) - ({"send", "link"} if verb == "use" else {"link"})
    if plain:
        yield replace(clause, verbs=plain)
    if "link" in able:
        yield from _both_ways(replace(clause, verbs=frozenset(("link",))))
    if "send" in able and verb == "use" and OBJECT in clause.limits:
        # A mail uses the address that it goes to, and whatever the policy counts as its message.
        yield replace(clause, verbs=frozenset(("send",)))
        limits = {slot: limit for slot, limit in clause.limits.items() if slot not in (OBJECT, AUDIENCE)}
        yield replace(clause, verbs=frozenset(("send",)), limits={**limits, AUDIENCE: clause.limits[OBJECT]})


def _both_ways(clause: Clause) -> Iterator[Clause]:
    """The clause, and for `link` the same with its two sides exchanged."""
    yield clause
    if "link" in clause.verbs:
        swap = {OBJECT: RECIPIENT, RECIPIENT: OBJECT}
        limits = {swap.get(slot, slot): limit for slot, limit in clause.limits.items()}
        exceptions = {swap.get(slot, slot): limit for slot, limit in clause.exceptions.items()}
        yield replace(clause, limits=limits, exceptions=exceptions)


assert SLOT["as"] == FORM
