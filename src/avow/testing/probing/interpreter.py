"""A second interpreter of the rule language, written from the table of meaning in docs/language.md.

It shares the parser, the table of verbs and the declared words with the engine, and nothing else: it walks the rules
one by one, compares words by climbing to their parents (`interpreter_words`), and computes with truth values as
numbers. It is slow. The tests compare the engine with it, and a probe asks it what should have happened.

    slow = SlowInterpreter(read(text))
    slow.decide({"verb": "share", "object": "contact.email", "with": "ups", "for": "advertising"}, {}).permitted
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass

from avow.language.rules import Reading, Rule
from avow.language.syntax import Fact, Phrase, Term
from avow.language.verbs import ANY, FLOWS
from avow.testing.probing.interpreter_words import Known, Words, guard_value, value

DIMENSION = {
    "with": "recipient", "to": "audience", "from": "source", "about": "subject", "for": "purpose", "at": "place",
    "by": "role", "in": "medium", "over": "channel", "as": "form",
}  # fmt: skip
USES = ("open", "show", "send", "share", "publish", "derive", "link", "log")
EVENTS = ("before", "after")

#: "verb", "object" and the stated dimensions, by their prepositions.
Flow = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What the table says. `how` is never, may, otherwise, condition or nothing."""

    how: str
    rules: frozenset[str]
    duties: frozenset[str] = frozenset()

    @property
    def permitted(self) -> bool:
        """Whether it may happen."""
        return self.how == "may"


