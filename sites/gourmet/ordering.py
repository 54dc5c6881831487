"""What becomes of an order, whichever way it came: stored, paid, handed on, confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avow import Work
from avow.edge.form import Form

from . import loyalty, maker, offers
from .cart import Cart
from .forms import CARRIERS
from .records import Order
from .shop import site

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What has become of an order's payment, by what the processor's reply says.
STATUS = {"done": "paid", "declined": "declined", "failed": "unpaid", "unknown": "unknown"}

#: States in which an order may be paid once more: nothing was charged.
PAYABLE = ("declined", "unpaid")

#: Where cards are typed in, by the places of the policy.
_PAID_AT = ("checkout", "pay_page", "phone")


def chosen_carrier(form: Form, cart: Cart) -> str:
    """Who brings what lies in our own cellar; nobody where the makers send everything. Fails the form otherwise."""
    if not maker.own_lines(cart):
        return ""
    if form["carrier"] is None:
        form.fail("carrier", "Please fill this in.")
    return str(form["carrier"] or "")


def store(work: Work, form: Form, cart: Cart, *, person: Any, carrier: str, ticket: str) -> Order:
    """Store an order of `person`, and for each maker the part that it fills. `ticket` is the form's keyed hash."""
    brought = CARRIERS.get(carrier)
    delivery = f"\n{brought.label}: {brought.price}" if brought else ""
    address = {name: form[name] for name in ("name", "street", "unit", "city", "region", "postcode", "country")}
    order: Order = work.collect(
        Order,
        person=person,
        **address,
        email=form["email"],
        note=form["note"],
        items=f"{cart.describe()}{delivery}",
        cents=cart.cents + (brought.cents if brought else 0),
        carrier=carrier,
        status="unknown",
        ticket=ticket,
    )
    maker.store_parts(work, order, cart, person=person, address=address)
    return order


def pay(work: Work, order: Order, form: Form) -> None:
    """Have the card charged. Nothing of it is kept, whatever comes of it; the order's status then says what did."""
    card = work.once("card", form)
    # Not committed here: the order becomes durable together with the attempt to pay it. Were it before, a crash in
    # between would leave an order of unknown outcome whose outcome nobody asks for.
    work.db.flush()
    amount = f"{order.cents // 100}.{order.cents % 100:02d}"
    work.exchange(card, "processor", about=order, purpose="payment", amount=amount, currency="USD")


@site.settled("processor")
def settled(work: Work, order: Order, reply: Any) -> None:
    """What the outcome of a payment changes; runs when it is known, at once or later, in one transaction with it."""
    if reply.status == "done":
        work.update(
            order,
            source="processor",
            at=work.unit.place if work.unit.place in _PAID_AT else "checkout",
            last4=reply["last4"][-4:],  # whatever else it may send: a fragment, and no further digit
            authorisation=reply["authorisation"],
        )
        if order.carrier:
            work.share(order, order.carrier, purpose="shipping")
        maker.hand_over(work, order)
        work.send("confirmation", order)
        offers.plan(work, order)
    work.update(order, status=STATUS[reply.status])
    if reply.status == "done":
        loyalty.recount(work, order.customer)


@site.shared("ups")
@site.shared("fedex")
def labelled(work: Work, order: Order, reply: Mapping[str, Any]) -> None:
    """The carrier took the parcel's label and gave its tracking number."""
    work.update(order, source=order.carrier, at="dispatch", tracking=reply["tracking"])
