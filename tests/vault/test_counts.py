"""Counts of many people: no row is smaller than the group, whatever is taken from whatever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.vault.counts import ELSE, _merged, _spans

GROUP = 10


@dataclass(frozen=True)
class Seen:
    """A record, as far as counting looks at it."""

    id: str
    owner_id: str


def people(count: int, start: int = 0) -> set[str]:
    return {f"p{number}" for number in range(start, start + count)}


@pytest.mark.promise("I4", "holds")
def test_a_cell_below_the_group_goes_into_the_rest() -> None:
    owners = {"brie": people(30), "honey": people(12, 30), "salt": people(6, 42), "oil": people(5, 48)}
    assert _merged(owners, GROUP) == [("brie", 30), ("honey", 12), (ELSE, 11)]


@pytest.mark.promise("I4", "holds")
def test_a_rest_that_is_too_small_takes_the_smallest_of_the_others_with_it() -> None:
    owners = {"brie": people(30), "honey": people(12, 30), "salt": people(3, 42)}
    assert _merged(owners, GROUP) == [("brie", 30), (ELSE, 15)]


@pytest.mark.promise("I4", "holds")
def test_nothing_is_told_where_there_is_no_group_at_all() -> None:
    assert _merged({"brie": people(9)}, GROUP) == []
    assert _merged({"brie": people(5), "honey": people(4, 5)}, GROUP) == []
    assert _merged({}, GROUP) == []


def test_people_are_counted_and_not_their_orders() -> None:
    assert _merged({"brie": {"ann"}, "honey": {"ann"}}, 2) == []


@given(st.dictionaries(st.text("abcdef", min_size=1), st.sets(st.integers(0, 60).map(str)), max_size=12))
def test_no_row_is_smaller_than_the_group(owners: dict[str, set[str]]) -> None:
    for label, count in _merged(owners, GROUP):
        assert count >= GROUP
        assert label == ELSE or count == len(owners[label])


@given(st.lists(st.integers(0, 40), max_size=10), st.data())
def test_nothing_smaller_is_had_by_taking_rows_from_a_total(sizes: list[int], data: st.DataObject) -> None:
    """Where each person is in one cell, as a visit has one browser, the rows are all there is: none is missing."""
    owners, start = {}, 0
    for number, size in enumerate(sizes):
        owners[f"cell{number}"] = people(size, start)
        start += size
    rows = _merged(owners, GROUP)
    assert not rows or sum(count for _, count in rows) == start
    for taken in range(len(rows)):
        left = start - sum(count for _, count in rows[: taken + 1])
        assert left == 0 or left >= GROUP


days = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 80).map(str)), max_size=120).map(
    lambda pairs: [
        (date(2026, 11, 1) + timedelta(day), Seen(f"{number:04d}", owner))
        for number, (day, owner) in enumerate(sorted(pairs))
    ]
)


@given(days)
def test_spans_are_whole_days_in_a_row_and_all_but_the_last_are_full(dated: list[tuple[date, Seen]]) -> None:
    spans = _spans(dated, GROUP)
    assert [record for span in spans for record in span.records] == [record for _, record in dated]
    assert all(span.full for span in spans[:-1])
    assert all(first.last < second.first for first, second in pairwise(spans))


@given(days, st.integers(0, 40))
def test_what_was_shown_once_stays_as_it_was(dated: list[tuple[date, Seen]], day: int) -> None:
    """Two looks at different times show the same periods, and then more of them."""
    then = date(2026, 11, 1) + timedelta(day)
    before = [span for span in _spans([pair for pair in dated if pair[0] < then], GROUP) if span.full]
    after = [span for span in _spans(dated, GROUP) if span.full]
    assert [span.records for span in before] == [span.records for span in after[: len(before)]]


@pytest.mark.parametrize("size", [9, 10, 11])
def test_a_day_alone_is_shown_if_it_has_a_group(size: int) -> None:
    [span] = _spans([(date(2026, 11, 1), Seen(str(n), str(n))) for n in range(size)], GROUP)
    assert span.full is (size >= GROUP)
