"""The fewest facts that settle a condition, and the fewest that would have to change for it to come out otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, product

from avow.engine.conditions import evaluate
from avow.language.syntax import AllOf, Compare, Condition, Fact, Not, Span, atoms
from avow.values import Facts

Atom = Fact | Compare
#: Beyond this many atoms the fewest changes are not looked for: three to this power would be tried.
ATOMS = 8
#: Less than any two thresholds differ by.
TINY = 1e-6
#: Atoms with the value that each would have to have.
Changes = tuple[tuple[Atom, bool], ...]


def holds(condition: Condition, facts: Facts, want: bool, *, known: bool) -> bool:
    """Whether a condition is `want`; unless it must be `known`, being unknown is enough."""
    value = evaluate(condition, facts)
    return value is want if known else value is not (not want)


def grounds(condition: Condition, facts: Facts, want: bool, *, known: bool) -> tuple[Atom, ...]:
    """The fewest atoms for which the condition is `want` (or, unless `known`, is not the opposite).

    The condition has to hold in that sense.
    """
    if isinstance(condition, (Fact, Compare)):
        return (condition,)
    if isinstance(condition, Not):
        return grounds(condition.part, facts, not want, known=known)
    parts = [part for part in condition.parts if holds(part, facts, want, known=known)]
    found = [grounds(part, facts, want, known=known) for part in parts]
    if want is isinstance(condition, AllOf):  # a true `and`, a false `or`: every part is needed
        return tuple(dict.fromkeys(atom for each in found for atom in each))
    return min(found, key=len)


def lacking(condition: Condition, states: Mapping[Atom, bool | None], want: bool = True) -> tuple[Atom, ...]:
    """The atoms on account of which a condition is not known to be `want`, by the values of its atoms.

    Of an `and` those of each part that is not, of an `or` those of the part that lacks the least. A sketch of `changes`
    that no number of atoms makes slow.
    """
    if under(condition, states) is want:
        return ()
    if isinstance(condition, (Fact, Compare)):
        return (condition,)
    if isinstance(condition, Not):
        return lacking(condition.part, states, not want)
    found = [lacking(part, states, want) for part in condition.parts]
    if want is isinstance(condition, AllOf):
        return tuple(dict.fromkeys(atom for each in found for atom in each))
    return min(found, key=len)


def changes(condition: Condition, facts: Facts, want: bool) -> Changes | None:
    """The fewest atoms that would have to change for the condition to be known to be `want`; None if none would do.

    Tries every set of atoms, the small ones first. Beyond ATOMS atoms it says None.
    """
    names = list(dict.fromkeys(atoms(condition)))
    if len(names) > ATOMS:
        return None
    now = {atom: evaluate(atom, facts) for atom in names}
    for size in range(len(names) + 1):
        for chosen in combinations(names, size):
            for values in product((want, not want), repeat=size):
                found = tuple(zip(chosen, values, strict=True))
                then = {**now, **dict(found)}
                if under(condition, then) is want and all(now[a] is not v for a, v in found) and possible(then):
                    return found
    return None


def under(condition: Condition, known: Mapping[Atom, bool | None]) -> bool | None:
    """The value of a condition when its atoms have these values."""
    if isinstance(condition, (Fact, Compare)):
        return known[condition]
    if isinstance(condition, Not):
        inner = under(condition.part, known)
        return None if inner is None else not inner
    values = [under(part, known) for part in condition.parts]
    decisive = not isinstance(condition, AllOf)
    if decisive in values:
        return decisive
    return None if None in values else not decisive


def possible(known: Mapping[Atom, bool | None]) -> bool:
    """Whether some number answers all comparisons of one measure as it is said here."""
    compared = [(atom, value) for atom, value in known.items() if isinstance(atom, Compare) and value is not None]
    for name in {atom.word.name for atom, _ in compared}:
        same = [(atom, value) for atom, value in compared if atom.word.name == name]
        bounds = [bound(atom) for atom, _ in same]
        tried = [each + step for each in bounds for step in (-TINY, 0, TINY)]
        if not any(all(evaluate(atom, {name: number}) is value for atom, value in same) for number in tried):
            return False
    return True


def bound(atom: Compare) -> float:
    """The number that a measure is compared with; a length of time in seconds."""
    value = atom.value
    return (value.seconds or 0.0) if isinstance(value, Span) else value.value
