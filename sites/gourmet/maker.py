"""Makers who send their goods to the customer directly: who makes what, and the part of an order that each fills.

A part is a record of its own, so that what a maker gets is one record's fields and nothing has to be cut out of an
order. What it is sent is judged by the goods that lie sealed in the part, not by the maker's name beside them: whoever
changes the name in the database changes nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Mapped

from avow import Refused, Sealed, Work, owner, personal, plain

from .cart import Cart, Line
from .catalogue import CATALOGUE
from .records import Order
from .shop import site

log = logging.getLogger("gourmet.makers")

#: The states of a part: its order is not paid; it waits to be sent; its maker has it; it may not go there.
UNPAID, WAITING, SENT, REFUSED = "unpaid", "waiting", "sent", "refused"

_LINE = re.compile(r"[0-9]{1,3} × ([a-z]{1,20}): [^\n]+")


@dataclass(frozen=True, slots=True)
class Maker:
    """A maker as the pages name it; `name` is the recipient's name in the policy, `makes` its goods by sku."""

    name: str
    label: str
    makes: frozenset[str]


MAKERS = {
    maker.name: maker
    for maker in (
        Maker("creamery", "Thornbury Creamery", frozenset({"cheddar"})),
        Maker("olive_press", "Bitterleaf Olive Press", frozenset({"lemonoil"})),
        Maker("smokehouse", "Alder Smokehouse", frozenset({"trout", "duck"})),
    )
}


class Part(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """What one maker fills of one order: the lines, and where they go."""

    __tablename__ = "shop_part"
    __label__ = "The part of an order that one maker fills"

    customer: Mapped[str] = owner()
    name: Mapped[Sealed] = personal("contact.name", field="part.name")
    street: Mapped[Sealed] = personal("contact.address.street", field="part.street")
    unit: Mapped[Sealed | None] = personal("contact.address.unit", field="part.unit", optional=True)
    city: Mapped[Sealed] = personal("contact.address.city", field="part.city")
    region: Mapped[Sealed | None] = personal("contact.address.region", field="part.region", optional=True)
    postcode: Mapped[Sealed] = personal("contact.address.postcode", field="part.postcode")
    country: Mapped[Sealed] = personal("contact.address.country", field="part.country")
    lines: Mapped[Sealed] = personal("order.lines", field="part.lines")
    order_id: Mapped[str] = plain("the id of the order that it is a part of")
    maker: Mapped[str] = plain("which maker it goes to")
    state: Mapped[str] = plain("workflow state")

    @property
    def label(self) -> str:
        """The maker's name as pages say it."""
        return MAKERS[self.maker].label if self.maker in MAKERS else "A maker"


def maker_of(sku: str) -> Maker | None:
    """Who makes a product and sends it; None for what lies in our own cellar."""
    return next((maker for maker in MAKERS.values() if sku in maker.makes), None)


def own_lines(cart: Cart) -> list[Line]:
    """What we pack ourselves."""
    return [line for line in cart.lines if maker_of(line.product.sku) is None]


def senders(cart: Cart) -> list[Maker]:
    """The makers that send something of a cart."""
    return [maker for maker in MAKERS.values() if any(line.product.sku in maker.makes for line in cart.lines)]


def store_parts(work: Work, order: Order, cart: Cart, *, person: Any, address: Mapping[str, Any]) -> None:
    """Make the part of each maker. It holds no price: what the customer pays is not the maker's business."""
    for maker in senders(cart):
        work.collect(
            Part,
            person=person,
            **address,
            lines="\n".join(_line(line) for line in cart.lines if line.product.sku in maker.makes),
            order_id=order.id,
            maker=maker.name,
            state=UNPAID,
        )


def parts_of(work: Work, order: Order) -> list[Part]:
    """The parts of an order, in the order of the makers' names."""
    found = work.select(Part, Part.customer == order.customer, Part.order_id == order.id)
    return sorted(found, key=lambda part: str(part.maker))


def hand_over(work: Work, order: Order) -> None:
    """Queue each part of a paid order for its maker. One that may not go there stays, and says so on our desk's log."""
    for part in parts_of(work, order):
        if part.state != UNPAID:
            continue
        try:
            work.share(part, part.maker, purpose="shipping")
        except Refused:
            log.exception("a part of a paid order may not go to its maker; see to it by hand")
            work.update(part, state=REFUSED)
        else:
            work.update(part, state=WAITING)


@site.shared("creamery")
@site.shared("olive_press")
@site.shared("smokehouse")
def handed_over(work: Work, part: Part, reply: Mapping[str, Any]) -> None:
    """The maker has its part."""
    work.update(part, state=SENT)


def facts(work: Work, record: Any, recipient: str | None) -> dict[str, bool]:
    """`fills(recipient, order)`: whether everything in a part is made by who is about to get it."""
    maker = MAKERS.get(recipient or "")
    if maker is None:
        return {}
    return {"fills(recipient, order)": isinstance(record, Part) and _fills(record, maker)}


def _fills(part: Part, maker: Maker) -> bool:
    try:
        lines = part.lines.open().split("\n")
    except Refused:
        return False
    found = [_LINE.fullmatch(line) for line in lines]
    return all(match is not None and match[1] in maker.makes for match in found)


def _line(line: Line) -> str:
    """A line as a maker reads it: `2 × trout: Smoked trout (200 g)`."""
    product = CATALOGUE[line.product.sku]
    return f"{line.quantity} × {product.sku}: {product.name} ({product.unit})"
