"""What the shop's policy permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

import re

import pytest

from avow.values import Facts

from .policy_table import (
    bound_and_shown,
    by_duty,
    by_row,
    cases,
    demanded,
    flows,
    hold_row,
    judge,
    load,
    rows,
    tells_contact,
    unasked,
    unfired,
)

POLICY = load("gourmet")

#: A customer who brought what is needed, asked for the newsletter, objected to nothing; a release and a sale in order.
IN_ORDER: Facts = {
    "presented(link)": True,
    "presented(cookie.greeting)": True,
    "logged_in(subject)": True,
    "consented(newsletter)": True,
    "withdrawn(newsletter)": False,
    "objected(marketing)": False,
    "objected(mail)": False,
    "objected(other_uses)": False,
    "fills(recipient, order)": True,
    "bound(successor)": True,
    "complete(package)": True,
    "believed(ground)": True,
    "recorded(ground)": True,
    "within_scope(release)": True,
    "lapsed(release)": False,
    "approved(2)": True,
    "consented(version)": False,
    "weaker(version)": False,
}

#: One line a flow; see `policy_table`.
TABLE = flows("gourmet")

DUTIES = [
    ("version", "must attach version"),  # I1
    ("policy-on-every-page", "must show policy at site"),
    ("cookies-off", "must show cookies_notice at cart"),  # I6
    ("unsubscribe", "must offer unsubscribe in newsletter"),  # I5
    ("mail-stopped", "must show stopped at stop_page"),  # I15
    ("objecting", "must offer stop_link in confirmation, answer, notice, newsletter, opt_in, offer, survey, erasing"),
    ("history", "must show history at privacy"),  # I13
    ("announced", "must announce version at site for 30 days"),
    ("announced", "must show comparison at site for 30 days"),
    ("questions", "must show contact_details at privacy, mail"),  # I14
    ("sealed", "must encrypt personal at rest"),  # I17
    ("review", "must verify personal every 1 year"),
    ("erase", "must erase customer within 30 days after erasure_asked"),
]

CASES = cases(TABLE, IN_ORDER)
#: The rows whose service is built, so that what the policy answers is a part of how they are kept.
BUILT = ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I12", "I13", "I14", "I15", "I16", "I17")


@pytest.mark.parametrize("row", by_row(CASES, BUILT, "works"))
def test_what_a_row_lets_happen_is_permitted(row: str) -> None:
    hold_row(POLICY, CASES, row, permitted=True)


@pytest.mark.parametrize("row", by_row(CASES, BUILT, "holds"))
def test_what_a_row_forbids_is_refused_by_its_sentence(row: str) -> None:
    hold_row(POLICY, CASES, row, permitted=False)


def test_every_row_is_bound_and_shown_from_both_sides() -> None:
    bound_and_shown(POLICY, CASES)
    assert {case.row for case in CASES} - {"ours"} == rows("gourmet") - {"I14"}


def test_every_sentence_with_rules_decides_some_flow() -> None:
    assert unfired(POLICY, CASES) == set()


def test_every_fact_of_the_table_is_one_that_a_rule_asks_for() -> None:
    assert unasked(POLICY, IN_ORDER) == set()


@pytest.mark.parametrize(("anchor", "duty"), by_duty(POLICY, DUTIES, BUILT))
def test_a_sentence_demands_its_duty(anchor: str, duty: str) -> None:
    assert duty in demanded(POLICY, anchor)


@pytest.mark.promise("I14", "holds")
def test_the_policy_says_where_questions_go() -> None:
    assert tells_contact(POLICY, "questions")
    assert "must show contact_details at privacy, mail" in demanded(POLICY, "questions")


@pytest.mark.promise("I13", "holds")
def test_versions_stand_with_their_dates_and_a_new_one_is_announced() -> None:
    assert "must show history at privacy" in demanded(POLICY, "history")
    assert {duty for anchor, duty in DUTIES if anchor == "announced"} == demanded(POLICY, "announced")


@pytest.mark.promise("I13", "holds")
def test_a_version_applies_to_older_data_as_the_sentence_says_and_in_no_other_way() -> None:
    """A rule beside the sentence could add a way; that the list is closed would then refuse it."""
    verdict = judge(POLICY, "apply version to visitor", {"weaker(version)": False, "consented(version)": True})
    assert not verdict.permitted
    assert verdict.rule == "never apply version otherwise"


@pytest.mark.promise("I1", "holds")
def test_all_is_stored_under_a_version_and_every_page_leads_to_the_policy() -> None:
    assert "must attach version" in demanded(POLICY, "version")
    assert "must show policy at site" in demanded(POLICY, "policy-on-every-page")


def test_each_issue_of_the_newsletter_comes_with_its_link() -> None:
    verdict = judge(POLICY, "send newsletter to contact.email for newsletter_service over smtps", IN_ORDER)
    assert "must offer unsubscribe in newsletter" in [duty.text for duty in verdict.duties]


def test_no_recipient_is_declared_more_than_some_rule_shares() -> None:
    """The fields of the front matter go out together: one that no rule shares would stop every share."""
    shared = {
        (case.flow.split()[1], re.search(r" with (\S+)", case.flow))
        for case in CASES
        if case.permitted and case.flow.startswith("share ")
    }
    to = {
        recipient: {word for word, found in shared if found and found[1] == recipient}
        for recipient in POLICY.recipients
    }
    for name, recipient in POLICY.recipients.items():
        for declared in recipient.fields:
            assert any(POLICY.vocabulary.covers("category", declared, word) for word in to[name]), (name, declared)
