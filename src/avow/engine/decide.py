"""Decides a flow at first sight. What comes out is a verdict, or, where facts matter, a case that makes verdicts.

Order of precedence: a `never` (or gate) whose condition is not false forbids; else a `may` whose condition is true
permits; else an `otherwise` forbids; else nothing permits, and the nearest `may` is named.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from operator import and_, getitem

from avow.engine import reasons
from avow.engine.clauses import OBJECT, Clause
from avow.engine.conditions import Test, asked_by, states
from avow.engine.index import Index, Slot, UnknownWord
from avow.engine.reasons import Flow
from avow.language.suggest import did_you_mean
from avow.language.verbs import FLOWS, NEVER_USE
from avow.language.vocabulary import UnknownTerm, Vocabulary
from avow.values import DIMENSIONS, NO_FACTS, Facts, Sentence, Verdict

_PREPOSITIONS = tuple(DIMENSIONS)
#: Sets of clauses that match a flow: those that forbid, permit, close, and the duties.
Sets = tuple[int, int, int, int]


class Matched:
    """The clauses that match a flow. Flows that the same clauses match share it, and the verdicts that come of it.

    A verdict is made once for each set of clauses that takes effect, and that set, as bits, is its key.
    """

    __slots__ = (
        "_clauses", "_closed", "_closes", "_duties", "_first", "_forbids", "_made", "_permits", "_states", "_sure",
        "asks",
    )  # fmt: skip

    def __init__(self, sets: Sets, index: Index) -> None:
        # The few that match are numbered anew: small numbers are quickly joined and hashed.
        self._clauses: tuple[tuple[Clause, ...], ...] = ()
        self._sure: tuple[int, ...] = ()
        tests: list[tuple[tuple[int, Test], ...]] = []
        place = 0
        # A prohibition or a duty holds unless its condition is false; a permission holds if its condition is true.
        for bits, want in zip(sets, (False, True, False, False), strict=True):
            members = [(1 << i, bit, clause) for i, (bit, clause) in enumerate(index.members(bits), place)]
            place += len(members)
            self._clauses += (tuple(clause for _, _, clause in members),)
            self._sure += (sum(own for own, _, clause in members if clause.condition is None),)
            found = ((own, index.test(bit, want)) for own, bit, _ in members)
            tests.append(tuple((own, test) for own, test in found if test is not None))
        self._forbids, self._permits, self._closes, self._duties = tests
        self._made: dict[int, Verdict] = {}
        #: What gives the value of each atom that any of their conditions has.
        self.asks = asked_by(clause.condition for clauses in self._clauses for clause in clauses)
        # What a closed list is told by; made when the first one is.
        self._states: tuple[Callable[[Facts], bool | None], ...] | None = None
        self._closed: dict[tuple[int, tuple[bool | None, ...]], Verdict] | None = None
        self._first: tuple[Callable[[Facts], bool | None], ...] | None = None

    def clauses(self, number: int) -> tuple[Clause, ...]:
        """The clauses that forbid (0), permit (1), close (2), or are duties (3)."""
        return self._clauses[number]

    def first(self) -> tuple[Callable[[Facts], bool | None], ...]:
        """What gives the value of each atom of the first permission, the nearest one; nothing where there is none."""
        if self._first is None:
            self._first = states(self._clauses[1][0].condition) if self._clauses[1] else ()
        return self._first

    def _members(self, bits: int) -> tuple[Clause, ...]:
        every = (clause for clauses in self._clauses for clause in clauses)
        return tuple(clause for i, clause in enumerate(every) if bits >> i & 1)

    @property
    def conditional(self) -> bool:
        """Whether facts can matter."""
        return bool(self._forbids or self._permits or self._closes or self._duties)

    def judge(self, facts: Facts, case: Case) -> Verdict:
        """The verdict on a flow that these clauses match, given these facts."""
        forbids, permits, closes, duties = self._sure
        for bit, is_false in self._forbids:
            if not is_false(facts):
                forbids |= bit
        if forbids:
            return self._made.get(forbids) or self._refusal(forbids)
        for bit, is_true in self._permits:
            if is_true(facts):
                permits |= bit
        if permits:
            for bit, is_false in self._duties:
                if not is_false(facts):
                    duties |= bit
            return self._made.get(permits | duties) or self._permission(permits, duties)
        for bit, is_false in self._closes:
            if not is_false(facts):
                closes |= bit
        if closes:
            return self._closing(closes, facts)
        return case.unpermitted(facts)

    def _refusal(self, bits: int) -> Verdict:
        clauses = self._members(bits)
        verdict = _refusal(reasons.sentences(clauses), clauses[0], partial(reasons.forbidden, clauses))
        return self._made.setdefault(bits, verdict)

    def _closing(self, bits: int, facts: Facts) -> Verdict:
        """A list is closed; if some permission would have opened it, the reason says for want of which facts."""
        permits = self._clauses[1]
        if not permits:
            return self._made.get(bits) or self._refusal(bits)
        if self._states is None or self._closed is None:
            self._states = tuple(state for clause in permits for state in states(clause.condition))
            self._closed = {}
        known = tuple([state(facts) for state in self._states])
        verdict = self._closed.get((bits, known))
        if verdict is None:
            clauses = self._members(bits)
            reason = partial(reasons.closed, clauses, permits, known)
            verdict = _refusal(reasons.sentences(clauses), clauses[0], reason)
        return self._closed.setdefault((bits, known), verdict)

    def _permission(self, permits: int, duties: int) -> Verdict:
        clauses = self._members(permits)
        owed = tuple(dict.fromkeys(clause.duty for clause in self._members(duties) if clause.duty is not None))
        reason = partial(reasons.permitted, clauses)
        verdict = Verdict(True, reasons.sentences(clauses), owed, clauses[0].rule.text, reason)
        return self._made.setdefault(permits | duties, verdict)


class Case:
    """A flow whose verdict depends on facts: `case.judge(facts)` gives it. Verdicts are made once for each outcome.

    Where few atoms are asked, what is known of them leads straight to the verdict (`_CaseOfOne` and its neighbours).
    Among many, most do not matter once one has settled it.
    """

    __slots__ = ("_decider", "_flow", "_matched", "_own")

    def __init__(self, matched: Matched, flow: Flow, decider: Decider) -> None:
        self._matched = matched
        self._flow = flow
        self._decider = decider
        self._own: dict[tuple[bool | None, ...], Verdict] | None = None

    def judge(self, facts: Facts) -> Verdict:
        """The verdict, given these facts."""
        return self._matched.judge(facts, self)

    def unpermitted(self, facts: Facts) -> Verdict:
        """What a flow that nothing permits is told, made once for each state of the nearest permission's facts."""
        if self._own is None:
            self._own = {}
        known = tuple([state(facts) for state in self._matched.first()])
        return self._own.get(known) or self._own.setdefault(known, self._unmet(known))

    def _unmet(self, known: tuple[bool | None, ...]) -> Verdict:
        permits = self._matched.clauses(1)
        if not permits:
            return self._decider.nearest(self._flow)
        nearest = permits[0]
        reason = partial(reasons.unmet, nearest, self._flow, known, self._decider.words)
        return _refusal((nearest.rule.sentence,), nearest, reason)


