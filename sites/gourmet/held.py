"""What the shop has under the proven address of an account, though it came from somebody who was not logged in then:
questions, subscriptions, objections. Whoever is logged in has proven that the address is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avow import Work

from .account import Account
from .choice import TOPICS, Choice
from .profile import section
from .request import Request


@section("Your questions", "profile/questions.html")
def questions(work: Work, account: Account) -> Mapping[str, Any]:
    """What was asked with this address, the latest first, with our answers."""
    asked = sorted(work.select(Request, Request.email == account.email), key=lambda request: -request.arrived)
    return {"questions": [(request, _theirs(work, request)) for request in asked]}


@section("What you want, and what you do not", "profile/choices.html")
def choices(work: Work, account: Account) -> Mapping[str, Any]:
    """What was chosen with this address, the latest first, with the words that were agreed to or said."""
    made = sorted(work.select(Choice, Choice.email == account.email), key=lambda choice: -choice.since)
    return {"choices": [(choice, TOPICS[choice.topic], _theirs(work, choice)) for choice in made]}


def _theirs(work: Work, record: Any) -> Any:
    return work.aside(record, "logged_in(subject)", purpose="account_keeping")
