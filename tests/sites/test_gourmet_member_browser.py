"""Accounts of the gourmet shop in a real browser: greeted, filled in, by passkey, with cookies off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from .conftest import CHROMIUM, FLAGS, Shop
from .customer import CARD, Customer
from .member import ADDRESS, EMAIL, NAME, PASSWORD, links
from .test_gourmet_browser import put_into_cart


def by_name(shop: Shop) -> str:
    """The shop under a name: passkeys go with names, and an address is none."""
    return shop.base.replace("127.0.0.1", "localhost")


def fill(page: Any, **typed: str) -> None:
    for name, text in typed.items():
        page.locator(f"#{name}").fill(text)


def heading(page: Any) -> str:
    return str(page.get_by_role("heading", level=1).inner_text())


def sign_up(
    page: Any, shop: Shop, base: str, *, name: str = NAME, email: str = EMAIL, password: str = PASSWORD
) -> None:
    """Open an account through the pages and the mailed link; logged in afterwards."""
    page.goto(f"{base}/signup")
    fill(page, name=name, email=email, password=password)
    page.get_by_role("button", name="Open the account").click()
    assert heading(page) == "Please look into your mail"
    shop.peers.mail.wait_for(1)
    page.goto(base + links(shop.peers.mail, "/signup")[-1])
    page.get_by_role("button", name="Open my account").click()
    page.wait_for_url("**/account?new")


def log_in(page: Any, base: str, *, email: str = EMAIL, password: str = PASSWORD) -> None:
    page.goto(f"{base}/login")
    fill(page, email=email, password=password)
    page.get_by_role("button", name="Log in", exact=True).click()


@pytest.mark.promise("I6", "works")
def test_greeting_and_cart_outlive_the_browser_and_being_logged_in_does_not(
    playwright: Any, shop: Shop, tmp_path: Path
) -> None:
    def browser() -> Any:
        return playwright.chromium.launch_persistent_context(
            str(tmp_path / "profile"), executable_path=str(CHROMIUM), args=list(FLAGS)
        )

    first = browser()
    page = first.new_page()
    sign_up(page, shop, shop.base)
    put_into_cart(page, shop.base)
    assert sorted(cookie["name"] for cookie in first.cookies()) == ["cart", "greeting", "login"]
    first.close()
    second = browser()
    page = second.new_page()
    page.goto(f"{shop.base}/cart")
    assert page.get_by_text(f"Welcome back, {NAME}").is_visible()
    assert page.get_by_role("link", name="Comté").is_visible()
    assert sorted(cookie["name"] for cookie in second.cookies()) == ["cart", "greeting"]
    page.goto(f"{shop.base}/account")
    assert heading(page) == "Log in"
    second.close()


@pytest.mark.promise("I6", "works")
def test_a_paid_order_of_an_account_makes_a_friend_of_the_house(shop: Shop, page: Any) -> None:
    sign_up(page, shop, shop.base)
    page.get_by_role("link", name="Correct name or address").click()
    fill(page, **ADDRESS)
    page.get_by_role("button", name="Put this down").click()
    assert page.get_by_text("We have put down what you corrected.").is_visible()
    put_into_cart(page, shop.base)
    page.get_by_role("link", name="To the checkout").click()
    assert page.locator("#email").input_value() == EMAIL
    fill(page, **CARD)
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/order/*")
    assert page.get_by_text(f"Welcome back, {NAME} · Friend of the house").is_visible()
    where = page.url
    page.goto(f"{shop.base}/account")
    page.get_by_role("link", name="The page of this order").click()
    assert page.url == where


def test_who_keeps_no_cookies_is_told_so_after_logging_in(
    playwright: Any, shop: Shop, page: Any, tmp_path: Path
) -> None:
    sign_up(page, shop, shop.base)
    profile = tmp_path / "profile" / "Default"
    profile.mkdir(parents=True)
    (profile / "Preferences").write_text(
        json.dumps({"profile": {"default_content_setting_values": {"cookies": 2}, "block_third_party_cookies": True}})
    )
    context = playwright.chromium.launch_persistent_context(
        str(profile.parent), executable_path=str(CHROMIUM), args=list(FLAGS)
    )
    without = context.new_page()
    log_in(without, shop.base)
    assert heading(without) == "You are not logged in"
    assert without.get_by_role("heading", name="Your browser keeps no cookies").is_visible()
    assert context.cookies() == []
    context.close()


def authenticator(page: Any) -> tuple[Any, str]:
    """A device that answers for its owner, as the browser's own test of passkeys offers."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def make_passkey(page: Any, shop: Shop) -> tuple[Any, str]:
    """Open an account and make a passkey for it."""
    base = by_name(shop)
    page.goto(base)
    device = authenticator(page)
    sign_up(page, shop, base)
    page.get_by_role("button", name="Make a passkey").click()
    page.wait_for_url("**/account?passkey")
    return device


