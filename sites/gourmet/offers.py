"""One offer and one survey after a paid order, to who has not objected; the survey's answers are counted and not kept.

When an order is paid, an `After` row says when its offer is due; the survey follows some days later. The rows hold ids
and times only. Whether the mail may go is judged when it is queued, and again when it leaves.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped
from starlette.responses import Response

from avow import Refused, Work, owner, plain
from avow.edge import form as ask
from avow.edge.form import Form

from .records import Order
from .shop import site

#: Seconds after the payment at which the offer goes out, and the survey.
OFFER_AFTER, SURVEY_AFTER = 14 * 86400.0, 21 * 86400.0

#: Mails that are queued in one transaction.
BATCH = 50

#: The two questions, each with its answers.
ARRIVED = {"well": "Well", "late": "Late", "damaged": "Damaged"}
RETURN = {"yes": "Yes", "perhaps": "Perhaps", "no": "No"}


class After(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """What may still be written about an order: the next message, and when it is due. `next` is empty at the end."""

    __tablename__ = "shop_after"
    __label__ = "What may still be written about an order"
    __table_args__ = (Index("shop_after_due", "next", "due"),)

    customer: Mapped[str] = owner()
    order: Mapped[str] = plain("the id of the order", unique=True)
    paid: Mapped[float] = plain("unix seconds")
    next: Mapped[str] = plain("offer, survey, or nothing more")
    due: Mapped[float] = plain("unix seconds")
    answered: Mapped[bool] = plain("whether the survey was answered: it counts once")


class Count(site.Record):  # type: ignore[misc,name-defined]
    """How often an answer was given. It is the house's own: its owner is a person of whom nothing is known."""

    __tablename__ = "shop_survey_count"
    __stays__ = "it is the house's own"

    house: Mapped[str] = owner()
    answer: Mapped[str] = plain("question and answer", unique=True)
    number: Mapped[int] = plain("how often")
    revision: Mapped[int] = plain("number of changes, so that of two at once none is lost")

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012  # read once, by the mapper


class Survey(Form):
    """Two questions."""

    arrived = ask.choice(None, "How did your parcel arrive?", ARRIVED)
    returns = ask.choice(None, "Would you order from us again?", RETURN)


def plan(work: Work, order: Order) -> None:
    """Note that an order was paid, so that an offer may follow; once, however often it is told."""
    if not work.select(After, After.order == order.id):
        work.collect(
            After,
            person=order.avow_person,
            order=order.id,
            paid=work.now,
            next="offer",
            due=work.now + OFFER_AFTER,
            answered=False,
        )


@site.job("offers", role="storefront", purpose="marketing", every=60.0)
def write_on(work: Work) -> bool:
    """Queue the offers and surveys that are due; whether there may be more."""
    waiting = select(After).where(After.next.in_(("offer", "survey")), After.due <= work.now)
    due = work.db.scalars(waiting.order_by(After.due).limit(BATCH)).all()
    for after in due:
        order = work.db.get(Order, (after.customer, after.order))
        if order is not None:
            try:
                work.send(after.next, order)
            except Refused:
                after.next = "survey"  # who objects to the one objects to the other
        survey = after.next == "offer"
        work.update(after, next="survey" if survey else "", due=after.paid + SURVEY_AFTER)
    return len(due) == BATCH


def show_survey(work: Work, form: Form) -> Response:
    """The two questions, for who came by the mailed link."""
    after = _after(work)
    if after is None:
        text = ["We know no survey under this address. Perhaps the link was cut in two by a line break in the mail."]
        return work.render("notice.html", status=404, title="This survey is not there", text=text)
    if after.answered:
        text = ["Thank you, your answers have been counted. We have not kept who gave them."]
        return work.render("notice.html", title="Thank you", text=text)
    return work.render("survey.html", form=form, here=f"/survey/{work.path['secret']}")


@site.form("/survey/{secret}", Survey, place="shop", role="storefront", purpose="marketing", page=show_survey)
def answer(work: Work, form: Form) -> Response:
    """Count the answers, once for each order."""
    after = _after(work)
    if after is not None and not after.answered:
        work.update(after, answered=True)
        for question in ("arrived", "returns"):
            _count(work, f"{question} {form[question]}")
    return show_survey(work, form)


def results(work: Work) -> dict[str, int]:
    """How often each answer was given: `arrived well` to its number."""
    return {count.answer: count.number for count in work.select(Count)}


def _count(work: Work, answer: str) -> None:
    found = work.select(Count, Count.answer == answer)
    if found:
        work.update(found[0], number=found[0].number + 1)
    else:
        work.collect(Count, person=work.person(), answer=answer, number=1)


def _after(work: Work) -> Any | None:
    order = work.found(Order, work.path["secret"], "survey")
    found = work.select(After, After.order == order.id) if order is not None else []
    return found[0] if found else None
