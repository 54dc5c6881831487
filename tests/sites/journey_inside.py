"""The journey of a customer with an account, and of a member of the staff, through every page that is for them."""

from __future__ import annotations

from typing import Any

from .customer import CONTACT, DECLINED
from .journey import ANNS_CARD, EXAMPLE, order
from .member import OTHER, PASSWORD, links
from .staff import PASSWORD as STAFF_PASSWORD
from .test_gourmet_report import COMTE, DAY, HONEY, TROUT, visit
from .test_gourmet_report import order as paid_orders
from .walk import Stage, Walk

DORA = {"name": "Dora Example", "email": "dora@example.org"}
MEMBER = {"username": "staff", "password": STAFF_PASSWORD}


def sign_up(stage: Stage, walk: Walk, **typed: str) -> None:
    walk.go("/signup")
    walk.fill(**typed)
    walk.press("Open the account")
    stage.gourmet.work_off()
    walk.go(links(stage.peers.mail, "/signup")[-1])


def opening_an_account(stage: Stage, walk: Walk) -> None:
    walk.go("/account")
    walk.look("login", "Log in", shown=True)
    walk.follow("Open one")
    walk.look("signup", "Open an account", shown=True)
    walk.fill(name="Dora Example", email="dora@example", password="short")
    walk.press("Open the account")
    walk.look("signup-errors", "Open an account")
    walk.fill(email=DORA["email"], password=PASSWORD)
    walk.press("Open the account")
    walk.look("signup-sent", "Please look into your mail")
    stage.gourmet.work_off()
    walk.go(links(stage.peers.mail, "/signup")[-1])
    walk.look("signup-link", "One step more", shown=True)
    walk.press("Open my account")
    walk.look("account-new", "Your account")
    walk.go("/signup/nowhere")
    walk.look("link-lost", "This link does not lead on", shown=True)


def own_pages(stage: Stage, walk: Walk) -> None:
    walk.go("/account/details")
    walk.look("details", "Your name and address", shown=True)
    walk.fill(street="1 Market Lane")
    walk.press("Put this down")
    walk.look("details-errors", "Your name and address")
    walk.fill(city="Exampleton", postcode="12345", country="USA")
    walk.press("Put this down")
    assert "We have put down what you corrected." in walk.text()
    order(walk, "comte", "crackers", **DORA)
    order(walk, "honey", card_number=DECLINED, **DORA)
    walk.go("/contact")
    walk.fill(email=DORA["email"], text="Do you send to Exampleton on Fridays?")
    walk.press("Send the question")
    walk.go("/contact")
    walk.fill(email=DORA["email"], text="Is it true that you hire?")
    walk.press("Send the question")
    walk.go("/newsletter")
    walk.fill(email=DORA["email"])
    walk.choose("Yes, send me the newsletter")
    walk.press("Send me the newsletter")
    stage.gourmet.work_off()
    walk.go("/")
    walk.look("home-greeted", "A larder worth opening", shown=True)
    walk.go("/account")
    walk.look("account", "Your account", shown=True)
    walk.follow("See everything we hold")
    walk.look("data", "Everything we hold about you", shown=True)
    walk.page.get_by_text("What our software notes with it").first.click()
    walk.look("data-notes", "Everything we hold about you")
    assert "Is it true that you hire?" in walk.take("Take it with you")
    stage.gourmet.opened.sequencer.run()
    walk.follow("your log")
    walk.look("log", "Your log", shown=True)
    assert walk.take("Receipt").startswith("c2sp.org/tlog-proof@v1\n")
    walk.page.get_by_text("How to check a receipt").first.click()
    walk.look("log-receipts", "Your log")
    walk.go(f"{walk.path}/nowhere.tlog-proof")
    walk.look("log-receipt-lost", "There is no such entry in your log")
    walk.follow("Back to your log")
    walk.follow("Older")
    walk.look("log-older", "Your log")
    assert "Because our policy says" in walk.text()
    walk.go("/account")
    asked = walk.page.get_by_role("listitem").filter(has_text="you hire?")
    with walk.page.expect_navigation():
        asked.get_by_role("button", name="Take it back").click()
    walk.look("account-taken", "Your account")
    assert "you hire?" not in walk.text()
    walk.go("/products/comte")
    walk.press("Put into the cart")
    walk.follow("To the checkout")
    walk.look("checkout-filled", "Checkout")
    walk.go("/account/email")
    walk.look("email", "Another e-mail address", shown=True)
    walk.press("Send the link")
    walk.look("email-errors", "Another e-mail address")
    walk.fill(email="dora@example.com", password=PASSWORD)
    walk.press("Send the link")
    walk.look("account-moving", "Your account")
    stage.gourmet.work_off()
    link = links(stage.peers.mail, "/account/email")[-1]
    with stage.visitor() as other:
        other.go(link)
        other.look("email-link-outside", "Your new e-mail address")
    walk.go(link)
    walk.look("email-link", "Your new e-mail address", shown=True)
    walk.press("Use the new address")
    assert "Your new e-mail address counts from now on." in walk.text()
    walk.go("/account/password")
    walk.look("password", "Change your password", shown=True)
    walk.fill(new_password="short")
    walk.press("Set it")
    walk.look("password-errors", "Change your password")
    walk.fill(password=PASSWORD, new_password=OTHER)
    walk.press("Set it")
    assert "Your new password is set." in walk.text()
    for only_by_button in ("/account/passkeys", "/account/passkeys/remove", "/login/passkey"):
        walk.go(only_by_button)


