"""The journey of a customer without an account through every page of the shop that they can come to, in each state.

See `journey_inside` for customers with an account and for the staff.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse

from .customer import CARD, DECLINED
from .member import EMAIL, PASSWORD, links
from .walk import Stage, Walk

#: What is typed in, also for the pictures.
EXAMPLE = {
    "name": "Ann Example",
    "email": "ann@example.org",
    "street": "1 Market Lane",
    "unit": "",
    "city": "Exampleton",
    "postcode": "12345",
    "region": "",
    "country": "USA",
    "note": "It is a gift: no prices, please.",
}
ANNS_CARD = {**CARD, "card_name": "ANN EXAMPLE"}
DAY = 86_400.0


def put_into_cart(walk: Walk, *skus: str) -> None:
    for sku in skus:
        walk.go(f"/products/{sku}")
        walk.press("Put into the cart")


def order(walk: Walk, *skus: str, **typed: str) -> str:
    """Order these things and pay; the path of the order's page."""
    put_into_cart(walk, *skus)
    walk.go("/checkout")
    walk.fill(**{**EXAMPLE, **ANNS_CARD, **typed})
    walk.press("Order and pay")
    return walk.path


def shelves_and_cart(stage: Stage) -> None:
    with stage.visitor() as walk:
        walk.go("/")
        walk.look("home", "A larder worth opening", shown=True)
        walk.go("/cart")
        walk.look("cart-empty", "Your cart", shown=True)
        walk.go("/cart?added=comte")  # where a browser that keeps no cookies ends up
        walk.look("cart-cookies-off", "Your cart", shown=True)
        walk.go("/products/pineapple")
        walk.look("product-lost", "We do not have this")
        walk.go("/")
        walk.follow("Comté, aged 24 months")
        walk.look("product", "Comté, aged 24 months", shown=True)
        walk.fill(quantity="1000")
        walk.press("Put into the cart", unchecked=True)
        walk.look("cart-error", "Your cart")
        put_into_cart(walk, "honey", "comte")
        walk.look("cart", "Your cart", shown=True)
        walk.page.locator("#quantity-comte").fill("2")
        walk.press("Change how many of Comté")
        walk.press("Remove Chestnut honey")
        assert walk.page.locator("#quantity-comte").input_value() == "2"
        assert walk.page.locator(".line").count() == 1


def orders(stage: Stage) -> None:
    processor = stage.peers.processor
    with stage.visitor() as walk:
        put_into_cart(walk, "comte", "crackers")
        walk.follow("To the checkout")
        walk.look("checkout", "Checkout", shown=True)
        walk.fill(email="ann at example.org", card_number="4539 1488 0343 6468")
        walk.press("Order and pay")
        walk.look("checkout-errors", "Checkout", shown=True)
        processor.down = True
        order(walk, "comte")
        walk.look("order-unpaid", "Your order is not paid yet")
        processor.down = False
        processor.fails_midway = True
        order(walk, "comte")
        walk.look("order-unknown", "We do not know yet whether you have paid", shown=True)
        processor.fails_midway = False
        order(walk, "comte", "crackers", card_number=DECLINED)
        walk.look("order-declined", "Your card was declined", shown=True)
        walk.follow("Pay again")
        walk.look("pay", "Pay again", shown=True)
        walk.press("Pay $")
        walk.look("pay-errors", "Pay again")
        walk.fill(**ANNS_CARD)
        walk.press("Pay $")
        stage.gourmet.work_off()
        walk.go(walk.path)
        walk.look("order", "Thank you, Ann Example", shown=True)
        walk.go("/order/nowhere")
        walk.look("order-lost", "This page is not there", shown=True)
        put_into_cart(walk, "cheddar", "lemonoil", "trout")
        walk.go("/checkout")
        walk.look("checkout-makers", "Checkout")
        walk.fill(**{**EXAMPLE, **ANNS_CARD})
        walk.press("Order and pay")
        stage.gourmet.work_off()
        walk.go(walk.path)
        walk.look("order-makers", "Thank you, Ann Example", shown=True)
        walk.follow("See everything we hold")
        walk.look("data-order", "Everything we hold about you")
        assert "ann@example.org" in walk.take("Take it with you")
        stage.gourmet.opened.sequencer.run()
        walk.follow("your log")
        walk.look("log-order", "Your log")
        assert walk.take("Receipt").startswith("c2sp.org/tlog-proof@v1\n")
        assert "What was sent to Thornbury Creamery has arrived" in walk.text()


