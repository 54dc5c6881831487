"""All flows of one verb as boxes: per slot, the words that each clause of either version admits.

Words that no clause tells apart form a class; a clause is a box of classes, one set per slot. `walk` cuts the whole
space along these boxes, slot by slot, keeps of each half only the clauses that still admit it, and visits each
combination of clauses once, whatever the number of flows behind it. Nothing is left out: every flow of the verb, silent
slots included, lies in exactly one visited cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from avow.engine.clauses import OBJECT, SILENT, SLOT, Clause
from avow.engine.compare_conditions import Known, renamed_condition
from avow.engine.compare_result import Kind
from avow.engine.compare_words import Value, Words
from avow.engine.policy import Policy
from avow.language.rules import Ref, Rule
from avow.language.syntax import Condition
from avow.language.verbs import FLOWS

PURPOSE = SLOT["for"]
#: The order in which slots are cut: what tells most clauses apart comes first.
ORDER = (OBJECT, PURPOSE, *(slot for slot in SLOT.values() if slot != PURPOSE))

#: What the flows of a cell say: slot to value. Slots that are not in it are silent.
Path = tuple[tuple[int, Value], ...]
#: For each slot the values that something admits, as a set of bits in the order of the slot's values.
Box = Mapping[int, int]


class Side:
    """One version, its clauses and their conditions, in the words of the new version."""

    def __init__(self, policy: Policy, words: Words, *, old: bool) -> None:
        self.policy = policy
        self.index = policy.index
        self.clauses: list[Clause] = policy.index.clauses
        self.conditions: list[Condition | None] = [
            renamed_condition(clause.condition, words.rename) if old and clause.condition else clause.condition
            for clause in self.clauses
        ]
        effects = self.index.by_effect
        self.permits, self.forbids, self.closes = effects["permit"], effects["forbid"], effects["close"]
        #: Prohibitions that a `never` states itself: neither implied by an `only` nor a gate.
        self.stated = self._where(lambda c: c.effect == "forbid" and not c.implied and c.duty is None) | self.closes
        self.implied = self._where(lambda c: c.implied)
        #: Duties that are done in the same unit of work as the flow.
        self.accompanying = self._where(lambda c: c.duty is not None and c.effect == "duty" and c.duty.timing == "with")
        self.gating = self._where(lambda c: c.duty is not None and c.effect == "duty" and c.duty.timing == "before")
        self.unconditional = self._where(lambda c: c.condition is None)

    def exceptable(self, slots: Iterable[int]) -> int:
        """The clauses whose exception a flow can fall under that states no other slots than these."""
        able = set(slots)
        return self._where(lambda c: bool(c.exceptions) and able.issuperset(c.exceptions))

    def _where(self, chosen: Callable[[Clause], bool]) -> int:
        return sum(1 << i for i, clause in enumerate(self.clauses) if chosen(clause))


class Table:
    """The clauses of both versions that speak of one verb, as bits of one integer, and what each slot's values do.

    The bits of a state, from the lowest: the old clauses that admit the cell, the new ones, the old clauses
    whose exception takes it out, the new ones, and the marks that were added by `mark`.
    """

    def __init__(self, verb: str, old: Side, new: Side, words: Words) -> None:
        self.verb, self.old, self.new = verb, old, new
        self.olds, self.news = len(old.clauses), len(new.clauses)
        self._width = 2 * (self.olds + self.news)
        self.marks = 0
        signature = FLOWS[verb]
        kinds = {OBJECT: signature.objects, **{SLOT[p]: k for p, k in signature.takes.items() if p in SLOT and k}}
        self.slots = tuple(slot for slot in ORDER if slot in kinds)
        self.values = {slot: words.values(kinds[slot], optional=slot != OBJECT) for slot in self.slots}
        self.masks = {slot: list(self._masks(slot, words)) for slot in self.slots}
        self._boxes: dict[int, Box] = {}
        start = old.index.by_verb[verb] | new.index.by_verb[verb] << self.olds
        excepted = old.exceptable(self.slots) | new.exceptable(self.slots) << self.olds
        for slot in set(SLOT.values()) - set(self.slots):  # what the verb does not take, its flows do not say
            start &= old.index.slots[verb][slot][None] | new.index.slots[verb][slot][None] << self.olds
        self.start = start | (start & excepted) << (self.olds + self.news)

    def _masks(self, slot: int, words: Words) -> Iterator[int]:
        before, now = Column(self.old, self.verb, slot), Column(self.new, self.verb, slot)
        for value in self.values[slot]:
            old, old_out = before.bits(value.old, value.in_old)
            for looser in words.looser_forms(value.old or "") if value.in_old else ():
                # Who permitted groups of twenty permitted groups of fifty, and `only` those let these pass too.
                other, _ = before.bits(looser, True)
                old = (old | other & self.old.permits) & (~before.beyond | other)
            new, new_out = now.bits(value.new, value.in_new)
            yield old | new << self.olds | (old_out | new_out << self.olds) << (self.olds + self.news)

    # The parts of a state.

    def old_bits(self, state: int) -> int:
        """The old clauses that hold in a cell: those that admit it, without those whose exception takes it out."""
        return state & ~(state >> (self.olds + self.news)) & ((1 << self.olds) - 1)

    def new_bits(self, state: int) -> int:
        """The new clauses that hold in a cell."""
        whole = (1 << (self.olds + self.news)) - 1
        return (state & ~(state >> (self.olds + self.news)) & whole) >> self.olds

    def mark(self, admits: Callable[[int, int, Value], bool]) -> int:
        """Add a mark: a further box, given by the slots, numbers and values that it admits. Returns its bit."""
        bit = 1 << (self._width + self.marks)
        self.marks += 1
        for slot in self.slots:
            masks = self.masks[slot]
            for i, value in enumerate(self.values[slot]):
                if admits(slot, i, value):
                    masks[i] |= bit
        self.start |= bit
        return bit

    # Boxes.

    def box(self, bit: int) -> Box:
        """The values that a bit admits."""
        known = self._boxes.get(bit)
        if known is None:
            known = self._boxes[bit] = {
                slot: sum(1 << i for i, mask in enumerate(self.masks[slot]) if mask & bit) for slot in self.slots
            }
        return known

    def old_box(self, clause: int) -> Box:
        """The box of an old clause, by its number."""
        return self.box(1 << clause)

    def new_box(self, clause: int) -> Box:
        """The box of a new clause, by its number."""
        return self.box(1 << (self.olds + clause))

    def old_exception(self, clause: int) -> Box | None:
        """The box that an old clause's exception takes out."""
        if not self.old.clauses[clause].exceptions:
            return None
        return self.box(1 << (self.olds + self.news + clause))

    def new_exception(self, clause: int) -> Box | None:
        """The box that a new clause's exception takes out."""
        if not self.new.clauses[clause].exceptions:
            return None
        return self.box(1 << (2 * self.olds + self.news + clause))


