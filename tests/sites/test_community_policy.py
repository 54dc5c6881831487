"""What the policy of the support-and-shop site permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

from avow.values import Facts

from .policy_table import Table

#: A grown-up client who is logged in, and helpers and staff who have all the papers.
IN_ORDER: Facts = {
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

#: The rows that are built in the vault, so that what the policy answers is a part of how they are kept.
BUILT = ("G4", "G5", "G6", "G11")

TABLE = Table("community", IN_ORDER, DUTIES, CLOSED, BUILT)
POLICY = TABLE.policy


def test_the_signatures_that_permissions_hang_on() -> None:
    signed = {anchor: (str(a.role), str(a.every)) for anchor, a in POLICY.attested.items()}
    assert signed == {
        "helpers": ("privacy_officer", "12 months"),
        "checked-releases": ("security_officer", "12 months"),
    }
