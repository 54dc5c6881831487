"""A second interpreter of the rule language, written from the table of meaning in docs/language.md.

It shares the parser, the table of verbs and the declared words with the engine, and nothing else: it walks the rules
one by one, compares words by climbing to their parents, and computes with truth values as numbers. It is slow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from avow.language.rules import Reading, Rule
from avow.language.syntax import AllOf, AnyOf, Compare, Condition, Fact, Guard, Not, Phrase, Span, Term
from avow.language.verbs import ANY, FLOWS

DIMENSION = {
    "with": "recipient", "to": "audience", "from": "source", "about": "subject", "for": "purpose", "at": "place",
    "by": "role", "in": "medium", "over": "channel", "as": "form",
}  # fmt: skip
USES = ("open", "show", "send", "share", "publish", "derive", "link", "log")
EVENTS = ("before", "after")

Flow = Mapping[str, str]  # "verb", "object" and the stated dimensions, by their prepositions
Word = tuple[str, str]  # kind and name


@dataclass(frozen=True)
class Answer:
    """What the table says. `how` is never, may, otherwise, condition or nothing."""

    how: str
    rules: frozenset[str]
    duties: frozenset[str] = frozenset()

    @property
    def permitted(self) -> bool:
        return self.how == "may"


class SlowInterpreter:
    def __init__(self, reading: Reading) -> None:
        self.rules = reading.rules
        self.signed = set(reading.attested)
        self.declared = {(kind, name): word for kind, words in reading.front.vocabulary.words.items()
                         for name, word in words.items()}  # fmt: skip

    # The table, case by case.

    def decide(self, flow: Flow, facts: Mapping[str, bool | float | None]) -> Answer:
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

    def forbids(self, rule: Rule, flow: Flow, facts: Mapping[str, bool | float | None]) -> float:
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

    def may_condition(self, rule: Rule, facts: Mapping[str, bool | float | None]) -> float:
        parts = [guard_value(rule.guard, facts), self.event_condition(rule, facts)]
        if rule.sentence.anchor in self.signed:
            parts.append(value(Fact(Term(f"attested({rule.sentence.anchor})")), facts))
        if rule.statement.phrase("every", span=True):
            parts.append(value(Fact(Term(f"due({rule.sentence.anchor})")), facts))
        return min(parts)

    def event_condition(self, rule: Rule, facts: Mapping[str, bool | float | None]) -> float:
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
        counts = {rule.text: self.differences(rule, flow) for rule in self.rules if rule.modal == "may"}
        return frozenset(text for text, count in counts.items() if count == min(counts.values()))

    # `never`, `only`

    def never_matches(self, rule: Rule, flow: Flow) -> bool:
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
        if flow["object"] == "?":
            return True
        verb = "keep" if flow.get("silent") == "to" else None  # an address is a category
        return self.touches(self.object(flow, verb), self.terms(rule, rule.objects, None))

    def only_forbids(self, rule: Rule, only: Phrase, flow: Flow) -> bool:
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

    def owed(self, rule: Rule, flow: Flow, facts: Mapping[str, bool | float | None]) -> bool:
        return guard_value(rule.guard, facts) > 0 and self.accompanies(rule, flow)

    def accompanies(self, rule: Rule, flow: Flow) -> bool:
        gate = rule.statement.phrase("before")
        if gate is not None:
            return any(self.occasion(rule, "before", term, flow) for term in gate.terms)
        named = [(phrase.preposition, term) for phrase in rule.phrases if phrase.preposition in ("in", "with")
                 for term in phrase.terms]  # fmt: skip
        if any(word == "in" or term.name in FLOWS for word, term in named):
            return any(self.occasion(rule, word, term, flow) for word, term in named)
        return any(self.state_accompanies(rule, term, flow) for term in rule.objects)

    def occasion(self, rule: Rule, preposition: str, term: Term, flow: Flow) -> bool:
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
        own = FLOWS[rule.verb].objects if rule.verb in FLOWS else ()
        target = self.resolve(term, (*own, *ANY))
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

    # Words: a word stands for all below it.

    def resolve(self, term: Term, kinds: tuple[str, ...]) -> Word | None:
        return next(((kind, str(term)) for kind in kinds if (kind, term.name) in self.declared), None)

    def terms(self, rule: Rule, terms: tuple[Term, ...], preposition: str | None) -> set[Word | None]:
        signature = FLOWS.get(rule.verb)
        own: tuple[str, ...] = ()
        if signature:
            own = signature.objects if preposition is None else signature.takes.get(preposition, ())
        kinds = own if rule.modal != "must" else (*own, *ANY)
        return {self.resolve(term, kinds) for term in terms}

    def word(self, flow: Flow, preposition: str) -> Word | None:
        if preposition not in flow:
            return None
        term = Term(flow[preposition])
        return self.resolve_spelled(term.name, FLOWS[flow["verb"]].takes.get(preposition, ()))

    def object(self, flow: Flow, verb: str | None = None) -> Word | None:
        return self.resolve_spelled(flow["object"], FLOWS[verb or flow["verb"]].objects)

    def resolve_spelled(self, spelled: str, kinds: tuple[str, ...]) -> Word | None:
        bare = spelled.split("(", maxsplit=1)[0]
        return next(((kind, spelled) for kind in kinds if (kind, bare) in self.declared), None)

    def above(self, word: Word) -> set[Word]:
        """The word and everything over it."""
        kind, name = word
        found = {word}
        if "(" in name:
            return found | self.above((kind, name.split("(")[0]))
        parents = list(self.declared[word].parents)
        if "." in name:
            parents.append(name[: name.rindex(".")])
        if kind == "subject":
            parents.append("person")
        for parent in parents:
            if (kind, parent) not in found:
                found |= self.above((kind, parent)) if parent != name else set()
        return found

    def covered(self, word: Word | None, listed: set[Word | None]) -> bool:
        return word is not None and (bool(self.above(word) & listed) or self.as_strict(word, listed))

    def touches(self, word: Word | None, listed: set[Word | None]) -> bool:
        """One stands for the other, or both stand for some third word."""
        if word is None:
            return False
        if self.as_strict(word, listed, whatever=True):
            return True
        everything = set(self.declared) | {word} | {other for other in listed if other}
        return any(word in self.above(other) and self.above(other) & listed for other in everything)

    def as_strict(self, word: Word, listed: set[Word | None], *, whatever: bool = False) -> bool:
        """Whether a form is at least as strict as one of those listed; `whatever` the numbers that have an order."""
        bare = word[1].split("(")[0]
        others = [other[1] for other in listed if other and other[0] == word[0] and other[1].startswith(bare + "(")]
        if "(" not in word[1] or not others:
            return False
        orders = dict(self.declared[word[0], bare].orders)
        own = said_of_form(word[1])
        for other in others:
            theirs = said_of_form(other)
            if set(own) == set(theirs) and all(
                own[name] == theirs[name]
                or (name in orders and whatever)
                or (orders.get(name) == "at_most" and float(own[name]) < float(theirs[name]))
                or (orders.get(name) == "at_least" and float(own[name]) > float(theirs[name]))
                for name in own
            ):
                return True
        return False

    def below_any(self, listed: set[Word | None]) -> set[Word]:
        return {word for word in self.declared if self.above(word) & listed}


def said_of_form(spelled: str) -> dict[str, str]:
    """`counts(group 20, whole)` says group: 20, and whole: nothing more."""
    parts = spelled[spelled.index("(") + 1 : -1].split(",")
    return {part.split()[0]: " ".join(part.split()[1:]) for part in parts}


def is_otherwise(rule: Rule) -> bool:
    return rule.guard is not None and rule.guard.word == "otherwise"


def prepositions(rule: Rule) -> list[str]:
    return [phrase.preposition for phrase in rule.phrases if phrase.preposition in DIMENSION and phrase.terms]


def turned(flow: Flow) -> Flow:
    """A link seen from its other side."""
    other = {key: word for key, word in flow.items() if key not in ("object", "with")}
    return {**other, "object": flow.get("with", "?"), "with": flow["object"]}


def guard_value(guard: Guard | None, facts: Mapping[str, bool | float | None]) -> float:
    if guard is None or guard.condition is None:
        return 1
    truth = value(guard.condition, facts)
    return truth if guard.word == "when" else 1 - truth


def value(condition: Condition, facts: Mapping[str, bool | float | None]) -> float:
    """1 for true, 0 for false, 0.5 for unknown: `and` is the least, `or` the greatest, `not` the complement."""
    if isinstance(condition, AllOf):
        return min(value(part, facts) for part in condition.parts)
    if isinstance(condition, AnyOf):
        return max(value(part, facts) for part in condition.parts)
    if isinstance(condition, Not):
        return 1 - value(condition.part, facts)
    if isinstance(condition, Compare):
        known = facts.get(condition.word.name)
        bound = condition.value.seconds if isinstance(condition.value, Span) else condition.value.value
        if known is None or bound is None or type(known) is bool:
            return 0.5
        holds = {"<": known < bound, "<=": known <= bound, ">": known > bound, ">=": known >= bound}
        return float(holds[condition.operator])
    known = facts.get(str(condition.term))
    return 0.5 if not isinstance(known, bool) else float(known)