def erasing(walk: Walk) -> None:
    walk.follow("Erase everything") if walk.path == "/account" else walk.go("/account/erase")
    walk.look("account-erase", "Erase everything", shown=True)
    walk.press("Please erase everything about me")
    walk.look("account-erase-pending", "Erase everything", shown=True)
    walk.go("/account")
    walk.look("account-erase-waits", "Your account")
    walk.go("/account/erase")
    walk.press("Take it back")
    assert walk.page.get_by_role("button", name="Please erase everything about me").is_visible()


def leaving_and_coming_back(stage: Stage, walk: Walk) -> None:
    walk.go("/logout")
    walk.look("logout", "Log out", shown=True)
    walk.press("Log out, and do not greet me here again")
    walk.look("logout-done", "You are logged out")
    walk.go("/account?in")  # where a browser that keeps no cookies ends up
    walk.look("login-cookies-off", "You are not logged in", shown=True)
    walk.go("/login")
    walk.fill(email="dora@example.com", password=PASSWORD)
    walk.press("Log in")
    walk.look("login-errors", "Log in")
    walk.follow("Forgotten your password?")
    walk.look("forgotten", "A new password", shown=True)
    walk.press("Send the link")
    walk.look("forgotten-errors", "A new password")
    walk.fill(email="dora@example.com")
    walk.press("Send the link")
    walk.look("forgotten-sent", "Please look into your mail")
    stage.gourmet.work_off()
    walk.go(links(stage.peers.mail, "/login/reset")[-1])
    walk.look("reset", "Set a new password", shown=True)
    walk.fill(password="short")
    walk.press("Set it, and log in")
    walk.look("reset-errors", "Set a new password")
    walk.fill(password=OTHER)
    walk.press("Set it, and log in")
    assert "Your new password is set." in walk.text()


def with_account(stage: Stage) -> None:
    """Everything that one comes to with an account. Only passkeys are left out: they need scripts."""
    with stage.visitor() as walk:
        opening_an_account(stage, walk)
        own_pages(stage, walk)
        erasing(walk)
        leaving_and_coming_back(stage, walk)


def passkeys(stage: Stage) -> None:
    """Where a page has a script: what it adds, what the page says without it, and that the rest is the same."""
    with stage.visitor() as plain, stage.visitor(scripts=True) as walk:
        for each in (plain, walk):
            each.go("/login")
        assert "needs a browser that runs our one small script." in plain.text("[aria-labelledby=with-passkey]")
        assert rest(plain, "with-passkey") == rest(walk, "with-passkey")
        walk.session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        walk.session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        walk.look("login-passkey", "Log in")
        sign_up(stage, walk, name="Emil Example", email="emil@example.org")
        walk.press("Open my account")
        plain.context.add_cookies(walk.context.cookies())
        plain.go("/account")
        walk.go("/account")
        assert "Making one needs a browser that runs our one small script." in plain.text("[aria-labelledby=passkeys]")
        assert rest(plain, "passkeys") == rest(walk, "passkeys")
        walk.press("Make a passkey")
        walk.page.get_by_text("Your passkey is ready.").wait_for()
        walk.look("account-passkey", "Your account", shown=True)
        walk.go("/account/password")
        walk.look("password-none", "Set a password")
        walk.go("/logout")
        walk.press("Log out")
        walk.go("/login")
        walk.press("Use a passkey")
        assert walk.path == "/account"
        walk.press("Remove the passkey number 1")
        walk.page.get_by_text("The passkey is gone.").wait_for()
        walk.go("/login?passkey")
        walk.look("login-passkey-failed", "Log in")


