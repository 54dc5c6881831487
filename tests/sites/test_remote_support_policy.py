"""What the policy of the remote-support service permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

from avow.values import Facts

from .policy_table import Table

#: A grown-up customer who is registered and logged in, and staff who have signed for everything.
IN_ORDER: Facts = {
    "age": 30.0,
    "discovered(age)": False,
    "done(ask age)": True,
    "done(ask personal)": True,
    "done(show policy)": True,
    "done(show version)": True,
    "registered(subject)": True,
    "logged_in(subject)": True,
    "entered(submission)": True,
    "needed(payment)": True,
    "requested(remote_session)": True,
    "consented(remote_session)": True,
    "withdrawn(remote_session)": False,
    "trained(expert)": True,
    "signed(conduct)": True,
    "attested(control)": True,
    "done(show diagnosis)": True,
    "appointed(recipient)": True,
    "done(accept licence)": True,
    "done(mask personal)": True,
    "presented(receipt)": True,
    "attested(servers)": True,
    "attested(need-to-know)": True,
    "attested(not-for-children)": True,
    "assigned(task)": True,
    "locked(console)": False,
    "done(ask staff_password)": True,
    "verified(staff_password)": True,
    "acknowledged(practices)": True,
    "required(law)": True,
    "within_scope(law)": True,
    "verified(contact.email)": True,
    "due(offers)": True,
    "done(erase former)": True,
    "concerned(subject)": True,
    "done(announce version)": True,
    "mailed(version)": True,
    "bounced(version)": False,
    "resubmitted(version)": True,
}

DUTIES = [
    ("acceptance", "must record acceptance with collect(contact, account, card, device, request)"),  # N1
    ("stopped-at-once", "must stop remote_session within 1 second after withdrawn(remote_session)"),  # N6
    ("signed-conduct", "must sign conduct by expert within 1 hour after session_ended"),
    ("found-out", "must erase person within 1 day after discovered(age)"),  # N11
    ("ask-a-parent", "must show parents_notice at registration_form"),
    ("in-transit", "must encrypt personal, diagnosis at transit"),  # N12
    ("at-rest", "must encrypt personal, diagnosis at rest"),
    ("report-destroyed", "must destroy credit_report within 1 minute after judged"),  # N13
    ("welcome", "must send welcome within 1 day after registered(customer)"),  # N14
    ("posted", "must announce version at privacy"),  # N16
    ("posted", "must show history at privacy"),
    ("posted", "must attach version"),
    ("questions", "must show contact at privacy, mail"),  # N18
    ("locked-screens", "must lock console within 5 minutes after idle"),  # N22
    ("reminders", "must notify staff every 3 months"),  # N23
    ("reminders", "must notify staff after version"),
    ("reminders", "must acknowledge practices by staff every 3 months"),
    ("reminders", "must acknowledge practices by staff after version"),
]

#: What a list leaves out, by the row of the list, and the rule that closes it.
CLOSED = [
    ("N15", "change contact.email about customer at desk by billing_clerk", "never change personal otherwise"),
    ("N15", "erase contact.email about customer at desk by support_agent", "never erase personal, diagnosis otherwise"),
    ("N17", "apply version to visitor", "never apply version otherwise"),
]

#: The rows that are built in the vault, so that what the policy answers is a part of how they are kept.
BUILT = ("N11", "N15", "N17")

TABLE = Table("remote_support", IN_ORDER, DUTIES, CLOSED, BUILT)
POLICY = TABLE.policy


def test_the_signatures_that_permissions_hang_on() -> None:
    signed = {anchor: (str(a.role), str(a.every)) for anchor, a in POLICY.attested.items()}
    assert signed == {
        "control": ("support_lead", "12 months"),
        "not-for-children": ("editor", "12 months"),
        "servers": ("facilities_manager", "12 months"),
        "need-to-know": ("office_manager", "6 months"),
    }
