"""Accounts as they are stored, how one is found, and the mail about them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped
from starlette.responses import Response

from avow import Refused, Sealed, Work, owner, personal, plain

from .shop import site

#: Seconds for which a mailed link is good: to prove an address, and to set a new password.
PROOF, RESET = 24 * 3600, 3600

#: The parts of an address, as the checkout asks for them; those in the second row may be left out.
ADDRESS = ("street", "city", "postcode", "country")
REST_OF_ADDRESS = ("unit", "region")


class Account(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """The account of one customer. Its orders are those of the same person."""

    __tablename__ = "shop_account"
    __label__ = "Your account"
    __table_args__ = (Index("shop_account_unproven", "proven", "until"),)

    customer: Mapped[str] = owner()
    name: Mapped[Sealed] = personal("contact.name", field="account.name")
    email: Mapped[Sealed] = personal("contact.email", field="account.email", lookup="email")
    street: Mapped[Sealed | None] = personal("contact.address.street", field="account.street", optional=True)
    unit: Mapped[Sealed | None] = personal("contact.address.unit", field="account.unit", optional=True)
    city: Mapped[Sealed | None] = personal("contact.address.city", field="account.city", optional=True)
    region: Mapped[Sealed | None] = personal("contact.address.region", field="account.region", optional=True)
    postcode: Mapped[Sealed | None] = personal("contact.address.postcode", field="account.postcode", optional=True)
    country: Mapped[Sealed | None] = personal("contact.address.country", field="account.country", optional=True)
    password: Mapped[Sealed | None] = personal("account.password_hash", field="account.password_hash", optional=True)
    standing: Mapped[Sealed | None] = personal("membership", field="account.standing", optional=True)
    proven: Mapped[bool] = plain("whether the link that was mailed to its address has been followed")
    revision: Mapped[int] = plain("how often the password was set: a link for a new one ends with it")
    until: Mapped[float] = plain("unix seconds until which the link mailed last is good")

    @property
    def reset_use(self) -> str:
        """What the mailed link for a new password is bound to: this request for it, and the present password."""
        return f"reset:{self.until:.0f}:{self.revision}"


def find(work: Work, address: Any) -> Account | None:
    """The account that an address has, or None. The address is compared without being opened."""
    return next(iter(work.select(Account, Account.email == address, Account.proven.is_(True))), None)


def of_person(work: Work, person: str) -> Account | None:
    """The account of the person with this id, or None."""
    return next(iter(work.select(Account, Account.customer == person, Account.proven.is_(True))), None)


def notify(work: Work, record: Any, edition: str) -> None:
    """Mail a notice about an account, unless its address wants no mail: the page does not say which of the two."""
    try:
        work.send("notice", record, edition=edition)
    except Refused as refused:
        if refused.verdict is None:
            raise


def too_often(wait: float) -> str:
    """What a form says to who has to wait so many seconds."""
    minutes = int(wait // 60) + 1
    return f"Too many attempts with this address. Please wait {minutes} minute{'s' if minutes > 1 else ''}."


def lost(work: Work) -> Response:
    """The page for a mailed link that is not good any more."""
    return work.render(
        "notice.html",
        status=404,
        title="This link does not lead on",
        text=[
            "It was used already, a newer one was sent, or its time is over.",
            "You can have another one sent, from the page for logging in.",
        ],
        onward="/login",
        onward_words="To logging in",
    )
