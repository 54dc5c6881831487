"""The wish to be erased: a dated request that waits and can be taken back until it is carried out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.orm import Mapped

from avow import Sealed, Work, owner, personal, plain

from .shop import site

if TYPE_CHECKING:
    from .account import Account

#: Days within which the policy promises to erase (#erase).
WITHIN = 30


class Erasure(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """One person's wish that everything about them be erased. `state` is `pending` or `withdrawn`."""

    __tablename__ = "shop_erasure"

    customer: Mapped[str] = owner()
    asked: Mapped[Sealed] = personal("erasure", field="erasure.asked")
    state: Mapped[str] = plain("workflow state: pending or withdrawn")
    due: Mapped[float] = plain("unix seconds by which it has to be carried out")

    @property
    def last_day(self) -> str:
        """The day by which it is carried out, in UTC, as text."""
        return _day(self.due)


def pending(work: Work, account: Account) -> Erasure | None:
    """The wish that waits, or None."""
    mine = work.select(Erasure, Erasure.customer == account.customer, Erasure.state == "pending")
    return min(mine, key=lambda wish: wish.due, default=None)


def wish(work: Work, account: Account) -> None:
    """Note the wish with its day; asked twice, the first one counts."""
    if pending(work, account) is None:
        due = work.now + timedelta(days=WITHIN).total_seconds()
        work.collect(Erasure, person=account.avow_person, asked=_day(work.now), state="pending", due=due)


def withdraw(work: Work, account: Account) -> None:
    """Take the wish back."""
    while (found := pending(work, account)) is not None:
        work.update(found, state="withdrawn")


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%-d %B %Y")
