"""Guards in the code, each with the patch that takes it away. `make mutate` applies them one at a time.

A patch replaces an exact piece of source that occurs once in its file; production code knows nothing of it. Write one
for each check that keeps a promise row, next to the change that adds the check:

    Mutation("I2", "src/avow/edge/detectors.py", "if not luhn(digits):", "if True:", "a card number in a note passes")
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One patch. `row` is the promise whose `holds` tests must notice; `why` says what it lets through."""

    row: str
    file: str
    find: str
    replace: str
    why: str


MUTATIONS: tuple[Mutation, ...] = ()
