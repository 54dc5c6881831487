"""A small site for the tests of the vault: a reading club with members and loans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Mapped

from avow import Sealed, Site, owner, personal, plain


def club(policy: Path | None = None) -> Any:
    """A fresh site with its own records, on `site.Member` and `site.Loan`; under another policy, if one is named."""
    here = Path(__file__).parent
    site: Any = Site(policy or here / "club.md", pages=here / "pages", link="/card/{secret}")

    class Member(site.Record):  # type: ignore[misc]
        __tablename__ = "club_member"
        person: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="member.name")
        email: Mapped[Sealed] = personal("contact.email", field="member.email", lookup="email")
        address: Mapped[Sealed | None] = personal("contact.address", field="member.address", optional=True)
        wishes: Mapped[Sealed | None] = personal("wishes", field="member.wishes", optional=True)
        last4: Mapped[Sealed | None] = personal("card.last4", field="member.last4", optional=True)
        fine: Mapped[str] = plain("whether the fine is paid", default="due")
        shelf: Mapped[str] = plain("which shelf the member's books wait on", default="A")

    class Loan(site.Record):  # type: ignore[misc]
        __tablename__ = "club_loan"
        reader: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="loan.name")

    site.Member, site.Loan = Member, Loan
    return site
