from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avow.engine.conditions import evaluate, when
from avow.language.syntax import AllOf, AnyOf, Compare, Condition, Fact, Not, Number, Span, Term

A, B = Fact(Term("a")), Fact(Term("b"))
VALUES = (True, False, None)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(VALUES, VALUES)))
def test_and_or_not_follow_kleenes_tables(a: bool | None, b: bool | None) -> None:
    facts = {"a": a, "b": b}
    both = False if False in (a, b) else None if None in (a, b) else True
    either = True if True in (a, b) else None if None in (a, b) else False
    assert evaluate(AllOf((A, B)), facts) is both
    assert evaluate(AnyOf((A, B)), facts) is either
    assert evaluate(Not(A), facts) is {True: False, False: True, None: None}[a]


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("<", (True, False, False)),
        ("<=", (True, True, False)),
        (">", (False, False, True)),
        (">=", (False, True, True)),
    ],
)
def test_comparisons_at_below_and_above_the_bound(operator: str, holds: tuple[bool, ...]) -> None:
    condition = Compare(Term("age"), operator, Number(16))  # type: ignore[arg-type]
    assert tuple(evaluate(condition, {"age": age}) for age in (15.99, 16, 16.01)) == holds


def test_a_span_is_compared_in_seconds() -> None:
    condition = Compare(Term("since"), "<", Span(2, "minutes"))
    assert evaluate(condition, {"since": 119.0}) is True
    assert evaluate(condition, {"since": 120.0}) is False


def test_a_yes_is_no_number_and_a_number_is_no_yes() -> None:
    assert evaluate(Compare(Term("age"), "<", Number(16)), {"age": True}) is None
    assert evaluate(A, {"a": 1.0}) is None


@pytest.mark.parametrize("measured", ["16", float("nan"), [16], None, True])
def test_what_is_no_number_is_unknown_and_so_neither_above_nor_below(measured: object) -> None:
    for operator in ("<", "<=", ">", ">="):
        condition = Compare(Term("age"), operator, Number(16))
        facts = {"age": measured}
        assert evaluate(condition, facts) is None  # type: ignore[arg-type]
        assert not when(condition, True)(facts)  # type: ignore[arg-type]
        assert not when(condition, False)(facts)  # type: ignore[arg-type]


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.sampled_from([A, B, Fact(Term("consented", (Term("news"),)))])
    | st.builds(
        Compare,
        st.just(Term("age")),
        st.sampled_from(["<", "<=", ">", ">="]),
        st.sampled_from([Number(13), Number(16.5), Span(2, "minutes"), Span(2, "blinks")]),
    ),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=8,
)
FACTS = st.dictionaries(
    st.sampled_from(["a", "b", "consented(news)", "age"]),
    st.none() | st.booleans() | st.sampled_from([0.0, 1.0, 13.0, 16.5, 120.0, float("nan"), float("inf")]),
)


@settings(max_examples=400)
@given(CONDITIONS, FACTS)
def test_the_tests_for_the_path_of_a_flow_say_what_evaluating_says(
    condition: Condition, facts: dict[str, bool | float | None]
) -> None:
    assert when(condition, True)(facts) is (evaluate(condition, facts) is True)
    assert when(condition, False)(facts) is (evaluate(condition, facts) is False)
