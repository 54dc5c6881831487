"""Forms with arguments: how they are read, and which of them stands for which.

    forms: {statistics: {arguments: {epsilon: at_most, group: at_least}}}

A form with arguments stands for those that are as strict: `statistics(epsilon 1, group 20)` for `statistics(epsilon
0.5, group 50)`. An argument without a declared order has to be the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

from avow.language.suggest import did_you_mean
from avow.language.syntax import Position

#: at_most: a smaller number is stricter · at_least: a greater one is
Order = Literal["at_most", "at_least"]
Orders = Mapping[str, Order]
Declared = tuple[tuple[str, Order], ...]
ORDERS: tuple[Order, ...] = ("at_most", "at_least")

#: A named number, or a number, or whatever else in canonical spelling.
Argument = tuple[str, float] | float | str

_FORM = re.compile(r"\s*([a-z][a-z0-9_.]*)\s*\((.+)\)\s*\Z", re.DOTALL)
_NAMED = re.compile(r"([a-z][a-z0-9_.]*) ([0-9]+(?:\.[0-9]+)?)\Z")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")
_OTHER = re.compile(r"[a-z][a-z0-9_.]*(?:\(.+\))?\Z|[0-9]+(?:\.[0-9]+)? [a-z]+\Z")
#: How many spellings are kept: arguments come from code, without end.
_KEPT = 4096


def orders(written: Mapping[str, tuple[str, Position]], fault: Callable[[Position, str, str | None], None]) -> Declared:
    """The orders of a form's arguments as the front matter writes them, each with its place. Faults go to `fault`."""
    found: list[tuple[str, Order]] = []
    for argument, (said, at) in written.items():
        known = next((order for order in ORDERS if order == said), None)
        if known is None:
            help = did_you_mean(said, ORDERS) or "write `at_most` if less is stricter, `at_least` if more is"
            fault(at, f"`{said}` does not say how `{argument}` is ordered", help)
        else:
            found.append((argument, known))
    return tuple(found)


@lru_cache(maxsize=_KEPT)
def arguments(spelled: str) -> tuple[Argument, ...] | None:
    """The arguments of a form as it is spelled, named numbers first and by name; None if it has none or is misspelt."""
    found = _FORM.match(spelled)
    if found is None:
        return None
    named: list[tuple[str, float]] = []
    others: list[float | str] = []
    for part in _parts(found[2]):
        text = " ".join(part.split())
        if pair := _NAMED.match(text):
            named.append((pair[1], float(pair[2])))
        elif _NUMBER.match(text):
            others.append(float(text))
        elif _OTHER.match(text):
            others.append(text)
        else:
            return None
    return (*sorted(named), *others)


def stands_for(wide: str, narrow: str, orders: Orders) -> bool:
    """Whether one form with arguments stands for another with the same name."""
    return _compared(wide, narrow, orders, meeting=False)


def meet(one: str, other: str, orders: Orders) -> bool:
    """Whether some form is as strict as both: numbers that have an order do not keep two forms apart."""
    return _compared(one, other, orders, meeting=True)


def _compared(wide: str, narrow: str, orders: Orders, *, meeting: bool) -> bool:
    own, theirs = arguments(wide), arguments(narrow)
    if own is None or theirs is None or len(own) != len(theirs):
        return False
    return all(_same(a, b, orders, meeting=meeting) for a, b in zip(own, theirs, strict=True))


def _same(wide: Argument, narrow: Argument, orders: Orders, *, meeting: bool) -> bool:
    if not isinstance(wide, tuple) or not isinstance(narrow, tuple):
        return wide == narrow
    (name, limit), (other, value) = wide, narrow
    declared = orders.get(name)
    if name != other or declared is None:
        return wide == narrow
    return meeting or (value <= limit if declared == "at_most" else value >= limit)


def _parts(text: str) -> list[str]:
    """What stands between the commas, those within parentheses left out of account."""
    parts, level = [""], 0
    for character in text:
        level += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and level == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