def rest(walk: Walk, part: str) -> str:
    """What one reads on a page beside one part of it."""
    mine = walk.text(f"[aria-labelledby={part}]")
    found = walk.text()
    assert mine in found
    return found.replace(mine, "")


def hire(stage: Stage) -> None:
    """Give the desks something to show: a member of staff, visits, orders and an objection."""
    gourmet = stage.gourmet
    gourmet.opened.staff_file.add(
        MEMBER["username"], STAFF_PASSWORD, ("order_desk", "service_desk", "security_officer")
    )
    visit(gourmet, 22, referrer="https://food.example/cheese")
    paid_orders(gourmet, 24, f"{COMTE}\n{HONEY}")
    paid_orders(gourmet, 11, TROUT)
    gourmet.clock.advance(DAY)


def telephone(walk: Walk, **typed: str) -> None:
    walk.go("/desk/phone")
    walk.page.get_by_label("Comté").fill("2")
    walk.page.get_by_label("Oak-smoked trout").fill("1")
    walk.fill(**{**CONTACT, **EXAMPLE, **ANNS_CARD, **typed})
    walk.press("Order and pay")


def at_the_desks(stage: Stage) -> None:
    """Everything that is for the staff."""
    hire(stage)
    with stage.visitor(http_credentials=MEMBER) as walk:
        walk.go("/desk")
        walk.look("desk", "Your desks", shown=True)
        calls(walk)
        questions(walk)
        walk.go("/desk/report")
        walk.look("desk-report", "Report", shown=True)
        stage.gourmet.opened.sequencer.run()
        walk.go("/desk")
        walk.follow("Evidence")
        walk.look("evidence", "What became of our promises", shown=True)
        walk.go("/console/evidence?from=2026-02-02&to=2026-02-01")
        walk.look("evidence-days", "What became of our promises")


def calls(walk: Walk) -> None:
    walk.go("/desk/phone")
    walk.look("desk-phone", "Telephone order", shown=True)
    walk.press("Order and pay")
    walk.look("desk-phone-errors", "Telephone order")
    telephone(walk)
    walk.look("desk-called", "The order is paid", shown=True)
    telephone(walk, card_number=DECLINED)
    walk.look("desk-declined", "The card was declined")
    walk.follow("Try again")
    walk.look("desk-pay", "Pay again", shown=True)
    walk.press("Pay $")
    walk.look("desk-pay-errors", "Pay again")
    walk.fill(**ANNS_CARD)
    walk.press("Pay $")
    assert walk.page.get_by_role("heading", level=1).inner_text() == "The order is paid"
    walk.go("/desk/phone/nowhere")
    walk.look("desk-lost", "This page is not there", shown=True)
    walk.go("/desk/objection")
    walk.look("desk-objection", "Objection by telephone", shown=True)
    walk.press("Note it")
    walk.look("desk-objection-errors", "Objection by telephone")
    walk.fill(email="dora@example.org", words="No more mail, please.")
    walk.press("Note it")
    walk.look("desk-objected", "Objection by telephone")


def questions(walk: Walk) -> None:
    def open_first() -> None:
        walk.go("/desk/requests")
        walk.follow("Answer")

    walk.go("/desk/requests")
    walk.look("desk-questions", "Questions", shown=True)
    open_first()
    walk.look("desk-question", "Question", shown=True)
    walk.press("Send the answer")
    walk.look("desk-question-errors", "Question")
    walk.fill(answer="It does: we send it with ice, and by the next morning it is with you.")
    where = walk.path
    walk.press("Send the answer")
    walk.go(where)
    walk.look("desk-question-answered", "Question")
    open_first()
    walk.fill(answer="We do.")
    walk.press("Send the answer")
    walk.look("desk-question-no-mail", "Question")
    where = walk.path
    walk.press("Close it without an answer")
    walk.look("desk-questions-none", "Questions")
    walk.go(where)
    walk.look("desk-question-closed", "Question")
    walk.go(f"{where}/close")
    walk.go("/desk/requests/nowhere")
    walk.look("desk-question-lost", "There is no such question")


def inside(stage: Stage) -> None:
    """Everything that is for customers with an account, and for the staff."""
    parts: tuple[Any, ...] = (with_account, passkeys, at_the_desks)
    for part in parts:
        part(stage)
