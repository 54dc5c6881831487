"""A small service on the policy of the membership site: members, how they log in, and their orders."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped
from starlette.responses import HTMLResponse, Response

from avow import Facts, Form, Sealed, Site, Work, hash_password, owner, personal
from avow.vault.sealed import Given

from .service import ROOT, Service


def hedgerow() -> Any:
    """A fresh site with records on `site.Member` and `Order`."""
    site: Any = Site(
        ROOT / "sites/members/policy.md",
        pages=ROOT / "tests/vault/rows/pages",
        subject="member",
        visits_for="improvement",
        links={"stop": "/stop/{secret}"},
        offers={"unsubscribe": "stop"},
    )

    class Member(site.Record):  # type: ignore[misc]
        """Who is a member."""

        __tablename__ = "hedgerow_member"
        member: Mapped[str] = owner()
        email: Mapped[Sealed] = personal("contact.email", field="member.email", lookup="email")
        username: Mapped[Sealed | None] = personal("account.username", field="member.username", optional=True)
        password: Mapped[Sealed] = personal("account.password_hash", field="member.password")
        passkey: Mapped[Sealed | None] = personal("account.passkey", field="member.passkey", optional=True)

    class Order(site.Record):  # type: ignore[misc]
        """What they ordered."""

        __tablename__ = "hedgerow_order"
        member: Mapped[str] = owner()
        items: Mapped[Sealed] = personal("order.items", field="order.items")

    site.Member, site.Order = Member, Order

    def stop(work: Work, form: Any = None) -> Response:
        return HTMLResponse("Stopped.")

    site.form(
        "/stop/{secret}",
        Form,
        role="website",
        purpose="unsubscribing",
        place="unsubscribe_page",
        page=stop,
        one_click=stop,
    )(stop)

    @site.facts
    def known(work: Work, record: Any, recipient: str | None) -> Facts:
        return {"own(record)": record.owner_id == work.unit.viewer}

    return site


def join(service: Service, name: str, password: str) -> str:
    """Become a member who has ordered something; the id of the person."""
    site = service.site
    with service.acting("website", "operation", "registration", submitted__form=True) as work:
        given = Given("account.password", password)
        work.unit.judge_given(given.category)
        hashed = work.derive("account.password_hash", [given], hash_password)
        person = work.person()
        passkey = f"half-key of {name}"
        email = f"{name}@hedge.example"
        work.collect(site.Member, person=person, email=email, username=name, password=hashed, passkey=passkey)
        work.collect(site.Order, person=person, at="orders", items=f"seeds for {name}")
        return str(person.id)
