"""Attempts derived from the rules of a policy: for each rule flows of which it speaks, and their neighbours.

    may share contact.address with ups for shipping over https

gives that very flow, and beside it the gaps: the same with another category, recipient, purpose or channel, each left
out, in a form, and with the facts turned. Of a `never` the flows that it forbids are tried, with its condition true
and unknown; of a duty the flows that it goes with. What should become of each is not said here: the slow interpreter
is asked, which reads the file and does not know the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from avow.language.rules import Reading, Rule
from avow.language.syntax import AllOf, AnyOf, Compare, Condition, Fact, Not, Span, Term, atoms
from avow.language.verbs import FLOWS, MAY_USE, NEVER_USE
from avow.testing.probing.interpreter import DIMENSION, USES, Answer, Flow, SlowInterpreter
from avow.testing.probing.interpreter_words import Known

T = TypeVar("T")

#: Facts by their spelling, as a unit of work is given them.
Facts = dict[str, bool | float | None]

#: In words, what was changed beside a rule.
OTHER = {
    "object": "another thing", "with": "another recipient", "to": "another audience", "from": "another source",
    "about": "another subject", "for": "another purpose", "at": "another place", "by": "another role",
    "in": "another medium", "over": "another channel", "as": "another form",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attempt:
    """A flow with the facts under which it is tried, the rule that it is for, and how it differs from it, in words."""

    flow: Mapping[str, str]
    facts: Mapping[str, bool | float | None]
    rule: Rule
    how: str

    def __str__(self) -> str:
        return spelled(self.flow, self.facts)


def spelled(flow: Mapping[str, str], facts: Mapping[str, bool | float | None]) -> str:
    """A flow and its facts as one line: `share contact.email with ups for shipping, if objected(mail)`."""
    words = [flow["verb"], flow["object"]]
    words += [f"{name} {word}" for name, word in flow.items() if name in DIMENSION]
    told = [name if fact is True else f"not {name}" if fact is False else f"{name} = {fact:g}"
            for name, fact in facts.items() if fact is not None]  # fmt: skip
    told += [f"{name} unknown" for name, fact in facts.items() if fact is None]
    return " ".join(words) + (f", if {', '.join(told)}" if told else "")


class Oracle(SlowInterpreter):
    """The second interpreter, with a memory: a probe asks the same again at every door."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._answers: dict[tuple[object, ...], Answer] = {}

    def decide(self, flow: Flow, facts: Known) -> Answer:
        """What the table says of a flow."""
        key = (*sorted(flow.items()), *sorted((name, repr(fact)) for name, fact in facts.items()))
        if key not in self._answers:
            self._answers[key] = super().decide(flow, facts)
        return self._answers[key]


