"""The card of a customer of the gourmet shop: stored nowhere (I2), passed on once (I8), shown by four digits (I16)."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import sqlite3
from contextlib import suppress
from typing import Any

import pytest

from avow.edge.form import Form
from avow.errors import AvowError, Refused, SealedError
from avow.testing.certificates import Authority
from avow.vault.sealed import Given

from .conftest import Gourmet, Peers
from .customer import CARD, CONTACT, DECLINED, PAYS, anchors, spellings

DIGITS = PAYS.replace(" ", "")
FIELDS = [name for name in CONTACT if name != "email"]
WRITTEN = (PAYS, DIGITS, PAYS.replace(" ", "-"), f"card {DIGITS}, thanks", f"cvv {CARD['card_code']}")


def checkout_form(gourmet: Gourmet, **typed: str) -> Form:
    """The shop's own form as it arrives, with everything in order."""
    route = next(r for r in gourmet.opened.app.app.routes if getattr(r, "path", "") == "/checkout")
    form: type[Form] = route.endpoint.__closure__[0].cell_contents  # the class that the route was declared with
    assert issubclass(form, Form)
    return form({"carrier": "ups", **CONTACT, **CARD, **typed}, now=gourmet.clock())


def collected(gourmet: Gourmet, work: Any, **values: Any) -> Any:
    """An order made through the Python API, without a card."""
    given = {"items": "2 × Comté", "cents": 4550, "carrier": "ups", "status": "unpaid", "ticket": work.person().id}
    contact = {name: text for name, text in CONTACT.items() if name != "note"}
    return work.collect(gourmet.Order, person=work.person(), **{**contact, **given, **values})


def first_order(gourmet: Gourmet, work: Any) -> Any:
    return work.select(gourmet.Order)[0]


def shows_nothing(haystack: bytes | str, *, card: str = PAYS) -> None:
    """No spelling of the number occurs in it."""
    data = haystack.encode() if isinstance(haystack, str) else haystack
    assert not [form for form in spellings(card) if form in data]


# -- I2: stored nowhere -------------------------------------------------------------------------------


@pytest.mark.promise("I2", "holds")
def test_a_card_in_any_other_field_is_sent_back_without_it(gourmet: Gourmet) -> None:
    customer = gourmet.customer()
    for field, text in [*((name, DIGITS) for name in FIELDS), ("email", f"{DIGITS}@a.example"), ("email", DIGITS)]:
        answer = customer.checkout(**{field: text})
        assert answer.status_code == 422, field
        assert "which we never keep" in answer.text
        shows_nothing(answer.text)
    for text in WRITTEN:
        answer = customer.checkout(note=text, city="")
        assert answer.status_code == 422
        assert "which we never keep" in answer.text
        assert CONTACT["street"] in answer.text, "the rest of the form comes back"
        assert text not in answer.text
    assert "order.note" not in gourmet.texts()
    shows_nothing(gourmet.stored())


@pytest.mark.promise("I2", "holds")
def test_a_forged_request_stores_no_card(gourmet: Gourmet) -> None:
    customer = gourmet.customer()
    answer = customer.checkout(ticket=DIGITS)
    assert anchors(answer) == {"last-four"}, "what is hidden in the form comes back in it, so the whole page is refused"
    shows_nothing(answer.text)
    for path in (f"/cart?added={DIGITS}", f"/products/{DIGITS}", f"/order/{DIGITS}", f"/checkout?card={DIGITS}"):
        shows_nothing(customer.get(path, Referer=f"https://elsewhere.example/{DIGITS}").text)
    customer.http.cookies.set("cart", f"comte-1.{DIGITS}-1", domain="shop.example")
    added = customer.send("/cart/add", {"sku": "honey", "quantity": "1"}, page="/products/honey")
    assert added.headers["set-cookie"].startswith("cart=comte-1.honey-1;")
    gourmet.work_off()
    shows_nothing(gourmet.stored())
    assert not any(DIGITS in text for texts in gourmet.texts().values() for text in texts)


