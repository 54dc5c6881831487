"""What comparing two versions should find, by asking the slow interpreter about every flow and all facts.

It knows nothing of boxes or least facts: it counts. To keep that affordable, a flow is asked only of the rules that
speak of it (as the slow interpreter has it), and only with the facts that these rules ask for.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from avow.language.rules import Reading, Rule
from avow.language.syntax import Compare, Fact, Phrase, atoms
from avow.language.verbs import FLOWS
from avow.testing.probing.interpreter import DIMENSION, Flow, SlowInterpreter, is_otherwise
from avow.values import DIMENSIONS

Facts = Mapping[str, bool | float | None]


@dataclass(frozen=True)
class Expected:
    """Which kinds of difference there are, each with a flow and facts that show it."""

    shown: dict[str, tuple[Flow, Facts]]


class Oracle:
    """Two versions that both know all words of either."""

    def __init__(self, old: Reading, new: Reading, words: Mapping[str, list[str]], fresh: frozenset[str]) -> None:
        self.old, self.new = SlowInterpreter(old), SlowInterpreter(new)
        self.readings = old, new
        self.words = words
        self.fresh = fresh  # words that only the new version has

    def expected(self) -> Expected:
        shown: dict[str, tuple[Flow, Facts]] = {}
        for flow in self.flows():
            old, new = about(self.old, flow), about(self.new, flow)
            for facts in every_fact([*old.rules, *new.rules], {*old.signed, *new.signed}):
                for kind in self.kinds(old, new, flow, facts):
                    shown.setdefault(kind, (flow, facts))
        return Expected(shown)

    def flows(self) -> Iterator[Flow]:
        rules = [*self.old.rules, *self.new.rules]
        for verb in FLOWS:
            named = [r for r in rules if r.verb in (verb, "use") or r.modal == "must"]
            if verb == "use" or not any(r.verb in (verb, "use") for r in rules if r.modal != "must"):
                continue
            said = {p.preposition for r in named for p in (*r.phrases, *r.exceptions) if p.terms}
            takes = FLOWS[verb].takes
            slots = [p for p in takes if p in {*said, "as"} and p in DIMENSIONS and takes[p]]
            # A `may` without `as` permits no form, whichever: where no rule names forms, one stands for all.
            choices = [[None, *self.of(takes[p], form=p == "as")[: None if p in said else 1]] for p in slots]
            for object in self.of(FLOWS[verb].objects):
                for picked in itertools.product(*choices):
                    stated = {p: w for p, w in zip(slots, picked, strict=True) if w is not None}
                    yield {"verb": verb, "object": object, **stated}

    def of(self, kinds: Iterable[str], *, form: bool = False) -> list[str]:
        return [w for kind in kinds for w in self.words.get(kind, []) if form or "(" not in w]

    def kinds(self, old: SlowInterpreter, new: SlowInterpreter, flow: Flow, facts: Facts) -> Iterator[str]:
        before, now = old.decide(flow, facts), new.decide(flow, facts)
        if now.permitted and not before.permitted:
            yield "permission"
        if now.permitted and before.permitted:
            if lasts_longer(old, new, flow, facts):
                yield "retention"
            if not owed(old, flow, facts) <= owed(new, flow, facts) | owed(new, flow, facts, "before"):
                yield "duty"
        if now.how in ("nothing", "condition", "otherwise") and self.fresh.isdisjoint(flow.values()):
            stated = [r for r in old.rules if r.modal == "never" and old.forbids(r, flow, facts) > 0]
            if stated or self.broken_only(old, flow):
                yield "promise"
            closed = any(is_otherwise(r) and old.never_matches(r, flow) and old.event_condition(r, facts) > 0
                         for r in old.rules)  # fmt: skip
            if closed and now.how != "otherwise" and not old_permits(old, flow, facts):
                yield "promise"

    def broken_only(self, old: SlowInterpreter, flow: Flow) -> bool:
        """An `only` ruled this out beside something that the new version still permits."""
        for rule in old.rules:
            for phrase in rule.phrases:
                if rule.modal == "may" and phrase.only and old.only_forbids(rule, phrase, flow):
                    for word in self.of(FLOWS[rule.verb].takes[phrase.preposition], form=phrase.preposition == "as"):
                        kept = {**flow, phrase.preposition: word}
                        if old.says(rule, phrase, kept) and any(
                            r.modal == "may" and self.new.may_matches(r, kept) for r in self.new.rules
                        ):
                            return True
        return False


def old_permits(old: SlowInterpreter, flow: Flow, facts: Facts) -> bool:
    """Whether some `may` is met, so that no `otherwise` speaks."""
    return any(r.modal == "may" and old.may_matches(r, flow) and old.may_condition(r, facts) == 1 for r in old.rules)


def about(slow: SlowInterpreter, flow: Flow) -> SlowInterpreter:
    """The same version, with only the rules that speak of a flow."""
    rules = [rule for rule in slow.rules if speaks(slow, rule, flow)]
    return slow.of_rules(rules, slow.signed & {rule.sentence.anchor for rule in rules if rule.modal == "may"})


def speaks(slow: SlowInterpreter, rule: Rule, flow: Flow) -> bool:
    if rule.modal == "never":
        return slow.never_matches(rule, flow)
    if rule.modal == "must":
        return slow.accompanies(rule, flow)
    return slow.may_matches(rule, flow) or any(p.only and slow.only_forbids(rule, p, flow) for p in rule.phrases)


def every_fact(rules: list[Rule], signed: set[str]) -> Iterator[Facts]:
    """All facts that these rules ask for: true, false and unknown; numbers below, at, between and above bounds."""
    numbers: dict[str, set[float]] = {}
    names: set[str] = {f"attested({anchor})" for anchor in signed}
    for rule in rules:
        for atom in atoms(rule.condition) if rule.condition else ():
            if isinstance(atom, Compare):
                numbers.setdefault(atom.word.name, set()).add(atom.value.value)  # type: ignore[union-attr]
            elif isinstance(atom, Fact):
                names.add(str(atom))
        names |= {str(t) for p in rule.phrases if p.preposition in ("before", "after") and rule.modal != "must"
                  for t in p.terms}  # fmt: skip
        if rule.modal == "may" and rule.statement.phrase("every", span=True):
            names.add(f"due({rule.sentence.anchor})")
        if rule.modal == "must" and rule.statement.phrase("before"):
            names |= {f"done({rule.verb} {term})" for term in rule.objects}
    domains: list[list[tuple[str, bool | float | None]]] = [[(n, True), (n, False), (n, None)] for n in sorted(names)]
    for name, bounds in numbers.items():
        values = sorted({x for bound in bounds for x in (bound - 0.5, bound, bound + 0.5)})
        domains.append([(name, None), *((name, value) for value in values)])
    for picked in itertools.product(*domains):
        yield dict(picked)


def lasts_longer(old: SlowInterpreter, new: SlowInterpreter, flow: Flow, facts: Facts) -> bool:
    def periods(side: SlowInterpreter) -> list[float]:
        return [period(r) for r in side.rules
                if r.modal == "may" and side.may_matches(r, flow) and side.may_condition(r, facts) == 1]  # fmt: skip

    return max(periods(new)) > max(periods(old))


def period(rule: Rule) -> float:
    spans = [p.span.seconds for p in rule.phrases if p.span is not None and p.preposition in ("within", "for")]
    return min((s for s in spans if s is not None), default=float("inf"))


def owed(side: SlowInterpreter, flow: Flow, facts: Facts, timing: str = "") -> set[tuple[str, str]]:
    """Verb and object of the duties that go along with the flow, or that have to be done before it."""
    return {
        (rule.verb, str(term))
        for rule in side.rules
        if rule.modal == "must"
        and any(p.preposition == timing if timing else is_along(p) for p in rule.phrases)
        and side.owed(rule, flow, facts)
        for term in rule.objects
    }


def is_along(phrase: Phrase) -> bool:
    return phrase.preposition == "in" or (phrase.preposition == "with" and phrase.terms[0].name in FLOWS)


assert set(DIMENSION) == set(DIMENSIONS)
