"""Where the new version answers flows worse than the old one: three questions, asked of every cell of every verb.

1. permission: does it permit what the old one refused? Or, where both permit, longer or more often?
2. promise: does it no longer forbid what the old one forbade by a sentence, so that only want of permission refuses it?
3. duty: where both permit, is a duty gone that had to be done along with the flow?

Before cells are visited, clauses are laid aside that a single clause of the other version answers for: a permission
within an old one, a prohibition within a new one. What is left is what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from avow.engine.clauses import OBJECT, Clause, Limit
from avow.engine.compare_boxes import PURPOSE, Box, Finding, Found, Side, Table, inside, walk
from avow.engine.compare_conditions import Domains, Known, Search, TooMany, Want, is_false, is_true
from avow.engine.compare_duties import same_content
from avow.engine.compare_same import alike
from avow.engine.compare_spans import Allowance, allowance
from avow.engine.compare_words import Value, Words
from avow.language.syntax import Condition
from avow.language.verbs import FLOWS


class Flows:
    """Compares the answers of two versions to all flows, verb by verb."""

    def __init__(self, old: Side, new: Side, words: Words) -> None:
        self.old, self.new, self.words = old, new, words
        conditions = [c for side in (old, new) for c in side.conditions if c is not None]
        self._search = Search(Domains.of(conditions))
        self._kept, self._same = alike(old, new, words)
        self._allowed_old = [allowance(c.rule) for c in old.clauses]
        self._allowed_new = [allowance(c.rule) for c in new.clauses]

    def findings(self) -> Iterator[tuple[str, Found]]:
        """Each verb with what was found."""
        for verb in FLOWS:
            if verb == "use":
                continue
            gone = self.old.index.by_verb[verb] & ~self._kept & ~self.old.permits
            come = self.new.index.by_verb[verb] & ~self._same & self.new.permits
            if gone or come:
                table = Table(verb, self.old, self.new, self.words)
                for question in (self._permissions, self._promises, self._duties):
                    for found in question(table):
                        yield verb, found

    # Permissions.

    def _permissions(self, table: Table) -> Iterator[Found]:
        here_old, here_new = self._here(table)
        permits, forbids = here_new & self.new.permits, here_new & self.new.forbids
        if not permits:
            return
        wider = self._wider_permits(table, here_old & self.old.permits, permits)
        lost = self._lost(table, here_old & self.old.forbids, forbids)
        if not wider and not lost:
            return
        uses = self._stated_purposes(table)
        relevant = self._relevant(table, here_old & (self.old.permits | self.old.forbids), permits | forbids) | uses
        walls = (forbids & self.new.unconditional & ~self.new.index.excepted) << table.olds
        wide, permitting = wider << table.olds, permits << table.olds

        def alive(state: int, settled: int) -> bool:
            return bool(state & permitting and state & (wide | lost)) and not state & settled & walls

        yield from walk(table, relevant, alive, partial(self._cell_permissions, table, wider, lost, uses))

    def _cell_permissions(self, table: Table, wider: int, lost: int, uses: int, state: int) -> Iterator[Finding]:
        olds, news = table.old_bits(state), table.new_bits(state)
        old_permits, old_forbids = _numbers(olds & self.old.permits), _numbers(olds & self.old.forbids)
        new_permits, new_forbids = _numbers(news & self.new.permits), _numbers(news & self.new.forbids)
        if any(self.new.conditions[f] is None for f in new_forbids):
            return
        open_ = [(c, False) for f in new_forbids if (c := self.new.conditions[f]) is not None]
        for p in new_permits:
            fresh = PURPOSE in self.new.clauses[p].limits and PURPOSE in table.slots and not state & uses
            granted = [*_when(self.new.conditions[p], True), *open_]
            for g in old_forbids:
                if lost >> g & 1:
                    gone = partial(is_false, self.old.conditions[g])
                    yield from self._finding("permission", self.old.clauses[g], granted, gone, fresh)
            if wider >> p & 1:
                yield from self._wider(p, granted, old_permits, old_forbids, fresh)

    def _wider(
        self, p: int, granted: list[Want], old_permits: list[int], old_forbids: list[int], fresh: bool
    ) -> Iterator[Finding]:
        """What a new permission permits beyond the old ones: anything at all, or longer, or more often."""
        clause, allowed = self.new.clauses[p], self._allowed_new[p]

        def permitted(known: Known, among: Iterable[int]) -> bool:
            return any(is_true(self.old.conditions[q], known) for q in among)

        beyond = list(self._finding("permission", clause, granted, partial(permitted, among=old_permits), fresh))
        yield from beyond
        if beyond:
            return
        before = [self.old.conditions[g] for g in old_forbids]
        for kind, covers in (("retention", Allowance.as_long), ("rate", Allowance.as_often)):
            enough = [q for q in old_permits if covers(self._allowed_old[q], allowed)]
            if len(enough) < len(old_permits) and None not in before:
                both = [*granted, *((c, False) for c in before if c is not None)]
                yield from self._finding(kind, clause, both, partial(permitted, among=enough), False)

    def _wider_permits(self, table: Table, olds: int, news: int) -> int:
        """The new permissions that lie within no single old one."""
        boxes = {q: table.old_box(q) for q in _numbers(olds)}
        wider = 0
        for p in _numbers(news & ~self._same):
            box, condition = table.new_box(p), self.new.conditions[p]
            if not any(
                inside(box, boxes[q])
                and self._allowed_old[q].covers(self._allowed_new[p])
                and self._brings((condition, True), (self.old.conditions[q], True))
                for q in boxes
            ):
                wider |= 1 << p
        return wider

    def _lost(self, table: Table, olds: int, news: int) -> int:
        """The old prohibitions that no single new one upholds."""
        boxes = {f: (table.new_box(f), table.new_exception(f)) for f in _numbers(news)}
        lost = 0
        for g in _numbers(olds & ~self._kept):
            box, out, condition = table.old_box(g), table.old_exception(g), self.old.conditions[g]
            if not any(
                inside(box, new_box)
                and (new_out is None or (out is not None and inside(new_out, out)))
                and self._brings((self.new.conditions[f], False), (condition, False))
                for f, (new_box, new_out) in boxes.items()
            ):
                lost |= 1 << g
        return lost

    def _stated_purposes(self, table: Table) -> int:
        """Marks for what the old version uses which object for, by permissions with any verb."""
        marks, made = 0, set[tuple[object, object]]()
        objects, purposes = (self.old.index.slots[table.verb][slot] for slot in (OBJECT, PURPOSE))
        words = self.old.policy.vocabulary
        for clause in (self.old.clauses[i] for i in _numbers(self.old.permits)):
            what, why = clause.limits.get(OBJECT), clause.limits.get(PURPOSE)
            if what is None or why is None or (what.refs, why.refs) in made:
                continue
            made.add((what.refs, why.refs))

            def admits(slot: int, _: int, value: Value, what: Limit = what, why: Limit = why) -> bool:
                if slot == OBJECT:  # of an object that is new itself, nothing was collected for anything yet
                    return not value.in_old or what.admits(objects.ref(value.old or ""), words)
                if slot == PURPOSE and not value.silent:
                    return value.in_old and bool(why.admits(purposes.ref(value.old or ""), words))
                return True

            marks |= table.mark(admits)
        return marks

    # Promises.

    def _promises(self, table: Table) -> Iterator[Found]:
        here_old, here_new = self._here(table)
        refusing = here_new & (self.new.forbids | self.new.closes)
        # A `never` and an `only` bind whatever else is permitted; an `otherwise` gives way to any `may`.
        binding = self.old.stated & ~self.old.closes | self.old.implied
        lost = self._lost(table, here_old & binding, here_new & self.new.forbids)
        lost |= self._lost(table, here_old & self.old.closes, refusing)
        if not lost:
            return
        pairs = self._only_pairs(table, lost & self.old.implied, here_new & self.new.permits)
        known = table.mark(lambda _slot, _number, value: value.in_old)  # of other words nothing was promised
        stated = lost & self.old.stated
        marks = 0
        for mark in pairs:
            marks |= mark
        old_part = here_old & (self.old.permits | stated)
        relevant = self._relevant(table, old_part, refusing | here_new & self.new.permits) | marks | known
        walls = (here_new & self.new.forbids & self.new.unconditional & ~self.new.index.excepted) << table.olds

        def alive(state: int, settled: int) -> bool:
            return bool(state & known and state & (stated | marks)) and not state & settled & walls

        yield from walk(table, relevant, alive, partial(self._cell_promises, table, stated, pairs))

    def _cell_promises(self, table: Table, stated: int, pairs: Mapping[int, int], state: int) -> Iterator[Finding]:
        olds, news = table.old_bits(state), table.new_bits(state)
        silent = self._all_false(news & self.new.forbids)
        if silent is None:
            return
        open_ = self._all_false(news & self.new.closes)
        new_permits, old_permits = _numbers(news & self.new.permits), _numbers(olds & self.old.permits)

        def permits(known: Known) -> bool:
            return any(is_true(self.new.conditions[p], known) for p in new_permits)

        def permitted_before(known: Known) -> bool:
            return any(is_true(self.old.conditions[p], known) for p in old_permits)

        for g in _numbers(olds & stated):
            clause, condition = self.old.clauses[g], self.old.conditions[g]
            closing = clause.effect == "close"
            if closing and open_ is None:
                continue

            def hopeless(known: Known, condition: Condition | None = condition, closing: bool = closing) -> bool:
                return is_false(condition, known) or permits(known) or (closing and permitted_before(known))

            wants = [*silent, *(open_ or ())] if closing else silent
            yield from self._finding("promise", clause, wants, hopeless, False)
        for mark, g in pairs.items():
            if state & mark:
                yield from self._finding("promise", self.old.clauses[g], silent, permits, False)

    def _all_false(self, news: int) -> list[Want] | None:
        """What rules all these new clauses out; None if nothing does."""
        conditions = [self.new.conditions[f] for f in _numbers(news)]
        return None if None in conditions else [(c, False) for c in conditions if c is not None]

    def _only_pairs(self, table: Table, implied: int, permits: int) -> dict[int, int]:
        """Marks for what an `only` forbade beside what the new version still permits; mark to old clause.

        Who stops sharing with the carriers breaks no promise to share only with them; who goes on does.
        """
        pairs: dict[int, int] = {}
        new_boxes = {p: table.new_box(p) for p in _numbers(permits)}
        for g in _numbers(implied):
            beyond = [slot for slot, limit in self.old.clauses[g].limits.items() if limit.mode == "beyond"]
            old_box = table.old_box(g)
            for new_box in new_boxes.values():
                if all(new_box[slot] & ~old_box[slot] for slot in beyond):

                    def admits(
                        slot: int, i: int, _: Value, old: Box = old_box, new: Box = new_box, out: list[int] = beyond
                    ) -> bool:
                        return bool(old[slot] >> i & 1) and (slot in out or bool(new[slot] >> i & 1))

                    pairs[table.mark(admits)] = g
        return pairs

    # Duties.

    def _duties(self, table: Table) -> Iterator[Found]:
        here_old, here_new = self._here(table)
        owed, kept = here_old & self.old.accompanying, here_new & (self.new.accompanying | self.new.gating)
        permits = here_old & self.old.permits, here_new & self.new.permits
        if not owed or not all(permits):
            return
        like = {d: self._like(d, kept) for d in _numbers(owed)}
        boxes = {e: table.new_box(e) for e in _numbers(kept)}
        lost = 0
        for d, candidates in like.items():
            box, condition = table.old_box(d), self.old.conditions[d]
            if not self._kept >> d & 1 and not any(
                inside(box, boxes[e]) and self._brings((self.new.conditions[e], False), (condition, False))
                for e in _numbers(candidates)
            ):
                lost |= 1 << d
        if not lost:
            return
        old_part = permits[0] | here_old & self.old.forbids | lost
        new_part = permits[1] | here_new & self.new.forbids | kept
        relevant = self._relevant(table, old_part, new_part)
        permitting = permits[1] << table.olds

        def alive(state: int, settled: int) -> bool:
            return bool(state & lost and state & permits[0] and state & permitting)

        yield from walk(table, relevant, alive, partial(self._cell_duties, table, lost, like))

    def _like(self, d: int, kept: int) -> int:
        """The new duties that ask for at least what an old one asks for."""
        old = self.old.clauses[d].duty
        assert old is not None
        like = 0
        for e in _numbers(kept):
            new = self.new.clauses[e].duty
            if new is not None and same_content(old, new, self.words):
                like |= 1 << e
        return like

    def _cell_duties(self, table: Table, lost: int, like: Mapping[int, int], state: int) -> Iterator[Finding]:
        olds, news = table.old_bits(state), table.new_bits(state)
        walls = [c for side, bits in ((self.old, olds), (self.new, news)) for c in _conditions(side, bits)]
        if None in walls:
            return
        open_ = [(c, False) for c in walls if c is not None]
        for d in _numbers(olds & lost):
            answers = [self.new.conditions[e] for e in _numbers(news & like[d])]
            if None in answers:
                continue
            silent = [(c, False) for c in answers if c is not None]
            gone = partial(is_false, self.old.conditions[d])
            for q in _numbers(olds & self.old.permits):
                for p in _numbers(news & self.new.permits):
                    both = [*_when(self.old.conditions[q], True), *_when(self.new.conditions[p], True)]
                    yield from self._finding("duty", self.old.clauses[d], [*both, *open_, *silent], gone, False)

    # What the questions share.

    def _here(self, table: Table) -> tuple[int, int]:
        return table.start & ((1 << table.olds) - 1), table.start >> table.olds & ((1 << table.news) - 1)

    def _relevant(self, table: Table, olds: int, news: int) -> int:
        """The bits of these clauses, and those of their exceptions."""
        clauses = olds | news << table.olds
        return clauses | clauses << (table.olds + table.news)

    def _finding(
        self, kind: str, cause: Clause, wants: list[Want], hopeless: Callable[[Known], bool], fresh: bool
    ) -> Iterator[Finding]:
        try:
            facts = self._search.first(wants, hopeless)
        except TooMany:
            yield Finding("undecided", cause.rule, {}, fresh)
            return
        if facts is not None:
            yield Finding(kind, cause.rule, facts, fresh)  # type: ignore[arg-type]

    def _brings(self, given: tuple[Condition | None, bool], then: tuple[Condition | None, bool]) -> bool:
        """Whether the one guard's value always brings the other's. A guard that is not there is always true."""
        if then[0] is None:
            return then[1] or (given[0] is None and not given[1])
        if given[0] is None:
            return not given[1]
        try:
            return self._search.implies((given[0], given[1]), (then[0], then[1]))
        except TooMany:
            return False  # then the cells are visited one by one


def _conditions(side: Side, bits: int) -> list[Condition | None]:
    return [side.conditions[f] for f in _numbers(bits & side.forbids)]


def _when(condition: Condition | None, value: bool) -> list[Want]:
    return [] if condition is None else [(condition, value)]


def _numbers(bits: int) -> list[int]:
    """The positions of the bits that are set, from the lowest."""
    numbers = []
    while bits:
        low = bits & -bits
        numbers.append(low.bit_length() - 1)
        bits ^= low
    return numbers
