"""Conditions in three values: true, false, and None for unknown (Kleene's strong logic).

A fact that nobody supplied is unknown. A fact of the wrong type is unknown too: a number is no yes, and a yes is no
number, so that a mixed-up fact denies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import ge, gt, le, lt

from avow.language.syntax import AllOf, AnyOf, Compare, Condition, Fact, Not, Span, atoms
from avow.values import Facts

_OPERATORS: dict[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


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
    if measured is None or isinstance(measured, bool) or bound is None:
        return None
    return _OPERATORS[condition.operator](measured, bound)


def all_of(parts: list[Condition]) -> Condition | None:
    """One condition that holds when all parts do; None for no parts."""
    if len(parts) < 2:
        return parts[0] if parts else None
    return AllOf(tuple(parts))


def states(condition: Condition, facts: Facts) -> tuple[bool | None, ...]:
    """The value of each atom, in the order in which the condition names them."""
    return tuple([evaluate(atom, facts) for atom in atoms(condition)])


def told(condition: Condition, known: Iterable[bool | None]) -> Iterator[str]:
    """Each atom once, with its value in words: `consented(newsletter)` is unknown."""
    for atom, value in dict(zip(atoms(condition), known, strict=True)).items():
        yield f"`{atom}` is {'unknown' if value is None else 'true' if value else 'false'}"
