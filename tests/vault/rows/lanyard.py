"""A small service on the policy of the remote-support site: customers, their computers, and what they ask for."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped

from avow import Facts, Sealed, Site, Work, ask_age, moment, owner, personal, plain
from avow.vault.sealed import Given

from .service import ROOT, Service

#: What the service knows in every unit: the duties done.
IN_ORDER: dict[str, bool | float | None] = {
    "done(ask personal)": True,
    "done(show policy)": True,
    "done(show version)": True,
    "registered(subject)": True,
    "locked(console)": False,
    "acknowledged(practices)": True,
}


def lanyard() -> Any:
    """A fresh site with records on `site.Customer`, `Device` and `Case`."""
    pages = ROOT / "tests/vault/rows/pages"
    site: Any = Site(ROOT / "sites/remote_support/policy.md", pages=pages)

    class Customer(site.Record):  # type: ignore[misc]
        """Who is registered."""

        __tablename__ = "lanyard_customer"
        customer: Mapped[str] = owner()
        first_name: Mapped[Sealed] = personal("contact.first_name", field="customer.first_name")
        email: Mapped[Sealed] = personal("contact.email", field="customer.email", lookup="email")
        address: Mapped[Sealed | None] = personal("contact.address", field="customer.address", optional=True)
        postcode: Mapped[Sealed | None] = personal("contact.address.postcode", field="customer.postcode", optional=True)
        login: Mapped[Sealed] = personal("account.login", field="customer.login", lookup="exact")
        grown: Mapped[bool] = plain("whether they have shown to be thirteen or older")
        found_out: Mapped[float | None] = moment("discovered(age)", "when we learned that they are under thirteen")

    class Device(site.Record):  # type: ignore[misc]
        """Their computer."""

        __tablename__ = "lanyard_device"
        customer: Mapped[str] = owner()
        model: Mapped[Sealed] = personal("device.model", field="device.model")
        errors: Mapped[Sealed | None] = personal("device.errors", field="device.errors", optional=True)

    class Case(site.Record):  # type: ignore[misc]
        """What they ask for."""

        __tablename__ = "lanyard_case"
        customer: Mapped[str] = owner()
        request: Mapped[Sealed] = personal("request", field="case.request")

    class CreditCheck(site.Record):  # type: ignore[misc]
        """What was judged of them. The report itself may never be kept; where it would lie, it would be destroyed."""

        __tablename__ = "lanyard_credit_check"
        customer: Mapped[str] = owner()
        worthy: Mapped[Sealed | None] = personal("creditworthy", field="check.worthy", optional=True)
        report: Mapped[Sealed | None] = personal("credit_report", field="check.report", optional=True)
        judged: Mapped[float | None] = moment("judged", "when the report was judged")

    site.Customer, site.Device, site.Case = Customer, Device, Case

    site.announces("announcement", Customer, role="website", purpose="announcement")

    @site.facts
    def known(work: Work, record: Any, recipient: str | None) -> Facts:
        (customer,) = work.select(Customer, Customer.customer == record.owner_id)
        return {"age": 13.0 if customer.grown else None, "discovered(age)": customer.found_out is not None}

    return site


def working(service: Service, purpose: str, place: str, role: str = "website") -> Any:
    """A unit in which all is in order that is not about one person."""
    return service.site.acting(role, purpose, place=place, channel="https", facts=IN_ORDER)


def register(service: Service, born: str = "1990-04-29", **values: str) -> str:
    """Register somebody, age first; the id of the person.

    Raises:
        Refused: they are too young.
    """
    given = {"first_name": "Ann", "email": "ann@example.org", "login": "ann", **values}
    with working(service, "registration", "registration_form") as work:
        ask_age(work.unit, Given("age", born))
        work.unit.discharge("record", "acceptance")
        person = work.person()
        made = work.collect(service.site.Customer, person=person, grown=True, **given)
        return str(made.owner_id)


def logged_in(service: Service, work: Any, person: str) -> Any:
    """The customer of a person, who is the one who is here, and has been asked for their age before."""
    customer = service.of(work, service.site.Customer, person)
    work.recognise(customer, "logged_in(subject)")
    work.unit.discharge("ask", "age")
    work.unit.discharge("record", "acceptance")
    return customer
