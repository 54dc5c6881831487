"""A small service on the policy of the support-and-shop site: clients, orders, requests, and posts in a forum."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped

from avow import Facts, Sealed, Site, Work, ask_age, moment, owner, party, personal, plain
from avow.vault.sealed import Given

from .service import ROOT, Service


def kiln() -> Any:
    """A fresh site with records on `site.Client`, `Order`, `Ticket` and `Post`."""
    pages = ROOT / "tests/vault/rows/pages"
    site: Any = Site(ROOT / "sites/community/policy.md", pages=pages, subject="client")

    class Client(site.Record):  # type: ignore[misc]
        """Who has an account."""

        __tablename__ = "kiln_client"
        client: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="client.name")
        email: Mapped[Sealed] = personal("contact.email", field="client.email", lookup="email")
        phone: Mapped[Sealed | None] = personal("contact.phone", field="client.phone", optional=True)
        billing: Mapped[Sealed | None] = personal("contact.address.billing", field="client.billing", optional=True)
        card: Mapped[Sealed | None] = personal("card.number", field="client.card", optional=True)
        last4: Mapped[Sealed | None] = personal("card.last4", field="client.last4", optional=True)
        grown: Mapped[bool] = plain("whether they have shown to be sixteen or older")
        found_out: Mapped[float | None] = moment("discovered(age)", "when we learned that they are under sixteen")

    class Order(site.Record):  # type: ignore[misc]
        """What is sent to them."""

        __tablename__ = "kiln_order"
        client: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="order.name")
        email: Mapped[Sealed] = personal("contact.email", field="order.email")
        shipping: Mapped[Sealed] = personal("contact.address.shipping", field="order.shipping")
        items: Mapped[Sealed] = personal("order.items", field="order.items")
        filled_by: Mapped[str] = plain("the desk that fills it", default="")

    class Ticket(site.Record):  # type: ignore[misc]
        """What they ask for help with."""

        __tablename__ = "kiln_ticket"
        client: Mapped[str] = owner()
        words: Mapped[Sealed] = personal("ticket.text", field="ticket.words")

    class Post(site.Record):  # type: ignore[misc]
        """What somebody wrote in the forum; it may quote another."""

        __tablename__ = "kiln_post"
        author: Mapped[str] = owner(erased="delete")
        quoted: Mapped[str | None] = party(erased="anonymise")
        words: Mapped[Sealed] = personal("post", field="post.words")
        quote: Mapped[Sealed | None] = personal("post", field="post.quote", optional=True, of="quoted")

    site.Client, site.Order, site.Ticket, site.Post = Client, Order, Ticket, Post

    @site.facts
    def known(work: Work, record: Any, recipient: str | None) -> Facts:
        (client,) = work.select(Client, Client.client == record.owner_id)
        return {
            "age": 16.0 if client.grown else None,
            "discovered(age)": client.found_out is not None,
            "assigned(order)": isinstance(record, Order) and record.filled_by == work.unit.role,
            "agreed(recipient)": True,
            "priced(agreement)": False,
            "within_scope(job)": True,
            "published(post)": True,
        }

    return site


def sign_up(service: Service, born: str = "1990-04-29", **values: str) -> str:
    """Open an account, age first; the id of the person.

    Raises:
        Refused: they are too young.
    """
    given = {"name": "Ann Example", "email": "ann@example.org", **values}
    with service.acting("website", "account_keeping", "signup") as work:
        ask_age(work.unit, Given("age", born))
        client = work.collect(service.site.Client, person=work.person(), grown=True, **given)
        return str(client.owner_id)


def order(service: Service, person: str, items: str = "one kettle", shipping: str = "1 Lane") -> str:
    """Order something, with the name and address of the account copied; the id of the order."""
    site = service.site
    with service.acting("website", "ordering", "checkout") as work:
        work.unit.facts["done(ask age)"] = True  # at sign-up
        client = service.of(work, site.Client, person)
        made = work.collect(
            site.Order,
            person=client.avow_person,
            name=client.name,
            email=client.email,
            shipping=shipping,
            items=items,
            filled_by="order_desk",
        )
        return str(made.id)
