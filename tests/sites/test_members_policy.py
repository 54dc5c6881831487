"""What the membership site's policy permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

from avow.values import Facts

from .policy_table import Table, judge

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

#: The rows that are built in the vault, so that what the policy answers is a part of how they are kept.
BUILT = ("S6", "S11")

TABLE = Table("members", IN_ORDER, DUTIES, CLOSED, BUILT)
POLICY = TABLE.policy


def test_each_issue_of_the_newsletter_comes_with_its_link() -> None:
    """S9: the duty accompanies the permission itself."""
    verdict = judge(POLICY, "send newsletter to contact.email for news over smtps by website", IN_ORDER)
    assert "must offer unsubscribe in newsletter" in [duty.text for duty in verdict.duties]
