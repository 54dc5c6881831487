"""What people ask the shop: on its page, by mail, by telephone. The service desk answers.

A request is stored with its asker's name and address, and with the order that it is about if they gave its link.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, func, select
from sqlalchemy.orm import Mapped
from starlette.responses import Response

from avow import Sealed, Work, owner, personal, plain
from avow.edge import form as ask
from avow.edge.form import Form

from .records import Order
from .shop import site

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The states of a request.
OPEN, ANSWERED, CLOSED = "open", "answered", "closed"

#: The longest question, in characters.
LONGEST = 4000

#: Questions that the page takes in one hour, from everybody together: more than the service desk reads in a week.
AT_MOST = 200

_SECRET = re.compile(r"(?:.*/order/)?([\w-]{43})/?", re.ASCII)


class Request(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """One question or wish. `state` is `open` until it is `answered`, or `closed` without an answer."""

    __tablename__ = "shop_request"
    __label__ = "A question"
    # The desk asks for what is open, and for one by its number; the hour bounds how much is asked at once.
    __table_args__ = (
        Index("shop_request_id", "id"),
        Index("shop_request_waiting", "state", "arrived"),
        Index("shop_request_hour", "came_by", "arrived"),
    )

    customer: Mapped[str] = owner()
    name: Mapped[Sealed | None] = personal("contact.name", field="request.name", optional=True)
    email: Mapped[Sealed] = personal("contact.email", field="request.email", lookup="email")
    text: Mapped[Sealed] = personal("request", field="request.text")
    answer: Mapped[Sealed | None] = personal("request.answer", field="request.answer", optional=True)
    came_by: Mapped[str] = plain("where it was asked, by its name in the policy")
    arrived: Mapped[int] = plain("hours since 1970 at which it came")
    order_id: Mapped[str | None] = plain("the order of the same person that it is about")
    state: Mapped[str] = plain("workflow state: open, answered or closed")


class Ask(Form):
    """A question, on the page for it."""

    name = ask.text("contact.name", "Your name", maximum=80, required=False, autocomplete="name")
    email = ask.email("contact.email", "E-mail address", hint="Our answer goes here.")
    text = ask.paragraph("request", "Your question", maximum=LONGEST, hint="Please no card numbers.")
    link = ask.text(
        None,
        "Link to your order",
        maximum=300,
        required=False,
        echo=False,
        hint="If it is about an order: the address of its page, from the confirmation that we mailed you.",
    )


def store(work: Work, place: str, *, email: Any, text: Any, name: Any = None, order: Order | None = None) -> Request:
    """Store what somebody asked at a place: contact_page, mailbox or phone. About an order, it is its owner's."""
    person = work.person() if order is None else order.avow_person
    given: Mapping[str, Any] = {"name": name} if name is not None else {}
    request: Request = work.collect(
        Request,
        person=person,
        at=place,
        email=email,
        text=text,
        came_by=place,
        arrived=int(work.now // 3600),
        order_id=None if order is None else order.id,
        state=OPEN,
        **given,
    )
    return request


def show_contact(work: Work, form: Form) -> Response:
    """The page on which people ask."""
    return work.render("contact.html", form=form, sent="sent" in work.query)


@site.form("/contact", Ask, place="contact_page", role="storefront", purpose="answers", page=show_contact)
def asked(work: Work, form: Form) -> Response:
    """Store the question for the service desk, unless there are too many: of one address, or of everybody."""
    if wait := _too_many(work, form):
        form.fail("text", wait)
        return show_contact(work, form)
    order = None
    if form["link"] is not None:
        found = _SECRET.fullmatch(str(form["link"]))
        order = work.found(Order, found[1]) if found else None
        if order is None:
            form.fail("link", "We know no order under this address. Please check it, or leave it out.")
            return show_contact(work, form)
    store(work, "contact_page", email=form["email"], text=form["text"], name=form["name"], order=order)
    return work.redirect("/contact?sent=1")


def _too_many(work: Work, form: Form) -> str:
    """Why no further question is taken now; empty if one is. No network address takes part: we do not know any."""
    wait = work.attempt("question", form.given("email"))
    if wait:
        minutes = int(wait // 60) + 1
        return (
            "You have asked us several things in a row, thank you. Please wait "
            f"{minutes} minute{'s' if minutes > 1 else ''} with the next one, or write or call."
        )
    hour = int(work.now // 3600)
    asked = select(func.count()).select_from(Request).where(Request.came_by == "contact_page", Request.arrived == hour)
    if int(work.db.scalar(asked) or 0) >= AT_MOST:
        return "More questions have come in this hour than we can read. Please try again later, or write or call."
    return ""