@pytest.mark.promise("I2", "holds")
def test_no_program_can_keep_a_card(gourmet: Gourmet) -> None:
    form = checkout_form(gourmet)
    attempts: list[dict[str, Any]] = [
        *({"note": text} for text in WRITTEN),
        {"name": DIGITS},
        {"ticket": DIGITS},
        {"note": form["card_number"]},
        {"note": form["card_code"]},
    ]
    for values in attempts:
        with gourmet.acting() as work:
            with pytest.raises(Refused) as refusal:
                collected(gourmet, work, **values)
            assert anchors(refusal.value) == {"card-never-kept"}, values
    with gourmet.acting() as work:
        order = collected(gourmet, work)
        for change in ({"note": f"it is {DIGITS}"}, {"status": DIGITS}):
            with pytest.raises(Refused) as refusal:
                work.update(order, **change)
            assert anchors(refusal.value) == {"card-never-kept"}
        for category in ("card.number", "card.code"):
            with pytest.raises(Refused) as refusal:
                work.unit.judge("keep", category, subject="customer")
            assert anchors(refusal.value) == {"card-never-kept"}
    assert ("card-never-kept",) in gourmet.refused("keep")


@pytest.mark.promise("I2", "holds")
def test_neither_database_nor_ledger_nor_queue_holds_a_card_after_every_way_to_pay(
    gourmet: Gourmet, peers: Peers
) -> None:
    customer = gourmet.customer()
    customer.order()
    customer.order(card_number=DECLINED)
    peers.processor.nonsense = True
    customer.order()
    peers.processor.nonsense, peers.processor.down = False, True
    customer.order()
    with suppress(Refused), gourmet.acting() as work:
        collected(gourmet, work, note=f"take {DIGITS}")
    with suppress(Refused), gourmet.acting() as work:
        collected(gourmet, work, ticket=f"t-{DIGITS}")
    gourmet.work_off()
    for card in (PAYS, DECLINED):
        shows_nothing(gourmet.stored(), card=card)
        texts = [text for found in gourmet.texts().values() for text in found]
        shows_nothing("\n".join(texts), card=card)
        shows_nothing(json.dumps(gourmet.entries()), card=card)
    assert {kind for kind in gourmet.texts() if kind.startswith("card")} == {"card.last4"}
    with sqlite3.connect(gourmet.data / "site.db") as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f"SELECT * FROM {table}"):
                assert not any(value == CARD["card_code"] or DIGITS in str(value) for value in row)
    database.close()


@pytest.mark.promise("I2", "holds")
@pytest.mark.promise("I8", "holds")
def test_logs_and_tracebacks_hold_no_card(gourmet: Gourmet, peers: Peers, caplog: pytest.LogCaptureFixture) -> None:
    def careless(work: Any) -> Any:
        logging.getLogger("shop").debug("query %s", work.query)
        raise ValueError(f"cannot charge {work.query['card']}")

    gourmet.add_page("/careless", careless)
    echo = f"HTTP/1.1 400 {DIGITS}\r\nContent-Length: {len(DIGITS)}\r\n\r\n{DIGITS}".encode()
    odd = b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps({"status": DIGITS}).encode()
    with caplog.at_level(logging.DEBUG):
        gourmet.customer().checkout(note=DIGITS)
        assert gourmet.customer().get(f"/careless?card={DIGITS}").status_code == 500
        for switch, value in (("nonsense", echo), ("nonsense", odd), ("fails_midway", True), ("down", True)):
            setattr(peers.processor, switch, value)
            gourmet.customer().order()
            setattr(peers.processor, switch, False)
        gourmet.work_off(60)
    assert "ValueError" in caplog.text
    assert "attempt" in caplog.text
    shows_nothing(caplog.text)


@pytest.mark.promise("I2", "holds")
def test_no_header_cookie_or_redirect_carries_a_card(gourmet: Gourmet) -> None:
    def in_cookie(work: Any) -> Any:
        work.set_cookie("cart", DIGITS)
        return work.redirect("/cart")

    def in_redirect(work: Any) -> Any:
        return work.redirect(f"/cart?card={DIGITS}")

    def in_page(work: Any) -> Any:
        return work.render("notice.html", title="Your card", text=[DIGITS])

    for number, handler in enumerate((in_cookie, in_redirect, in_page)):
        gourmet.add_page(f"/careless/{number}", handler)
        answer = gourmet.customer().get(f"/careless/{number}")
        assert answer.status_code == 403
        assert anchors(answer) == {"last-four"}
        shows_nothing(answer.text + str(answer.headers))


# -- I8: passed on once -------------------------------------------------------------------------------


@pytest.mark.promise("I8", "works")
def test_a_payment_goes_to_the_processor_once_and_comes_back_as_four_digits(gourmet: Gourmet, peers: Peers) -> None:
    gourmet.customer().order()
    [payment] = peers.processor.received
    assert payment.status == "authorised"
    assert payment.fields["amount"] == "45.50 USD"
    assert set(payment.fields) == {"amount", "card.number", "card.code", "card.expiry", "card.name"}
    assert gourmet.texts()["card.last4"] == [DIGITS[-4:]]
    shared = [e for e in gourmet.entries() if e["verb"] == "share" and e["recipient"] == "processor"]
    assert sorted(e["event"] for e in shared) == ["attempted", "done", "permitted"]
    [permitted] = [e for e in shared if e["event"] == "permitted"]
    assert permitted["sentences"] == ["card-passed-on"]


