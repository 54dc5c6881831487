"""Two small services that change their policies, each with the sentences of a site about what a new version may touch.

The helpline announces a new use by mail, and waits until somebody gives something new. The circle puts up a banner, and
takes going on for agreeing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped

from avow import Sealed, Site, moment, owner, personal
from avow.engine import Policy
from avow.testing.clock import FrozenClock

HERE = Path(__file__).parent
HELPLINE = (HERE / "helpline.md").read_text("utf-8")
CIRCLE = (HERE / "circle.md").read_text("utf-8")


def newer(source: str, number: str = "2", *, research: str = "device", days: int = 900) -> str:
    """A later version of either policy, which states a new purpose for a category and keeps things for longer."""
    opened = "may open " + research + " for research by website"
    anchor = "research"
    return (
        source.replace('version: "1"', f'version: "{number}"')
        .replace("effective: 2026-01-05", "effective: 2026-11-01")
        .replace("purposes:\n", "purposes:\n  research: {label: our research, key: analytics.reporting.research}\n")
        .replace("within 90 days", f"within {days} days")
        + f"\nWe do research with what you told us.\n\n```avow #{anchor}\n{opened}\n```\n"
    )


def helpline() -> Any:
    """A fresh helpline: people, their computers, what they ask for."""
    site: Any = Site(HERE / "helpline.md", pages=HERE)

    class Customer(site.Record):  # type: ignore[misc]
        __tablename__ = "help_customer"
        person: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="customer.name")
        email: Mapped[Sealed | None] = personal("contact.email", field="customer.email", optional=True)

    class Device(site.Record):  # type: ignore[misc]
        __tablename__ = "help_device"
        person: Mapped[str] = owner()
        make: Mapped[Sealed] = personal("device.make", field="device.make")

    class Request(site.Record):  # type: ignore[misc]
        __tablename__ = "help_request"
        person: Mapped[str] = owner()
        words: Mapped[Sealed] = personal("request", field="request.words")
        arrived: Mapped[float | None] = moment("arrived", "when it came")

    site.announces("announcement", Customer, role="website", purpose="announcement")
    site.Customer, site.Device, site.Request = Customer, Device, Request
    return site


def circle() -> Any:
    """A fresh circle: members and their feedback."""
    site: Any = Site(HERE / "circle.md", pages=HERE, subject="member", address="contact.email")

    class Member(site.Record):  # type: ignore[misc]
        __tablename__ = "circle_member"
        person: Mapped[str] = owner()
        email: Mapped[Sealed] = personal("contact.email", field="member.email")

    class Feedback(site.Record):  # type: ignore[misc]
        __tablename__ = "circle_feedback"
        person: Mapped[str] = owner()
        words: Mapped[Sealed] = personal("feedback", field="feedback.words")
        arrived: Mapped[float | None] = moment("arrived", "when it came")

    @site.page("/", role="website", purpose="operation", place="home")
    def home(work: Any) -> Any:
        return work.render("home.html")

    site.Member, site.Feedback = Member, Feedback
    return site


class Versions:
    """A service that is opened under one version after another, on the same data."""

    def __init__(self, make: Callable[[], Any], data: Path, clock: FrozenClock, **settings: Any) -> None:
        self._make = make
        self._data = data
        self.clock = clock
        self.settings = settings
        self.site: Any = None

    def under(self, source: str, change: Callable[[Any], None] = lambda site: None) -> Any:
        """Open it under a policy; what was open is closed."""
        self.close()
        site = self._make()
        site.policy = Policy.parse(source, "policy.md")
        change(site)
        site.open(self._data, background=False, clock=self.clock, **self.settings)
        self.site = site
        return site

    def close(self) -> None:
        """Close what is open."""
        if self.site is not None:
            self.site.close()
            self.site = None

    def standings(self) -> list[tuple[str, str, str]]:
        """The rows: the number of the version, the way, the place."""
        standing, policy = self.site.home.schema.standing.c, self.site.home.schema.policy.c
        with self.site.opened.vault.store.reading() as connection:
            rows = connection.execute(
                select(policy.version, standing.way, standing.place).where(policy.digest == standing.policy)
            )
            return sorted(tuple(row) for row in rows)
