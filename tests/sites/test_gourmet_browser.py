"""The gourmet shop in a real browser: bought in, by keyboard too, with its cookies and without any.

How its pages look, and that they need no scripts, is in `test_gourmet_pages`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import CHROMIUM, FLAGS, Shop
from .customer import CARD, CONTACT, PAYS

LAST4 = PAYS[-4:]


def put_into_cart(page: Any, base: str, sku: str = "comte") -> None:
    page.goto(f"{base}/products/{sku}")
    page.get_by_role("button", name="Put into the cart").click()
    page.get_by_text("is in your cart").wait_for()


def fill_in(page: Any, **typed: str) -> None:
    for name, text in {**CONTACT, **CARD, **typed}.items():
        page.locator(f"#{name}").fill(text)


def buy(page: Any, base: str, **typed: str) -> str:
    """From the shelves to the order's page; its address."""
    page.goto(f"{base}/")
    page.get_by_role("link", name="Comté, aged 24 months").first.click()
    page.get_by_role("button", name="Put into the cart").click()
    page.get_by_role("link", name="To the checkout").click()
    fill_in(page, **typed)
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/order/*")
    return str(page.url)


# -- works --------------------------------------------------------------------------------------------


@pytest.mark.promise("I1", "works")
@pytest.mark.promise("I2", "works")
@pytest.mark.promise("I7", "works")
@pytest.mark.promise("I8", "works")
@pytest.mark.promise("I16", "works")
def test_a_purchase_from_the_shelves_to_the_mailed_link(shop: Shop, page: Any) -> None:
    where = buy(page, shop.base)
    assert page.get_by_role("heading", level=1).inner_text() == f"Thank you, {CONTACT['name']}"
    assert page.get_by_text(f"Card ending in {LAST4}").is_visible()
    [mail] = shop.peers.mail.wait_for(1)
    assert mail.recipients == (CONTACT["email"],)
    assert f"the card that ends in {LAST4}" in mail.text
    assert where in mail.text
    assert "\n17 Zephyrine Close\nFlat Xanthe\nUlverthorpe, Westmarch QX7 4ZK\nRuritania\n" in mail.text
    [label] = shop.peers.ups.wait_for(1)
    assert label.fields["contact.address.city"] == CONTACT["city"]
    [payment] = shop.peers.processor.received
    assert (payment.status, payment.last4) == ("authorised", LAST4)
    page.goto(next(line for line in mail.text.splitlines() if line.startswith("http")))
    page.get_by_text(label.tracking).wait_for()
    for text in CONTACT.values():
        assert page.get_by_text(text).first.is_visible()
    page.goto(f"{shop.base}/privacy")
    assert "Version 1, in force since" in page.locator(".version").inner_text()


@pytest.mark.promise("I12", "works")
def test_a_purchase_over_tls(tls_shop: Shop, page: Any) -> None:
    met: list[str] = []
    page.on("request", lambda request: met.append(request.url))
    assert buy(page, tls_shop.base).startswith("https://")
    assert met
    assert all(url.startswith(("https://", "data:")) for url in met)
    assert page.evaluate("window.isSecureContext")


def is_field(name: str) -> Callable[[dict[str, str]], bool]:
    return lambda here: here["id"] == name


def test_a_purchase_by_keyboard_alone(shop: Shop, page: Any) -> None:
    def walk_to(reached: Callable[[dict[str, str]], bool]) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            here = page.evaluate(
                "() => ({id: document.activeElement.id, text: document.activeElement.innerText || '',"
                " outline: getComputedStyle(document.activeElement).outlineStyle})"
            )
            if reached(here):
                assert here["outline"] != "none", f"the focus on {here} cannot be seen"
                return
        pytest.fail("the keyboard does not get there")

    page.goto(f"{shop.base}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the content"
    page.keyboard.press("Enter")
    walk_to(lambda here: here["text"].startswith("Comté"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/products/comte")
    walk_to(lambda here: here["text"] == "Put into the cart")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cart?added=comte")
    walk_to(lambda here: here["text"] == "To the checkout")
    page.keyboard.press("Enter")
    page.wait_for_url("**/checkout")
    for name in ("name", "email", "street", "unit", "city", "postcode", "region", "country", "note"):
        walk_to(is_field(name))
        page.keyboard.type(CONTACT[name])
    walk_to(lambda here: here["id"] == "carrier")
    page.keyboard.press("ArrowDown")
    for name, text in CARD.items():
        walk_to(is_field(name))
        page.keyboard.type(text)
    walk_to(lambda here: here["text"] == "Order and pay")
    page.keyboard.press("Enter")
    page.wait_for_url("**/order/*")
    assert page.get_by_text("By FedEx 2Day").is_visible()
    shop.peers.fedex.wait_for(1)