@pytest.mark.promise("I8", "holds")
def test_a_card_is_not_used_twice(gourmet: Gourmet, peers: Peers) -> None:
    form = checkout_form(gourmet)
    with gourmet.acting() as work:
        order = collected(gourmet, work)
        work.commit()
        card = work.once("card", form)
        data = {"about": order, "purpose": "payment", "amount": "1.00", "currency": "USD"}
        assert work.exchange(card, "processor", **data).status == "done"
        with pytest.raises(Refused, match="serves once") as refusal:
            work.exchange(card, "processor", **data)
        assert anchors(refusal.value) == {"card-passed-on"}
    with sqlite3.connect(gourmet.data / "site.db") as database:  # as if the attempt had never been answered
        columns = {row[1] for row in database.execute("PRAGMA table_info(avow_exchange)")}
        database.execute("UPDATE avow_exchange SET state = 'attempted', due = 0")
    database.close()
    assert columns == {
        "id", "owner", "recipient", "record_table", "record_id", "role", "purpose", "state", "begun", "due"
    }  # fmt: skip
    gourmet.work_off()
    assert len(peers.processor.received) == 1


@pytest.mark.promise("I8", "holds")
def test_a_card_is_neither_copied_nor_shown_nor_written_down(
    gourmet: Gourmet, caplog: pytest.LogCaptureFixture
) -> None:
    with gourmet.acting() as work:
        form = checkout_form(gourmet)
        card = work.once("card", form)
        for thing in (card, form["card_number"], form["card_code"]):
            for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(SealedError):
                    attempt(thing)
            with caplog.at_level(logging.DEBUG):
                logging.getLogger("shop").info("%s %r", thing, [thing])
            with pytest.raises((SealedError, TypeError)):
                json.dumps({"card": thing})
        with pytest.raises(Refused) as refusal:
            card.__html__()
        assert anchors(refusal.value) == {"last-four"}
        for name in CARD:
            field = form[name]
            assert isinstance(field, Given)
            for purpose in ("ordering", "payment", "marketing"):
                with pytest.raises(Refused) as refusal:
                    field.open(purpose)
                assert anchors(refusal.value)
    shows_nothing(caplog.text)
    assert CARD["card_name"] not in caplog.text


@pytest.mark.promise("I8", "holds")
def test_a_card_goes_to_nobody_else_and_serves_nothing_else(gourmet: Gourmet, peers: Peers) -> None:
    with gourmet.acting() as work:
        order = collected(gourmet, work)
        work.commit()
        for recipient, purpose in (
            ("ups", "payment"),
            ("fedex", "shipping"),
            ("processor", "ordering"),
            ("processor", "marketing"),
            ("carriers", "payment"),
            ("bank", "payment"),
        ):
            card = work.once("card", checkout_form(gourmet))
            with pytest.raises(Refused) as refusal:
                work.exchange(card, recipient, about=order, purpose=purpose, amount="1.00", currency="USD")
            said = "own-lines" if recipient == "bank" else "card-passed-on"  # nobody knows what a bank is here
            assert said in anchors(refusal.value), recipient
    for place in ("shop", "cart", "order_page", "mail"):
        with gourmet.acting(place=place) as work, pytest.raises(Refused) as refusal:
            work.once("card", checkout_form(gourmet))
        assert anchors(refusal.value) == {"card-entry"}
    assert not peers.processor.received + peers.ups.received + peers.fedex.received


@pytest.mark.promise("I8", "holds")
def test_a_form_sent_twice_and_a_paid_order_are_not_charged_again(gourmet: Gourmet, peers: Peers) -> None:
    customer = gourmet.customer()
    customer.put_into_cart()
    page = customer.get("/checkout")
    first = customer.checkout(ticket=page.text.partition('name="ticket" value="')[2].partition('"')[0])
    ticket = page.text.partition('name="ticket" value="')[2].partition('"')[0]
    customer.put_into_cart()
    again = customer.checkout(ticket=ticket)
    assert first.headers["location"] == again.headers["location"]
    path = first.headers["location"]
    forged = customer.send(f"{path}/pay", CARD, page="/checkout")
    assert forged.headers["location"] == path
    assert len(peers.processor.received) == 1


