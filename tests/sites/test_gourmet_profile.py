"""A customer's own pages at the gourmet shop: what is there, correcting it, another address, asking for erasure."""

from __future__ import annotations

import sqlite3
import sys
from typing import Any

import pytest

from avow.errors import Refused

from .conftest import Gourmet, Peers
from .customer import CARD, CONTACT, PAYS, anchors, hidden
from .member import ADDRESS, EMAIL, NAME, OTHER, PASSWORD, is_in, links, log_in, member

NEW = "wilhelmina@canary-new.example"


def account(gourmet: Gourmet, work: Any) -> Any:
    return work.select(next(kind for kind in gourmet.site.home.records if kind.__name__ == "Account"))[0]


def test_everything_that_is_held_stands_there_and_for_nobody_else(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    customer.send("/account/details", {"name": NAME, **ADDRESS})
    path = customer.order()
    gourmet.work_off()
    page = customer.get("/account").text
    for value in (NAME, EMAIL, *ADDRESS.values(), "2 × Comté", "Friend of the house", path):
        assert value in page
    assert f"card ending in {PAYS[-4:]}" in page
    assert "18 November 2026" in page
    other = member(gourmet, peers, name="Bo Example", email="bo@canary-mail.example")
    assert NAME not in other.get("/account").text
    assert path not in other.get("/account").text
    for way in ("/account", "/account/details", "/account/email", "/account/password", "/account/erase"):
        assert gourmet.customer().get(way).headers["location"] == "/login?to=account"


def test_an_order_placed_while_logged_in_is_prefilled_and_belongs_to_the_account(
    gourmet: Gourmet, peers: Peers
) -> None:
    customer = member(gourmet, peers)
    customer.send("/account/details", {"name": NAME, **ADDRESS})
    guest = gourmet.customer().order(email=EMAIL)
    customer.put_into_cart()
    page = customer.get("/checkout")
    for value in (NAME, EMAIL, *ADDRESS.values()):
        assert f'value="{value}"' in page.text
    unseen = {name: hidden(page, name) for name in ("ticket", "csrf")}
    mine = customer.send("/checkout", {**unseen, "carrier": "ups", "name": NAME, "email": EMAIL, **ADDRESS, **CARD})
    assert mine.status_code == 303
    gourmet.work_off()
    with gourmet.acting() as work:
        [theirs] = work.select(gourmet.Order, gourmet.Order.customer == account(gourmet, work).customer)
        assert theirs.street._reveal() == ADDRESS["street"]
    text = customer.get("/account").text
    assert mine.headers["location"] in text
    assert guest not in text, "what was ordered as a guest stays with its own link"
    assert gourmet.customer().get(guest).status_code == 200


def test_correcting_replaces_what_stood_there_and_says_what_is_wrong(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    answer = customer.send("/account/details", {"name": NAME, "street": "1 Market Lane"})
    assert answer.status_code == 422
    assert answer.text.count("An address needs this.") >= 3
    assert 'value="1 Market Lane"' in answer.text
    assert customer.send("/account/details", {"name": NAME, **ADDRESS}).headers["location"] == "/account?details"
    assert customer.send("/account/details", {"name": "Mina X", "unit": ""}).status_code == 303
    page = customer.get("/account").text
    assert "Mina X" in page
    for gone in (NAME, *ADDRESS.values()):
        assert gone not in page
        assert gone.encode() not in gourmet.stored()


def test_another_address_counts_once_it_is_proven(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    assert "not your present password" in customer.send("/account/email", {"email": NEW, "password": OTHER}).text
    answer = customer.send("/account/email", {"email": NEW, "password": PASSWORD})
    assert answer.headers["location"] == "/account?moving"
    gourmet.work_off()
    assert [mail.recipients for mail in peers.mail.received[-2:]] == [(NEW,), (EMAIL,)]
    [link] = links(peers.mail, "/account/email")
    assert EMAIL in customer.get("/account").text
    assert log_in(gourmet.customer(), email=NEW).status_code == 422
    stranger = gourmet.customer()
    assert "Please log in" in stranger.get(link).text
    eve = member(gourmet, peers, name="Eve", email="eve@canary-mail.example", password=OTHER)
    assert eve.send(link, {}).status_code == 200
    assert "eve@canary-mail.example" in eve.get("/account").text, "the link moves nobody else's account"
    assert customer.send(link, {}).headers["location"] == "/account?email"
    page = customer.get("/account").text
    assert NEW in page
    assert EMAIL not in page
    assert log_in(gourmet.customer(), email=NEW).status_code == 303
    assert log_in(gourmet.customer()).status_code == 422
    assert customer.get(link).status_code == 404


def test_an_address_that_has_an_account_is_not_taken_and_the_page_does_not_tell(gourmet: Gourmet, peers: Peers) -> None:
    member(gourmet, peers, name="Bo", email=NEW, password=OTHER)
    customer = member(gourmet, peers)
    answer = customer.send("/account/email", {"email": NEW, "password": PASSWORD})
    assert answer.headers["location"] == "/account?moving"
    gourmet.work_off()
    assert not links(peers.mail, "/account/email")


def test_a_password_is_changed_by_who_knows_it_and_the_others_are_logged_out(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    elsewhere = gourmet.customer()
    log_in(elsewhere)
    for _ in range(5):
        answer = customer.send("/account/password", {"password": OTHER, "new_password": "eleven beige llamas nap"})
        assert answer.status_code == 422
    answer = customer.send("/account/password", {"password": PASSWORD, "new_password": OTHER})
    assert "Too many attempts" in answer.text
    gourmet.clock.advance(31)
    answer = customer.send("/account/password", {"password": PASSWORD, "new_password": OTHER})
    assert answer.headers["location"] == "/account?password"
    assert is_in(customer)
    assert not is_in(elsewhere)
    assert log_in(gourmet.customer(), password=OTHER).status_code == 303


def test_the_wish_to_be_erased_is_dated_pending_and_can_be_taken_back(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    assert "7 days later" in customer.get("/account/erase").text
    customer.send("/account/erase", {"do": "ask"})
    customer.send("/account/erase", {"do": "ask"})
    page = customer.get("/account/erase").text
    assert "You asked us on 18 November 2026" in page
    assert "It is done on 25 November 2026" in page
    assert "is carried out on 25 November 2026" in customer.get("/account").text
    with gourmet.acting() as work:
        kind = next(kind for kind in gourmet.site.home.records if kind.__name__ == "Erasure")
        assert [(wish.state, wish.asked._reveal()) for wish in work.select(kind)] == [("pending", "18 November 2026")]
    assert b"18 November" not in gourmet.stored()
    customer.send("/account/erase", {"do": "withdraw"})
    assert "Please erase everything" in customer.get("/account/erase").text
    assert "pending" not in customer.get("/account").text
    assert EMAIL in customer.get("/account").text, "nothing was erased meanwhile"


def test_what_came_with_the_proven_address_is_shown_to_its_owner_and_to_nobody_else(
    gourmet: Gourmet, peers: Peers
) -> None:
    customer = member(gourmet, peers)
    other = member(gourmet, peers, name="Bo Example", email="bo@canary-mail.example")
    guest = gourmet.customer()
    guest.send("/contact", {"email": EMAIL, "text": "Is the brie made of canary milk?"})
    guest.send("/stop", {"email": EMAIL.upper(), "what": "marketing", "words": "No canary offers, please."})
    guest.send("/newsletter", {"email": EMAIL, "agree": "yes"})
    page = customer.get("/account").text
    for shown in (
        "Is the brie made of canary milk?",
        "we have not answered yet",
        "No canary offers, please.",
        "you do not want offers and surveys",
        "not confirmed yet: the newsletter",
    ):
        assert shown in page
    page = other.get("/account").text
    assert "canary milk" not in page
    assert "canary offers" not in page
    assert "You have subscribed to nothing and objected to nothing." in page
    fresh = gourmet.customer()
    fresh.send("/signup", {"name": "Eve", "email": EMAIL, "password": PASSWORD})
    assert "canary milk" not in fresh.get("/account").text, "an address that nobody has proven shows nothing"


def test_a_part_of_the_page_that_another_module_declares_is_shown(gourmet: Gourmet, peers: Peers) -> None:
    profile = sys.modules["gourmet.profile"]
    titles = [part.title for part in profile.SECTIONS]
    page = member(gourmet, peers).get("/account").text
    assert titles
    for title in titles:
        assert f">{title}</h2>" in page


def test_nothing_is_changed_by_who_is_not_logged_in_or_elsewhere(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    stranger = gourmet.customer()
    for path, typed in (
        ("/account/details", {"name": "Eve"}),
        ("/account/email", {"email": NEW, "password": PASSWORD}),
        ("/account/password", {"password": PASSWORD, "new_password": OTHER}),
        ("/account/erase", {"do": "ask"}),
        ("/account/passkeys", {"passkey": "{}"}),
        ("/account/passkeys/remove", {"id": "x"}),
    ):
        assert stranger.send(path, typed, page="/login").headers["location"] == "/login?to=account"
    page = customer.get("/account").text
    assert NAME in page
    assert "pending" not in page
    for place, purpose, fact in (
        ("profile", "account_keeping", None),
        ("profile", "account_keeping", "presented(cookie.greeting)"),
        ("checkout", "ordering", "logged_in(subject)"),
    ):
        with gourmet.acting(purpose, place=place) as work:
            mine = account(gourmet, work)
            if fact:
                work.recognise(mine, fact)
            with pytest.raises(Refused) as refused:
                work.update(mine, name="Eve")
            assert anchors(refused.value) == {"correct"}


def test_a_value_that_was_changed_in_the_database_does_not_pass_for_theirs(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    member(gourmet, peers, name="Bo Example", email="bo@canary-mail.example")
    with sqlite3.connect(gourmet.data / "site.db") as database:
        names = database.execute("SELECT rowid, name FROM shop_account ORDER BY rowid").fetchall()
        database.execute("UPDATE shop_account SET name = ? WHERE rowid = ?", (names[1][1], names[0][0]))
    database.close()
    answer = customer.get("/account")
    assert answer.status_code == 500
    assert "Bo Example" not in answer.text
    assert CONTACT["name"] not in answer.text
