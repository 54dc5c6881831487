"""The words of a policy as the slow interpreter compares them, and its conditions as numbers.

A word stands for all below it. Nothing here is the engine's: parents are climbed one by one.
"""

from __future__ import annotations

from collections.abc import Mapping

from avow.language.rules import Reading, Rule
from avow.language.syntax import AllOf, AnyOf, Compare, Condition, Guard, Not, Span, Term
from avow.language.verbs import ANY, FLOWS

#: Kind and name.
Word = tuple[str, str]
#: Facts by their spelling; one that is missing or None is unknown.
Known = Mapping[str, bool | float | None]


class Words:
    """The declared words of one policy."""

    def __init__(self, reading: Reading) -> None:
        self.declared = {(kind, name): word for kind, words in reading.front.vocabulary.words.items()
                         for name, word in words.items()}  # fmt: skip
        self._above: dict[Word, frozenset[Word]] = {}
        self._met: dict[tuple[Word, Word], bool] = {}

    def resolve(self, term: Term, kinds: tuple[str, ...]) -> Word | None:
        """A term as a declared word of the first of these kinds that has it."""
        return next(((kind, str(term)) for kind in kinds if (kind, term.name) in self.declared), None)

    def terms(self, rule: Rule, terms: tuple[Term, ...], preposition: str | None) -> set[Word | None]:
        """The words that a rule names in a phrase, or as its objects."""
        signature = FLOWS.get(rule.verb)
        own: tuple[str, ...] = ()
        if signature:
            own = signature.objects if preposition is None else signature.takes.get(preposition, ())
        kinds = own if rule.modal != "must" else (*own, *ANY)
        return {self.resolve(term, kinds) for term in terms}

    def word(self, flow: Mapping[str, str], preposition: str) -> Word | None:
        """What a flow states in a dimension."""
        if preposition not in flow:
            return None
        term = Term(flow[preposition])
        return self.resolve_spelled(term.name, FLOWS[flow["verb"]].takes.get(preposition, ()))

    def object(self, flow: Mapping[str, str], verb: str | None = None) -> Word | None:
        """What a flow moves."""
        return self.resolve_spelled(flow["object"], FLOWS[verb or flow["verb"]].objects)

    def resolve_spelled(self, spelled: str, kinds: tuple[str, ...]) -> Word | None:
        """A word as it is spelled in a flow."""
        bare = spelled.split("(", maxsplit=1)[0]
        return next(((kind, spelled) for kind in kinds if (kind, bare) in self.declared), None)

    def above(self, word: Word) -> frozenset[Word]:
        """The word and everything over it."""
        if word not in self._above:
            self._above[word] = frozenset(self._climbed(word))
        return self._above[word]

    def _climbed(self, word: Word) -> set[Word]:
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
        """Whether a word is one of those listed, or below one."""
        return word is not None and (bool(self.above(word) & listed) or self.as_strict(word, listed))

    def touches(self, word: Word | None, listed: set[Word | None]) -> bool:
        """One stands for the other, or both stand for some third word."""
        if word is None:
            return False
        if self.as_strict(word, listed, whatever=True):
            return True
        return any(self._meet(word, other) for other in listed if other)

    def _meet(self, one: Word, other: Word) -> bool:
        """Whether some word is below both."""
        if (one, other) not in self._met:
            self._met[one, other] = any({one, other} <= self.above(third) for third in (*self.declared, one, other))
        return self._met[one, other]

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
        """All words below these."""
        return {word for word in self.declared if self.above(word) & listed}


def said_of_form(spelled: str) -> dict[str, str]:
    """`counts(group 20, whole)` says group: 20, and whole: nothing more."""
    parts = spelled[spelled.index("(") + 1 : -1].split(",")
    return {part.split()[0]: " ".join(part.split()[1:]) for part in parts}


def guard_value(guard: Guard | None, facts: Known) -> float:
    """How true a guard lets a rule be: 0, 0.5 or 1."""
    if guard is None or guard.condition is None:
        return 1
    truth = value(guard.condition, facts)
    return truth if guard.word == "when" else 1 - truth


def value(condition: Condition, facts: Known) -> float:
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
