"""Orders and objections by telephone: the order desk types in what the caller says.

The card goes into fields that take it and never give it back, and from there once to the processor, as at the checkout.
Afterwards the desk sees what to read to the caller, the last four digits of the card included, and no further one.
"""

from __future__ import annotations

import re
import secrets

from starlette.responses import Response

from avow import Work
from avow.edge import form as ask
from avow.edge.form import Form

from . import maker, ordering, stop
from .cart import LIMIT, Cart
from .catalogue import CATALOGUE, shelves
from .choice import TOPICS
from .forms import CARRIERS, Checkout
from .records import Order
from .shop import site

#: Before the sku, in the names of the fields that say how many of a product.
HOW_MANY = "of_"

#: What a secret in the address of a page of this desk opens: the page of an order here, and not the customer's.
USE = "phone"


class PhoneCard(Form):
    """The card as a caller reads it out. Nothing keeps it: not this page, and no browser's memory of forms."""

    card_number = ask.card_number("card.number", "Card number", autocomplete="off")
    card_name = ask.text("card.name", "Name on the card", maximum=80, autocomplete="off", echo=False)
    card_expiry = ask.card_expiry("card.expiry", "Good until", hint="Month and year, like 04/29", autocomplete="off")
    card_code = ask.card_code("card.code", "Security code", hint="Three or four digits", autocomplete="off")


_QUANTITIES = {
    f"{HOW_MANY}{sku}": ask.integer(f"{product.name}, {product.unit}", least=0, most=LIMIT, required=False)
    for sku, product in CATALOGUE.items()
}

#: The same questions and the same checks as at the checkout, how many of each product, and the card for a desk.
PhoneOrder: type[Form] = type(
    "PhoneOrder",
    (Checkout,),
    {"__module__": __name__, "__doc__": "An order by telephone.", **PhoneCard.declared, **_QUANTITIES},
)


class Objection(Form):
    """What a caller wants to stop."""

    what = ask.choice(None, "What should stop", TOPICS)
    email = ask.email("contact.email", "The caller's e-mail address", autocomplete="off")
    words = ask.paragraph(
        "objection",
        "What the caller said",
        maximum=stop.KEPT,
        echo=False,
        hint="As they said it. It is stored with the objection and is not shown here again.",
    )


def goods(form: Form) -> Cart:
    """What was asked for; what is no number was not."""
    cart = Cart.decode(None)
    for sku in CATALOGUE:
        if re.fullmatch("[0-9]{1,9}", typed := str(form[f"{HOW_MANY}{sku}"] or "")):
            cart.put(sku, int(typed))
    return cart


def check(form: Form) -> tuple[Cart, str]:
    """What was asked for, and who brings it; the form fails where that is nothing and nobody."""
    cart = goods(form)
    if not cart:
        form.fail(next(iter(_QUANTITIES)), "Please say how many of something.")
        return cart, ""
    return cart, ordering.chosen_carrier(form, cart)


def show_phone(work: Work, form: Form) -> Response:
    """The form of an order. Its ticket tells a form that is sent twice from two orders."""
    if form.sent:
        check(form)  # with the rest of what is wrong, not after it
    return work.render(
        "desk/phone.html",
        form=form,
        shelves=shelves(),
        carriers=CARRIERS.values(),
        how_many=HOW_MANY,
        limit=LIMIT,
        ticket=form["ticket"] or secrets.token_urlsafe(18),
    )


@site.form("/desk/phone", PhoneOrder, place="phone", role="order_desk", purpose="ordering", page=show_phone, staff=True)
def take_order(work: Work, form: Form) -> Response:
    """Store the order and have it paid, as at the checkout."""
    ticket = work.fingerprint(str(form["ticket"] or secrets.token_urlsafe(18)))
    for order in work.select(Order, Order.ticket == ticket):  # the button was pressed twice
        return work.redirect(f"/desk/phone/{work.secret(order, USE)}")
    cart, carrier = check(form)
    if not form.valid:
        return show_phone(work, form)
    order = ordering.store(work, form, cart, person=work.person(), carrier=carrier, ticket=ticket)
    ordering.pay(work, order, form)
    return work.redirect(f"/desk/phone/{work.secret(order, USE)}")


@site.page("/desk/phone/{token}", place="phone", role="order_desk", purpose="ordering", staff=True)
def read_back(work: Work) -> Response:
    """What to read to the caller once the order is paid, or was not."""
    order = work.found(Order, work.path["token"], USE)
    if order is None:
        return _lost(work)
    carrier = CARRIERS[order.carrier].label if order.carrier else None
    makers = [part.label for part in maker.parts_of(work, order)]
    here = f"/desk/phone/{work.path['token']}"
    return work.render("desk/called.html", order=order, carrier=carrier, makers=makers, here=here)


def show_pay(work: Work, form: Form) -> Response:
    """The card once more: nobody has kept it."""
    order = work.found(Order, work.path["token"], USE)
    if order is None:
        return _lost(work)
    here = f"/desk/phone/{work.path['token']}"
    if order.status not in ordering.PAYABLE:
        return work.redirect(here)
    return work.render("desk/phone_pay.html", order=order, form=form, here=here)


@site.form(
    "/desk/phone/{token}/pay",
    PhoneCard,
    place="phone",
    role="order_desk",
    purpose="ordering",
    page=show_pay,
    staff=True,
)
def pay_by_phone(work: Work, form: Form) -> Response:
    """Try to pay an order that is known to be unpaid."""
    order = work.found(Order, work.path["token"], USE)
    if order is None:
        return _lost(work)
    if order.status in ordering.PAYABLE:  # else it was paid meanwhile, or nobody knows: never charge twice
        work.update(order, status="unknown")
        ordering.pay(work, order, form)
    return work.redirect(f"/desk/phone/{work.path['token']}")


def show_objection(work: Work, form: Form, number: str = "") -> Response:
    """The form of an objection, or the number to read to the caller."""
    return work.render("desk/objection.html", form=form, topics=TOPICS, number=number)


@site.form(
    "/desk/objection",
    Objection,
    place="phone",
    role="order_desk",
    purpose="ordering",
    page=show_objection,
    staff=True,
)
def object_by_phone(work: Work, form: Form) -> Response:
    """Heed what a caller does not want. It counts from now on, also for mail that waits."""
    given = form["words"]
    number = stop.object(work, form["email"], [str(form["what"])], "phone", given)  # type: ignore[arg-type]
    return show_objection(work, Objection(), number)


def _lost(work: Work) -> Response:
    text = ["We know no order under this address. It was perhaps cut in two when it was copied."]
    return work.render("desk/lost.html", status=404, text=text)
