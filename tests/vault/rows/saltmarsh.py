"""A small service on the policy of the mail-hosting provider: clients, their bills, their services, their mail."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped

from avow import Facts, Sealed, Site, Work, moment, owner, personal

from .service import ROOT, Service

#: What a client gives when they sign up, by the purpose that it serves.
GIVEN = {
    "setup": {"name": "Marta Marsh", "address": "7 Reed Bank", "phone": "+1 555 0177"},
    "payment": {"billing": "Marta Marsh, 8 Reed Bank", "card": "4000056655665556", "expiry": "04/29"},
    "service": {"services": "mailbox and one domain", "mailbox": "marta@marsh.example", "domain": "marsh.example"},
}


def saltmarsh() -> Any:
    """A fresh site with records on `site.Contact`, `Payment`, `Services` and `Message`."""
    by_hand = ("addressee", "counsel", "court", "police", "authority")
    site: Any = Site(ROOT / "sites/mailhost/policy.md", subject="client", visits_for="traffic", by_hand=by_hand)

    class Contact(site.Record):  # type: ignore[misc]
        """How to reach a client."""

        __tablename__ = "marsh_contact"
        client: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="contact.name")
        address: Mapped[Sealed] = personal("contact.address", field="contact.address")
        phone: Mapped[Sealed] = personal("contact.phone", field="contact.phone")
        age: Mapped[Sealed | None] = personal("demographic", field="contact.age", optional=True)

    class Payment(site.Record):  # type: ignore[misc]
        """How a client pays."""

        __tablename__ = "marsh_payment"
        client: Mapped[str] = owner()
        billing: Mapped[Sealed] = personal("payment.billing", field="payment.billing")
        card: Mapped[Sealed] = personal("payment.card.number", field="payment.card")
        expiry: Mapped[Sealed] = personal("payment.card.expiry", field="payment.expiry")
        code: Mapped[Sealed | None] = personal("payment.card.code", field="payment.code", optional=True)

    class Services(site.Record):  # type: ignore[misc]
        """What a client chose."""

        __tablename__ = "marsh_services"
        client: Mapped[str] = owner()
        services: Mapped[Sealed] = personal("account.services", field="services.chosen")
        mailbox: Mapped[Sealed] = personal("chosen.mailbox", field="services.mailbox", lookup="exact")
        domain: Mapped[Sealed | None] = personal("chosen.domain", field="services.domain", optional=True)

    class Message(site.Record):  # type: ignore[misc]
        """A message in a client's mailbox."""

        __tablename__ = "marsh_message"
        client: Mapped[str] = owner()
        content: Mapped[Sealed] = personal("message.content", field="message.content")
        envelope: Mapped[Sealed] = personal("message.envelope", field="message.envelope")
        arrived: Mapped[float | None] = moment("arrived", "when the message came")

    site.Contact, site.Payment, site.Services, site.Message = Contact, Payment, Services, Message

    @site.facts
    def known(work: Work, record: Any, recipient: str | None) -> Facts:
        arrived = getattr(record, "arrived", None)
        return {} if arrived is None else {"waiting": work.now - arrived}

    return site


def sign_up(service: Service) -> str:
    """Become a client; the id of the person."""
    site = service.site
    with service.acting("website", "setup", "signup") as work:
        person = work.person()
        work.collect(site.Contact, person=person, **GIVEN["setup"])
        work.collect(site.Services, person=person, **GIVEN["service"])
        with work.serving("payment"):
            work.collect(site.Payment, person=person, **GIVEN["payment"])
        return str(person.id)


def take_in(service: Service, person: str, content: str, sender: str = "friend@far.example") -> str:
    """Take a message to a client in; its id."""
    site = service.site
    with service.acting("mail_server", "delivery", "mail_service", waiting=0.0) as work:
        made = work.collect(
            site.Message,
            person=work.db.get_one(site.person_class, person),
            source="correspondent",
            content=content,
            envelope=sender,
            arrived=work.now,
        )
        return str(made.id)
