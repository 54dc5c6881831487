"""What the policy of the support-and-shop site permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

import pytest

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
    tells_contact,
    unasked,
    unfired,
)

POLICY = load("community")

#: A grown-up client who is logged in, and helpers and staff who have all the papers.
IN_ORDER = {
    "age": 30.0,
    "discovered(age)": False,
    "done(ask age)": True,
    "logged_in(subject)": True,
    "entered(submission)": True,
    "assigned(ticket)": True,
    "unresolved(ticket)": True,
    "assigned(order)": True,
    "attested(helpers)": True,
    "agreed(recipient)": True,
    "priced(agreement)": False,
    "within_scope(job)": True,
    "within_scope(request)": True,
    "demanded(law)": True,
    "good_faith(belief)": True,
    "recorded(reason)": True,
    "presented(cookie.ticket)": True,
    "published(post)": True,
    "contains(post, contact)": False,
    "contains(post, card.number)": False,
    "below_limit(visit.address)": True,
    "below_limit(account)": True,
    "covered(checks)": True,
    "attested(checked-releases)": True,
}

#: One line a flow; see `policy_table`.
TABLE = flows("community")

DUTIES = [
    ("sealed-files", "must encrypt personal at rest"),  # G4
    ("found-out", "must erase person within 1 day after discovered(age)"),  # G6
    ("found-out", "must notify helpers within 1 day after discovered(age)"),
    ("authors-opinion", "must show opinion_notice at forum"),  # G12
    ("nothing-confidential", "must show confidential_notice at forum"),
    ("marked-links", "must mark outside_link at site"),  # G13
    ("questions", "must show contact at privacy"),  # G14
    ("versions", "must announce version at privacy"),
    ("versions", "must show history at privacy"),
    ("versions", "must attach version"),
    ("page-protection", "must attach security_headers at site"),  # G15
    ("checks-shown", "must show checks at security_page"),
    ("no-advice", "must show advice_notice at forum"),  # G17
]

#: What a list leaves out, by the row of the list, and the rule that closes it.
CLOSED = [
    ("G5", "open contact.email for surveys by website", "never open personal otherwise"),
    ("G11", "change order.items about client at profile by website", "never change personal otherwise"),
]

CASES = cases(TABLE, IN_ORDER)
#: The rows that are built in the vault, so that what the policy answers is a part of how they are kept.
BUILT = ("G4", "G5", "G6", "G11")


@pytest.mark.parametrize("row", by_row(CASES, BUILT, "works"))
def test_what_a_row_lets_happen_is_permitted(row: str) -> None:
    hold_row(POLICY, CASES, row, permitted=True)


@pytest.mark.parametrize("row", by_row(CASES, BUILT, "holds"))
def test_what_a_row_forbids_is_refused_by_its_sentence(row: str) -> None:
    hold_row(POLICY, CASES, row, permitted=False)


def test_every_row_is_bound_and_shown_from_both_sides() -> None:
    bound_and_shown(POLICY, CASES)
    assert not unfired(POLICY, CASES)


def test_every_fact_that_is_in_order_is_asked_for() -> None:
    assert not unasked(POLICY, IN_ORDER)


@pytest.mark.parametrize(("flow", "rule"), by_list(CLOSED, BUILT))
def test_a_list_is_closed_by_its_rule(flow: str, rule: str) -> None:
    assert judge(POLICY, flow, IN_ORDER).rule == rule


@pytest.mark.parametrize(("anchor", "duty"), by_duty(POLICY, DUTIES, BUILT))
def test_a_sentence_demands_its_duty(anchor: str, duty: str) -> None:
    assert duty in demanded(POLICY, anchor)


def test_the_signatures_that_permissions_hang_on() -> None:
    signed = {anchor: (str(a.role), str(a.every)) for anchor, a in POLICY.attested.items()}
    assert signed == {
        "helpers": ("privacy_officer", "12 months"),
        "checked-releases": ("security_officer", "12 months"),
    }


def test_the_policy_says_where_questions_go() -> None:
    assert tells_contact(POLICY, "questions")
