"""How often each sentence permitted, refused or was carried out, counted from the entries of the ledger.

One cell counts the entries of a day that rest on a sentence and are alike in all that tells them apart:

    day, anchor, event, verb, purpose, recipient, role  ->  times

Whoever has the bodies counts the same: an entry belongs to the day of its hour (UTC), and counts once for each of its
sentences. Entries that rest on none (that a peer was reached, that a mail is on its way) are in no cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, NamedTuple, TypeAlias

from avow.ledger.entry import Entry

_FIRST: Final = date(1970, 1, 1)


#: The events that say that something was done by a sentence: a duty, a signature for a measure, somebody handed over to
#: another installation or taken over from one. Whatever else an entry tells of (a signature that was withdrawn, a key
#: that was destroyed after an erasure that counts already) goes under its own name and is no time more.
DONE: Final = frozenset({"done", "signed", "packed", "brought"})


class Cell(NamedTuple):
    """What is counted together. `day` counts from 1970-01-01; purpose, recipient and role are empty where none is."""

    day: int
    anchor: str
    event: str
    verb: str
    purpose: str
    recipient: str
    role: str

    @property
    def date(self) -> date:
        """Its day."""
        return date_of(self.day)


def number_of(day: date) -> int:
    """A day as cells count it."""
    return (day - _FIRST).days


def date_of(number: int) -> date:
    """The day that cells count so."""
    return _FIRST + timedelta(days=number)


Cells: TypeAlias = Mapping[Cell, int]


def cells_of(entry: Entry) -> list[Cell]:
    """The cells that an entry counts in: one for each of its sentences."""
    told = (entry.event, entry.verb, entry.purpose or "", entry.recipient or "", entry.role or "")
    return [Cell(entry.hour // 24, anchor, *told) for anchor in entry.sentences]


def count(entries: Sequence[Entry]) -> Counter[Cell]:
    """The cells of some entries."""
    # Those that say the same are mostly one object (`entry.read_quickly`), which is looked at once.
    cells: Counter[Cell] = Counter()
    each = {id(entry): entry for entry in entries}
    for identity, times in Counter(map(id, entries)).items():
        for cell in cells_of(each[identity]):
            cells[cell] += times
    return cells


@dataclass(slots=True)
class Figures:
    """What one sentence did within a time.

    Attributes:
        permitted, refused: how often it let a flow happen, and kept one from happening.
        done: how often something was done by it: a duty, a signature, a transfer (`DONE`).
        failed: how often that was tried in vain.
        by: all of that, and every other event, by event, verb, purpose, recipient and role.
        days: by day, how often it permitted or was done, and how often it refused.
        last: the last day on which anything was counted.
    """

    permitted: int = 0
    refused: int = 0
    done: int = 0
    failed: int = 0
    by: Counter[tuple[str, str, str, str, str]] = field(default_factory=Counter)
    days: dict[int, tuple[int, int]] = field(default_factory=dict)
    last: int | None = None

    @property
    def kept(self) -> int:
        """How often it permitted or was carried out."""
        return self.permitted + self.done

    def add(self, cell: Cell, times: int) -> None:
        """Count a cell of the sentence."""
        permitted = times if cell.event == "permitted" else 0
        done = times if cell.event in DONE else 0
        refused = times if cell.event == "refused" else 0
        kept = permitted + done
        self.permitted += permitted
        self.done += done
        self.refused += refused
        self.failed += times if cell.event == "failed" else 0
        self.by[cell[2:]] += times
        before = self.days.get(cell.day, (0, 0))
        self.days[cell.day] = (before[0] + kept, before[1] + refused)
        self.last = max(self.last or 0, cell.day)


def by_sentence(cells: Iterable[tuple[Cell, int]]) -> dict[str, Figures]:
    """The figures of each sentence that the cells tell of, by anchor."""
    found: dict[str, Figures] = {}
    for cell, times in cells:
        found.setdefault(cell.anchor, Figures()).add(cell, times)
    return found