def test_a_passkey_is_made_logs_in_once_by_each_answer_and_goes(shop: Shop, page: Any) -> None:
    base = by_name(shop)
    make_passkey(page, shop)
    assert page.get_by_text("Your passkey is ready.").is_visible()
    page.goto(f"{base}/logout")
    page.get_by_role("button", name="Log out, and do not greet me here again").click()
    assert page.context.cookies() == []
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    page.goto(f"{base}/login")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/account?in")
    assert page.get_by_text(EMAIL).first.is_visible()

    [answer] = [body for body in sent if "passkey=%7B" in body]
    again = Customer(base)
    copied = {"passkey": dict(parse_qsl(answer))["passkey"]}
    assert again.send("/login/passkey", copied, page="/login").headers["location"] == "/login?passkey"
    assert "login" not in again.http.cookies
    page.goto(f"{base}/logout")
    page.get_by_role("button", name="Log out", exact=True).click()
    assert again.send("/login/passkey", copied, page="/login").headers["location"] == "/login?passkey"

    page.goto(f"{base}/login")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/account?in")
    page.get_by_role("button", name="Remove the passkey number 1").click()
    assert page.get_by_text("The passkey is gone.").is_visible()
    page.goto(f"{base}/logout")
    page.get_by_role("button", name="Log out", exact=True).click()
    page.goto(f"{base}/login")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/login?passkey")
    assert page.get_by_text("That passkey did not work.").is_visible()


def test_a_passkey_answers_for_nobody_who_was_not_verified(shop: Shop, page: Any) -> None:
    session, device = make_passkey(page, shop)
    page.goto(f"{by_name(shop)}/logout")
    page.get_by_role("button", name="Log out", exact=True).click()
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.goto(f"{by_name(shop)}/login")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("Your browser has found no passkey").wait_for()


def test_a_passkeys_answer_that_was_altered_logs_nobody_in(shop: Shop, page: Any) -> None:
    base = by_name(shop)
    make_passkey(page, shop)
    page.goto(f"{base}/logout")
    page.get_by_role("button", name="Log out", exact=True).click()
    for alter in (
        "answer.response.signature = 'AAAA' + answer.response.signature.slice(4)",
        "answer.response.authenticatorData = 'AAAA' + answer.response.authenticatorData.slice(4)",
        "answer.rawId = answer.id = 'AAAA'",
        "delete answer.response.clientDataJSON",
        "answer.response = null",
    ):
        page.goto(f"{base}/login")
        _altered(page, alter)
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url("**/login?passkey")


def _altered(page: Any, alter: str) -> None:
    """Have the answer altered between the device and the form that carries it."""
    page.evaluate(
        "() => { const send = HTMLFormElement.prototype.submit; HTMLFormElement.prototype.submit = function () {"
        f" const answer = JSON.parse(this.elements.passkey.value); {alter};"
        " this.elements.passkey.value = JSON.stringify(answer); send.call(this); }; }"
    )