def newsletter(stage: Stage) -> None:
    with stage.visitor() as walk:
        walk.go("/newsletter")
        walk.look("newsletter", "Our newsletter", shown=True)
        walk.press("Send me the newsletter")
        walk.look("newsletter-errors", "Our newsletter")
        walk.fill(email="bob@example.org")
        walk.choose("Yes, send me the newsletter")
        walk.press("Send me the newsletter")
        walk.look("newsletter-asked", "Our newsletter", shown=True)
        stage.gourmet.work_off()
        walk.go(links(stage.peers.mail, "/newsletter")[-1])
        walk.look("newsletter-confirm", "Was it you?", shown=True)
        walk.press("Yes, send me the newsletter")
        walk.look("newsletter-confirmed", "You get the newsletter")
        walk.go("/newsletter/nowhere")
        walk.look("newsletter-lost", "This link leads nowhere", shown=True)


def stopping(stage: Stage) -> None:
    with stage.visitor() as walk:
        walk.go("/stop")
        walk.look("stop", "Stop our mail", shown=True)
        walk.press("Stop it")
        walk.look("stop-errors", "Stop our mail")
        walk.fill(email="carla@example.org", words="I have enough cheese.")
        walk.choose("Every use beyond my orders")
        walk.press("Stop it")
        walk.look("stop-seen", "It has stopped", shown=True)
        number = walk.path.rpartition("/")[2]
        walk.go("/stop")
        walk.fill(number=number)
        walk.press("Look")
        assert walk.path == f"/stop/seen/{number}"
        walk.go("/stop/seen?number=")
        walk.look("stop-not-seen", "Nothing under this number")
        walk.go("/stop/nowhere")
        walk.look("stop-lost", "This link leads nowhere", shown=True)
        walk.go(links(stage.peers.mail, "/stop")[-1])  # bob's, in the mail that asked whether it was him
        walk.look("stop-link", "Stop our mail")
        walk.choose("All mail beyond running orders")
        walk.press("Stop it")
        walk.look("stop-link-stopped", "This has stopped", shown=True)
        stage.gourmet.clock.advance(1.0)  # of two choices of one moment the refusal counts
        walk.press("I have changed my mind")
        assert "since" not in walk.text()


def asking(stage: Stage) -> None:
    with stage.visitor() as walk:
        walk.go("/contact")
        walk.look("contact", "Ask us", shown=True)
        walk.press("Send the question")
        walk.look("contact-errors", "Ask us")
        walk.fill(name="Carla Example", email="carla@example.com", text="Does the Comté travel well in July?")
        walk.press("Send the question")
        walk.look("contact-sent", "Ask us")


def erasing(stage: Stage) -> None:
    with stage.visitor() as walk:
        walk.go("/erase")
        walk.look("erase", "Have it erased", shown=True)
        walk.press("Send me the link")
        walk.look("erase-errors", "Have it erased")
        walk.fill(email="bob@example.org")
        walk.press("Send me the link")
        walk.look("erase-sent", "Please look into your mail")
        stage.gourmet.work_off()
        walk.go(links(stage.peers.mail, "/erase")[-1])
        walk.look("erase-link", "Erase what we have", shown=True)
        walk.press("Please erase it all")
        walk.look("erase-link-pending", "Your wish is pending")
        walk.follow("This link")
        walk.look("erased-not-yet", "Nothing was erased by this link")
        walk.go(links(stage.peers.mail, "/erase")[-1])
        walk.press("Take it back")
        assert walk.page.get_by_role("button", name="Please erase it all").is_visible()
        walk.go("/erase/nowhere")
        walk.look("erase-lost", "This link does not lead on", shown=True)
        order(walk, "comte")
        walk.press("Please erase this order")
        walk.look("order-erase-pending", "Thank you, Ann Example")
        walk.follow("This link")
        stage.receipt = walk.path


