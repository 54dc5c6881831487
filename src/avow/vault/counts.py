"""Counts of many: figures out of the records of many people, none of which tells of fewer than a group.

    counts = work.counts("demand", group=10, by="storefront")
    for period in counts.periods(orders, when=lambda order: order.authorisation, least=30):
        rows = counts.by(period.records, what=lambda order: order.items, cells=goods_in)

What goes in is given to one function, `cells`, which names the cells that a text counts for; what comes out are sealed
figures that a page shows as a form of their category, `counts(group 10)`. A figure is a number of people: of records of
different owners. None is smaller than the group, and none can be had by taking one from another:

- Small cells go into one row, everything else. If that is too small, the smallest of the others goes into it as well;
  if nothing is left then, there is no row at all. So is the rest that remains when rows are taken from a total.
- A period is made of whole days that are over, and of as many people as it takes; the days after the last one are not
  shown yet. It is shown as a whole or not at all and does not change afterwards, so that two looks at different times
  show nothing that one does not. (What is erased goes out of it: who looks before and after sees that something did.)
- Within a period days are put together until each row has a group; the last ones go with the row before.

`when` names the value whose seal says when: the hour in which it was collected, which nobody can change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, final

from avow.errors import SetupError
from avow.vault.sealed import Sealed, Stored

if TYPE_CHECKING:
    from avow.values import Facts
    from avow.vault.unit import Unit

#: Under what the cells are told that are too small to stand alone.
ELSE = "everything else"

#: Finds the value of a record that something is counted by.
Value = Callable[[Any], Sealed | None]


@final
class Figure(Sealed):
    """A number or a name in a row of counts. It lies in memory and in no record."""

    __slots__ = ("_category", "_form", "_text")

    def __init__(self, category: str, form: str, text: str) -> None:
        self._category = category
        self._form = form
        self._text = text

    @property
    def category(self) -> str:
        """The kind of information that was derived."""
        return self._category

    @property
    def form(self) -> str:
        """As what it is shown: `counts(group 10)`."""
        return self._form

    def _reveal(self) -> str:
        return self._text


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what was counted, and how many people that is."""

    label: Figure
    people: Figure


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, from `first` to `last` (UTC), and the records of them."""

    first: date
    last: date
    records: tuple[Any, ...]


class Counts:
    """Counts of one category with one group, derived `by` a role of the house. Made by `work.counts`."""

    def __init__(self, unit: Unit, category: str, *, group: int, by: str) -> None:
        if group < 2:
            raise SetupError(f"a group of {group} is none", help="count at least two")
        self._unit = unit
        self._category = category
        self._group = group
        self._by = by
        self._form = f"counts(group {group})"

    def periods(self, records: Iterable[Any], *, when: Value, least: int) -> list[Period]:
        """The periods that are over, the first one first; each has at least `least` people.

        Raises:
            Refused: no sentence permits to derive this.
            SetupError: `least` is less than a group.
        """
        if least < self._group:
            raise SetupError(f"a period of {least} people is less than a group of {self._group}")
        today = datetime.fromtimestamp(self._unit.vault.clock(), UTC).date()
        dated = sorted(self._dated(records, when), key=lambda pair: (pair[0], pair[1].id))
        over = [(day, record) for day, record in dated if day < today]
        spans = [span for span in _spans(over, least) if span.full]
        return [Period(span.first, span.last, tuple(span.records)) for span in spans]

    def by(self, records: Sequence[Any], *, what: Value, cells: Callable[[str], Iterable[str]]) -> list[Row]:
        """A row for each cell that is large enough, the largest first, and at last everything else.

        `cells` is given the text of what was counted, empty where a record has none, and must not keep it.

        Raises:
            Refused: no sentence permits to derive this.
        """
        owners: dict[str, set[str]] = {}
        for record, value in self._derived(records, what):
            for cell in set(cells(value._reveal() if value is not None else "")):
                owners.setdefault(cell, set()).add(record.owner_id)
        return [self._row(label, people) for label, people in _merged(owners, self._group)]

    def by_day(self, records: Sequence[Any], *, when: Value) -> list[Row]:
        """A row for each day or span of days, in their order, of the records of one period."""
        dated = sorted(self._dated(records, when), key=lambda pair: (pair[0], pair[1].id))
        spans = _spans(dated, self._group)
        if len(spans) > 1 and not spans[-1].full:
            rest = spans.pop()
            spans[-1].take(rest)
        return [self._row(span.label, len(span.owners)) for span in spans if span.full]

    def _row(self, label: str, people: int) -> Row:
        return Row(Figure(self._category, self._form, label), Figure(self._category, self._form, f"{people:,}"))

    def _dated(self, records: Iterable[Any], when: Value) -> list[tuple[date, Any]]:
        found = []
        for record, value in self._derived(records, when):
            if not isinstance(value, Stored):
                raise SetupError("what has no date cannot be counted by time", help="select records that have one")
            found.append((datetime.fromtimestamp(value._hour() * 3600, UTC).date(), record))
        return found

    def _derived(self, records: Iterable[Any], what: Value) -> list[tuple[Any, Sealed | None]]:
        """Each record with the value, judged as derived from: once for each category.

        What was collected under an earlier version of the policy that does not permit it is not counted.
        """
        found = [(record, what(record)) for record in records]
        for category in sorted({value.category for _, value in found if value is not None}):
            self._unit.judge("derive", self._category, source=category, form=self._form, role=self._by)
        facts = self._unit.known()
        return [(record, value) for record, value in found if value is None or self._counts(value, facts)]

    def _counts(self, value: Sealed, facts: Facts) -> bool:
        """Whether the version under which it was collected lets it be counted."""
        words = {"source": value.category, "form": self._form, "role": self._by, "purpose": self._unit.purpose}
        return self._unit.verdict("derive", self._category, facts, value, **words).permitted


class _Span:
    """Days in a row. `full` says whether it has as many people as it needs."""

    def __init__(self, least: int) -> None:
        self._least = least
        self.days: list[date] = []
        self.records: list[Any] = []
        self.owners: set[str] = set()

    @property
    def full(self) -> bool:
        return len(self.owners) >= self._least

    @property
    def first(self) -> date:
        return self.days[0]

    @property
    def last(self) -> date:
        return self.days[-1]

    @property
    def label(self) -> str:
        return day_in_words(self.first) + (f" to {day_in_words(self.last)}" if self.last != self.first else "")

    def add(self, day: date, record: Any) -> None:
        if not self.days or self.days[-1] != day:
            self.days.append(day)
        self.records.append(record)
        self.owners.add(record.owner_id)

    def take(self, other: _Span) -> None:
        self.days += other.days
        self.records += other.records
        self.owners |= other.owners


def day_in_words(day: date) -> str:
    """`22 November 2026`."""
    return f"{day.day} {day:%B %Y}"


def _spans(dated: Sequence[tuple[date, Any]], least: int) -> list[_Span]:
    """The records in spans of whole days, each ended by the first day that fills it; the last may not be full."""
    spans: list[_Span] = []
    for day, record in dated:
        if not spans or (spans[-1].full and spans[-1].last != day):
            spans.append(_Span(least))
        spans[-1].add(day, record)
    return spans


def _merged(owners: dict[str, set[str]], group: int) -> list[tuple[str, int]]:
    """The cells that may be told, the largest first, and what is too small together; see the module."""
    large = sorted(
        (cell for cell, people in owners.items() if len(people) >= group), key=lambda c: (-len(owners[c]), c)
    )
    rest: set[str] = set().union(*(people for cell, people in owners.items() if cell not in large))
    while rest and len(rest) < group and large:
        rest |= owners[large.pop()]
    rows = [(cell, len(owners[cell])) for cell in large]
    return rows + ([(ELSE, len(rest))] if len(rest) >= group else [])
