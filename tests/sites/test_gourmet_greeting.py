"""The greeting and the loyalty programme of the gourmet shop: by a cookie that opens nothing else (I6)."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import pytest

from avow.errors import Refused

from .conftest import Gourmet, Peers
from .customer import CONTACT, anchors
from .member import ADDRESS, EMAIL, NAME, OTHER, is_in, log_in, member

EVERY_PAGE = ("/", "/products/comte", "/cart", "/privacy", "/newsletter", "/stop", "/login", "/account")


def greeted(gourmet: Gourmet, peers: Peers) -> Any:
    """A browser that holds the greeting cookie of somebody who has ordered, and nothing else of theirs."""
    customer = member(gourmet, peers)
    customer.send("/account/details", {"name": NAME, **ADDRESS})
    customer.order()
    gourmet.work_off()
    only = gourmet.customer()
    only.http.cookies.set("greeting", customer.http.cookies["greeting"], domain="shop.example")
    return only


@pytest.mark.promise("I6", "works")
def test_who_has_an_account_is_greeted_by_name_on_every_page_and_nobody_else_is(gourmet: Gourmet, peers: Peers) -> None:
    customer = greeted(gourmet, peers)
    for path in EVERY_PAGE:
        text = customer.get(path).text
        assert (f"Welcome back, {NAME}" in text) is (path != "/account"), path
        assert "Welcome back" not in gourmet.customer().get(path).text
    assert set(customer.http.cookies) == {"greeting"}


@pytest.mark.promise("I6", "works")
def test_the_standing_follows_from_the_paid_orders(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    standing = re.compile(r'<span class="standing">(.*?)</span>')
    seen = [standing.findall(customer.get("/").text)]
    for _ in range(12):
        customer.order()
        gourmet.work_off()
        seen.append(standing.findall(customer.get("/").text))
    assert seen == [[]] + [["Friend of the house"]] * 4 + [["Regular"]] * 7 + [["Table companion"]]
    customer.order(card_number="4000 0000 0000 0002")
    assert "Table companion, by the number of your paid orders" in customer.get("/account").text


def test_declined_orders_and_those_of_guests_do_not_count(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    customer.order(card_number="4000 0000 0000 0002")
    gourmet.customer().order(email=EMAIL)
    gourmet.work_off()
    assert "standing" not in customer.get("/").text
    assert "None yet" in customer.get("/account").text


@pytest.mark.promise("I6", "works")
def test_the_cookies_year_begins_anew_at_each_visit(gourmet: Gourmet, peers: Peers) -> None:
    customer = greeted(gourmet, peers)
    for _ in range(3):
        gourmet.clock.advance(360 * 86_400)
        answer = customer.get("/")
        assert "Welcome back" in answer.text
        assert "Max-Age=31536000" in answer.headers["set-cookie"]
    gourmet.clock.advance(430 * 86_400)
    assert "Welcome back" not in customer.get("/").text, "nobody is known again for longer than the policy says"


@pytest.mark.promise("I6", "holds")
def test_the_greeting_cookie_alone_shows_no_order_no_address_and_no_account(gourmet: Gourmet, peers: Peers) -> None:
    customer = greeted(gourmet, peers)
    assert customer.get("/account").headers["location"] == "/login?to=account"
    assert not is_in(customer)
    customer.put_into_cart()
    texts = [customer.get(path).text for path in (*EVERY_PAGE, "/checkout", "/account/details", "/account/erase")]
    for value in (EMAIL, *ADDRESS.values(), *CONTACT.values(), "Comté, aged 24 months (250 g)"):
        assert not [text for text in texts if value in text], value


@pytest.mark.promise("I6", "holds")
def test_a_page_of_our_own_gets_no_more_out_of_the_greeting_cookie(gourmet: Gourmet, peers: Peers) -> None:
    """A careless page: it takes whom the cookie greets for who is logged in, or shows more than name and standing."""
    import sys

    greeting = sys.modules["gourmet.greeting"]
    customer = greeted(gourmet, peers)

    def account(work: Any) -> Any:
        return work.select(sys.modules["gourmet.account"].Account)[0]

    def email(work: Any) -> Any:
        return work.render("notice.html", title="x", text=[greeting.greet(work).email])

    def plainly(work: Any) -> Any:
        greeting.greet(work)
        return work.render("notice.html", title="x", text=[account(work).name])

    def on_the_orders_page(work: Any) -> Any:
        greeting.greet(work)
        work.presented(gourmet.Order, work.query["link"])
        return work.render("notice.html", title="x", text=[account(work).email])

    def by_the_link_of_another_order(work: Any) -> Any:
        work.presented(gourmet.Order, work.query["link"])
        return work.render("notice.html", title="x", text=[greeting.greet(work).email])

    def after_the_link_of_another_order(work: Any) -> Any:
        work.presented(gourmet.Order, work.query["link"])
        work.recognise(account(work), "presented(cookie.greeting)")
        return work.render("notice.html", title="x", text=[account(work).email])

    def read_for_more(work: Any) -> Any:
        return work.render("notice.html", title="x", text=[work.cookie("greeting")])

    def as_logged_in(work: Any) -> Any:
        work.recognise(account(work), "presented(cookie.greeting)")
        return work.render("notice.html", title="x", text=[gourmet_order(work).items])

    def gourmet_order(work: Any) -> Any:
        return work.select(gourmet.Order)[0]

    path = gourmet.customer().order().rpartition("/")[2]
    for number, (handler, place, purpose) in enumerate(
        [
            (email, "shop", "shopping"),
            (plainly, "shop", "shopping"),
            (on_the_orders_page, "order_page", "ordering"),
            (by_the_link_of_another_order, "order_page", "ordering"),
            (after_the_link_of_another_order, "order_page", "ordering"),
            (read_for_more, "shop", "shopping"),
            (read_for_more, "shop", "selection"),
            (read_for_more, "profile", "account_keeping"),
            (as_logged_in, "profile", "account_keeping"),
        ]
    ):
        gourmet.add_page(f"/careless/{number}", handler, place=place, purpose=purpose)
        answer = customer.get(f"/careless/{number}?link={path}")
        assert answer.status_code == 403, number
        assert EMAIL not in answer.text
        if handler is read_for_more:
            assert anchors(answer) == {"no-other-cookie"}


@pytest.mark.promise("I6", "holds")
def test_who_objects_to_other_uses_is_not_greeted(gourmet: Gourmet, peers: Peers) -> None:
    customer = greeted(gourmet, peers)
    answer = customer.send("/stop", {"email": EMAIL, "what": "other_uses"})
    assert answer.status_code == 303, answer.text
    page = customer.get("/")
    assert page.status_code == 200
    assert "Welcome back" not in page.text
    assert NAME not in page.text


@pytest.mark.promise("I6", "holds")
def test_the_database_gives_no_number_away_and_takes_none_that_somebody_made_up(gourmet: Gourmet, peers: Peers) -> None:
    customer = greeted(gourmet, peers)
    number = customer.http.cookies["greeting"]
    with sqlite3.connect(gourmet.data / "site.db") as database:
        rows = database.execute("SELECT * FROM shop_greeting").fetchall()
        assert number not in repr(rows)
        database.execute("UPDATE shop_greeting SET token = 'mine', bond = 'mine'")
    database.close()
    for made_up in ("mine", "", "x" * 43, number):
        stranger = gourmet.customer()
        stranger.http.cookies.set("greeting", made_up, domain="shop.example")
        assert "Welcome back" not in stranger.get("/").text


@pytest.mark.promise("I6", "holds")
def test_no_program_derives_a_standing_from_anything_but_orders_or_for_anything_else(
    gourmet: Gourmet, peers: Peers
) -> None:
    from avow.vault.sealed import Given

    greeted(gourmet, peers)
    with gourmet.acting("loyalty", place="shop") as work:
        account = work.select(next(kind for kind in gourmet.site.home.records if kind.__name__ == "Account"))[0]
        order = work.select(gourmet.Order)[0]
        for source in (account.email, Given("request", "a wish"), order.tracking):
            with pytest.raises(Refused) as refused:
                work.derive("membership", [source], str.upper)
            assert anchors(refused.value) <= {"no-other-use", "requests"}
        derived = work.derive("membership", [order.items], str.upper)
        for purpose in ("marketing", "profiling", "shopping"):
            with work.serving(purpose), pytest.raises(Refused):
                work.update(account, standing=derived)
            with pytest.raises(Refused):
                account.standing.open(purpose=purpose)


def test_a_password_that_is_set_anew_ends_the_greeting_elsewhere(gourmet: Gourmet, peers: Peers) -> None:
    elsewhere = greeted(gourmet, peers)
    customer = gourmet.customer()
    log_in(customer)
    customer.send("/account/password", {"password": "seven teal walruses yodel", "new_password": OTHER})
    assert "Welcome back" in customer.get("/").text
    assert "Welcome back" not in elsewhere.get("/").text