class Column:
    """What one slot's words mean to the clauses of a version that speak of a verb; the engine's `Slot`, for one verb.

    A word that the version does not have counts as one that stands beside all that it has: it falls under the
    clauses that speak of any word there, or of any but some. As an object it may fall under a word above it.
    """

    def __init__(self, side: Side, verb: str, slot: int) -> None:
        self._words = side.policy.vocabulary
        self._slot = side.index.slots[verb][slot]
        self._permits = side.permits
        members = list(side.index.members(side.index.by_verb[verb]))
        limits = [(bit, clause.limits[slot]) for bit, clause in members if slot in clause.limits]
        self._whole = limits
        self._limits = [(bit, limit.mode, limit.refs, _bare(limit.refs)) for bit, limit in limits]
        self._free = sum(bit for bit, clause in members if slot not in clause.limits)
        self.beyond = sum(bit for bit, mode, _, _ in self._limits if mode == "beyond")
        self._exceptions = [(bit, clause.exceptions.get(slot)) for bit, clause in members if clause.exceptions]

    def bits(self, word: str | None, declared: bool) -> tuple[int, int]:
        """The clauses that a word falls under, and those whose exception it falls under."""
        ref = self._slot.ref(word) if declared and word is not None else None
        out = sum(b for b, limit in self._exceptions if limit is None or limit.admits(ref, self._words))
        if not declared and self._slot.number == OBJECT:
            return self._slot.undeclared(word or "") & ~self._permits, out
        bits = self._free
        if ref is None:
            silent = sum(bit for bit, mode, _, _ in self._limits if mode in SILENT) if declared else 0
            return bits | self.beyond | silent, out
        kind, name = ref
        if "(" in name:
            return bits | sum(bit for bit, limit in self._whole if limit.admits(ref, self._words)), out
        below = {(kind, low) for low in self._words.below(kind, name)}
        for bit, mode, refs, bare_refs in self._limits:
            covered = ref in refs
            if mode in ("touching", "meeting") and not covered:
                covered = not below.isdisjoint(bare_refs)
            if covered is (mode != "beyond"):  # `plain` lists nothing
                bits |= bit
        return bits, out


