"""Decides a flow at first sight. What comes out is a verdict, or, where facts matter, a case that makes verdicts.

Order of precedence: a `never` (or gate) whose condition is not false forbids; else a `may` whose condition is true
permits; else an `otherwise` forbids; else nothing permits, and the nearest `may` is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from avow.engine import reasons
from avow.engine.clauses import OBJECT, Clause
from avow.engine.conditions import evaluate
from avow.engine.index import Index, UnknownWord
from avow.engine.reasons import Flow
from avow.language.suggest import did_you_mean
from avow.language.verbs import FLOWS, NEVER_USE
from avow.language.vocabulary import UnknownTerm, Vocabulary
from avow.values import DIMENSIONS, NO_FACTS, Facts, Verdict

_PREPOSITIONS = tuple(DIMENSIONS)


@dataclass(slots=True)
class Case:
    """A flow whose verdict depends on facts. Verdicts are made once for each outcome and shared."""

    forbids: tuple[Clause, ...]
    permits: tuple[Clause, ...]
    closes: tuple[Clause, ...]
    duties: tuple[Clause, ...]
    flow: str
    otherwise: Verdict | None
    _made: dict[object, Verdict] = field(default_factory=dict)

    def judge(self, facts: Facts) -> Verdict:
        """The verdict, given these facts."""
        if found := _not_false(self.forbids, facts):
            return self._refusal(found)
        found = tuple(c for c in self.permits if c.condition is None or evaluate(c.condition, facts) is True)
        if found:
            duties = _not_false(self.duties, facts)
            key = found, duties
            return self._made.get(key) or self._made.setdefault(key, _permission(found, duties))
        if found := _not_false(self.closes, facts):
            return self._refusal(found)
        if self.otherwise is not None:
            return self.otherwise
        nearest = self.permits[0]
        reason = reasons.unmet(nearest, self.flow, facts)
        return self._made.get(reason) or self._made.setdefault(reason, _refusal((nearest,), reason))

    def _refusal(self, clauses: tuple[Clause, ...]) -> Verdict:
        return self._made.get(clauses) or self._made.setdefault(clauses, _refusal(clauses, reasons.forbidden(clauses)))


class Decider:
    """Answers flows that were not asked before; keeps verdicts that do not depend on the flow's own words."""

    def __init__(self, index: Index, words: Vocabulary) -> None:
        self._index = index
        self._words = words
        self._shared: dict[tuple[int, ...], Verdict | Case] = {}

    def decide(self, flow: Flow) -> Verdict | Case:
        """The verdict or case of a flow. Raises UnknownTerm."""
        verb = str(flow[0])
        slots = self._index.slots.get(verb)
        if slots is None or verb == "use":
            raise self._unknown_verb(verb, flow)
        matched = self._index.by_verb[verb]
        unknown: int | None = None
        for number, (slot, word) in enumerate(zip(slots, flow[1:], strict=True)):
            try:
                matched &= slot[word]
            except UnknownWord:
                # No `may` was written with this word in mind; a `never` holds for it as for what is not stated.
                matched &= slot.undeclared(str(word)) & ~self._index.by_effect["permit"]
                unknown = number if unknown is None else unknown
        answer = self._answer(matched, flow)
        if unknown is None or (unknown == OBJECT and str(flow[1]).startswith("cookie.")):
            return answer
        raise self._unknown_word(unknown, flow, answer if isinstance(answer, Verdict) else answer.judge(NO_FACTS))

    def _answer(self, matched: int, flow: Flow) -> Verdict | Case:
        index = self._index
        effects = index.by_effect
        forbids = matched & effects["forbid"]
        closes = matched & effects["close"]
        if matched & index.excepted:
            forbids = self._without_exceptions(forbids, flow)
            closes = self._without_exceptions(closes, flow)
        permits = matched & effects["permit"]
        if not (forbids or permits or closes):
            return self.nearest(flow)
        key = forbids, permits, closes, matched & effects["duty"]
        shared = self._shared.get(key)
        if shared is None:
            shared = self._make(key, flow)
            # A case names its flow, and may end with that flow's own nearest: it serves this flow only.
            if isinstance(shared, Verdict):
                self._shared[key] = shared
        return shared

    def forget(self) -> None:
        """Empty the memory of shared verdicts."""
        self._shared.clear()

    def nearest(self, flow: Flow) -> Verdict:
        """A refusal that names the nearest permission."""
        index = self._index
        verb = str(flow[0])
        slots = index.slots.get(verb, index.slots["collect"])
        verb_mask = index.by_verb.get(verb, 0)
        masks = []
        for slot, word in zip(slots, flow[1:], strict=True):
            try:
                masks.append(slot[word])
            except UnknownWord:
                masks.append(slot.free)
        bit, clause = index.nearest(verb_mask, masks)
        differing = [number for number, mask in enumerate(masks) if not mask & bit]
        reason = reasons.unpermitted(clause, flow, bool(verb_mask & bit), differing, self._words)
        return _refusal((clause,), reason)

    def _make(self, key: tuple[int, int, int, int], flow: Flow) -> Verdict | Case:
        forbids, permits, closes, duties = (tuple(clause for _, clause in self._index.members(bits)) for bits in key)
        settled = tuple(clause for clause in forbids if clause.condition is None)
        if settled:
            return _refusal(settled, reasons.forbidden(settled))
        closing = any(clause.condition is None for clause in closes)
        otherwise = None if permits or closing else self.nearest(flow)
        case = Case(forbids, permits, closes, duties, reasons.spoken_flow(flow, self._words), otherwise)
        if any(clause.condition is not None for clauses in (forbids, permits, closes, duties) for clause in clauses):
            return case
        return case.judge(NO_FACTS)

    def _without_exceptions(self, bits: int, flow: Flow) -> int:
        slots = self._index.slots[str(flow[0])]
        for bit, clause in self._index.members(bits & self._index.excepted):
            said = {number: slots[number].ref(word) for number, word in enumerate(flow[1:]) if word is not None}
            if all(limit.admits(said.get(number), self._words) for number, limit in clause.exceptions.items()):
                bits &= ~bit
        return bits

    def _unknown_verb(self, verb: str, flow: Flow) -> UnknownTerm:
        if verb == "use":
            help = f"say which use: {', '.join(NEVER_USE)}"
            return UnknownTerm("a flow cannot be a `use`", self.nearest(flow), help=help)
        help = did_you_mean(verb, FLOWS) or f"verbs of flows are: {', '.join(FLOWS)}"
        return UnknownTerm(f"`{verb}` is not a verb of a flow", self.nearest(flow), help=help)

    def _unknown_word(self, number: int, flow: Flow, verdict: Verdict) -> UnknownTerm:
        verb, word = str(flow[0]), str(flow[number + 1])
        kinds = self._index.slots[verb][number].kinds
        if not kinds:
            message = f"`{verb}` does not take `{_PREPOSITIONS[number - 1]}` ({reasons.NAMES[number]}=`{word}`)"
            return UnknownTerm(message, verdict, help="leave it out")
        help = self._words.suggestion(word, kinds) or "declare it in the front matter of the policy"
        return UnknownTerm(f"`{word}` is not a {' or '.join(kinds)} of the policy", verdict, help=help)


def _not_false(clauses: tuple[Clause, ...], facts: Facts) -> tuple[Clause, ...]:
    """The clauses whose condition is true or unknown."""
    return tuple(c for c in clauses if c.condition is None or evaluate(c.condition, facts) is not False)


def _permission(clauses: tuple[Clause, ...], duties: tuple[Clause, ...]) -> Verdict:
    owed = tuple(dict.fromkeys(clause.duty for clause in duties if clause.duty is not None))
    return Verdict(True, reasons.sentences(clauses), owed, clauses[0].rule.text, reasons.permitted(clauses))


def _refusal(clauses: tuple[Clause, ...], reason: str) -> Verdict:
    return Verdict(False, reasons.sentences(clauses), (), clauses[0].rule.text, reason)
