"""What the shop's policy permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

import re

import pytest

from avow.values import Facts

from .policy_table import Table, demanded, judge, rows, tells_contact

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

#: The rows whose service is built, so that what the policy answers is a part of how they are kept.
BUILT = ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I12", "I13", "I14", "I15", "I16", "I17")

TABLE = Table("gourmet", IN_ORDER, DUTIES, [], BUILT)
POLICY = TABLE.policy


def test_every_row_but_that_of_questions_has_a_flow() -> None:
    assert {case.row for case in TABLE.cases} - {"ours"} == rows("gourmet") - {"I14"}


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
        for case in TABLE.cases
        if case.permitted and case.flow.startswith("share ")
    }
    to = {
        recipient: {word for word, found in shared if found and found[1] == recipient}
        for recipient in POLICY.recipients
    }
    for name, recipient in POLICY.recipients.items():
        for declared in recipient.fields:
            assert any(POLICY.vocabulary.covers("category", declared, word) for word in to[name]), (name, declared)