class _CaseOfOne(Case):
    """A case in which one atom is asked."""

    __slots__ = ("_no", "_state", "_unknown", "_yes")

    def __init__(self, matched: Matched, flow: Flow, decider: Decider) -> None:
        super().__init__(matched, flow, decider)
        [self._state] = matched.asks
        self._yes: Verdict | None = None
        self._no: Verdict | None = None
        self._unknown: Verdict | None = None

    def judge(self, facts: Facts) -> Verdict:
        """The verdict, given these facts."""
        known = self._state(facts)
        verdict = self._yes if known else self._unknown if known is None else self._no
        return verdict or self._settle(known, facts)

    def _settle(self, known: bool | None, facts: Facts) -> Verdict:
        verdict = super().judge(facts)
        setattr(self, "_yes" if known else "_unknown" if known is None else "_no", verdict)
        return verdict


class _CaseOfTwo(Case):
    """A case in which two atoms are asked."""

    __slots__ = ("_made", "_one", "_other")

    def __init__(self, matched: Matched, flow: Flow, decider: Decider) -> None:
        super().__init__(matched, flow, decider)
        self._one, self._other = matched.asks
        self._made: dict[tuple[bool | None, bool | None], Verdict] = {}

    def judge(self, facts: Facts) -> Verdict:
        """The verdict, given these facts."""
        known = self._one(facts), self._other(facts)
        return self._made.get(known) or self._made.setdefault(known, super().judge(facts))


