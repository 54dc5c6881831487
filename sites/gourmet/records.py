"""What the shop stores: orders. Visits are noted by the site itself."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from avow import Sealed, owner, personal, plain

from .catalogue import money
from .shop import site


class Order(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """One order of one customer, who is known by its secret link alone.

    `status` is `unknown` from the moment the card leaves until the processor has told the outcome, then
    `paid`, `declined`, or `unpaid` when nothing happened.
    """

    __tablename__ = "shop_order"
    __label__ = "An order"

    customer: Mapped[str] = owner()
    name: Mapped[Sealed] = personal("contact.name", field="order.name")
    email: Mapped[Sealed] = personal("contact.email", field="order.email", lookup="email")
    street: Mapped[Sealed] = personal("contact.address.street", field="order.street")
    unit: Mapped[Sealed | None] = personal("contact.address.unit", field="order.unit", optional=True)
    city: Mapped[Sealed] = personal("contact.address.city", field="order.city")
    region: Mapped[Sealed | None] = personal("contact.address.region", field="order.region", optional=True)
    postcode: Mapped[Sealed] = personal("contact.address.postcode", field="order.postcode")
    country: Mapped[Sealed] = personal("contact.address.country", field="order.country")
    items: Mapped[Sealed] = personal("order.items", field="order.items")
    note: Mapped[Sealed | None] = personal("order.note", field="order.note", optional=True)
    last4: Mapped[Sealed | None] = personal("card.last4", field="order.last4", optional=True)
    authorisation: Mapped[Sealed | None] = personal("payment.authorisation", field="order.authorisation", optional=True)
    tracking: Mapped[Sealed | None] = personal("parcel.tracking", field="order.tracking", optional=True)
    cents: Mapped[int] = plain("the amount due, in US cents, without which an order cannot be paid again")
    carrier: Mapped[str] = plain("which carrier the parcel goes to")
    status: Mapped[str] = plain("workflow state")
    ticket: Mapped[str] = plain("keyed hash of a checkout form's number: sent twice, it orders once", unique=True)
    revision: Mapped[int] = plain("number of changes, so that of two payments begun at once only one goes out")

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012  # read once, by the mapper

    @property
    def price(self) -> str:
        """The amount due as text, e.g. `$45.50`."""
        return money(self.cents)
