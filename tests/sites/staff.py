"""Members of the shop's staff, on the level of HTTP."""

from __future__ import annotations

import base64
from typing import Any

from .conftest import Gourmet, Shop
from .customer import CARD, CONTACT, Customer, hidden

PASSWORD = "kettle over the blue barn"

#: Who works where.
ROLES = {"berta": ("order_desk",), "otto": ("service_desk",), "lena": ("legal_desk",)}


def basic(name: str, password: str = PASSWORD) -> str:
    """The header by which somebody proves to be one of the staff."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def hire(gourmet: Gourmet) -> None:
    """Write everybody of `ROLES` into the shop's file of staff."""
    for name, roles in ROLES.items():
        gourmet.opened.staff_file.add(name, PASSWORD, roles)


def at_desk(gourmet: Gourmet, name: str) -> Customer:
    """A member of staff at a browser."""
    if name in ROLES and name not in gourmet.opened.staff_file.members():
        hire(gourmet)
    return gourmet.customer(headers={"Authorization": basic(name)})


def hire_at(shop: Shop) -> None:
    """The same for the service as a process of its own: what `avow staff add` does."""
    from avow.site.staff_file import NAME, StaffFile

    file = StaffFile(shop.data / NAME, frozenset(role for roles in ROLES.values() for role in roles))
    for name, roles in ROLES.items():
        file.add(name, PASSWORD, roles)


def call(desk: Customer, **typed: str) -> Any:
    """Fill in a telephone order, with these fields in place of the usual ones, and send it."""
    page = desk.get("/desk/phone")
    unseen = {"ticket": hidden(page, "ticket"), "csrf": hidden(page, "csrf")}
    return desk.send("/desk/phone", {**unseen, "carrier": "ups", "of_comte": "2", **CONTACT, **CARD, **typed})
