"""Notices: what the policy says must be shown at a place, looked for in what is about to be shown there.

A template marks a notice with `data-notice="NAME"`, the name that the policy uses: `must show NAME at PLACE`, or
`must announce NAME at PLACE for 30 days` while a new version is announced. Two need no mark: `policy` is shown by a
link to the policy, `contact` (`contact_details` where `contact` is a category of the policy) by the publisher's
mail address, telephone number and postal address, each that the policy gives. A page that lacks one of its notices
does not leave.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from avow.engine import Policy
from avow.errors import Refused
from avow.values import Duty, Verdict

if TYPE_CHECKING:
    from avow.vault.unit import Unit

#: Where every site serves its policy.
POLICY_PATH = "/privacy"


def check_notices(unit: Unit, text: str, place: str | None) -> None:
    """Discharge the notices that `text` shows, and refuse it when one that its place demands is missing.

    Raises:
        Refused: naming the sentence that demands the notice.
    """
    policy = unit.vault.policy
    for duty in policy.duties:
        if duty.verb not in ("show", "announce") or duty.object is None or duty.timing not in ("state", "with"):
            continue
        if any(preposition == "for" for preposition, _ in duty.phrases) and not unit.vault.announces():
            continue  # `for 30 days`: counted from the day on which a new version came into force here
        if shows(policy, text, duty.object):
            unit.discharge(duty.verb, duty.object)
            if (duty.verb, duty.object) == ("announce", "version") and unit.vault.announces():
                unit.vault.standing.announce(unit)
        elif duty.timing == "state" and place is not None and _demanded(policy, duty, place):
            reason = f"`{duty.object}` must be shown at `{place}` and is not"
            raise Refused(
                f"{reason}\n  sentence: “{duty.sentence.text}” (#{duty.sentence.anchor})",
                Verdict(False, (duty.sentence,), (duty,), duty.text, reason),
                help=f'put it there, marked data-notice="{duty.object}"',
            )


def shows(policy: Policy, text: str, notice: str) -> bool:
    """Whether `text` (a page or a mail) shows the notice of that name."""
    if notice == "policy":
        return f'href="{POLICY_PATH}"' in text
    if notice in ("contact", "contact_details"):
        ways = [way for way in (policy.contact.email, policy.contact.phone, policy.contact.address) if way]
        return all(way in text or escape(way) in text for way in ways)
    return f'data-notice="{notice}"' in text


def _demanded(policy: Policy, duty: Duty, place: str) -> bool:
    return any(
        policy.vocabulary.covers("place", wide, place)
        for preposition, words in duty.phrases
        if preposition == "at"
        for wide in words
    )
