"""The loyalty programme: how a customer stands in it, by the number of paid orders."""

from __future__ import annotations

from avow import Work

from . import account as accounts
from .records import Order

#: The standings, the highest first: paid orders from which on one has it, and what it is called.
STANDINGS = ((12, "Table companion"), (5, "Regular"), (1, "Friend of the house"))


def standing(paid: int) -> str | None:
    """What somebody with so many paid orders is called; None before the first."""
    return next((name for least, name in STANDINGS if paid >= least), None)


def recount(work: Work, person: str) -> None:
    """Note how the person with this id stands, if they have an account; to be called when an order was paid."""
    account = accounts.of_person(work, person)
    if account is None:
        return
    paid = work.select(Order, Order.customer == person, Order.status == "paid")
    counted = [order.items for order in paid[: STANDINGS[0][0]]]  # more than that change nothing
    if counted:
        with work.serving("loyalty"):
            derived = work.derive("membership", counted, lambda *orders: standing(len(orders)) or "")
            work.update(account, standing=derived)
