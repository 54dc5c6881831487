"""How the desks and the pages around makers and questions look: on a desk, on a phone, to a screen reader, by keyboard.

With SCREENSHOTS=1 the pictures go to docs/screenshots, otherwise to a temporary folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT, Gourmet
from .customer import CARD, CONTACT, DECLINED
from .staff import PASSWORD, hire
from .test_gourmet_browser import EXAMPLE, WIDTHS, fill_in, picture
from .test_gourmet_desk import ASKED, ask
from .test_gourmet_report import COMTE, DAY, HONEY, TROUT, order, served, visit

MEMBER = {"username": "staff", "password": PASSWORD}


@pytest.fixture
def base(gourmet: Gourmet) -> Iterator[str]:
    """The shop with questions, orders and visits, behind a server whose clock stands still."""
    hire(gourmet)
    gourmet.opened.staff_file.add(MEMBER["username"], PASSWORD, ("order_desk", "service_desk"))
    visit(gourmet, 22, referrer="https://food.example/cheese")
    visit(
        gourmet, 14, browser="Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
    )
    order(gourmet, 24, f"{COMTE}\n{HONEY}")
    order(gourmet, 11, TROUT)
    gourmet.clock.advance(DAY)
    link = gourmet.customer().order(**EXAMPLE)
    ask(gourmet, name="Ann Example", email="ann@example.org", text="Can it be sent a day later?", link=link)
    ask(gourmet)
    with served(gourmet) as where:
        yield where


def errors(page: Any, base: str, path: str, button: str) -> None:
    page.goto(f"{base}{path}")
    page.get_by_role("button", name=button).click()


def contact_sent(page: Any, base: str) -> None:
    page.goto(f"{base}/contact")
    for name, text in ASKED.items():
        page.locator(f"#{name}").fill(text)
    page.get_by_role("button", name="Send the question").click()


def telephone(page: Any, base: str, number: str = CARD["card_number"]) -> None:
    page.goto(f"{base}/desk/phone")
    page.get_by_label("Comté").fill("2")
    page.get_by_label("Oak-smoked trout").fill("1")
    for name, text in {**CONTACT, **CARD, **EXAMPLE, "card_number": number}.items():
        page.locator(f"#{name}").fill(text)
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/desk/phone/*")


def telephone_pays_again(page: Any, base: str) -> None:
    telephone(page, base, DECLINED)
    page.get_by_role("link", name="Try again").click()


def objected(page: Any, base: str) -> None:
    page.goto(f"{base}/desk/objection")
    page.locator("#email").fill("ann@example.org")
    page.locator("#words").fill("No newsletter, please.")
    page.get_by_role("button", name="Note it").click()


def makers(page: Any, base: str, *, pay: bool) -> None:
    for sku in ("cheddar", "lemonoil", "trout"):
        page.goto(f"{base}/products/{sku}")
        page.get_by_role("button", name="Put into the cart").click()
    page.get_by_role("link", name="To the checkout").click()
    if pay:
        fill_in(page, **EXAMPLE)
        page.get_by_role("button", name="Order and pay").click()
        page.wait_for_url("**/order/*")


#: Each page, and the way there.
PAGES: dict[str, Callable[[Any, str], object]] = {
    "contact": lambda page, base: page.goto(f"{base}/contact"),
    "contact-errors": lambda page, base: errors(page, base, "/contact", "Send the question"),
    "contact-sent": contact_sent,
    "makers-checkout": lambda page, base: makers(page, base, pay=False),
    "makers-order": lambda page, base: makers(page, base, pay=True),
    "desk": lambda page, base: page.goto(f"{base}/desk"),
    "desk-phone": lambda page, base: page.goto(f"{base}/desk/phone"),
    "desk-phone-errors": lambda page, base: errors(page, base, "/desk/phone", "Order and pay"),
    "desk-called": telephone,
    "desk-declined": lambda page, base: telephone(page, base, DECLINED),
    "desk-pay": telephone_pays_again,
    "desk-objection": lambda page, base: page.goto(f"{base}/desk/objection"),
    "desk-objection-errors": lambda page, base: errors(page, base, "/desk/objection", "Note it"),
    "desk-objected": objected,
    "desk-questions": lambda page, base: page.goto(f"{base}/desk/requests"),
    "desk-question": lambda page, base: (
        page.goto(f"{base}/desk/requests"),
        page.get_by_role("link", name="Answer").first.click(),
    ),
    "desk-question-errors": lambda page, base: (
        page.goto(f"{base}/desk/requests"),
        page.get_by_role("link", name="Answer").first.click(),
        page.get_by_role("button", name="Send the answer").click(),
    ),
    "desk-report": lambda page, base: page.goto(f"{base}/desk/report"),
    "desk-lost": lambda page, base: page.goto(f"{base}/desk/phone/nowhere"),
}
SHOWN = ("contact", "makers-order", "desk-phone", "desk-called", "desk-question", "desk-report")


def test_every_page_is_accessible_fits_a_phone_and_needs_no_script(chromium: Any, base: str, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    axe, found = Axe(), []
    folder = ROOT / "docs" / "screenshots" if os.environ.get("SCREENSHOTS") == "1" else tmp_path
    for width in WIDTHS:
        context = chromium.new_context(
            http_credentials=MEMBER, viewport={"width": width, "height": 900 if width > 1000 else 812}
        )
        page = context.new_page()
        for name, go in PAGES.items():
            go(page, base)
            assert page.get_by_role("heading", level=1).count() == 1, name
            assert "<script" not in page.content(), name
            found += [
                (name, width, violation["id"], [node["target"] for node in violation["nodes"]])
                for violation in axe.run(page).response["violations"]
                if violation["impact"] in ("serious", "critical")
            ]
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} scrolls sideways at {width} px: it is {wide} px wide"
            picture(page, (folder if name in SHOWN else tmp_path) / f"{name}-{width}.png")
        context.close()
    assert not found


def test_who_gives_no_password_reads_why_and_where_to(chromium: Any, base: str, gourmet: Gourmet) -> None:
    """The browser's own window comes first; who closes it reads this. A driven browser has no window, so it gets the
    page without the header that opens one."""
    answer = gourmet.customer().get("/desk")
    assert answer.status_code == 401
    context = chromium.new_context()
    page = context.new_page()
    page.route(f"{base}/desk", lambda route: route.fulfill(body=answer.text, content_type="text/html"))
    page.goto(f"{base}/desk")
    assert page.get_by_role("heading", level=1).inner_text() == "Staff only"
    assert page.get_by_text("Please give your name and your password").is_visible()
    assert page.get_by_role("link", name="To the shelves").is_visible()
    context.close()


def test_the_telephone_form_is_walked_through_by_keyboard(chromium: Any, base: str) -> None:
    context = chromium.new_context(http_credentials=MEMBER)
    page = context.new_page()
    page.goto(f"{base}/desk/phone")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "() => [document.activeElement.id || document.activeElement.innerText,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert here[1] != "none", here
        seen.append(here[0])
        if here[0] == "Order and pay":
            break
    order_of = [
        seen.index(name) for name in ("of_comte", "of_crackers", "name", "note", "carrier", "card_number", "card_code")
    ]
    assert order_of == sorted(order_of)
    assert seen[-1] == "Order and pay"
    context.close()


def test_a_call_needs_no_script(chromium: Any, base: str, gourmet: Gourmet) -> None:
    context = chromium.new_context(http_credentials=MEMBER, java_script_enabled=False)
    page = context.new_page()
    telephone(page, base)
    assert page.get_by_role("heading", level=1).inner_text() == "The order is paid"
    context.close()
