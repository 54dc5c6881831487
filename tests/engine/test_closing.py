"""`otherwise` closes a list: what it forbids, and what its reason says, by the table of meaning in docs/language.md."""

from __future__ import annotations

import pytest

from tests.engine.test_meaning import policy


def test_otherwise_forbids_what_no_other_may_permits_wherever_it_stands() -> None:
    p = policy("never share order otherwise", "may share order with ups for shipping")
    assert p.judge("share", "order", recipient="ups", purpose="shipping").permitted
    verdict = p.judge("share", "order.note", recipient="fedex", purpose="news")
    assert verdict.reason == "forbidden by #s0, which closes the list: `never share order otherwise`"


@pytest.mark.parametrize(
    ("facts", "lacking"),
    [
        ({}, "#s1 would permit it, but `valid` is unknown and `age >= 16` is unknown"),
        ({"valid": True}, "#s1 would permit it, but `age >= 16` is unknown"),
        ({"valid": True, "age": 12}, "#s1 would permit it, but `age >= 16` is false"),
        ({"valid": False, "age": 17}, "#s1 would permit it, but `valid` is false"),
    ],
)
def test_where_an_otherwise_closes_what_a_may_would_permit_the_reason_says_what_is_lacking(
    facts: dict[str, bool | float], lacking: str
) -> None:
    p = policy("never share order otherwise", "may share order with ups for shipping when valid and age >= 16")
    refused = p.judge("share", "order", recipient="ups", purpose="shipping", facts=facts)
    assert refused.reason == f"forbidden by #s0, which closes the list; {lacking}"
    assert refused.rule == "never share order otherwise"
    assert p.judge("share", "order", recipient="ups", purpose="shipping", facts=facts) is refused


def test_of_several_permissions_the_one_that_lacks_the_least_is_named() -> None:
    p = policy("never share order otherwise", "may share order with ups for shipping when valid and consented(letter)",
               "may share order with ups for shipping unless objected(marketing) or age < 16")  # fmt: skip
    reason = {
        known: p.judge("share", "order", recipient="ups", purpose="shipping", facts=dict(known)).reason.partition("; ")[
            2
        ]
        for known in ((), (("age", 17),), (("valid", True), ("age", 12)), (("objected(marketing)", True), ("age", 18)))
    }
    assert list(reason.values()) == [
        "#s1 would permit it, but `valid` is unknown and `consented(letter)` is unknown",
        "#s2 would permit it, but `objected(marketing)` is unknown",
        "#s1 would permit it, but `consented(letter)` is unknown",
        "#s2 would permit it, but `objected(marketing)` is true",
    ]
