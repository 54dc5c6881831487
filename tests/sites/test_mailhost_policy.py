"""What the mail provider's policy permits and refuses, row by row, and which sentence says so."""

from __future__ import annotations

from avow.values import Facts

from .policy_table import Table, judge

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

#: The rows that are built in the vault, so that what the policy answers is a part of how they are kept.
BUILT = ("M5", "M6", "M7", "M8")

TABLE = Table("mailhost", IN_ORDER, DUTIES, CLOSED, BUILT)
POLICY = TABLE.policy


def test_a_field_that_the_policy_does_not_name_is_refused() -> None:
    """M6: a sign-up form cannot ask for what the vocabulary does not have."""
    verdict = judge(POLICY, "collect contact.email from client at signup for setup over https", IN_ORDER)
    assert not verdict.permitted
