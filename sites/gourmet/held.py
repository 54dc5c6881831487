"""What the shop has under the proven address of an account, though it came from somebody who was not logged in then:
questions, subscriptions, objections. Whoever is logged in has proven that the address is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from avow import Work
from avow.edge import form as ask
from avow.edge.form import Form

from .account import Account
from .choice import TOPICS, Choice
from .profile import own_form, section
from .request import Request


class TakeBack(Form):
    """Which question is to go."""

    id = ask.text(None, "Question", maximum=32)


@section("Your questions", "profile/questions.html")
def questions(work: Work, account: Account) -> Mapping[str, Any]:
    """What was asked with this address, the latest first, with our answers."""
    asked = sorted(_asked_by(work, account), key=lambda request: -request.arrived)
    return {"questions": [(request, _theirs(work, request)) for request in asked]}


def _asked_by(work: Work, account: Account) -> list[Request]:
    return work.select(Request, Request.email == account.email)


@own_form("/account/questions/remove", TakeBack)
def take_back(work: Work, form: Form, account: Account) -> Response:
    """Remove a question that was asked with this address, and our answer; one that waits to be mailed is not."""
    for request in _asked_by(work, account):
        if request.id == form["id"]:
            work.recognise(request, "logged_in(subject)")  # they have proven that its address is theirs
            work.remove(request)
            return work.redirect("/account?taken")
    return work.redirect("/account")


@section("What you want, and what you do not", "profile/choices.html")
def choices(work: Work, account: Account) -> Mapping[str, Any]:
    """What was chosen with this address, the latest first, with the words that were agreed to or said."""
    made = sorted(work.select(Choice, Choice.email == account.email), key=lambda choice: -choice.since)
    return {"choices": [(choice, TOPICS[choice.topic], _theirs(work, choice)) for choice in made]}


def _theirs(work: Work, record: Any) -> Any:
    return work.aside(record, "logged_in(subject)", purpose="account_keeping")
