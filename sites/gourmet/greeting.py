"""Greeting a customer whom the shop knows again, by a cookie that is good for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete
from sqlalchemy.orm import Mapped

from avow import Work, owner, plain

from . import account as accounts
from . import tokens
from .shop import site

if TYPE_CHECKING:
    from .account import Account


class Greeting(site.Record):  # type: ignore[misc,name-defined]  # a base class made per site, as SQLAlchemy's are
    """One browser that is known again."""

    __tablename__ = "shop_greeting"
    __label__ = "A browser that we know again"
    __stays__ = "its cookie is of this shop"

    customer: Mapped[str] = owner()
    token: Mapped[str] = plain("keyed hash of the number in the cookie", unique=True)
    bond: Mapped[str] = plain("keyed hash of that number and of whose it is")
    until: Mapped[int] = plain(
        "month, counted from the year 0, with which it ends unless the browser comes before", index=True
    )


def greet(work: Work) -> Any | None:
    """The name and standing of who is known again here, to be shown on a page; None where nobody is.

    Nor is somebody who objects to such uses of their name. The cookie's year begins anew.
    """
    with work.serving("greeting"):
        number = work.cookie("greeting")
        found: Greeting | None = tokens.holder(work, Greeting, "greeting", number)
        if number is None or found is None or found.until < _month(work):
            return None
        account = accounts.of_person(work, found.customer)
        if account is None:
            return None
        shown = work.aside(account, "presented(cookie.greeting)", purpose="greeting")
        if not shown.may_show("name"):
            return None
        work.set_cookie("greeting", number)
    if found.until < _month(work) + 13:  # coarse on purpose: the database need not say when somebody was here
        table = Greeting.__table__
        work.db.execute(table.update().where(table.c.token == found.token).values(until=_month(work) + 13))
    return shown


def remember(work: Work, account: Account) -> None:
    """Know this browser again at later visits."""
    with work.serving("greeting"):
        if tokens.holder(work, Greeting, "greeting", work.cookie("greeting")) is not None:
            forget(work)
        work.db.execute(delete(Greeting).where(Greeting.until < _month(work)))
        number = tokens.draw()
        made = tokens.columns(work, "greeting", number, account.customer)
        work.collect(Greeting, person=account.avow_person, **made, until=_month(work) + 13)
        work.set_cookie("greeting", number)


def forget(work: Work) -> None:
    """Do not know this browser again."""
    with work.serving("greeting"):
        found = tokens.holder(work, Greeting, "greeting", work.cookie("greeting"))
    if found is not None:
        work.db.delete(found)
    work.forget_cookie("greeting")


def forget_all(work: Work, account: Account) -> None:
    """Know none of an account's browsers again."""
    work.db.execute(delete(Greeting).where(Greeting.customer == account.customer))


def _month(work: Work) -> int:
    today = datetime.fromtimestamp(work.now, UTC)
    return today.year * 12 + today.month