@pytest.mark.promise("I4", "works")
def test_a_visit_from_another_site_can_be_seen_in_what_is_stored(shop: Shop, page: Any) -> None:
    """What lies in the row is sealed, so the sizes tell: a visit with a referring page has all three fields."""
    import sqlite3

    page.route("https://food.example/", lambda route: route.fulfill(body=f'<a href="{shop.base}/">x</a>'))
    page.set_extra_http_headers({"Referer": "https://food.example/"})
    page.goto(f"{shop.base}/")
    page.set_extra_http_headers({})
    page.get_by_role("link", name="Privacy", exact=True).click()
    with sqlite3.connect(shop.data / "site.db") as database:
        visits = database.execute("SELECT time, referrer, browser, policy FROM avow_visit").fetchall()
    database.close()
    assert len(visits) == 1, "going on within the site is no new visit"
    assert all(visits[0])


# -- cookies ------------------------------------------------------------------------------------------


@pytest.mark.promise("I6", "works")
def test_the_cart_outlives_the_browser_and_is_the_only_cookie(playwright: Any, shop: Shop, tmp_path: Path) -> None:
    def browser() -> Any:
        return playwright.chromium.launch_persistent_context(
            str(tmp_path / "profile"), executable_path=str(CHROMIUM), args=list(FLAGS)
        )

    first = browser()
    put_into_cart(first.new_page(), shop.base)
    assert [cookie["name"] for cookie in first.cookies()] == ["cart"]
    first.close()
    second = browser()
    page = second.new_page()
    page.goto(f"{shop.base}/cart")
    assert page.get_by_role("link", name="Comté").is_visible()
    page.get_by_role("link", name="To the checkout").click()
    fill_in(page)
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/order/*")
    assert second.cookies() == []
    assert page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
    second.close()


@pytest.mark.promise("I6", "works")
def test_a_browser_without_cookies_is_told_that_one_cannot_shop(playwright: Any, shop: Shop, tmp_path: Path) -> None:
    profile = tmp_path / "profile" / "Default"
    profile.mkdir(parents=True)
    (profile / "Preferences").write_text(
        json.dumps({"profile": {"default_content_setting_values": {"cookies": 2}, "block_third_party_cookies": True}})
    )
    context = playwright.chromium.launch_persistent_context(
        str(profile.parent), executable_path=str(CHROMIUM), args=list(FLAGS)
    )
    page = context.new_page()
    page.goto(f"{shop.base}/products/comte")
    page.get_by_role("button", name="Put into the cart").click()
    assert page.get_by_role("heading", name="Your browser keeps no cookies").is_visible()
    assert page.get_by_text("without cookies one cannot shop here").is_visible()
    assert context.cookies() == []
    context.close()


# -- the privacy page ---------------------------------------------------------------------------------


@pytest.mark.promise("I14", "works")
def test_a_sentence_unfolds_into_its_rules_and_figures_that_show_nobody(shop: Shop, page: Any) -> None:
    buy(page, shop.base)
    shop.peers.mail.wait_for(1)
    page.get_by_role("navigation", name="Shop").get_by_role("link", name="Privacy").click()
    fold = page.locator("#card-passed-on")
    assert not fold.locator("code").is_visible()
    fold.locator("summary").click()
    assert "may share card.number" in fold.locator("code").inner_text()
    assert "Permitted fewer than 10 times, refused fewer than 10 times." in fold.inner_text()
    for way in ("service@quinceandbarrel.example", "+1 555 0100", "1 Market Lane, Exampleton"):
        assert page.get_by_role("main").get_by_text(way).last.is_visible()