class Deriving:
    """Derives the attempts of one policy, at most `each` for a rule; each kind of gap comes before a second of it."""

    def __init__(self, reading: Reading, slow: SlowInterpreter, each: int) -> None:
        self._slow = slow
        self._each = each
        self.rules = reading.rules
        self._words: dict[tuple[str, ...], list[str]] = {}
        self._made: dict[int, list[Attempt]] = {}

    def attempts(self, rule: Rule) -> list[Attempt]:
        """The attempts for one rule."""
        if id(rule) not in self._made:
            self._made[id(rule)] = list(self._derived(rule))
        return self._made[id(rule)]

    def _derived(self, rule: Rule) -> Iterator[Attempt]:
        seen: set[tuple[tuple[tuple[str, str], ...], tuple[tuple[str, object], ...]]] = set()

        def fresh() -> Iterator[Attempt]:
            for attempt in _in_turns(self._of_base(rule, base) for base in self._bases(rule)):
                key = tuple(sorted(attempt.flow.items())), tuple(sorted(attempt.facts.items(), key=lambda f: f[0]))
                if key not in seen:
                    seen.add(key)
                    yield attempt

        return islice(fresh(), self._each)

    # -- flows that a rule speaks of --------------------------------------------------------------

    def _bases(self, rule: Rule) -> Iterator[dict[str, str]]:
        """The rule as flows: each verb that it means, with words that it names or that stand below them."""
        if rule.modal == "must":
            yield from self._occasions(rule)
            return
        verbs: tuple[str, ...] = (rule.verb,)
        if rule.verb == "use":
            verbs = NEVER_USE if rule.modal == "never" else MAY_USE
        for verb in verbs:
            signature = FLOWS[verb]
            named = {p.preposition: p for p in rule.phrases if p.preposition in DIMENSION and p.terms}
            if not set(named) <= signature.dimensions:
                continue
            low = self._low(rule.objects, FLOWS[rule.verb].objects, signature.objects)
            objects = low or self._all(signature.objects)
            for number, word in enumerate(objects[:4]):
                flow = {"verb": verb, "object": word}
                for preposition, phrase in named.items():
                    kinds = signature.takes[preposition]
                    words = self._low(phrase.terms, FLOWS[rule.verb].takes.get(preposition, ()), kinds)
                    if words:
                        flow[preposition] = words[number % len(words)]
                for preposition in (group[0] for group in signature.needs if not set(group) & set(flow)):
                    flow |= dict.fromkeys((preposition,), next(iter(self._all(signature.takes[preposition])), ""))
                flow = {name: said for name, said in flow.items() if said}
                yield flow

    def _occasions(self, rule: Rule) -> Iterator[dict[str, str]]:
        """The flows that a duty goes with: of the verbs, messages and places that it names."""
        for phrase in rule.phrases:
            for term in phrase.terms:
                if term.name in FLOWS and phrase.preposition in ("before", "with", "in"):
                    verbs = USES if term.name == "use" else (term.name,)
                    for verb in verbs:
                        signature = FLOWS[verb]
                        given = tuple(part for part in term.arguments if isinstance(part, Term))
                        for word in (self._low(given, signature.objects, signature.objects)
                                     or self._all(signature.objects)[:2])[:3]:  # fmt: skip
                            yield {"verb": verb, "object": word}
                elif phrase.preposition == "in" and ("message", term.name) in self._slow.declared:
                    yield {"verb": "send", "object": term.name}

    def _low(self, terms: tuple[Term, ...], kinds: tuple[str, ...], wanted: tuple[str, ...]) -> list[str]:
        """Words for some terms, each as it is named and, first, one below it."""
        found: list[str] = []
        for term in terms:
            word = self._slow.resolve(term, kinds)
            if word is None or word[0] not in wanted:
                continue
            if not term.arguments:
                below = sorted(
                    name
                    for kind, name in self._slow.declared
                    if kind == word[0] and word in self._slow.above((kind, name))
                )
                found += [name for name in below if name != term.name][-1:]
            found.append(str(term))
        return list(dict.fromkeys(found))

    def _all(self, kinds: tuple[str, ...]) -> list[str]:
        if kinds not in self._words:
            self._words[kinds] = [name for kind, name in self._slow.declared if kind in kinds and kind != "form"]
        return self._words[kinds]

    # -- a flow, its conditions and its neighbours ------------------------------------------------

    def _of_base(self, rule: Rule, base: dict[str, str]) -> Iterator[Attempt]:
        """In turns of one: the flow itself, one neighbour in each dimension, the facts turned; then further ones."""
        true = self.facts(rule, base)
        yield Attempt(base, true, rule, "as the rule names it")
        if rule.modal == "may":
            whole, facts = self._completed(base, true)
            if whole != base or facts != true:
                base, true = whole, facts
                yield Attempt(base, true, rule, "as the rule names it, with all that others ask for")
        yield from self._turned(rule, base, true)
        neighbours = [self._neighbours(base, name) for name in ("object", *FLOWS[base["verb"]].takes)]
        for how, flow in islice(_in_turns(iter(neighbours)), 1 + len(neighbours)):
            yield Attempt(flow, true, rule, how)
        for how, flow in _in_turns(iter([self._neighbours(base, n) for n in ("object", *FLOWS[base["verb"]].takes)])):
            yield Attempt(flow, true, rule, how)

    def _turned(self, rule: Rule, base: dict[str, str], true: Facts) -> Iterator[Attempt]:
        """Each fact the other way, and unknown."""
        for name, fact in true.items():
            turned = (not fact) if isinstance(fact, bool) else self._beyond(rule, name, fact)
            yield Attempt(base, {**true, name: turned}, rule, f"`{name}` turned")
            yield Attempt(base, {**true, name: None}, rule, f"`{name}` unknown")
        if len(true) > 1:
            yield Attempt(base, {}, rule, "nothing known")

    def _completed(self, base: dict[str, str], true: Facts) -> tuple[dict[str, str], Facts]:
        """A flow of a permission with what other rules want to know of it: what is not stated may be forbidden.

        If it cannot be had that nothing forbids it, it is given back as it was.
        """
        flow, facts = dict(base), dict(true)
        for _ in range(8):
            answer = self._slow.decide(flow, facts)
            if answer.permitted:
                return flow, facts
            forbidding = [rule for rule in self.rules if answer.how == "never" and rule.text in answer.rules]
            if not any(self._satisfied(rule, flow, facts) for rule in forbidding):
                break
        return base, true

    def _satisfied(self, rule: Rule, flow: dict[str, str], facts: Facts) -> bool:
        """Change what a flow leaves open so that a rule does not forbid it any more; whether that was possible."""
        if rule.modal == "never" and rule.condition is not None and rule.guard is not None:
            added: Facts = {}
            _make(rule.condition, rule.guard.word != "when", added)
            if not added.keys() & facts.keys():
                facts |= added
                return True
        for phrase in rule.phrases:
            name = phrase.preposition
            kinds = FLOWS[flow["verb"]].takes.get(name, ())
            for word in self._all(kinds) if name in DIMENSION and name not in flow and kinds else ():
                if self._slow.forbids(rule, {**flow, name: word}, facts) == 0:
                    flow[name] = word
                    return True
        return False

    def _neighbours(self, base: dict[str, str], name: str) -> Iterator[tuple[str, dict[str, str]]]:
        signature = FLOWS[base["verb"]]
        kinds = signature.objects if name == "object" else signature.takes[name]
        if not kinds or (name != "object" and name not in DIMENSION):
            return
        own = base.get(name)
        others = [word for word in self._all(kinds) if word != own]
        if own is not None and "(" not in own:
            near = own.rpartition(".")[0]
            others.sort(key=lambda word: (word.rpartition(".")[0] != near, _mixed(word, own)))
        else:
            others.sort(key=lambda word: _mixed(word, name))
        for number, word in enumerate(others[:4]):
            yield OTHER[name], {**base, name: word}
            if number == 0 and own is not None and name != "object":
                yield f"without `{name}`", {key: value for key, value in base.items() if key != name}

    def facts(self, rule: Rule, flow: Mapping[str, str]) -> Facts:
        """Facts under which a rule's own conditions hold, and with which the permissions beside it hang on nothing."""
        facts: Facts = {}
        condition = rule.condition
        if condition is not None and rule.guard is not None:
            _make(condition, rule.guard.word == "when", facts)
        spans = any(phrase.span for phrase in rule.phrases)
        for phrase in rule.phrases:
            if phrase.preposition in ("before", "after") and not spans and rule.modal != "must":
                for term in phrase.terms:
                    facts[str(term)] = phrase.preposition == "after"
            if phrase.preposition == "every" and rule.modal == "may":
                facts[f"due({rule.sentence.anchor})"] = True
        if rule.modal == "may":
            if rule.sentence.anchor in self._slow.signed:
                facts[f"attested({rule.sentence.anchor})"] = True
            self._pass_gates(rule, flow, facts)
        if rule.modal == "must" and any(phrase.preposition == "before" for phrase in rule.phrases):
            for term in rule.objects:
                facts[f"done({rule.verb} {term})"] = False
        return facts

    def _pass_gates(self, rule: Rule, flow: Mapping[str, str], facts: Facts) -> None:
        """What comes before a permitted flow has been done; another attempt turns it."""
        for gate in self._slow.rules:
            if gate.modal == "must" and gate is not rule and gate.statement.phrase("before") is not None:
                for term in gate.objects if self._slow.accompanies(gate, flow) else ():
                    facts.setdefault(f"done({gate.verb} {term})", True)

    def _beyond(self, rule: Rule, name: str, fact: float | None) -> float | None:
        """The other side of a threshold."""
        if fact is None or rule.condition is None:
            return None
        for atom in atoms(rule.condition):
            if isinstance(atom, Compare) and atom.word.name == name:
                bound = _bound(atom)
                return bound if fact < bound else bound - 1
        return None


