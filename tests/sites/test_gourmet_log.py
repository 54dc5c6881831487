"""What happened to what the gourmet shop holds about somebody: told to them in words, and to nobody else."""

from __future__ import annotations

import sqlite3
from html import unescape
from typing import Any

import pytest

from avow.errors import Refused
from avow.vault.erasure import erase
from avow.vault.shredding import shred

from .conftest import Gourmet, Peers
from .customer import Customer
from .member import EMAIL, NAME, OTHER, PASSWORD, member
from .subscribers import BOB, module
from .test_gourmet_data import ORDERED, QUESTION, customer_with_everything, held, persons

LOGGED_IN = "logged_in(subject)"


def told(customer: Customer, path: str = "/account/log") -> str:
    """All pages of somebody's log."""
    pages, number = [], 1
    while True:
        answer = customer.get(f"{path}?page={number}")
        assert answer.status_code == 200, answer.text
        pages.append(unescape(answer.text))
        if ">Older</a>" not in answer.text:
            return "\n".join(pages)
        number += 1


@pytest.mark.promise("I1", "works")
def test_who_is_logged_in_is_told_what_happened_and_by_which_sentence(gourmet: Gourmet, peers: Peers) -> None:
    customer, _ = customer_with_everything(gourmet, peers)
    log = told(customer)
    for said in (
        '<h2 id="day-1">18 November 2026</h2>',
        "Between 11 and 12 h UTC",
        "your name were allowed to go out to UPS at the checkout, for bringing you the parcel.",
        "What was sent to UPS has arrived, for bringing you the parcel.",
        "What was sent to the card processor has arrived, for payment.",
        "The order confirmation has arrived at your mail service, for filling your order.",
        "what you ask or wish were stored on the page where you write to us, for answering you.",
        "Because our policy says: “The carrier that you choose, UPS or FedEx, receives your name and your",
        'href="/privacy#carriers"',
    ):
        assert said in log, said


def test_a_guest_is_told_by_the_link_of_the_order(gourmet: Gourmet, peers: Peers) -> None:
    guest = gourmet.customer().order(email="third@example.org")
    gourmet.work_off()
    assert "What was sent to UPS has arrived" in told(gourmet.customer(), f"{guest}/log")


def test_a_desk_that_was_shown_something_is_told_by_its_role(gourmet: Gourmet, peers: Peers) -> None:
    customer, _ = customer_with_everything(gourmet, peers)
    request = module(gourmet, "request").Request
    with gourmet.site.opened.unit("service_desk", "answers", place="desk", channel="https", staff=True) as unit:
        [asked, *_] = unit.db.query(request).all()
        unit.show([int(unit.mark(asked.text)[-5:-1])])
    assert "What you ask or wish was shown to our service desk at a desk of ours, for answering you." in told(customer)


def test_what_the_policy_kept_us_from_is_told_too(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    with gourmet.acting("account_keeping", place="profile") as work:
        [mine] = work.select(module(gourmet, "account").Account)
        with pytest.raises(Refused):
            work.unit.judge("share", "contact.email", value=mine.email, recipient="ups", purpose="advertising")
    assert "Our policy kept us from letting your e-mail address go out to UPS" in told(customer)


@pytest.mark.promise("I1", "holds")
def test_nobody_else_is_told_anything_of_it(gourmet: Gourmet, peers: Peers) -> None:
    _, order = customer_with_everything(gourmet, peers)
    other = member(gourmet, peers, name="Bob", email=BOB, password=OTHER)
    guest = gourmet.customer().order(email="third@example.org")
    gourmet.work_off()
    assert "UPS" not in told(other)
    assert "A question" not in told(gourmet.customer(), f"{guest}/log")
    for path, instead in (
        ("/account/log", "/login?to=account"),
        ("/order/nowhere/log", "/order/nowhere"),
        (f"{order}/log", "/account/log"),
    ):
        answer = gourmet.customer().get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, instead)


@pytest.mark.promise("I1", "holds")
def test_a_careless_page_tells_a_stranger_nothing(gourmet: Gourmet, peers: Peers) -> None:
    """HTTP: who was recognised is one person, and whose log is asked for is another's."""
    customer_with_everything(gourmet, peers)
    account, login = module(gourmet, "account").Account, module(gourmet, "login")
    other = member(gourmet, peers, name="Bob", email=BOB, password=OTHER)

    def careless(work: Any) -> Any:
        mine = login.who(work)
        [found] = [one for one in work.select(account) if mine is None or one.owner_id != mine.owner_id][:1]
        return work.render("my_log.html", log=work.my_log(found, fact=LOGGED_IN), back="/", back_words="", here="/")

    gourmet.add_page("/careless", careless, place="data_page", purpose="account_keeping")
    for who in (gourmet.customer(), other):
        answer = who.get("/careless")
        assert answer.status_code == 403
        assert "UPS" not in answer.text


@pytest.mark.promise("I1", "holds")
def test_no_value_stands_in_a_log(gourmet: Gourmet, peers: Peers) -> None:
    customer, _ = customer_with_everything(gourmet, peers)
    mine = held(gourmet, *persons(gourmet, EMAIL))
    log = told(customer)
    greeted = {NAME, *mine["membership"]}
    words = {"order.items", "subscription", "objection", "erasure"}  # of the shop's own, in part
    values = {text for category, found in mine.items() if category not in words for text in found} - greeted
    assert {EMAIL, QUESTION, ORDERED["note"]} <= values
    assert not [text for text in values if len(text) > 4 and text in log]


def test_who_was_erased_has_no_traces_and_old_copies_of_them_stay_shut(gourmet: Gourmet, peers: Peers) -> None:
    customer_with_everything(gourmet, peers)
    vault = gourmet.site.opened.vault
    mine = persons(gourmet, EMAIL)
    with sqlite3.connect(gourmet.data / "site.db") as database:
        assert database.execute("SELECT count(*) FROM avow_trace").fetchone()[0] > 50
    for identity in mine:
        erase(vault, identity)
    shred(vault)
    with sqlite3.connect(gourmet.data / "site.db") as database:
        owners = {owner for (owner,) in database.execute("SELECT owner FROM avow_trace")}
    assert not owners & set(mine)


def test_the_page_of_everything_leads_to_the_log(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    assert 'href="/account/log"' in customer.get("/account/data").text
    guest = gourmet.customer().order(email="third@example.org", password=PASSWORD)
    assert f'href="{guest}/log"' in gourmet.customer().get(f"{guest}/data").text
