"""Stopping our mail, and objecting to what goes beyond an order: by link, on the page, by mail, through the staff.

- By a link in a mail (`/stop/{secret}`): who holds it reads the mail of that address. It stops what they choose, tells
  what has stopped, and takes an objection back. One POST of a mail program ends what the mail was a part of.
- On the page (`/stop`), with an address typed in. Whether it is theirs, nobody asks: a mail that asked would be the
  very mail that they do not want, and to stop somebody else's mail harms little, for they have a link to undo it. The
  answer is the same whatever we know.
- By mail to the published address: see `mailroom`.
- Through a desk: `stop.object(work, address, topics, where, words)`.

Whatever the way, the confirmation is a page (`/stop/seen/{number}`), never a mail.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from avow import Sealed, Work
from avow.edge import form as ask
from avow.edge.form import Form

from .choice import TOPICS, Choice, choose, decided, find_number, new_number, numbered, wants
from .records import Order
from .shop import site

#: What a mail program's button ends, by what the mail was about; a mail about anything else ends all but orders' mail.
ENDED_AT_ONCE = {Choice: ("newsletter",), Order: ("marketing",)}

#: Characters of what was said that are kept.
KEPT = 2000


class Stop(Form):
    """What should stop."""

    what = ask.choice(None, "What should stop", TOPICS)


class StopAddress(Stop):
    """What should stop, and for which address."""

    email = ask.email("contact.email", "Your e-mail address")
    words = ask.paragraph(
        "objection",
        "Anything you want to say about it",
        maximum=KEPT,
        required=False,
        hint="It is stored with your wish.",
    )


class Again(Form):
    """What may begin again."""

    what = ask.choice(None, "What may begin again", {topic: TOPICS[topic] for topic in TOPICS if topic != "newsletter"})


def object(work: Work, address: Sealed, topics: Iterable[str], where: str, words: str | Sealed) -> str:
    """Keep an objection to `topics` (see `TOPICS`) that somebody made at a place of the policy, such as `phone`.

    It counts at once, also for mail that is waiting. The number under which its page shows it: read it to them.
    """
    return choose(work, address, topics, wants=False, place=where, words=words)


@site.page("/stop/seen", place="stop_page", role="storefront", purpose="objections")
def look_up(work: Work) -> Response:
    """From a number that was typed in to its page."""
    number = find_number(work.query.get("number", ""))
    return work.redirect(f"/stop/seen/{number}") if number else work.render("stop_seen.html", choices=[])


# -- by link ------------------------------------------------------------------------------------------


def holder(work: Work) -> Any | None:
    """The record whose mail the link in the address came in; its owner is who is here."""
    for kind in site.home.records:
        if "email" in kind.__layout__.fields:
            record = work.presented(kind, work.path["secret"], "stop")
            if record is not None:
                return record
    return None


def show_stop(work: Work, form: Form) -> Response:
    """What has stopped for an address, and a button to stop more. Looking at it changes nothing."""
    record = holder(work)
    if record is None:
        return lost(work)
    ended = [choice for choice in decided(work, record.email).values() if not wants(work, choice)]
    chosen = form["what"] or ENDED_AT_ONCE.get(type(record), ("mail",))[0]
    here = f"/stop/{work.path['secret']}"
    return work.render("stop_link.html", form=form, topics=TOPICS, chosen=chosen, ended=ended, here=here)


def stop_at_once(work: Work) -> Response:
    """The one click of a mail program (RFC 8058)."""
    record = holder(work)
    if record is None:
        return lost(work)
    topics = ENDED_AT_ONCE.get(type(record), ("mail",))
    words = "The button of the mail program."
    choose(work, record.email, topics, wants=False, place="stop_page", words=words, person=record.avow_person)
    return show_stop(work, Stop())


@site.form(
    "/stop/{secret}",
    Stop,
    place="stop_page",
    role="storefront",
    purpose="objections",
    page=show_stop,
    one_click=stop_at_once,
)
def stop(work: Work, form: Form) -> Response:
    """Stop what was chosen."""
    record = holder(work)
    if record is None:
        return lost(work)
    words = f"Stop {TOPICS[str(form['what'])]}."
    choose(
        work, record.email, [str(form["what"])], wants=False, place="stop_page", words=words, person=record.avow_person
    )
    return work.redirect(f"/stop/{work.path['secret']}")


@site.form("/stop/{secret}/again", Again, place="stop_page", role="storefront", purpose="objections", page=show_stop)
def again(work: Work, form: Form) -> Response:
    """Take an objection back. Only who holds a link from our mail may: an address alone shows nothing."""
    record = holder(work)
    if record is None:
        return lost(work)
    words = f"You may begin again: {TOPICS[str(form['what'])]}."
    choose(
        work, record.email, [str(form["what"])], wants=True, place="stop_page", words=words, person=record.avow_person
    )
    return work.redirect(f"/stop/{work.path['secret']}")


# -- on the page --------------------------------------------------------------------------------------


def show_page(work: Work, form: Form) -> Response:
    """The page on which mail is stopped, with each way to do it."""
    return work.render("stop.html", form=form, topics=TOPICS, number=new_number())


@site.form("/stop", StopAddress, place="stop_page", role="storefront", purpose="objections", page=show_page)
def stop_address(work: Work, form: Form) -> Response:
    """Stop what was chosen for the address that was typed in, known or not."""
    topic, address = str(form["what"]), form["email"]
    assert isinstance(address, Sealed)
    words = form["words"] or f"Stop {TOPICS[topic]}."
    number = choose(work, address, [topic], wants=False, place="stop_page", words=words)
    return work.redirect(f"/stop/seen/{number}")


@site.page("/stop/seen/{number}", place="stop_page", role="storefront", purpose="objections")
def seen(work: Work) -> Response:
    """What was stopped under a number: the confirmation of an objection, also of one that came by mail."""
    choices = sorted(numbered(work, work.path["number"]), key=lambda choice: choice.topic)
    return work.render("stop_seen.html", choices=choices, topics=TOPICS)


def lost(work: Work) -> Response:
    """A page for a link that leads to nothing."""
    return work.render("stop_lost.html", status=404)
