"""Conditions in three values: true, false, and None for unknown (Kleene's strong logic).

A fact that nobody supplied is unknown. A fact of the wrong type is unknown too: a number is no yes, and a yes, a text
or a `nan` is no number, so that a mixed-up fact denies.

`evaluate` walks a condition; `when` turns it into a test once, for the path of a flow, where it is asked each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, reduce
from operator import ge, gt, le, lt
from typing import Any, TypeGuard

from avow.language.syntax import AllOf, AnyOf, Compare, Condition, Fact, Not, Span, atoms
from avow.values import Facts

#: The types that measured words usually have. Which others count as a number, `_is_number` says.
_USUAL = frozenset((int, float))

_OPERATORS: dict[str, Callable[[Any, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def evaluate(condition: Condition, facts: Facts) -> bool | None:
    """The value of a condition, given these facts."""
    if isinstance(condition, Fact):
        value = facts.get(str(condition.term))
        return value if isinstance(value, bool) else None
    if isinstance(condition, Compare):
        return _compare(condition, facts)
    if isinstance(condition, Not):
        inner = evaluate(condition.part, facts)
        return None if inner is None else not inner
    values = [evaluate(part, facts) for part in condition.parts]
    decisive = isinstance(condition, AnyOf)  # one true settles an `or`, one false an `and`
    if decisive in values:
        return decisive
    return None if None in values else not decisive


def _compare(condition: Compare, facts: Facts) -> bool | None:
    measured = facts.get(condition.word.name)
    value = condition.value
    bound = value.seconds if isinstance(value, Span) else value.value
    if bound is None or not _is_number(measured):
        return None
    return _OPERATORS[condition.operator](measured, bound)


def _is_number(measured: Any) -> TypeGuard[float]:
    return (
        isinstance(measured, (int, float)) and measured is not True and measured is not False and measured == measured
    )


#: Whether a condition is known to be true, or known to be false, under some facts.
Test = Callable[[Facts], bool]


def when(condition: Condition, want: bool) -> Test:
    """A test that says whether `evaluate(condition, facts) is want`."""
    if isinstance(condition, Fact):
        key = str(condition.term)
        return (lambda facts: facts.get(key) is True) if want else (lambda facts: facts.get(key) is False)
    if isinstance(condition, Compare):
        return _measure(condition, want)
    if isinstance(condition, Not):
        return when(condition.part, not want)
    # A true `and` and a false `or` need every part; a false `and` and a true `or` need one.
    join = _both if isinstance(condition, AllOf) is want else _either
    return reduce(join, (when(part, want) for part in condition.parts))


def _both(one: Test, other: Test) -> Test:
    return lambda facts: one(facts) and other(facts)


def _either(one: Test, other: Test) -> Test:
    return lambda facts: one(facts) or other(facts)


def _measure(condition: Compare, want: bool) -> Test:
    name, operator, value = condition.word.name, _OPERATORS[condition.operator], condition.value
    bound = value.seconds if isinstance(value, Span) else value.value
    if bound is None:
        return lambda facts: False

    def test(facts: Facts) -> bool:
        measured: Any = facts.get(name)
        # Of the two usual types at once; a `nan` is unlike itself.
        if measured.__class__ in _USUAL:
            return operator(measured, bound) is want and measured == measured
        return _is_number(measured) and operator(measured, bound) is want

    return test


def all_of(parts: list[Condition]) -> Condition | None:
    """One condition that holds when all parts do; None for no parts."""
    if len(parts) < 2:
        return parts[0] if parts else None
    return AllOf(tuple(parts))


def states(condition: Condition | None) -> tuple[Callable[[Facts], bool | None], ...]:
    """For each atom, in the order in which the condition names them, what gives its value."""
    return tuple(map(_state, atoms(condition))) if condition is not None else ()


def asked_by(conditions: Iterable[Condition | None]) -> tuple[Callable[[Facts], bool | None], ...]:
    """What gives the value of each atom that any of these conditions has, once for each atom."""
    every = (atom for condition in conditions if condition is not None for atom in atoms(condition))
    return tuple(map(_state, dict.fromkeys(every)))


@lru_cache(4096)  # shared by all that ask the same: what is small stays in a processor's caches
def _state(atom: Fact | Compare) -> Callable[[Facts], bool | None]:
    if isinstance(atom, Compare):
        return _measured(atom)
    key = str(atom.term)

    def state(facts: Facts) -> bool | None:
        value = facts.get(key)
        return value if value is True or value is False else None

    return state


def _measured(atom: Compare) -> Callable[[Facts], bool | None]:
    name, operator, value = atom.word.name, _OPERATORS[atom.operator], atom.value
    bound = value.seconds if isinstance(value, Span) else value.value

    def state(facts: Facts) -> bool | None:
        measured: Any = facts.get(name)
        if measured.__class__ in _USUAL and measured == measured and bound is not None:
            return operator(measured, bound)
        return _compare(atom, facts)

    return state


def told(condition: Condition, known: Iterable[bool | None]) -> Iterator[str]:
    """Each atom once, with its value in words: `consented(newsletter)` is unknown."""
    for atom, value in dict(zip(atoms(condition), known, strict=True)).items():
        yield said(atom, value)


def said(atom: Fact | Compare, value: bool | None) -> str:
    """An atom with its value."""
    return f"`{atom}` is {'unknown' if value is None else 'true' if value else 'false'}"
