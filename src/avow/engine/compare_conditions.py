"""Finds facts under which conditions have wanted values, in Kleene's logic: exactly, and with the fewest facts.

Kleene's logic is monotone: what a condition yields from some facts, true or false, it yields from more facts too.
A version permits when some conditions are true and others false; so it also permits with more facts, and refuses also
with fewer. Hence, if any facts make one version permit and the other refuse, then a *least* set of facts
that makes the one permit does. Only least sets are tried, one per combination of the atoms that decide: no
sampling, no table of 3ⁿ rows. A measured word stands for the intervals between the numbers it is compared with, by one
number of each.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from avow.engine.conditions import evaluate
from avow.language.forms import Orders
from avow.language.syntax import AnyOf, Compare, Condition, Fact, Not, Number, Span, Term, atoms

Known = dict[str, bool | float]
#: A condition and the value that it must have.
Want = tuple[Condition, bool]

#: How many combinations of atoms are tried for one class of flows before the comparison says that it cannot tell.
LIMIT = 200_000
#: Arguments and predicates whose numbers have an order: 1 if more is stricter, -1 if less is.
STRICTER_WHEN_MORE: dict[str, int] = {"epsilon": -1, "delta": -1, "group": 1, "approvals": 1}
#: Of how many answers the shortest is told.
_CHOICE = 16
_AT_LEAST = frozenset(("approved",))
NO_ORDERS: Orders = {}


class TooMany(Exception):
    """More combinations of atoms than LIMIT. The comparison then says so; it never guesses."""


def renamed_condition(condition: Condition, rename: Callable[[Term], Term]) -> Condition:
    """The condition with its words renamed."""
    if isinstance(condition, Fact):
        return Fact(rename(condition.term))
    if isinstance(condition, Compare):
        return replace(condition, word=rename(condition.word))
    if isinstance(condition, Not):
        return Not(renamed_condition(condition.part, rename))
    return type(condition)(tuple(renamed_condition(part, rename) for part in condition.parts))


def no_weaker_term(one: Term, other: Term, orders: Orders = NO_ORDERS) -> bool:
    """Whether `one` is `other`, or the same word with thresholds at least as strict: `counts(group 50)`, of 20.

    `orders` are those that a form's arguments are declared to have; they go before STRICTER_WHEN_MORE.
    """
    if one == other:
        return True
    if one.name != other.name or len(one.arguments) != len(other.arguments):
        return False
    return all(
        a == b
        or (
            isinstance(a, Number)
            and isinstance(b, Number)
            and a.name == b.name
            and (sign := _sign(one, a.name or "", orders)) != 0
            and (a.value - b.value) * sign >= 0
        )
        for a, b in zip(one.arguments, other.arguments, strict=True)
    )


def _sign(term: Term, name: str, orders: Orders) -> int:
    if name in orders:
        return -1 if orders[name] == "at_most" else 1
    return STRICTER_WHEN_MORE.get(name, int(term.name in _AT_LEAST))


@dataclass(frozen=True, slots=True)
class Domains:
    """The atoms of both versions: the numbers to try for each measured word, and which yes brings which other yes."""

    numbers: Mapping[str, tuple[float, ...]]
    implied: Mapping[str, tuple[str, ...]]  # `approved(3)` to `approved(2)`
    implying: Mapping[str, tuple[str, ...]]  # the other way

    @classmethod
    def of(cls, conditions: Iterable[Condition]) -> Domains:
        """The domains of all atoms in these conditions."""
        bounds: dict[str, set[float]] = {}
        terms: dict[str, Term] = {}
        for condition in conditions:
            for atom in atoms(condition):
                if isinstance(atom, Compare):
                    if (bound := _bound(atom)) is not None:
                        bounds.setdefault(atom.word.name, set()).add(bound)
                elif atom.term.name in _AT_LEAST:
                    terms[str(atom.term)] = atom.term
        implied = {
            key: tuple(k for k, other in terms.items() if k != key and no_weaker_term(term, other))
            for key, term in terms.items()
        }
        implying = {key: tuple(k for k, low in implied.items() if key in low) for key in terms}
        return cls({name: tuple(_numbers(sorted(found))) for name, found in bounds.items()}, implied, implying)

    def add(self, known: Known, key: str, value: bool | float) -> Known | None:
        """The facts with one more, and those that it brings; None if they contradict."""
        more = {key: value}
        if value is True:
            more.update(dict.fromkeys(self.implied.get(key, ()), True))
        elif value is False:
            more.update(dict.fromkeys(self.implying.get(key, ()), False))
        if any(k in known and known[k] is not v for k, v in more.items()):
            return None
        return {**known, **more}

    def numbers_where(self, atom: Compare, holds: bool) -> tuple[float, ...]:
        """The numbers to try that make a comparison come out so."""
        tried, bound = self.numbers.get(atom.word.name, ()), _bound(atom)
        if bound is None:
            return ()
        at = bisect_left(tried, bound) if atom.operator in ("<", ">=") else bisect_right(tried, bound)
        low = atom.operator in ("<", "<=")
        return tried[:at] if low is holds else tried[at:]


class Search:
    """Tries the least sets of facts under which all wants are met; counts, and raises TooMany beyond LIMIT."""

    def __init__(self, domains: Domains) -> None:
        self._domains = domains
        self._tried = 0

    def first(self, wants: Iterable[Want], hopeless: Callable[[Known], bool]) -> Known | None:
        """Facts that meet all wants and are not hopeless; few of them. None if there are none.

        `hopeless` must be monotone: true of some facts, it is true of more. Raises TooMany.
        """
        self._tried = 0
        best: Known | None = None
        try:
            for found in islice(self._all(tuple(wants), {}, hopeless), _CHOICE):
                if best is None or len(found) < len(best):
                    best = found
        except TooMany:
            if best is None:
                raise
        return best

    def _all(self, wants: tuple[Want, ...], known: Known, hopeless: Callable[[Known], bool]) -> Iterator[Known]:
        if hopeless(known):
            return
        if not wants:
            yield known
            return
        for more in self._ways(*wants[0], known):
            yield from self._all(wants[1:], more, hopeless)

    def _ways(self, condition: Condition, value: bool, known: Known) -> Iterator[Known]:
        """The least additions that give the condition this value; the facts themselves if they already do."""
        self._tried += 1
        if self._tried > LIMIT:
            raise TooMany
        now = evaluate(condition, known)
        if now is not None:
            if now is value:
                yield known
        elif isinstance(condition, Fact):
            key = str(condition.term)
            if key not in known and (more := self._domains.add(known, key, value)) is not None:
                yield more
        elif isinstance(condition, Compare):
            if condition.word.name not in known:
                for number in self._domains.numbers_where(condition, value):
                    yield {**known, condition.word.name: number}
        elif isinstance(condition, Not):
            yield from self._ways(condition.part, not value, known)
        elif isinstance(condition, AnyOf) is value:  # one part settles it
            for part in condition.parts:
                yield from self._ways(part, value, known)
        else:
            yield from self._every(condition.parts, value, known)

    def _every(self, parts: tuple[Condition, ...], value: bool, known: Known) -> Iterator[Known]:
        if not parts:
            yield known
            return
        for more in self._ways(parts[0], value, known):
            yield from self._every(parts[1:], value, more)

    def implies(self, given: Want, then: Want) -> bool:
        """Whether the one value of the one condition always brings the other of the other. Raises TooMany."""
        if given == then:
            return True
        return self.first([given], lambda known: evaluate(then[0], known) is then[1]) is None


def is_true(condition: Condition | None, known: Known) -> bool:
    """Whether a guard is met; one that is not there is."""
    return condition is None or evaluate(condition, known) is True


def is_false(condition: Condition | None, known: Known) -> bool:
    """Whether a guard rules its rule out; one that is not there does not."""
    return condition is not None and evaluate(condition, known) is False


def _bound(atom: Compare) -> float | None:
    return atom.value.seconds if isinstance(atom.value, Span) else atom.value.value


def around(bounds: Iterable[float]) -> list[float]:
    """One number below, at, between and above the bounds, none of them below 0."""
    wanted = sorted(set(bounds))
    return [number for number in _numbers(wanted) if number >= 0] if wanted else []


def _numbers(bounds: list[float]) -> Iterator[float]:
    """One number below, at, between and above the bounds, whole ones if possible; none below 0 unless a bound is."""
    first = bounds[0]
    if first != 0:
        yield first - 1.0 if first >= 1 or first < 0 else first / 2
    else:
        yield -1.0
    for low, high in zip(bounds, [*bounds[1:], None], strict=True):
        yield float(low)
        if high is None:
            yield low + 1.0
        else:
            whole = float(int(low) + 1)
            yield whole if low < whole < high else (low + high) / 2
