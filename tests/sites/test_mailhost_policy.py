"""What the mail provider's policy permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

import re

import pytest

from avow.values import Facts

from .policy_table import (
    bound_and_shown,
    by_duty,
    by_list,
    by_row,
    cases,
    demanded,
    flows,
    hold_row,
    judge,
    load,
    unfired,
)

POLICY = load("mailhost")

#: A reported message that just arrived, and a legal desk that has all its papers in order. Times are seconds.
IN_ORDER: Facts = {
    "waiting": 0,
    "discarded(message)": False,
    "handed_on(message)": False,
    "addressed(recipient)": True,
    "recorded(finding)": True,
    "within_scope(finding)": True,
    "approved(2)": True,
    "evidence(our_interest)": True,
    "evidence(client_interest)": True,
    "valid(order)": True,
    "enforceable(order)": True,
    "within_scope(order)": True,
    "inadvertent(finding)": True,
    "evidence(crime)": True,
    "evidence(harm)": True,
    "required(law)": True,
    "reported(message)": True,
    "reviewed(message)": False,
    "harmful(message)": True,
    "violates(message, terms)": False,
}
#: Facts that no rule names, since the language adds them.
GATES: frozenset[str] = frozenset()

#: One line a flow; see `policy_table`.
TABLE = flows("mailhost")

DUTIES = [
    ("ninety-days", "must destroy message within 90 days after arrived"),  # M7
    ("sealed-mail", "must encrypt message at rest"),
    ("review-deadline", "must review message within 3 days after reported(message)"),  # M11
    ("questions", "must show contact_details at privacy"),
]

#: What a list leaves out, by the row of the list, and the rule that closes it.
CLOSED = [
    ("M7", "keep message.content about visitor for delivery", "never keep message otherwise"),
]

CASES = cases(TABLE, IN_ORDER)
#: The rows that are built in the vault, so that what the policy answers is a part of how they are kept.
BUILT = ("M5", "M6", "M7", "M8")


@pytest.mark.parametrize("row", by_row(CASES, BUILT, "works"))
def test_what_a_row_lets_happen_is_permitted(row: str) -> None:
    hold_row(POLICY, CASES, row, permitted=True)


@pytest.mark.parametrize("row", by_row(CASES, BUILT, "holds"))
def test_what_a_row_forbids_is_refused_by_its_sentence(row: str) -> None:
    hold_row(POLICY, CASES, row, permitted=False)


def test_every_row_is_bound_and_shown_from_both_sides() -> None:
    bound_and_shown(POLICY, CASES)


def test_every_sentence_with_rules_decides_some_flow() -> None:
    assert unfired(POLICY, CASES) == set()


def test_every_word_of_a_permitted_flow_counts() -> None:
    """Leave out where, what for or by whom, and the same flow is refused."""
    loose = []
    for case in filter(lambda case: case.permitted, CASES):
        words = re.findall(r"[^\s(]+(?:\([^)]*\))?", case.flow)
        shorter = [" ".join(words[:at] + words[at + 2 :]) for at in range(2, len(words), 2)]
        loose += [flow for flow in shorter if judge(POLICY, flow, case.facts).permitted]
    assert not loose


def test_every_fact_of_the_table_is_one_that_a_rule_asks_for() -> None:
    """A fact that no rule asks for would be a misspelt one."""
    asked = " ".join(rule.text for rule in POLICY.rules)
    assert all(fact in asked for fact in IN_ORDER.keys() - GATES)


@pytest.mark.parametrize(("flow", "rule"), by_list(CLOSED, BUILT))
def test_a_list_is_closed_by_its_rule(flow: str, rule: str) -> None:
    assert judge(POLICY, flow, IN_ORDER).rule == rule


@pytest.mark.parametrize(("anchor", "duty"), by_duty(POLICY, DUTIES, BUILT))
def test_a_sentence_demands_its_duty(anchor: str, duty: str) -> None:
    assert duty in demanded(POLICY, anchor)


def test_the_policy_says_where_questions_go() -> None:
    said = POLICY.sentence("questions").text
    contact = POLICY.contact
    assert all(way and way in said for way in (contact.email, contact.phone, contact.address))


def test_a_field_that_the_policy_does_not_name_is_refused() -> None:
    """M6: a sign-up form cannot ask for what the vocabulary does not have."""
    verdict = judge(POLICY, "collect contact.email from client at signup for setup over https", IN_ORDER)
    assert not verdict.permitted