@pytest.mark.promise("I8", "holds")
def test_a_processor_that_cannot_prove_who_it_is_gets_nothing(gourmet: Gourmet, peers: Peers, tmp_path: Any) -> None:
    from avow.testing.card_processor import CardProcessor

    stranger = Authority.create(tmp_path / "stranger")
    false = (
        stranger.issue("processor"),
        peers.authority.issue("expired", expired=True),
        peers.authority.issue("elsewhere", ["elsewhere.example"]),
    )
    for certificate in false:
        with CardProcessor(peers.authority, certificate=certificate) as impostor:
            gourmet.reopen(peers, processor=impostor.url)
            customer = gourmet.customer()
            page = customer.get(customer.order())
            assert "not paid yet" in page.text
            assert not impostor.received


@pytest.mark.promise("I8", "holds")
def test_a_processor_without_encryption_is_refused_before_anything_starts(gourmet: Gourmet, peers: Peers) -> None:
    for address in ("http://127.0.0.1:9/authorisations", "smtps://127.0.0.1:9", "ftp://127.0.0.1/"):
        with pytest.raises(AvowError, match=" only"):
            gourmet.reopen(peers, processor=address)


# -- I16: four digits ---------------------------------------------------------------------------------


@pytest.mark.promise("I16", "holds")
def test_page_and_mail_show_four_digits_even_if_the_processor_sends_more(gourmet: Gourmet, peers: Peers) -> None:
    processor = gourmet.opened.exchanges.channel_of("processor")
    real = processor.post
    for sent in (DIGITS[-4:], DIGITS[-6:], DIGITS, f"x{DIGITS[-8:]}"):
        processor.post = lambda body, *, idempotency, sent=sent: {**real(body, idempotency=idempotency), "last4": sent}
        customer = gourmet.customer()
        page = customer.get(customer.order()).text
        gourmet.work_off()
        mail = peers.mail.received[-1]
        assert f"<strong>{DIGITS[-4:]}</strong>" in page
        assert f"ends in {DIGITS[-4:]}" in mail.text
        for text in (page, mail.text):
            assert DIGITS[-5:] not in text
        shows_nothing(page.encode() + mail.content + mail.text.encode())
    assert set(gourmet.texts()["card.last4"]) == {DIGITS[-4:]}


@pytest.mark.promise("I16", "holds")
def test_no_page_shows_more_of_a_card_or_shows_it_elsewhere(gourmet: Gourmet) -> None:
    path = gourmet.customer().order()
    gourmet.customer().order()

    def at(work: Any) -> Any:
        order = work.presented(gourmet.Order, path.rpartition("/")[2])
        return work.render("notice.html", title="Your card", text=[order.last4])

    def unpresented(work: Any) -> Any:
        return work.render("notice.html", title="Your card", text=[first_order(gourmet, work).last4])

    def of_another(work: Any) -> Any:
        own = work.presented(gourmet.Order, path.rpartition("/")[2])
        [other] = work.select(gourmet.Order, gourmet.Order.id != own.id)
        return work.render("notice.html", title="Your card", text=[other.last4])

    def typed(work: Any) -> Any:
        form = checkout_form(gourmet)
        return work.render("notice.html", title="Your card", text=[form[name] for name in CARD])

    attempts = [("shop", at), ("pay_page", at), ("checkout", at), ("order_page", unpresented), ("checkout", typed)]
    attempts += [("order_page", typed), ("order_page", of_another)]
    for number, (place, handler) in enumerate(attempts):
        gourmet.add_page(f"/careless/{number}", handler, place=place, purpose="ordering")
        answer = gourmet.customer().get(f"/careless/{number}")
        assert answer.status_code == 403, number
        assert anchors(answer) == {"last-four"}
        assert DIGITS[-4:] not in answer.text
    assert gourmet.refused("show").count(("last-four",)) == len(attempts)


@pytest.mark.promise("I16", "holds")
def test_the_digits_lie_sealed_and_open_in_their_own_place_only(
    gourmet: Gourmet, caplog: pytest.LogCaptureFixture
) -> None:
    path = gourmet.customer().order()
    with sqlite3.connect(gourmet.data / "site.db") as database:
        [(sealed,)] = database.execute("SELECT last4 FROM shop_order").fetchall()
        assert DIGITS[-4:].encode() not in sealed
        database.execute("UPDATE shop_order SET city = last4")  # where the page shows an address
    database.close()
    with caplog.at_level(logging.DEBUG):
        answer = gourmet.customer().get(path)
    assert answer.status_code == 500
    assert DIGITS[-4:] not in answer.text + caplog.text
