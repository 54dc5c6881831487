from __future__ import annotations

import itertools

import pytest

from avow.engine.conditions import evaluate
from avow.language.syntax import AllOf, AnyOf, Compare, Fact, Not, Number, Span, Term

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
