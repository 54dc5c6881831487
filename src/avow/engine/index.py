"""Clauses as bit sets: for each slot and word, the set of clauses that the word falls under.

Deciding a flow is then one `and` per slot over integers, whatever the number of rules. The sets are made when a word
is first seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from avow.engine.clauses import OBJECT, SLOTS, Clause, Effect
from avow.engine.conditions import Test, when
from avow.language.forms import arguments
from avow.language.rules import Ref
from avow.language.verbs import FLOWS
from avow.language.vocabulary import Vocabulary
from avow.values import DIMENSIONS


class UnknownWord(Exception):
    """A word in a slot whose kinds do not have it."""


class Slot(dict[str | None, int]):
    """For one slot and the kinds that a verb takes there: word to the set of clauses that admit it."""

    def __init__(self, number: int, kinds: tuple[str, ...], clauses: list[Clause], words: Vocabulary) -> None:
        super().__init__()
        self.number = number
        self.kinds = kinds
        self._words = words
        self._limits = [(1 << i, c.limits[number]) for i, c in enumerate(clauses) if number in c.limits]
        limited = sum(bit for bit, _ in self._limits)
        #: The clauses that do not limit this slot.
        self.free = ((1 << len(clauses)) - 1) & ~limited
        self[None] = self.free | sum(bit for bit, limit in self._limits if limit.admits(None, words))
        self._vague = self.free | sum(bit for bit, limit in self._limits if limit.mode not in ("within", "plain"))

    def __missing__(self, word: str) -> int:
        ref = self.ref(word)
        if ref is None:
            raise UnknownWord
        found = self.free | sum(bit for bit, limit in self._limits if limit.admits(ref, self._words))
        if "(" not in word:  # arguments come from code without end; declared words are few
            self[word] = found
        return found

    def undeclared(self, word: str) -> int:
        """The clauses that an undeclared word falls under: in a dimension, as if it could be any word.

        As an object it falls under those that name a word above it, as every cookie is below `cookie`. A word with
        arguments that it cannot have counts as the word.
        """
        if self.number != OBJECT:
            return self._vague
        bare, parenthesis, _ = word.partition("(")
        if parenthesis and self.ref(bare) is not None:
            return self[bare]
        above = word.rpartition(".")[0]
        refs = {(kind, above) for kind in self.kinds}
        return self.free | sum(bit for bit, limit in self._limits if refs & limit.refs)

    def ref(self, word: str) -> Ref | None:
        """The word with its kind, or None."""
        bare, parenthesis, _ = word.partition("(")
        kind = self._words.kind_of(bare, self.kinds)
        if kind is None or (parenthesis and (kind != "form" or arguments(word) is None)):
            return None
        return kind, word


class Index:
    """All clauses of a policy, ready to be asked."""

    def __init__(self, clauses: list[Clause], words: Vocabulary) -> None:
        self.clauses = clauses
        self._tests: dict[tuple[int, bool], Test] = {}
        self.by_effect: dict[Effect, int] = {"permit": 0, "forbid": 0, "close": 0, "duty": 0}
        self.excepted = 0
        self.by_verb = dict.fromkeys(FLOWS, 0)
        for i, clause in enumerate(clauses):
            self.by_effect[clause.effect] |= 1 << i
            self.excepted |= (1 << i) if clause.exceptions else 0
            for verb in clause.verbs:
                self.by_verb[verb] |= 1 << i
        #: The clauses that alone or with facts decide; duties only come along.
        self.deciding = self.by_effect["permit"] | self.by_effect["forbid"] | self.by_effect["close"]
        #: The slots that some permission limits.
        self.limiting = tuple(
            number for number in range(SLOTS) if any(c.effect == "permit" and number in c.limits for c in clauses)
        )
        made: dict[tuple[int, tuple[str, ...]], Slot] = {}
        self.slots: dict[str, tuple[Slot, ...]] = {}
        for verb, signature in FLOWS.items():
            kinds = [signature.objects, *(signature.takes.get(p, ()) for p in DIMENSIONS)]
            for key in enumerate(kinds):
                if key not in made:
                    made[key] = Slot(*key, clauses, words)
            self.slots[verb] = tuple(made[key] for key in enumerate(kinds))

    def test(self, bit: int, want: bool) -> Test | None:
        """Whether the clause's condition is known to be `want`; None if it has no condition."""
        found = self._tests.get((bit, want))
        if found is None:
            condition = self.clauses[bit.bit_length() - 1].condition
            if condition is None:
                return None
            found = self._tests[bit, want] = when(condition, want)
        return found

    def members(self, bits: int) -> Iterator[tuple[int, Clause]]:
        """The clauses of a set, each with its bit, in their order."""
        while bits:
            low = bits & -bits
            yield low, self.clauses[low.bit_length() - 1]
            bits ^= low

    def nearest(self, verb: str, masks: list[int]) -> tuple[int, Clause]:
        """The permission with the fewest differing slots, the verb counting as one, and its bit.

        `masks` holds what each slot of the flow admits. Among equals one with the same verb comes first, then one with
        the same object, then the first written. Counts all permissions at once: `ones`, `twos` and so on hold one bit
        of each permission's number of differences. A slot that no permission limits counts nothing.
        """
        permits = self.by_effect["permit"]
        same_verb = self.by_verb.get(verb, 0)
        ones = permits & ~same_verb
        twos = fours = eights = 0
        for number in self.limiting:
            carry = permits & ~masks[number]
            if carry:
                ones, carry = ones ^ carry, ones & carry
                if carry:
                    twos, carry = twos ^ carry, twos & carry
                    if carry:
                        fours, carry = fours ^ carry, fours & carry
                        eights ^= carry
        best = permits & ~eights or permits
        best = best & ~fours or best
        best = best & ~twos or best
        best = best & ~ones or best
        best = best & same_verb or best
        best = best & masks[OBJECT] or best
        low = best & -best
        return low, self.clauses[low.bit_length() - 1]