class SlowInterpreter(Words):
    """Answers flows over one policy as it was read; see the module."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.rules = reading.rules
        self.signed = set(reading.attested)

    def of_rules(self, rules: list[Rule], signed: set[str]) -> SlowInterpreter:
        """The same words with these rules only, and the signatures of these sentences."""
        narrow = copy(self)
        narrow.rules, narrow.signed = rules, signed
        return narrow

    # The table, case by case.

    def decide(self, flow: Flow, facts: Known) -> Answer:
        """What the table says of a flow."""
        # what is unknown denies: a `never` forbids unless its condition is false
        forbidding = [rule.text for rule in self.rules if self.forbids(rule, flow, facts) > 0]
        if forbidding:
            return Answer("never", frozenset(forbidding))
        matching = [rule for rule in self.rules if rule.modal == "may" and self.may_matches(rule, flow)]
        permitting = [rule.text for rule in matching if self.may_condition(rule, facts) == 1]
        if permitting:
            owed = [rule.text for rule in self.rules if rule.modal == "must" and self.owed(rule, flow, facts)]
            return Answer("may", frozenset(permitting), frozenset(owed))
        closing = [rule.text for rule in self.rules if is_otherwise(rule) and self.never_matches(rule, flow)
                   and self.event_condition(rule, facts) > 0]  # fmt: skip
        if closing:
            return Answer("otherwise", frozenset(closing))
        if matching:
            return Answer("condition", frozenset(rule.text for rule in matching))
        return Answer("nothing", self.nearest(flow))

    def forbids(self, rule: Rule, flow: Flow, facts: Known) -> float:
        """How true it is that the rule forbids the flow: 0, 0.5 or 1."""
        if rule.modal == "never" and not is_otherwise(rule) and self.never_matches(rule, flow):
            return min(guard_value(rule.guard, facts), self.event_condition(rule, facts))
        if rule.modal == "may":
            return float(any(phrase.only and self.only_forbids(rule, phrase, flow) for phrase in rule.phrases))
        if rule.modal == "must" and any(phrase.preposition == "before" for phrase in rule.phrases):
            waiting = [self.accompanies(rule, flow) and 1 - value(Fact(Term(f"done({rule.verb} {term})")), facts)
                       for term in rule.objects]  # fmt: skip
            return min(guard_value(rule.guard, facts), max(waiting))
        return 0

    # `may`

    def may_matches(self, rule: Rule, flow: Flow) -> bool:
        """Whether a `may` speaks of the flow."""
        return self.differences(rule, flow) == 0

    def differences(self, rule: Rule, flow: Flow) -> int:
        """In how many of verb, object and dimensions the flow is not what the `may` allows."""
        if rule.verb == "use":
            people = {("subject", name) for kind, name in self.declared if kind == "subject"}
            to_subject = self.word(flow, "to") in people
            plain = (flow["verb"] not in ("open", "derive")) + self.gaps(rule, flow)
            shown = (flow["verb"] != "show") + self.gaps(rule, flow)
            named = rule.statement.phrase("to")
            if not to_subject and (named is None or self.says(rule, named, flow)):
                shown += 1
            return min(plain, shown)
        other_verb = int(flow["verb"] != rule.verb)
        straight = other_verb + self.gaps(rule, flow)
        return min(straight, other_verb + self.turned_gaps(rule, flow)) if rule.verb == "link" else straight

    def gaps(self, rule: Rule, flow: Flow) -> int:
        """In how many of object and dimensions the flow is not what the rule names."""
        gaps = int(not self.covered(self.object(flow), self.terms(rule, rule.objects, None))) + self.formed(rule, flow)
        for phrase in rule.phrases:
            if phrase.preposition in DIMENSION and phrase.terms and not self.says(rule, phrase, flow):
                gaps += 1
        return gaps

    def formed(self, rule: Rule, flow: Flow) -> int:
        """A `may` without `as` is about the thing as it is: any form is a difference."""
        return int("as" in flow and not rule.statement.phrase("as"))

    def turned_gaps(self, rule: Rule, flow: Flow) -> int:
        """The gaps when a `link` is read from its other side."""
        others = [phrase for phrase in rule.phrases if phrase.preposition in DIMENSION and phrase.preposition != "with"]
        gaps = sum(not self.says(rule, phrase, flow) for phrase in others if phrase.terms) + self.formed(rule, flow)
        second = rule.statement.phrase("with")
        if second is not None:
            gaps += not self.covered(self.object(flow), self.terms(rule, second.terms, "with"))
        return gaps + (not self.covered(self.word(flow, "with"), self.terms(rule, rule.objects, None)))

    def says(self, rule: Rule, phrase: Phrase, flow: Flow) -> bool:
        """Stated, and the phrase's or below it."""
        return self.covered(self.word(flow, phrase.preposition), self.terms(rule, phrase.terms, phrase.preposition))

    def may_condition(self, rule: Rule, facts: Known) -> float:
        """How true the conditions of a `may` are: 0, 0.5 or 1."""
        parts = [guard_value(rule.guard, facts), self.event_condition(rule, facts)]
        if rule.sentence.anchor in self.signed:
            parts.append(value(Fact(Term(f"attested({rule.sentence.anchor})")), facts))
        if rule.statement.phrase("every", span=True):
            parts.append(value(Fact(Term(f"due({rule.sentence.anchor})")), facts))
        return min(parts)

    def event_condition(self, rule: Rule, facts: Known) -> float:
        """`after` and `before` an event; with a period in the rule they say when it begins, and are no condition."""
        if any(phrase.span for phrase in rule.phrases):
            return 1
        parts = [1.0]
        for phrase in rule.phrases:
            if phrase.preposition in EVENTS:
                happened = [value(Fact(term), facts) for term in phrase.terms]
                each = happened if phrase.preposition == "after" else [1 - one for one in happened]
                parts.append(min(each) if rule.modal == "may" else max(each))
        return min(parts)

    def nearest(self, flow: Flow) -> frozenset[str]:
        """The permissions with the fewest differences."""
        counts = {rule.text: self.differences(rule, flow) for rule in self.rules if rule.modal == "may"}
        return frozenset(text for text, count in counts.items() if count == min(counts.values()))

    # `never`, `only`

    def never_matches(self, rule: Rule, flow: Flow) -> bool:
        """Whether a `never` speaks of the flow, whatever its condition."""
        if not set(prepositions(rule)) <= FLOWS[flow["verb"]].dimensions:
            return False
        return any(self.never_reads(rule, reading) for reading in self.readings(rule.verb, flow))

    def readings(self, verb: str, flow: Flow) -> Iterator[Flow]:
        """The ways in which a flow may be what a `never` with this verb speaks of."""
        if flow["verb"] == verb or (verb == "use" and flow["verb"] in USES):
            yield flow
            if flow["verb"] == "link":
                yield turned(flow)
            if verb == "use" and flow["verb"] == "send":  # a mail uses the address that it goes to
                yield {**{key: word for key, word in flow.items() if key != "to"}, "object": flow.get("to", "?"),
                       "verb": "send", "silent": "to"}  # fmt: skip

    def never_reads(self, rule: Rule, flow: Flow) -> bool:
        """Whether a `never` speaks of one reading of a flow."""
        if not self.object_touches(rule, flow):
            return False
        for phrase in rule.phrases:
            if phrase.preposition in DIMENSION and phrase.terms and flow.get("silent") != phrase.preposition:
                stated = self.word(flow, phrase.preposition)
                if phrase.preposition == "as" and stated is None:
                    return False  # as it is, not in that form
                if stated and not self.touches(stated, self.terms(rule, phrase.terms, phrase.preposition)):
                    return False
        return not (rule.exceptions and all(self.says(rule, phrase, flow) for phrase in rule.exceptions))

    def object_touches(self, rule: Rule, flow: Flow) -> bool:
        """Whether the object of a flow and those of a rule have something in common."""
        if flow["object"] == "?":
            return True
        verb = "keep" if flow.get("silent") == "to" else None  # an address is a category
        return self.touches(self.object(flow, verb), self.terms(rule, rule.objects, None))

    def only_forbids(self, rule: Rule, only: Phrase, flow: Flow) -> bool:
        """Whether the `only` of a `may` forbids the flow."""
        if not set(prepositions(rule)) <= FLOWS[flow["verb"]].dimensions:
            return False
        for reading in self.readings(rule.verb, flow):
            if not self.object_touches(rule, reading):
                continue
            silent = reading.get("silent")
            others = [phrase for phrase in rule.phrases
                      if phrase.preposition in DIMENSION and phrase.terms and phrase is not only]  # fmt: skip
            stated = {phrase.preposition: self.word(reading, phrase.preposition) for phrase in others}
            alike = all(
                phrase.preposition == silent
                or (stated[phrase.preposition] is None and phrase.preposition != "as")
                or self.touches(stated[phrase.preposition], self.terms(rule, phrase.terms, phrase.preposition))
                for phrase in others
            )
            if alike and (only.preposition == silent or not self.says(rule, only, reading)):
                return True
        return False

    # `must`

    def owed(self, rule: Rule, flow: Flow, facts: Known) -> bool:
        """Whether a duty goes with the flow."""
        return guard_value(rule.guard, facts) > 0 and self.accompanies(rule, flow)

    def accompanies(self, rule: Rule, flow: Flow) -> bool:
        """Whether the flow is an occasion of the duty."""
        gate = rule.statement.phrase("before")
        if gate is not None:
            return any(self.occasion(rule, "before", term, flow) for term in gate.terms)
        named = [(phrase.preposition, term) for phrase in rule.phrases if phrase.preposition in ("in", "with")
                 for term in phrase.terms]  # fmt: skip
        if any(word == "in" or term.name in FLOWS for word, term in named):
            return any(self.occasion(rule, word, term, flow) for word, term in named)
        return any(self.state_accompanies(rule, term, flow) for term in rule.objects)

    def occasion(self, rule: Rule, preposition: str, term: Term, flow: Flow) -> bool:
        """Whether the flow is the occasion that one term of a duty names."""
        declared = {kind for kind, name in self.declared if name == term.name}
        if term.name in FLOWS and (not declared or (term.arguments and "predicate" not in declared)):
            for reading in self.readings(term.name, flow):
                if preposition == "before" and not self.let_in(rule, term.name, reading):
                    continue
                arguments = {self.resolve(argument, FLOWS[term.name].objects)
                             for argument in term.arguments if isinstance(argument, Term)}  # fmt: skip
                verb = "keep" if reading.get("silent") else None
                if reading["object"] == "?" and arguments:
                    return True
                if not arguments or self.touches(self.object(reading, verb), arguments):
                    return True
            return False
        own = FLOWS[rule.verb].takes.get("in", ()) if rule.verb in FLOWS else ()
        target = self.resolve(term, (*own, *ANY, "predicate"))
        return preposition == "in" and self.touches(self.object(flow), {target})

    def let_in(self, rule: Rule, verb: str, flow: Flow) -> bool:
        """Whether the phrases of a gate leave a flow among those that it stops: what is not stated is stopped."""
        for phrase in rule.phrases:
            if phrase.preposition in ("at", "for", "about", "with", "over", "from") and phrase.terms:
                if phrase.preposition not in FLOWS[flow["verb"]].dimensions:
                    return False
                stated = self.word(flow, phrase.preposition)
                kinds = FLOWS[verb].takes[phrase.preposition]
                if stated and not self.touches(stated, {self.resolve(term, kinds) for term in phrase.terms}):
                    return False
        return True

    def state_accompanies(self, rule: Rule, term: Term, flow: Flow) -> bool:
        """Whether the flow goes with a duty that names no occasion."""
        own = FLOWS[rule.verb].objects if rule.verb in FLOWS else ()
        target = self.resolve(term, (*own, *ANY))
        if rule.verb in ("show", "offer", "announce") and str(term) in ("contact", "contact_details"):
            target = None  # where questions go, even where a category has that name
        place = rule.statement.phrase("at")
        places = self.terms(rule, place.terms, "at") if place and place.terms else set()
        stated = self.word(flow, "at")
        at_place = stated in self.below_any(places)
        if at_place and (target is None or target[0] not in ("category", "message", "cookie")):
            return True
        if target is None or not self.touches(self.object(flow), {target}):
            return False
        for phrase in rule.phrases:
            if phrase.preposition in DIMENSION and phrase.preposition != "with" and phrase.terms:
                word = self.word(flow, phrase.preposition)
                if phrase.preposition == "as" and word is None:
                    return False
                if word and not self.touches(word, self.terms(rule, phrase.terms, phrase.preposition)):
                    return False
        return True


def is_otherwise(rule: Rule) -> bool:
    """Whether a rule closes a list."""
    return rule.guard is not None and rule.guard.word == "otherwise"


def prepositions(rule: Rule) -> list[str]:
    """The dimensions that a rule names."""
    return [phrase.preposition for phrase in rule.phrases if phrase.preposition in DIMENSION and phrase.terms]


def turned(flow: Flow) -> Flow:
    """A link seen from its other side."""
    other = {key: word for key, word in flow.items() if key not in ("object", "with")}
    return {**other, "object": flow.get("with", "?"), "with": flow["object"]}
