"""What the shop shows when somebody tries it out: three orders, a subscription with an issue, and a question.

Nobody in it is real: the names say that they are examples, and example.org is nobody's mailbox (RFC 2606).
"""

from __future__ import annotations

from collections.abc import Mapping

from avow import Demo

from . import newsletter
from .choice import Choice
from .shop import site

#: Test cards of the local processor: the one pays, the other is declined.
PAYS, DECLINED = "4242 " * 4, "4000 0000 0000 0002"

SUBSCRIBER = "dora@example.org"

_ADDRESS = {"street": "1 Market Lane", "city": "Exampleton", "postcode": "12345", "country": "USA"}


@site.demo
def examples(demo: Demo) -> None:
    """Order, subscribe and ask, as visitors do, and send an issue."""
    ann = _order(demo, "Ann", {"comte": 2, "honey": 1}, carrier="ups", note="It is a gift: no prices, please.")
    _order(demo, "Bob", {"trout": 1, "lemonoil": 1})
    _order(demo, "Cleo", {"olives": 1}, carrier="fedex", card_number=DECLINED)
    _subscribe(demo)
    with demo.acting("storefront", "newsletter_service", place="desk") as work:
        newsletter.begin(work, newsletter.issues(work)[-1].name)
    question = {"name": "Ann Example", "email": "ann@example.org", "text": "How do I keep the Comté?", "link": ann}
    demo.visitor().send("/contact", question)


def _order(demo: Demo, name: str, goods: Mapping[str, int], **typed: str) -> str:
    """An order from the shelves to its page; the path of that."""
    visitor = demo.visitor()
    for sku, quantity in goods.items():
        visitor.send("/cart/add", {"sku": sku, "quantity": str(quantity)}, page=f"/products/{sku}")
    who = {"name": f"{name} Example", "email": f"{name.lower()}@example.org", "card_name": f"{name} Example".upper()}
    card = {"card_number": PAYS, "card_expiry": "12/39", "card_code": "123"}
    return visitor.send("/checkout", {**who, **_ADDRESS, **card, **typed}).path


def _subscribe(demo: Demo) -> None:
    """Ask for the newsletter and press the button behind the mailed link."""
    visitor = demo.visitor()
    visitor.send("/newsletter", {"email": SUBSCRIBER, "agree": "yes"})
    with demo.acting("storefront", "newsletter_service", place="newsletter_page") as work:
        [choice] = work.select(Choice, Choice.email == SUBSCRIBER, Choice.state == "asked")
        path = f"/newsletter/{work.secret(choice, 'newsletter')}"
    visitor.send(path, {})