def _make(condition: Condition, want: bool, facts: Facts) -> None:
    """Facts that make a condition true, or false."""
    if isinstance(condition, Not):
        _make(condition.part, not want, facts)
    elif isinstance(condition, (AllOf, AnyOf)):
        for part in condition.parts:
            _make(part, want, facts)
    elif isinstance(condition, Fact):
        facts[str(condition.term)] = want
    else:
        bound = _bound(condition)
        over = bound + 1 if condition.operator in (">", ">=") else bound - 1
        under = bound - 1 if condition.operator in (">", ">=") else bound + 1
        facts[condition.word.name] = over if want else under


def _bound(atom: Compare) -> float:
    value = atom.value.seconds if isinstance(atom.value, Span) else atom.value.value
    return float(value or 0.0)


def _mixed(word: str, by: str) -> int:
    """A shuffle that is the same in each run, so that not every rule is tried with the same first words."""
    return sum((place + 3) * ord(letter) * len(by) for place, letter in enumerate(word + by)) % 97


def _in_turns(many: Iterator[Iterator[T]]) -> Iterator[T]:
    """One of each, then another of each, until all are at their end."""
    waiting = list(many)
    while waiting:
        for each in list(waiting):
            found = next(each, None)
            if found is None:
                waiting.remove(each)
            else:
                yield found
