"""Erasure for everybody at the gourmet shop: on an order's page, and by a mailed link, without any account."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from typing import Any

import pytest
from sqlalchemy import select

from avow.errors import Refused

from .conftest import Gourmet, Peers, Shop
from .customer import CONTACT, Customer, anchors, spellings
from .member import EMAIL, member
from .subscribers import ANN, BOB, THEIR, link, module, subscribe

ON_ITS_WAY = "If we hold something under this address, a mail is on its way."
HOUR, DAY = 3600.0, 86400.0


def ask(customer: Customer, address: str) -> str:
    """Type an address into the page for it; the words of the answer."""
    answer = customer.send("/erase", {"email": address})
    assert answer.headers["location"] == "/erase?sent", answer.text
    return customer.get("/erase?sent").text


def mailed(gourmet: Gourmet, peers: Peers, address: str) -> str:
    """Ask for the link of an address, and find it in the mail."""
    ask(gourmet.customer(), address)
    gourmet.work_off()
    mail = peers.mail.received[-1]
    assert mail.recipients == (address,)
    return link(mail, "erase")


def wishes(gourmet: Gourmet, state: str = "pending") -> list[Any]:
    """The wishes in that state."""
    kind = module(gourmet, "erasure").Erasure
    with gourmet.acting("objections", place="erase_page") as work:
        return [wish for wish in work.select(kind) if wish.state == state]


def rows_of(gourmet: Gourmet, identity: str) -> list[str]:
    """The tables in which the id of a person stands."""
    vault = gourmet.opened.vault
    with vault.store.reading() as connection:
        return [
            table.name
            for table in vault.home.metadata.sorted_tables
            if any(identity in map(str, row) for row in connection.execute(select(table)))
        ]


def mails(peers: Peers) -> int:
    """How many mails with a link for erasing have arrived."""
    return sum("have it erased" in mail.message["Subject"] for mail in peers.mail.received)


def order_of_a_member(gourmet: Gourmet, peers: Peers, **typed: str) -> tuple[Customer, str]:
    """Somebody with an account, logged in, and the path of an order of theirs."""
    customer = member(gourmet, peers)
    path = customer.order(**typed)
    gourmet.work_off()
    return customer, path


# -- works --------------------------------------------------------------------------------------------


def test_a_guest_has_everything_erased_by_a_mailed_link(shop: Shop, plain_page: Any) -> None:
    order = Customer(shop.base).order()
    shop.peers.mail.wait_for(1)
    page = plain_page
    page.goto(f"{shop.base}/")
    page.get_by_role("link", name="Have it erased").click()
    page.get_by_label("Your e-mail address").fill(THEIR)
    page.get_by_role("button", name="Send me the link").click()
    assert page.get_by_role("status").inner_text().startswith(ON_ITS_WAY)
    mail = shop.peers.mail.wait_for(2)[1]
    assert mail.recipients == (THEIR,)
    page.goto(f"{shop.base}{link(mail, 'erase')}")
    held = page.get_by_role("region", name="Under your address we hold")
    assert held.get_by_role("listitem").all_inner_texts() == ["an order"]
    assert not any(value in page.content() for value in CONTACT.values())
    page.get_by_role("button", name="Please erase it all").click()
    pending = page.get_by_role("region", name="Not erased yet")
    said = pending.get_by_role("listitem").inner_text()
    assert re.fullmatch(
        r"You asked us on (.+ 20\d\d) to erase an order. It is done on .+ 20\d\d. This link tells .+", said
    )
    page.goto(f"{shop.base}{order}")
    assert page.get_by_text("You asked us on").is_visible()
    page.go_back()
    page.get_by_role("button", name="Take it back").click()
    assert held.get_by_role("listitem").all_inner_texts() == ["an order"]
    assert link(mail, "erase") not in shop.log.read_text()


def test_a_guest_has_an_order_erased_on_its_page(shop: Shop, page: Any) -> None:
    page.goto(f"{shop.base}{Customer(shop.base).order()}")
    page.get_by_role("button", name="Please erase this order").click()
    page.get_by_role("status").get_by_text("to erase this order and what came with it").wait_for()
    page.get_by_role("button", name="Take it back").click()
    page.get_by_role("button", name="Please erase this order").wait_for()


def test_a_subscriber_and_who_asked_something_are_known_by_their_address_too(gourmet: Gourmet, peers: Peers) -> None:
    subscribe(gourmet, peers, ANN)
    asked = gourmet.customer().send("/contact", {"email": ANN, "text": "Is the Comté kosher?"})
    assert asked.status_code == 303
    path = mailed(gourmet, peers, ANN)
    page = gourmet.customer().get(path).text
    assert re.findall(r"<li>([^<]+)</li>", page.partition("we hold")[2].partition("</ul>")[0]) == [
        "what was said about our mail",
        "a question",
    ]
    gourmet.customer().send(path, {"do": "ask"})
    assert len(wishes(gourmet)) == 2
    assert gourmet.customer().get(path).text.count("It is done on 25 November 2026") == 2


def test_the_wish_covers_each_person_whom_the_address_is(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    for _ in range(2):
        gourmet.customer().order(email=EMAIL)
    gourmet.work_off()
    path = mailed(gourmet, peers, EMAIL)
    page = gourmet.customer().get(path).text
    assert "an account and all in it" in page
    assert "2 orders" in page
    gourmet.customer().send(path, {"do": "ask"})
    assert {wish.state for wish in wishes(gourmet)} == {"pending"}
    assert len({wish.owner_id for wish in wishes(gourmet)}) == 3
    assert "Your wish is pending" in customer.get("/account/erase").text
    gourmet.clock.advance(2 * DAY)
    later = gourmet.customer().order(email=EMAIL)
    gourmet.work_off()
    path = mailed(gourmet, peers, EMAIL)
    page = gourmet.customer().get(path).text
    assert "We also hold" in page
    assert "<li>an order</li>" in page, "what came after the wish is not covered by it"
    assert "Please erase this order" in gourmet.customer().get(later).text
    gourmet.customer().send(path, {"do": "withdraw"})
    assert not wishes(gourmet)


def test_the_button_on_the_own_pages_covers_what_is_known_by_the_proven_address(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    guest = gourmet.customer().order(email=EMAIL)
    customer.send("/account/erase", {"do": "ask"})
    assert len(wishes(gourmet)) == 2
    assert "You asked us on" in gourmet.customer().get(guest).text
    customer.send("/account/erase", {"do": "withdraw"})
    assert not wishes(gourmet)


def test_asked_twice_the_first_day_counts(gourmet: Gourmet) -> None:
    customer = gourmet.customer()
    path = customer.order()
    customer.send(f"{path}/erase", {"do": "ask"}, page=path)
    [wish] = wishes(gourmet)
    gourmet.clock.advance(DAY)
    customer.send(f"{path}/erase", {"do": "ask"}, page=path)
    assert [again.wished for again in wishes(gourmet)] == [wish.wished] == [gourmet.clock() - DAY]


def test_a_wish_is_carried_out_a_week_later_and_the_receipt_tells_how_far_it_is(gourmet: Gourmet) -> None:
    """Nothing of the person is left in any row; everybody else is as before."""
    customer, other = gourmet.customer(), gourmet.customer()
    gone, stays = customer.order(), other.order(email=BOB)
    gourmet.work_off()
    answer = customer.send(f"{gone}/erase", {"do": "ask"}, page=gone)
    receipt = re.search(r'href="(/erased/[^"]+)"', customer.get(gone).text)
    assert receipt is not None, answer.text
    assert "Nothing was erased by this link" in customer.get(receipt[1]).text
    [person] = {wish.customer for wish in wishes(gourmet)}
    gourmet.clock.advance(7 * DAY - 1)
    gourmet.work_off()
    assert customer.get(gone).status_code == 200
    gourmet.clock.advance(1)
    gourmet.work_off()
    assert customer.get(gone).status_code == 404
    assert other.get(stays).status_code == 200
    assert not rows_of(gourmet, person)
    assert "In our backups it still lies under a key." in customer.get(receipt[1]).text
    gourmet.clock.advance(DAY)
    gourmet.work_off()
    assert "no backup of ours can be opened for it either" in customer.get(receipt[1]).text
    assert other.get(stays).status_code == 200, "who lives opens after the key epoch was destroyed"


def test_a_wish_that_was_taken_back_is_not_carried_out(gourmet: Gourmet) -> None:
    customer = gourmet.customer()
    path = customer.order()
    for do in ("ask", "withdraw"):
        customer.send(f"{path}/erase", {"do": do}, page=path)
    gourmet.clock.advance(40 * DAY)
    gourmet.work_off()
    assert customer.get(path).status_code == 200


def test_an_address_that_is_none_comes_back_with_the_reason(gourmet: Gourmet) -> None:
    answer = gourmet.customer().send("/erase", {"email": "ann.at.example"})
    assert answer.status_code == 422
    assert "This does not look like an e-mail address" in answer.text
    assert 'value="ann.at.example"' in answer.text


# -- holds --------------------------------------------------------------------------------------------


@pytest.mark.promise("I1", "holds")
def test_an_unknown_address_gets_the_same_answer_and_no_mail(gourmet: Gourmet, peers: Peers) -> None:
    gourmet.customer().order()
    gourmet.work_off()
    answers = []
    for address in (THEIR, ANN):
        answer = gourmet.customer().send("/erase", {"email": address})
        answers.append((answer.status_code, answer.headers["location"], answer.text))
    assert answers[0] == answers[1]
    gourmet.work_off()
    assert [mail.recipients for mail in peers.mail.received[1:]] == [(THEIR,)]


@pytest.mark.promise("I1", "holds")
def test_nobodys_mailbox_is_filled_from_here(gourmet: Gourmet, peers: Peers) -> None:
    gourmet.customer().order()
    said = {ask(gourmet.customer(), address) for address in (THEIR, THEIR.upper(), THEIR)}
    assert all(ON_ITS_WAY in words for words in said)
    gourmet.work_off()
    assert mails(peers) == 1
    gourmet.clock.advance(HOUR)
    ask(gourmet.customer(), THEIR)
    ask(gourmet.customer(), THEIR)
    gourmet.work_off()
    assert mails(peers) == 2


@pytest.mark.promise("I1", "holds")
def test_the_link_of_anything_else_opens_nothing(gourmet: Gourmet, peers: Peers) -> None:
    order = gourmet.customer().order()
    gourmet.work_off()
    stop = link(peers.mail.received[-1], "stop")
    path = mailed(gourmet, peers, THEIR)
    own, last = path.rpartition("/")[2], "A" if path[-1] != "A" else "B"
    for foreign in (order.rpartition("/")[2], stop.rpartition("/")[2], own[:-1] + last, own[1:], "x"):
        answer = gourmet.customer().get(f"/erase/{foreign}")
        assert answer.status_code == 404, foreign
        assert "an order" not in answer.text
        token = re.search(r'name="csrf" value="([^"]+)"', gourmet.customer().get("/erase").text)
        assert token
        assert gourmet.customer().send(f"/erase/{foreign}", {"do": "ask", "csrf": token[1]}).status_code == 404
    for elsewhere in ("/order", "/stop", "/newsletter", "/signup", "/login/reset"):
        assert gourmet.customer().get(f"{elsewhere}/{own}").status_code == 404
    assert not wishes(gourmet)


@pytest.mark.promise("I1", "holds")
def test_the_link_ends_with_the_next_day_and_with_the_address(gourmet: Gourmet, peers: Peers) -> None:
    customer = member(gourmet, peers)
    path = mailed(gourmet, peers, EMAIL)
    with gourmet.acting("account_keeping", place="profile") as work:
        [account] = work.select(module(gourmet, "account").Account)
        work.recognise(account, "logged_in(subject)")
        work.update(account, email=BOB)
    assert gourmet.customer().get(path).status_code == 404, "it was mailed to an address that has moved on"
    with gourmet.acting("account_keeping", place="profile") as work:
        [account] = work.select(module(gourmet, "account").Account)
        work.recognise(account, "logged_in(subject)")
        work.update(account, email=EMAIL)
    assert gourmet.customer().get(path).status_code == 200
    gourmet.clock.advance(2 * DAY - gourmet.clock() % DAY - 1)
    assert gourmet.customer().get(path).status_code == 200
    gourmet.clock.advance(1)
    assert gourmet.customer().get(path).status_code == 404
    assert customer.get("/erase").status_code == 200


@pytest.mark.promise("I1", "holds")
def test_the_link_to_an_order_ends_no_account(gourmet: Gourmet, peers: Peers) -> None:
    customer, path = order_of_a_member(gourmet, peers, email=ANN)
    page = gourmet.customer().get(path)
    assert "Log in to have it erased" in page.text
    token = re.search(r'name="csrf" value="([^"]+)"', gourmet.customer().get("/erase").text)
    assert token
    answer = gourmet.customer().send(f"{path}/erase", {"do": "ask", "csrf": token[1]})
    assert answer.headers["location"] == f"{path}#erase"
    assert not wishes(gourmet)
    assert "Please erase everything" in customer.get("/account/erase").text


@pytest.mark.promise("I1", "holds")
def test_an_address_that_a_customer_typed_into_an_order_does_not_lead_to_the_account(
    gourmet: Gourmet, peers: Peers
) -> None:
    order_of_a_member(gourmet, peers, email=ANN)
    ask(gourmet.customer(), ANN)
    gourmet.work_off()
    assert mails(peers) == 0


@pytest.mark.promise("I15", "holds")
def test_who_wants_no_more_mail_gets_none_of_this_kind(gourmet: Gourmet, peers: Peers) -> None:
    gourmet.customer().order()
    gourmet.work_off()
    gourmet.customer().send("/stop", {"email": THEIR, "what": "mail"})
    assert ON_ITS_WAY in ask(gourmet.customer(), THEIR)
    gourmet.work_off()
    assert mails(peers) == 0
    assert ("no-more-mail",) in gourmet.refused("send")


def test_looking_changes_nothing(gourmet: Gourmet, peers: Peers) -> None:
    order = gourmet.customer().order()
    gourmet.work_off()
    path = mailed(gourmet, peers, THEIR)
    for where in (path, f"{path}?do=ask", f"{order}/erase", f"{order}/erase?do=ask", order):
        for method in ("GET", "HEAD"):
            assert gourmet.customer().http.request(method, where).status_code < 400
    assert gourmet.customer().http.post(path, data={"do": "ask"}).status_code == 403, "it was not sent from the shop"
    assert not wishes(gourmet)


def test_the_database_leads_nowhere_and_says_nothing(
    gourmet: Gourmet, peers: Peers, caplog: pytest.LogCaptureFixture
) -> None:
    """Who writes into the table of links opens nothing by it; who reads the bytes finds neither link nor day."""
    gourmet.customer().order()
    gourmet.work_off()
    path = mailed(gourmet, peers, THEIR)
    gourmet.customer().send(path, {"do": "ask"})
    secret = path.rpartition("/")[2]
    for text in (secret, THEIR, "18 November 2026"):
        assert not any(form in gourmet.stored() for form in spellings(text)), text
        assert text not in caplog.text
    digest = hashlib.sha256(b"avow link\0made-up").digest()
    with sqlite3.connect(gourmet.data / "site.db") as database:
        database.execute(
            "INSERT INTO avow_link (token, owner, record_table, record_id) SELECT ?, customer, 'shop_order', id "
            "FROM shop_order",
            (digest,),
        )
    database.close()
    assert gourmet.customer().get("/erase/made-up").status_code == 404


def test_the_page_takes_an_address_and_nothing_else(gourmet: Gourmet) -> None:
    with gourmet.acting("objections", place="erase_page") as work, pytest.raises(Refused) as refused:
        work.unit.judge_given("contact.name")
    assert anchors(refused.value)
