"""The wish to be erased: a dated request that waits and can be taken back, for a week, until it is carried out.

A wish is one person's. One address may be several persons here, for each order of a guest has a person of its own; so
who shows that an address is theirs wishes for each person who is known by it. What somebody is known by is the first of
`KINDS` that they have a record of: an address that a customer with an account typed into an order, for a present
perhaps, leads to that order's page and not to the account.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Mapped

from avow import Sealed, Work, moment, owner, personal, plain
from avow.edge import form as ask
from avow.edge.form import Form

from .account import Account
from .choice import Choice
from .records import Order
from .request import Request
from .shop import site

#: Days in which a wish may be taken back. Then it is carried out, long before the last day that the policy promises.
THINKING = 7

#: By what somebody is known: whose each record is, and how a page calls one of them and many.
KINDS: tuple[tuple[type[Any], Any, str, str], ...] = (
    (Account, Account.customer, "an account and all in it", "{} accounts and all in them"),
    (Order, Order.customer, "an order", "{} orders"),
    (Choice, Choice.person, "what was said about our mail", "what was said about our mail, {} times"),
    (Request, Request.customer, "a question", "{} questions"),
)


class Erasure(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """One person's wish that everything about them be erased. `state` is `pending` or `withdrawn`."""

    __tablename__ = "shop_erasure"
    __label__ = "Your wish that we erase"
    __choices__ = True

    customer: Mapped[str] = owner()
    asked: Mapped[Sealed] = personal("erasure", field="erasure.asked")
    state: Mapped[str] = plain("workflow state: pending or withdrawn")
    wished: Mapped[float | None] = moment(
        "erasure_asked", "when it was asked, unless it was taken back", after=timedelta(days=THINKING)
    )

    @property
    def day(self) -> str:
        """The day on which it is carried out, in UTC, as text."""
        return day_of((self.wished or 0.0) + timedelta(days=THINKING).total_seconds())


class Erase(Form):
    """Asking for erasure, or taking that back."""

    do = ask.choice(None, "What to do", {"ask": "ask", "withdraw": "withdraw"})


def known_by(work: Work, address: Any) -> list[Any]:
    """For each person whose address this is, one record that they are known by. It is compared without being opened."""
    found: dict[str, Any] = {}
    for place, (kind, *_) in enumerate(KINDS):
        for record in work.select(kind, kind.email == address):
            if record.owner_id not in found and not _has(work, record.owner_id, KINDS[:place]):
                found[record.owner_id] = record
    return list(found.values())


def held(work: Work, records: Iterable[Any]) -> list[str]:
    """What we have about the owners of these records, in words and without a value of it."""
    people = {record.owner_id for record in records}
    words = []
    for kind, whose, one, many in KINDS:
        number = len(work.select(kind, whose.in_(people)))
        if number:
            words.append(one if number == 1 else many.format(number))
    return words


def has_account(work: Work, record: Any) -> bool:
    """Whether the owner of a record has an account."""
    return _has(work, record.owner_id, KINDS[:1])


def pending(work: Work, record: Any) -> Erasure | None:
    """The wish of the owner of a record that waits, or None."""
    theirs = work.select(Erasure, Erasure.customer == record.owner_id, Erasure.state == "pending")
    return min(theirs, key=lambda wish: wish.wished, default=None)


def decide(work: Work, records: Iterable[Any], form: Form) -> None:
    """Do what a form says: note the wish of each owner with its day, the first one if asked twice, or take it back."""
    for record in records:
        if form["do"] == "ask":
            _wish(work, record)
        else:
            _withdraw(work, record)


def _wish(work: Work, record: Any) -> None:
    if pending(work, record) is None:
        with work.serving("objections"):
            work.collect(Erasure, person=record.avow_person, asked=day_of(work.now), state="pending", wished=work.now)


def _withdraw(work: Work, record: Any) -> None:
    while (found := pending(work, record)) is not None:
        work.update(found, state="withdrawn", wished=None)


def _has(work: Work, person: str, kinds: Iterable[tuple[Any, ...]]) -> bool:
    return any(work.select(kind, whose == person) for kind, whose, *_ in kinds)


def day_of(moment: float) -> str:
    """The day of unix seconds, in UTC, as text."""
    return datetime.fromtimestamp(moment, UTC).strftime("%-d %B %Y")
