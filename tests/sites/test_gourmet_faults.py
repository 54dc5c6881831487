"""What bad input and failing peers get at the gourmet shop: the form again, a send that arrives once, a payment whose
state the customer sees."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import pytest

from .conftest import Gourmet, Peers
from .customer import CARD, CONTACT, DECLINED, PAYS, hidden, spellings

# -- forms --------------------------------------------------------------------------------------------


def test_a_form_with_nothing_in_it_says_what_is_missing_beside_each_field(gourmet: Gourmet) -> None:
    empty = dict.fromkeys((*CONTACT, *CARD, "carrier"), "")
    answer = gourmet.customer().checkout(**empty)
    assert answer.status_code == 422
    wrong = set(re.findall(r'<p class="error" id="(\w+)-error">Please fill this in.</p>', answer.text))
    assert wrong == {*CONTACT, *CARD, "carrier"} - {"unit", "region", "note"}
    assert set(re.findall(r'<li><a href="#(\w+)">', answer.text)) == wrong
    assert "contact.name" not in gourmet.texts()


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("email", "nobody-at-home", "does not look like an e-mail address"),
        ("email", "two@at@signs.example", "does not look like an e-mail address"),
        ("name", "N" * 81, "at most 80 characters, you typed 81"),
        ("note", "n" * 401, "at most 400 characters"),
        ("city", "Ulver\x00thorpe", "characters that cannot be used"),
        ("street", "one\ntwo", "characters that cannot be used"),
        ("postcode", "\ue000abc0000\ue001", "characters that cannot be used"),
        ("carrier", "pigeon", "choose one of the options"),
        ("card_number", "4539 1488 0343 6468", "One digit of the card number seems to be wrong"),
        ("card_number", "4539", "12 to 19 digits"),
        ("card_expiry", "01/20", "has expired"),
        ("card_expiry", "2039-12", "month and year"),
        ("card_code", "12", "three or four digits"),
    ],
)
def test_a_wrong_field_brings_the_form_back_filled_with_the_reason_and_without_the_card(
    gourmet: Gourmet, field: str, text: str, reason: str
) -> None:
    answer = gourmet.customer().checkout(**{field: text})
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert reason in page
    for name, typed in CONTACT.items():
        if name != field:
            assert typed in page, name
    for name, typed in {**CARD, field: text if field in CARD else "?"}.items():
        if name in CARD:
            box = re.search(rf'<input id="{name}"[^>]*>', answer.text)
            assert box
            assert 'value=""' in box[0]
            assert not [form for form in spellings(typed) if len(form) > 4 and form in answer.content]
    assert gourmet.opened.settings.endpoints["processor"].url not in page
    assert "order.note" not in gourmet.texts()


def test_markup_that_is_typed_in_comes_back_as_text(gourmet: Gourmet) -> None:
    script = '"><script>alert(1)</script>'
    answer = gourmet.customer().checkout(name=script, city="")
    assert answer.status_code == 422
    assert "<script" not in answer.text
    assert script in unescape(answer.text)


def test_a_form_that_is_too_large_forged_or_no_form_at_all_does_nothing(gourmet: Gourmet, peers: Peers) -> None:
    customer = gourmet.customer()
    customer.put_into_cart()
    page = customer.get("/checkout")
    typed = {"csrf": hidden(page, "csrf"), "carrier": "ups", **CONTACT, **CARD}
    post = customer.http.post
    own, other = {"Origin": customer.base}, {"Origin": "https://evil.example"}
    kind = "application/x-www-form-urlencoded"
    assert post("/checkout", data={**typed, "more": "x" * 70_000}, headers=own).status_code == 413
    for answer in (
        post("/checkout", data=typed, headers=other),
        post("/checkout", data=typed, headers={"Sec-Fetch-Site": "cross-site", **own}),
        post("/checkout", data=typed),
        post("/checkout", data={**typed, "csrf": ""}, headers=own),
        post("/checkout", data={**typed, "csrf": "A" * 64}, headers=own),
        post("/checkout", json=typed, headers=own),
        post("/checkout", files={"csrf": b"x"}, headers=own),
        post("/checkout", content=b"csrf=%ff\xff", headers={**own, "Content-Type": kind}),
        post("/checkout", data={**typed, **{f"f{n}": "" for n in range(200)}}, headers=own),
    ):
        assert answer.status_code == 403
        assert "send it again" in answer.text
    gourmet.clock.advance(9 * 3600)
    assert post("/checkout", data=typed, headers=own).status_code == 403, "the form is too old"
    assert not peers.processor.received
    assert "contact.name" not in gourmet.texts()


def test_a_secret_link_that_leads_nowhere_says_so(gourmet: Gourmet) -> None:
    path = gourmet.customer().order()
    for wrong in (path[:-1], "/order/" + path.removeprefix("/order/").swapcase(), "/order/x"):
        answer = gourmet.customer().get(wrong)
        assert answer.status_code == 404
        assert "We know no order under this address" in answer.text
        assert CONTACT["name"] not in answer.text
        assert gourmet.customer().get(f"{wrong}/pay").status_code == 404


# -- carriers and mail --------------------------------------------------------------------------------

FAILS: dict[str, Callable[[Any], None]] = {
    "down": lambda peer: setattr(peer, "down", True),
    "slow": lambda peer: setattr(peer, "slow", 4.0),
    "nonsense": lambda peer: setattr(peer, "nonsense", True),
    "hangs up": lambda peer: setattr(peer, "fails_midway", True),
}


def mend(peer: Any) -> None:
    """Turn every switch back."""
    peer.down, peer.slow, peer.nonsense, peer.fails_midway = False, 0.0, False, False


@pytest.mark.parametrize("fault", FAILS)
def test_a_label_arrives_later_and_once_when_the_carrier_fails(gourmet: Gourmet, peers: Peers, fault: str) -> None:
    FAILS[fault](peers.ups)
    customer = gourmet.customer()
    path = customer.order()
    gourmet.work_off()
    gourmet.work_off(2)
    assert "tracking number appears here" in customer.get(path).text
    mend(peers.ups)
    gourmet.work_off(60)
    [label] = peers.ups.received
    assert label.tracking in customer.get(path).text
    gourmet.work_off(3600)
    assert len(peers.ups.received) == 1


@pytest.mark.parametrize("fault", FAILS)
def test_a_mail_arrives_later_under_one_id_when_the_mail_server_fails(
    gourmet: Gourmet, peers: Peers, fault: str
) -> None:
    FAILS[fault](peers.mail)
    gourmet.customer().order()
    gourmet.work_off()
    mend(peers.mail)
    gourmet.work_off(60)
    gourmet.work_off(3600)
    assert peers.mail.received
    assert len({mail.message["Message-ID"] for mail in peers.mail.received}) == 1
    assert len(peers.mail.received) <= 2, "once when it failed, once when it was mended"
    assert all(mail.recipients == (CONTACT["email"],) for mail in peers.mail.received)


def test_a_mail_that_is_refused_for_good_is_given_up_and_stays_visible(gourmet: Gourmet, peers: Peers) -> None:
    peers.mail.declines = "550 5.1.1 no such mailbox"
    gourmet.customer().order()
    gourmet.work_off()
    peers.mail.declines = ""
    gourmet.work_off(3600)
    assert not peers.mail.received
    with sqlite3.connect(gourmet.data / "site.db") as database:
        [(state, note)] = database.execute("SELECT state, note FROM avow_outbox WHERE kind = 'send'").fetchall()
    database.close()
    assert state == "failed"
    assert "550" in note
    assert CONTACT["email"] not in note


# -- payments -----------------------------------------------------------------------------------------


def state(gourmet: Gourmet) -> list[str]:
    """How the orders stand."""
    with gourmet.acting() as work:
        return [order.status for order in work.select(gourmet.Order)]


@pytest.mark.parametrize(("fault", "said"), [("down", "not paid yet"), ("declined", "Your card was declined")])
def test_an_order_that_is_not_paid_says_so_and_is_paid_by_typing_the_card_again(
    gourmet: Gourmet, peers: Peers, fault: str, said: str
) -> None:
    customer = gourmet.customer()
    if fault == "down":
        peers.processor.down = True
        path = customer.order()
        peers.processor.down = False
    else:
        path = customer.order(card_number=DECLINED)
    page = customer.get(path).text
    assert said in page
    assert f'href="{path}/pay"' in page
    gourmet.work_off(60)
    assert not peers.mail.received + peers.ups.received
    form = customer.get(f"{path}/pay").text
    assert "we do not keep it" in form
    assert not re.findall(r'<input id="card_[^>]*value="[^"]+"', form)
    wrong = customer.send(f"{path}/pay", {**CARD, "card_code": "x"})
    assert wrong.status_code == 422
    assert not [form for form in spellings(PAYS) if form in wrong.content]
    assert customer.send(f"{path}/pay", CARD).headers["location"] == path
    assert "Thank you" in customer.get(path).text
    gourmet.work_off()
    assert len(peers.mail.received) == len(peers.ups.received) == 1


@pytest.mark.parametrize("fault", ["slow", "nonsense", "hangs up"])
def test_a_payment_without_an_answer_is_unknown_until_the_processor_tells(
    gourmet: Gourmet, peers: Peers, fault: str
) -> None:
    FAILS[fault](peers.processor)
    customer = gourmet.customer()
    path = customer.order()
    assert "We do not know yet whether you have paid" in customer.get(path).text
    assert customer.get(f"{path}/pay").headers["location"] == path, "nobody pays twice"
    gourmet.work_off(10)
    assert state(gourmet) == ["unknown"]
    mend(peers.processor)
    gourmet.work_off(10)
    gourmet.work_off()
    assert "Thank you" in customer.get(path).text
    assert len(peers.processor.received) == len(peers.mail.received) == len(peers.ups.received) == 1


def test_a_payment_that_the_processor_never_saw_can_be_made_again(gourmet: Gourmet, peers: Peers) -> None:
    peers.processor.nonsense = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
    customer = gourmet.customer()
    path = customer.order()
    peers.processor.nonsense = False
    peers.processor._attempts = type(peers.processor._attempts)()  # as if the request had got lost before it
    gourmet.work_off(15)
    assert state(gourmet) == ["unknown"]
    gourmet.work_off(60)
    assert state(gourmet) == ["unpaid"]
    customer.send(f"{path}/pay", CARD)
    assert state(gourmet) == ["paid"]


def test_a_double_click_orders_and_pays_once(gourmet: Gourmet, peers: Peers) -> None:
    customer = gourmet.customer()
    customer.put_into_cart()
    page = customer.get("/checkout")
    typed = {"csrf": hidden(page, "csrf"), "ticket": hidden(page, "ticket"), "carrier": "ups", **CONTACT, **CARD}
    cart = {"Cookie": "cart=comte-2", "Origin": customer.base}
    peers.processor.slow = 0.4

    def click(_: int) -> str:
        return str(gourmet.customer().http.post("/checkout", data=typed, headers=cart).headers["location"])

    with ThreadPoolExecutor(3) as pool:
        places = set(pool.map(click, range(3)))
    assert len(places) == 1
    assert len(peers.processor.received) == 1
    assert state(gourmet) == ["paid"]


def test_two_tabs_that_pay_again_pay_once(gourmet: Gourmet, peers: Peers) -> None:
    path = gourmet.customer().order(card_number=DECLINED)
    tabs = [gourmet.customer() for _ in range(3)]
    tokens = [hidden(tab.get(f"{path}/pay"), "csrf") for tab in tabs]
    peers.processor.slow = 0.4

    def pay(number: int) -> int:
        return tabs[number].send(f"{path}/pay", {**CARD, "csrf": tokens[number]}).status_code

    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(pay, range(3))) == {303}
    assert [payment.status for payment in peers.processor.received] == ["declined", "authorised"]
    assert state(gourmet) == ["paid"]
