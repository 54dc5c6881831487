"""What people and services do in the tests of versions."""

from __future__ import annotations

from typing import Any

LOGGED_IN = "logged_in(subject)"

#: What a refusal says of what was given before.
OLD = "collected under version 1 of the policy, which is still good for it"


def of(work: Any, kind: Any, person: str) -> Any:
    return work.select(kind, kind.person == person)[0]


def research(service: Any, kind: str, field: str, person: str) -> str:
    """Use what was given before for the new purpose."""
    site = service.versions.site
    with site.acting("website", "research") as work:
        return str(getattr(of(work, getattr(site, kind), person), field).open())


def deliver(service: Any) -> list[str]:
    """Do all that is waiting; to whom mail has come by now."""
    service.versions.site.opened.background.round()
    return sorted(mail.recipients[0] for mail in service.mail.received)


def gives(service: Any, person: str, *, name: str = "Ann Example", **unit: Any) -> None:
    """Somebody who is logged in writes a new name on their profile page."""
    site = service.versions.site
    with site.acting("website", "support", place="profile", channel="https", **unit) as work:
        customer = of(work, site.Customer, person)
        work.recognise(customer, LOGGED_IN)
        work.update(customer, name=name)
