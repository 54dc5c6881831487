"""A customer of the gourmet shop who has an account, on the level of HTTP, and what the shop mails them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .customer import Customer

if TYPE_CHECKING:
    from avow.testing.mailbox import Mailbox

    from .conftest import Gourmet, Peers

#: A value of its own for each field of an account.
NAME, EMAIL = "Wilhelmina Xyster", "w.xyster@canary-mail.example"
PASSWORD, OTHER = "seven teal walruses yodel", "nine plaid ostriches hum"
ADDRESS = {
    "street": "4 Quillback Row",
    "unit": "Attic Yarrow",
    "city": "Threlkeldby",
    "postcode": "ZQ3 8XV",
    "region": "Northmoor",
    "country": "Grand Fenwick",
}


def links(mailbox: Mailbox, path: str) -> list[str]:
    """The links below `path` in the mails received, the oldest first, as paths."""
    found = (re.findall(rf"https?://[^/\s]+({path}/[\w-]+)", mail.text) for mail in mailbox.received)
    return [link for mail in found for link in mail]


def member(
    gourmet: Gourmet, peers: Peers, *, name: str = NAME, email: str = EMAIL, password: str = PASSWORD
) -> Customer:
    """Somebody who has opened an account, proven the address, and is logged in."""
    customer = gourmet.customer()
    answer = customer.send("/signup", {"name": name, "email": email, "password": password})
    assert answer.headers["location"] == "/signup?sent", answer.text
    gourmet.work_off()
    answer = customer.send(links(peers.mail, "/signup")[-1], {})
    assert answer.headers["location"] == "/account?new", answer.text
    return customer


def log_in(customer: Customer, email: str = EMAIL, password: str = PASSWORD, **typed: str) -> Any:
    """Log in; the answer."""
    return customer.send("/login", {"email": email, "password": password, **typed})


def is_in(customer: Customer) -> bool:
    """Whether this browser is logged in."""
    return customer.get("/account").status_code == 200