def survey(stage: Stage) -> None:
    """Three weeks after the orders."""
    for _ in range(22):
        stage.gourmet.work_off(later=DAY)
    with stage.visitor() as walk:
        walk.go(links(stage.peers.mail, "/survey")[-1])
        walk.look("survey", "Two questions", shown=True)
        walk.press("Send the answers")
        walk.look("survey-errors", "Two questions")
        walk.choose("Well")
        walk.choose("Perhaps")
        walk.press("Send the answers")
        walk.look("survey-sent", "Thank you")
        walk.go(stage.receipt)
        walk.look("erased", "It is erased", shown=True)
        walk.go("/survey/nowhere")
        walk.look("survey-lost", "This survey is not there")


def policy(stage: Stage) -> None:
    with stage.visitor() as walk:
        walk.go("/privacy")
        walk.look("privacy-page", "Privacy at Quince & Barrel", shown=True)
        walk.page.locator("#card-passed-on summary").click()
        assert "may share card.number" in walk.text("#card-passed-on")
        walk.look("privacy", "Privacy at Quince & Barrel", shown=True, top="#card-passed-on")
        walk.go("/privacy/why/newsletter")
        walk.look("why", "Why you got this mail", shown=True)
        walk.go("/privacy/why/postcard")
        walk.look("why-unknown", "We know no such mail")


def new_version(stage: Stage) -> None:
    """A shop whose policy follows on `versions.looser`."""
    with stage.visitor() as walk:
        walk.go("/")
        walk.look("announced", "A larder worth opening", shown=True)
        walk.follow("See what changed")
        walk.look("changes", "What changed", shown=True)
        walk.follow("Version 0.9")
        walk.look("version", "Privacy at Quince & Barrel", shown=True)
        walk.go("/login")
        walk.fill(email=EMAIL, password=PASSWORD)
        walk.press("Log in")
        walk.look("account-agreeing", "Your account", shown=True)
        walk.press("I agree")
        walk.look("account-agreed", "Your account")
        assert "Our policy has changed" not in walk.text()


def failures(stage: Stage) -> None:
    def careless(work: Any) -> Any:
        raise ValueError("a slip of the team's")

    stage.gourmet.add_page("/fails", careless)
    stage.gourmet.add_page("/unmarked", lambda work: HTMLResponse("<title>x</title>"), place="cart")
    with stage.visitor() as walk:
        walk.go("/nowhere")
        walk.look("error-404", "There is no such page", shown=True)
        walk.go("/fails")
        walk.look("error-500", "This did not work")
        walk.go("/unmarked")
        walk.look("error-403-policy", "This was not done", shown=True)
        walk.go("/contact")
        walk.page.locator("#text").evaluate("field => field.value = 'x'.repeat(70000)")
        walk.press("Send the question")
        walk.look("error-413", "Too much at once")
        walk.go("/contact")
        walk.context.clear_cookies()
        walk.page.locator("input[name=csrf]").first.evaluate("field => field.value = 'of an older page'")
        walk.press("Send the question")
        walk.look("error-403-form", "Please send the form again")
        walk.page.goto(f"{stage.base.replace('localhost', 'elsewhere.localhost')}/")
        walk.look("error-421", "This is another site")
        answer = stage.gourmet.customer().get("/desk")
        assert answer.status_code == 401
        # A driven browser has no window that asks for name and password, so it gets the page without that header.
        walk.page.route("**/desk", lambda route: route.fulfill(body=answer.text, content_type="text/html"))
        walk.go("/desk")
        walk.look("error-401", "Staff only")


def without_account(stage: Stage) -> None:
    """Everything that one comes to without an account."""
    for part in (shelves_and_cart, orders, newsletter, stopping, erasing, asking, policy, survey, failures):
        part(stage)