def _bare(refs: frozenset[Ref]) -> frozenset[Ref]:
    return frozenset((kind, name.partition("(")[0]) for kind, name in refs)


def inside(inner: Box, outer: Box) -> bool:
    """Whether one box lies in the other."""
    return all(values & ~outer[slot] == 0 for slot, values in inner.items())


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """What is wrong in a cell, and the facts under which it is. Findings with one cause are one difference."""

    kind: Kind
    cause: Rule
    facts: Known
    fresh: bool = False  # for a purpose that the old version did not state

    @property
    def key(self) -> tuple[str, int, bool]:
        """Findings with the same key are told as one."""
        return self.kind, id(self.cause), self.fresh


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A finding with a flow of its cell; of all such flows one that takes the fewest words."""

    finding: Finding
    path: Path = ()

    @property
    def cost(self) -> int:
        """How much there is to say."""
        return len(self.path) + len(self.finding.facts)


def walk(
    table: Table, relevant: int, alive: Callable[[int, int], bool], visit: Callable[[int], Iterable[Finding]]
) -> Iterator[Found]:
    """Visit every cell and yield the cheapest flow for each finding.

    `relevant` are the bits that matter; `alive(state, settled)` tells whether a part of the space can hold a
    finding, where `settled` are the bits that no slot still to come can take away.
    """
    slots = table.slots
    groups = [_groups(table, slot, relevant) for slot in slots]
    settled = [-1]
    for group in reversed(groups):
        every = -1
        for mask, _ in group:
            every &= mask
        settled.append(settled[-1] & every)
    settled.reverse()
    seen: dict[tuple[int, int], dict[object, Found]] = {}

    def below(depth: int, state: int) -> dict[object, Found]:
        if not alive(state, settled[depth]):
            return {}
        if (known := seen.get((depth, state))) is not None:
            return known
        best: dict[object, Found] = {}
        if depth == len(slots):
            for finding in visit(state):
                _keep(best, Found(finding))
        else:
            tried: set[int] = set()
            for mask, value in groups[depth]:
                if (rest := state & mask) in tried:
                    continue
                tried.add(rest)
                for found in below(depth + 1, rest).values():
                    path = found.path if value.silent else ((slots[depth], value), *found.path)
                    _keep(best, Found(found.finding, path))
        seen[depth, state] = best
        return best

    yield from below(0, table.start & relevant).values()


def _groups(table: Table, slot: int, relevant: int) -> list[tuple[int, Value]]:
    """The classes of a slot's values, each with the value that reads best."""
    classes: dict[int, Value] = {}
    for mask, value in zip(table.masks[slot], table.values[slot], strict=True):
        classes.setdefault(mask & relevant, value)
    return list(classes.items())


def _keep(best: dict[object, Found], found: Found) -> None:
    known = best.get(found.finding.key)
    if known is None or found.cost < known.cost:
        best[found.finding.key] = found
