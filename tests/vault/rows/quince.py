"""A small service on the policy of the shop: orders, and what people do not want."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped
from starlette.responses import HTMLResponse, Response

from avow import Facts, Form, Sealed, Site, Work, moment, owner, personal, plain

from .service import ROOT, Service

GIVEN = {
    "name": "Quentin Quince",
    "email": "quentin@quince.example",
    "street": "5 Medlar Way",
    "note": "leave it at the gate",
}


def quince() -> Any:
    """A fresh site with records on `site.Order` and `Objection`."""
    site: Any = Site(
        ROOT / "sites/gourmet/policy.md",
        pages=ROOT / "tests/vault/rows/pages",
        links={"stop": "/stop/{secret}"},
        offers={"unsubscribe": "stop", "stop_link": "stop"},
        by_hand=("creamery", "olive_press", "smokehouse", "successor", "authority", "protector", "fraud_network"),
    )

    class Order(site.Record):  # type: ignore[misc]
        """What somebody ordered."""

        __tablename__ = "quince_order"
        customer: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="order.name")
        email: Mapped[Sealed] = personal("contact.email", field="order.email", lookup="email")
        street: Mapped[Sealed] = personal("contact.address.street", field="order.street")
        note: Mapped[Sealed | None] = personal("order.note", field="order.note", optional=True)
        card: Mapped[Sealed | None] = personal("card.number", field="order.card", optional=True)
        code: Mapped[Sealed | None] = personal("card.code", field="order.code", optional=True)
        shelf: Mapped[str] = plain("where the parcel waits", default="")
        asked: Mapped[float | None] = moment("erasure_asked", "when they asked to be erased")

    class Objection(site.Record):  # type: ignore[misc]
        """What somebody does not want."""

        __tablename__ = "quince_objection"
        customer: Mapped[str] = owner()
        email: Mapped[Sealed] = personal("contact.email", field="objection.email", lookup="email")
        words: Mapped[Sealed] = personal("objection", field="objection.words")
        topic: Mapped[str] = plain("what is objected to: mail or other_uses")

    site.Order, site.Objection = Order, Objection

    def stop(work: Work, form: Any = None) -> Response:
        return HTMLResponse("Stopped.")

    site.form(
        "/stop/{secret}", Form, role="storefront", purpose="objections", place="stop_page", page=stop, one_click=stop
    )(stop)

    @site.facts
    def known(work: Work, record: Any, recipient: str | None) -> Facts:
        said = {objection.topic for objection in work.select(Objection, Objection.email == record.email)}
        return {
            "objected(mail)": "mail" in said,
            "objected(other_uses)": "other_uses" in said,
            "objected(marketing)": False,
            "consented(newsletter)": True,
            "withdrawn(newsletter)": False,
        }

    return site


def order(service: Service, place: str = "checkout", role: str = "storefront", **values: str) -> tuple[str, str]:
    """Order something; the primary key of the order."""
    with service.acting(role, "ordering", place) as work:
        made = work.collect(service.site.Order, person=work.person(), **{**GIVEN, **values})
        return made.owner_id, made.id


def object_to(service: Service, topic: str, email: str) -> None:
    """Say that one does not want something, by mail."""
    with service.acting("mailroom", "objections", "mailbox") as work:
        work.collect(service.site.Objection, person=work.person(), email=email, words=f"no {topic}", topic=topic)