class _CaseOfFew(Case):
    """A case in which three or four atoms are asked: at most 81 verdicts."""

    __slots__ = ("_made",)

    def __init__(self, matched: Matched, flow: Flow, decider: Decider) -> None:
        super().__init__(matched, flow, decider)
        self._made: dict[tuple[bool | None, ...], Verdict] = {}

    def judge(self, facts: Facts) -> Verdict:
        """The verdict, given these facts."""
        known = tuple([state(facts) for state in self._matched.asks])
        return self._made.get(known) or self._made.setdefault(known, super().judge(facts))


class Decider:
    """Answers flows that were not asked before; keeps what does not depend on the flow's own words."""

    def __init__(self, index: Index, words: Vocabulary) -> None:
        self.index = index
        self.words = words
        self._verdicts: dict[Sets, Verdict] = {}
        self._matched: dict[Sets, Matched] = {}

    def decide(self, flow: Flow) -> Verdict | Case:
        """The verdict or case of a flow. Raises UnknownTerm."""
        index = self.index
        verb = str(flow[0])
        slots = index.slots.get(verb)
        if slots is None or verb == "use":
            raise self._unknown_verb(verb, flow)
        try:
            masks = list(map(getitem, slots, flow[1:]))
        except UnknownWord:
            return self._undeclared(verb, flow, slots)
        return self._answer(reduce(and_, masks, index.by_verb[verb]), flow, masks)

    def _answer(self, matched: int, flow: Flow, masks: list[int]) -> Verdict | Case:
        index = self.index
        if not matched & index.deciding:
            return self._nearest(flow, masks)
        sets = self._sets(matched, flow)
        if not any(sets[:3]):
            return self._nearest(flow, masks)
        return self._verdicts.get(sets) or self._make(sets, flow)

    def _sets(self, matched: int, flow: Flow) -> Sets:
        effects = self.index.by_effect
        forbids = matched & effects["forbid"]
        closes = matched & effects["close"]
        if matched & self.index.excepted:
            forbids = self._without_exceptions(forbids, flow)
            closes = self._without_exceptions(closes, flow)
        return forbids, matched & effects["permit"], closes, matched & effects["duty"]

    def forget(self) -> None:
        """Empty the memory of shared verdicts."""
        self._verdicts.clear()
        self._matched.clear()

    def nearest(self, flow: Flow) -> Verdict:
        """A refusal that names the nearest permission."""
        slots = self.index.slots.get(str(flow[0]), self.index.slots["collect"])
        return self._nearest(flow, [_lenient(slot, word) for slot, word in zip(slots, flow[1:], strict=True)])

    def match(self, flow: Flow) -> Matched:
        """The clauses that match a flow whose verdict is known; an undeclared word is one that was not stated."""
        slots = self.index.slots[str(flow[0])]
        masks = [_undeclared_as_object(slot, word) for slot, word in zip(slots, flow[1:], strict=True)]
        return Matched(self._sets(reduce(and_, masks, self.index.by_verb[str(flow[0])]), flow), self.index)

    def nearest_permission(self, flow: Flow) -> tuple[Clause, list[int]]:
        """The nearest permission, and the slots in which it differs from the flow."""
        slots = self.index.slots[str(flow[0])]
        masks = [_lenient(slot, word) for slot, word in zip(slots, flow[1:], strict=True)]
        bit, clause = self.index.nearest(str(flow[0]), masks)
        return clause, self._differing(bit, masks)

    def _nearest(self, flow: Flow, masks: list[int]) -> Verdict:
        low, clause = self.index.nearest(str(flow[0]), masks)
        reason = partial(reasons.unpermitted, clause, flow, partial(self._differing, low, masks), self.words)
        return _refusal((clause.rule.sentence,), clause, reason)

    def _differing(self, bit: int, masks: list[int]) -> list[int]:
        return [number for number, mask in enumerate(masks) if not mask & bit]

    def _make(self, sets: Sets, flow: Flow) -> Verdict | Case:
        matched = self._matched.get(sets)
        if matched is None:
            settled = sum(bit for bit, clause in self.index.members(sets[0]) if clause.condition is None)
            matched = Matched((settled, 0, 0, 0) if settled else sets, self.index)
            if not matched.conditional:
                return self._verdicts.setdefault(sets, Case(matched, flow, self).judge(NO_FACTS))
            self._matched[sets] = matched
        return _case(matched, flow, self)

    def _without_exceptions(self, bits: int, flow: Flow) -> int:
        slots = self.index.slots[str(flow[0])]
        for bit, clause in self.index.members(bits & self.index.excepted):
            said = {number: slots[number].ref(word) for number, word in enumerate(flow[1:]) if word is not None}
            if all(limit.admits(said.get(number), self.words) for number, limit in clause.exceptions.items()):
                bits &= ~bit
        return bits

    def _undeclared(self, verb: str, flow: Flow, slots: tuple[Slot, ...]) -> Verdict | Case:
        """What is told about a word that the policy does not have. Raises UnknownTerm, but not for a cookie."""
        matched = self.index.by_verb[verb]
        unknown: int | None = None
        masks = []
        for number, (slot, word) in enumerate(zip(slots, flow[1:], strict=True)):
            try:
                masks.append(slot[word])
                matched &= masks[-1]
            except UnknownWord:
                # No `may` was written with this word in mind; a `never` holds for it as for what is not stated.
                masks.append(slot.free)
                matched &= slot.undeclared(str(word)) & ~self.index.by_effect["permit"]
                unknown = number if unknown is None else unknown
        answer = self._answer(matched, flow, masks)
        if unknown is None or (unknown == OBJECT and str(flow[1]).startswith("cookie.")):
            return answer
        raise self._unknown_word(unknown, flow, answer if isinstance(answer, Verdict) else answer.judge(NO_FACTS))

    def _unknown_verb(self, verb: str, flow: Flow) -> UnknownTerm:
        if verb == "use":
            help = f"say which use: {', '.join(NEVER_USE)}"
            return UnknownTerm("a flow cannot be a `use`", self.nearest(flow), help=help)
        help = did_you_mean(verb, FLOWS) or f"verbs of flows are: {', '.join(FLOWS)}"
        return UnknownTerm(f"`{verb}` is not a verb of a flow", self.nearest(flow), help=help)

    def _unknown_word(self, number: int, flow: Flow, verdict: Verdict) -> UnknownTerm:
        verb, word = str(flow[0]), str(flow[number + 1])
        kinds = self.index.slots[verb][number].kinds
        if not kinds:
            message = f"`{verb}` does not take `{_PREPOSITIONS[number - 1]}` ({reasons.NAMES[number]}=`{word}`)"
            return UnknownTerm(message, verdict, help="leave it out")
        bare, parenthesis, _ = word.partition("(")
        kind = self.words.kind_of(bare, kinds)
        if kind == "form":
            return UnknownTerm(
                f"`{word}` is no form as it is written", verdict, help=f"write it like `{bare}(group 20)`"
            )
        if kind and parenthesis:
            return UnknownTerm(f"the {kind} `{bare}` takes no arguments", verdict, help=f"write `{bare}`")
        help = self.words.suggestion(bare, kinds) or "declare it in the front matter of the policy"
        wanted = " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
        return UnknownTerm(f"`{word}` is not a {wanted} of the policy", verdict, help=help)


def _case(matched: Matched, flow: Flow, decider: Decider) -> Case:
    kinds: tuple[type[Case], ...] = (Case, _CaseOfOne, _CaseOfTwo, _CaseOfFew, _CaseOfFew)
    asked = len(matched.asks)
    return (kinds[asked] if asked < len(kinds) else Case)(matched, flow, decider)


def _lenient(slot: Slot, word: str | None) -> int:
    try:
        return slot[word]
    except UnknownWord:
        return slot.free


def _undeclared_as_object(slot: Slot, word: str | None) -> int:
    try:
        return slot[word]
    except UnknownWord:
        return slot.undeclared(str(word))


def _refusal(sentences: tuple[Sentence, ...], clause: Clause, reason: str | Callable[[], str]) -> Verdict:
    return Verdict(False, sentences, (), clause.rule.text, reason)
