"""What a patch that takes a guard away consists of."""

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
