"""The newsletter: asked for on a page, confirmed by a mailed link, sent to each who wants it once an issue.

Sending an issue goes in batches, each one transaction: for each subscription a `Delivery` row that says that this issue
was dealt with, and the mail in the outbox. After a crash the next batch goes on behind the last one that was committed.
Whether a mail may go is judged when it is queued and again when it leaves, so an opt-out counts at any moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import UniqueConstraint, exists, func, or_, select
from sqlalchemy.orm import Mapped, aliased
from starlette.responses import Response

from avow import Refused, Work, owner, plain
from avow.edge import form as ask
from avow.edge.form import Form

from .choice import Choice, decided, keep, new_number, wants
from .choice import confirm as answer_yes
from .shop import HERE, site

#: What one agrees to, word for word; it is kept with each subscription.
AGREED = (
    "Yes, send me the newsletter of Quince & Barrel by e-mail, about once a week. I can end it at any time, by the "
    "link in each issue."
)

#: Seconds that pass before somebody is asked a second time by mail, and in which the mailed link can be followed.
ASKED_AGAIN, CONFIRMED_WITHIN = 24 * 3600.0, 7 * 24 * 3600.0

#: Subscriptions that are dealt with in one transaction.
BATCH = 100

#: The issues as they can be sent, each a text that begins with its subject.
ISSUES = HERE / "pages" / "mail" / "issues"


class Delivery(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """That an issue was dealt with for a subscription: queued, or not because it may not be sent. Once each."""

    __tablename__ = "shop_delivery"
    __label__ = "An issue of the newsletter that was dealt with"
    __table_args__ = (UniqueConstraint("issue", "subscription"),)

    person: Mapped[str] = owner()
    issue: Mapped[str] = plain("which issue")
    subscription: Mapped[str] = plain("the id of the choice by which it is wanted")


class Mailing(site.Record):  # type: ignore[misc,name-defined]
    """An issue that is being sent, or was. It is the house's own: its owner is a person of whom nothing is known."""

    __tablename__ = "shop_mailing"
    __stays__ = "it is the house's own"

    house: Mapped[str] = owner()
    issue: Mapped[str] = plain("which issue", unique=True)
    begun: Mapped[float] = plain("unix seconds")
    state: Mapped[str] = plain("workflow state: sending or sent")


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue for the desk: its name, its subject, and whether it is `ready`, `sending` or `sent`, and to how many."""

    name: str
    subject: str
    state: str
    count: int


class SignUp(Form):
    """Whoever wants the newsletter."""

    email = ask.email(
        "contact.email", "Your e-mail address", hint="A mail goes there first and asks whether it was you."
    )
    agree = ask.choice(None, "Your consent", {"yes": AGREED})


class Confirm(Form):
    """The answer to the mail that asks."""


# -- asking for it ------------------------------------------------------------------------------------


def show_newsletter(work: Work, form: Form) -> Response:
    """What it is, the words that one agrees to, and what comes next."""
    return work.render("newsletter.html", form=form, agreed=AGREED, asked="asked" in work.query)


# The page answers what is typed into it, and does so in the same way whatever is known of an address; only keeping the
# address and writing to it serve the newsletter.
@site.form("/newsletter", SignUp, place="newsletter_page", role="storefront", purpose="answers", page=show_newsletter)
def sign_up(work: Work, form: Form) -> Response:
    """Keep the wish, and ask by mail whether it was they."""
    wish(work, form["email"], place="newsletter_page")
    return work.redirect("/newsletter?asked=1")


def wish(work: Work, address: Any, *, place: str, person: Any = None) -> None:
    """Keep that the newsletter was asked for at a place, with the words agreed to, and ask by mail whether it was they.

    Nothing is done where it comes already, was asked about on the same day, or where no mail may be sent.
    """
    before = [choice for choice in work.select(Choice, Choice.email == address) if choice.topic == "newsletter"]
    latest = decided(work, address).get("newsletter")
    if latest is not None and wants(work, latest):
        return
    if any(choice.state == "asked" and choice.asked > work.now - ASKED_AGAIN for choice in before):
        return
    with work.serving("newsletter_service"):
        person = person or work.person()
        choice = keep(work, person, "newsletter", "asked", place, new_number(), email=address, agreed=AGREED)
        try:
            work.send("opt_in", choice)
        except Refused:
            return  # an objection stands: an address that is typed in does not show that its owner takes it back


def show_confirm(work: Work, form: Form) -> Response:
    """A page with one button. Scanners of mail follow links, so following one agrees to nothing."""
    choice = _asked(work)
    if choice is None:
        return work.render("newsletter_lost.html", status=404)
    return work.render(
        "newsletter_confirm.html", agreed=AGREED, choice=choice, here=f"/newsletter/{work.path['secret']}"
    )


@site.form(
    "/newsletter/{secret}",
    Confirm,
    place="newsletter_page",
    role="storefront",
    purpose="newsletter_service",
    page=show_confirm,
)
def confirm(work: Work, form: Form) -> Response:
    """From now on it comes."""
    choice = _asked(work)
    if choice is not None and choice.state == "asked":
        answer_yes(work, choice)
    return show_confirm(work, form)


def _asked(work: Work) -> Choice | None:
    """The choice that a mailed link is about, as long as it can be answered or has been."""
    choice: Choice | None = work.presented(Choice, work.path["secret"], "newsletter")
    if choice is None or (choice.state == "asked" and choice.asked < work.now - CONFIRMED_WITHIN):
        return None
    return choice


# -- sending it ---------------------------------------------------------------------------------------


def issues(work: Work) -> list[Issue]:
    """The issues that there are, the newest first."""
    mailings = {mailing.issue: mailing for mailing in work.select(Mailing)}
    counted = select(Delivery.issue, func.count().label("number")).group_by(Delivery.issue)
    counts = {row.issue: row.number for row in work.db.execute(counted)}
    return [
        Issue(name, subject, mailings[name].state if name in mailings else "ready", counts.get(name, 0))
        for name, subject in sorted(_subjects().items(), reverse=True)
    ]


def begin(work: Work, issue: str) -> bool:
    """Begin to send an issue to all who want it; the job goes on by itself. False if there is none, or it was begun."""
    if issue not in _subjects() or work.select(Mailing, Mailing.issue == issue):
        return False
    work.collect(Mailing, person=work.person(), issue=issue, begun=work.now, state="sending")
    return True


@site.job("newsletter", role="storefront", purpose="newsletter_service", every=1.0)
def send_on(work: Work) -> bool:
    """Queue the next batch of an issue that is being sent; whether there may be more."""
    for mailing in work.select(Mailing, Mailing.state == "sending"):
        waiting = _waiting(work, mailing.issue)
        for choice in waiting:
            _queue(work, mailing.issue, choice)
        if len(waiting) < BATCH:
            work.update(mailing, state="sent")
        return True
    return False


def _queue(work: Work, issue: str, choice: Choice) -> None:
    work.collect(Delivery, person=choice.avow_person, issue=issue, subscription=choice.id)
    try:
        work.send("newsletter", choice, edition=issue)
    except Refused:
        return  # they have objected to all mail, say: dealt with all the same


def _waiting(work: Work, issue: str) -> list[Any]:
    """Those who want the newsletter and for whom this issue was not dealt with yet, at most a batch.

    Of each address the choice that decides: no other decided one that is later, and of two of the same moment, not
    the one that a refusal, or else the higher id, stands beside.
    """
    other = aliased(Choice)
    later = exists().where(
        other.topic == "newsletter",
        other.state != "asked",
        other.email_ix == Choice.email_ix,
        or_(
            other.since > Choice.since,
            (other.since == Choice.since) & ((other.state == "no") | (other.id > Choice.id)),
        ),
        other.id != Choice.id,
    )
    dealt_with = exists().where(Delivery.issue == issue, Delivery.subscription == Choice.id)
    return list(
        work.db.scalars(
            select(Choice)
            .where(Choice.topic == "newsletter", Choice.state == "yes", ~later, ~dealt_with)
            .order_by(Choice.id)
            .limit(BATCH)
        )
    )


def _subjects() -> dict[str, str]:
    return {file.stem: _subject(file) for file in ISSUES.glob("*.txt")}


def _subject(file: Path) -> str:
    with file.open(encoding="utf-8") as opened:
        return opened.readline().removeprefix("Subject: ").strip()
