"""What the membership site's policy permits and refuses, row by row, and which sentence says so."""

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

POLICY = load("members")

#: A member who is logged in, refuses nothing, has permitted every helper, and came back after the last change.
IN_ORDER: Facts = {
    "submitted(form)": True,
    "refused(cookies)": False,
    "signalled(gpc)": False,
    "own(record)": True,
    "assigned(inquiry)": True,
    "due(statistics)": True,
    "left(budget)": True,
    "done(announce version)": True,
    "returned(version)": True,
    "objected(newsletter)": False,
    "consented(newsletter_help)": True,
    "consented(survey_help)": True,
    "consented(operations_help)": True,
    "withdrawn(newsletter_help)": False,
    "withdrawn(survey_help)": False,
    "withdrawn(operations_help)": False,
}
#: Facts that no rule names, since the language adds them.
GATES = frozenset({"due(statistics)", "done(announce version)"})

#: One line a flow; see `policy_table`.
TABLE = flows("members")

DUTIES = [
    ("declining", "must show closed_notice at registration, gate"),  # S2
    ("without-cookies", "must show cookies_notice at registration, login_page, gate"),  # S4
    ("encrypted", "must encrypt personal at rest, transit"),  # S6
    ("backup", "must keep backup every 1 day"),
    ("daily-check", "must verify personal every 1 day"),
    ("subscription-is-no-permission", "must ask newsletter_help, survey_help, operations_help at profile"),  # S8
    ("permission-withdrawn", "must notify mailing_provider within 1 day after withdrawn(newsletter_help)"),
    ("permission-withdrawn", "must notify survey_provider within 1 day after withdrawn(survey_help)"),
    ("permission-withdrawn", "must notify operations_provider within 1 day after withdrawn(operations_help)"),
    ("newsletter-told", "must show subscription_notice at registration"),  # S9
    ("one-click", "must offer unsubscribe in newsletter"),
    ("banner", "must announce version at home for 30 days"),  # S10
    ("banner", "must show comparison at home for 30 days"),
    ("questions", "must show contact_details at privacy"),  # S12
    ("last-update", "must show last_update at privacy"),
]

#: What a list leaves out, by the row of the list, and the rule that closes it.
CLOSED = [
    ("S6", "change contact.email by support", "never change personal otherwise"),
    ("S6", "destroy order by editor", "never destroy personal otherwise"),
    ("S11", "apply version to visitor", "never apply version otherwise"),
]

CASES = cases(TABLE, IN_ORDER)
#: The rows that are built in the vault, so that what the policy answers is a part of how they are kept.
BUILT = ("S6", "S11")


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


def test_each_issue_of_the_newsletter_comes_with_its_link() -> None:
    """S9: the duty accompanies the permission itself."""
    verdict = judge(POLICY, "send newsletter to contact.email for news over smtps by website", IN_ORDER)
    assert "must offer unsubscribe in newsletter" in [duty.text for duty in verdict.duties]
