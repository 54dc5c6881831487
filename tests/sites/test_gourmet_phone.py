"""Orders by telephone: what the desk types in is stored, but for the card (I2); of that it reads four digits (I16)."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from avow.errors import Refused

from .conftest import Gourmet, Peers, Shop
from .customer import CARD, CONTACT, DECLINED, PAYS, anchors, hidden, spellings
from .staff import PASSWORD, at_desk, basic, call, hire_at

DIGITS = PAYS.replace(" ", "")


def shows_no_card(text: str | bytes) -> bool:
    data = text.encode() if isinstance(text, str) else text
    return not [form for form in spellings(PAYS) if form in data]


# -- works --------------------------------------------------------------------------------------------


@pytest.mark.promise("I2", "works")
@pytest.mark.promise("I16", "works")
def test_a_call_is_typed_in_paid_and_read_back(shop: Shop, chromium: Any) -> None:
    hire_at(shop)
    context = chromium.new_context(http_credentials={"username": "berta", "password": PASSWORD})
    page = context.new_page()
    page.goto(f"{shop.base}/desk")
    page.get_by_role("main").get_by_role("link", name="Telephone orders").click()
    page.get_by_label("Comté, aged 24 months").fill("2")
    page.get_by_label("Oak-smoked trout").fill("1")
    for name, text in {**CONTACT, **CARD, "city": ""}.items():
        page.locator(f"#{name}").fill(text)
    page.get_by_role("button", name="Order and pay").click()
    page.get_by_role("heading", name="Please look at this once more").wait_for()
    assert page.locator("#name").input_value() == CONTACT["name"]
    assert page.locator("#of_comte").input_value() == "2"
    for name in CARD:
        assert page.locator(f"#{name}").input_value() == ""
        assert page.locator(f"#{name}").get_attribute("autocomplete") == "off"
    for name, text in {**CARD, "city": CONTACT["city"]}.items():
        page.locator(f"#{name}").fill(text)
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/desk/phone/*")
    assert page.get_by_role("heading", level=1).inner_text() == "The order is paid"
    said = page.get_by_role("blockquote").inner_text()
    assert f"with your card ending in {PAYS[-4:]}" in said
    for name, text in CONTACT.items():
        assert text in (said if name != "note" else page.content())
    assert context.cookies() == []
    [mail] = shop.peers.mail.wait_for(1)
    assert mail.recipients == (CONTACT["email"],)
    shop.peers.ups.wait_for(1)
    shop.peers.smokehouse.wait_for(1)
    context.close()


@pytest.mark.promise("I16", "works")
def test_a_declined_card_is_asked_for_once_more(gourmet: Gourmet, peers: Peers) -> None:
    desk = at_desk(gourmet, "berta")
    where = call(desk, card_number=DECLINED).headers["location"]
    assert "The card was declined" in desk.get(where).text
    assert desk.send(f"{where}/pay", CARD).headers["location"] == where
    assert f"ending in <strong>{PAYS[-4:]}</strong>" in desk.get(where).text
    assert desk.get(f"{where}/pay").headers["location"] == where, "nobody pays twice"
    desk.send(f"{where}/pay", CARD, page="/desk/phone")
    assert [payment.status for payment in peers.processor.received] == ["declined", "authorised"]


@pytest.mark.promise("I9", "works")
@pytest.mark.promise("I15", "works")
def test_an_objection_by_telephone_counts_at_once(gourmet: Gourmet, peers: Peers) -> None:
    desk = at_desk(gourmet, "berta")
    typed = {"what": "mail", "email": CONTACT["email"], "words": "No more mail please"}
    answer = desk.send("/desk/objection", typed)
    found = re.search(r"Your number is <strong>([\w-]+)</strong>", answer.text)
    assert found, answer.text
    assert CONTACT["email"] not in answer.text
    seen = gourmet.customer().get(f"/stop/seen/{found[1]}")
    assert "by telephone" in seen.text
    customer = gourmet.customer()
    customer.order()
    gourmet.work_off()
    assert len(peers.mail.received) == 1, "mail about a running order goes on"
    with gourmet.acting("answers", place="contact_page") as work:
        [order] = work.select(gourmet.Order)
        work.regard(order)
        assert work.unit.facts["objected(mail)"] is True
        with pytest.raises(Refused) as refusal:
            work.send("answer", order)
        assert "no-more-mail" in anchors(refusal.value)


# -- holds: I2 ----------------------------------------------------------------------------------------


@pytest.mark.promise("I2", "holds")
def test_a_card_in_another_field_of_a_call_is_sent_back_without_it(gourmet: Gourmet) -> None:
    desk = at_desk(gourmet, "berta")
    for field in (*CONTACT, "of_comte", "carrier"):
        answer = call(desk, **{field: f"{DIGITS}@a.example" if field == "email" else DIGITS})
        assert answer.status_code == 422, field
        assert shows_no_card(answer.text), field
    for typed in ({"note": PAYS, "city": ""}, {"ticket": DIGITS}):
        assert shows_no_card(call(desk, **typed).text)
    gourmet.work_off()
    assert shows_no_card(gourmet.stored())
    assert not any(DIGITS in text for texts in gourmet.texts().values() for text in texts)


@pytest.mark.promise("I2", "holds")
def test_no_answer_of_the_desk_gives_a_card_back(
    gourmet: Gourmet, peers: Peers, caplog: pytest.LogCaptureFixture
) -> None:
    desk = at_desk(gourmet, "berta")
    with caplog.at_level(logging.DEBUG):
        page = desk.get("/desk/phone")
        typed = {"csrf": hidden(page, "csrf"), "carrier": "ups", "of_comte": "1", **CONTACT, **CARD}
        answers = [
            call(desk, city=""),
            call(desk, of_comte="0"),
            call(desk, card_expiry="01/20"),
            desk.http.post("/desk/phone", data={**typed, "csrf": "forged"}, headers={"Origin": desk.base}),
            desk.http.post("/desk/phone", data=typed, headers={"Origin": "https://elsewhere.example"}),
            desk.http.post("/desk/phone", data=typed, headers={"Origin": desk.base, "Authorization": "none"}),
        ]
        peers.processor.nonsense = True
        answers.append(call(desk))
        answers.append(desk.get(answers[-1].headers["location"]))
    for answer in answers:
        for name in ("card_number", "card_name", "card_code", "card_expiry"):
            assert CARD[name] not in answer.text
        assert shows_no_card(answer.text + str(answer.headers))
    gourmet.work_off()
    seen = caplog.text.encode() + gourmet.stored()
    assert shows_no_card(seen)
    assert CARD["card_name"].encode() not in seen


@pytest.mark.promise("I2", "holds")
def test_nobody_but_the_order_desk_comes_to_the_telephone(gourmet: Gourmet) -> None:
    desk = at_desk(gourmet, "berta")
    where = call(desk).headers["location"]
    token = hidden(desk.get("/desk/phone"), "csrf")
    strangers = {
        "a customer": gourmet.customer(),
        "a guess": gourmet.customer(headers={"Authorization": basic("berta", "kettle")}),
        "the service desk": at_desk(gourmet, "otto"),
        "the legal desk": at_desk(gourmet, "lena"),
    }
    for who, stranger in strangers.items():
        for path in ("/desk/phone", where, f"{where}/pay", "/desk/objection"):
            for answer in (
                stranger.get(path),
                stranger.http.post(path, data={"csrf": token, **CONTACT}, headers={"Origin": stranger.base}),
            ):
                assert answer.status_code in (401, 403, 429), (who, path)
                assert not [text for text in (*CONTACT.values(), PAYS[-4:], "<form") if text in answer.text], who
    assert len(gourmet.texts()["order.items"]) == 1


@pytest.mark.promise("I2", "holds")
def test_what_stands_at_the_telephone_is_shown_to_the_order_desk_only(gourmet: Gourmet) -> None:
    """Also by code that somebody wrote without a thought: to another desk, to a customer, to nobody known."""
    at_desk(gourmet, "berta")
    call(at_desk(gourmet, "berta"))

    def careless(work: Any) -> Any:
        return work.render("desk/called.html", order=work.select(gourmet.Order)[0], carrier="", makers=[], here="/")

    for role, staff, place in (
        ("service_desk", True, "phone"),
        ("order_desk", False, "phone"),
        ("storefront", False, "shop"),
    ):
        gourmet.site.page("/careless", role=role, purpose="ordering", place=place, staff=staff)(careless)
        gourmet.opened.app.app.routes.append(gourmet.site.routes.pop())
        answer = at_desk(gourmet, "otto").get("/careless")
        assert answer.status_code == 403, role
        assert CONTACT["name"] not in answer.text
        assert anchors(answer), role
        gourmet.opened.app.app.routes.pop()


# -- holds: I16 ---------------------------------------------------------------------------------------


@pytest.mark.promise("I16", "holds")
def test_the_telephone_shows_four_digits_whatever_the_processor_sends(gourmet: Gourmet) -> None:
    desk = at_desk(gourmet, "berta")
    processor = gourmet.opened.directory.https("processor")
    real = processor.post
    processor.post = lambda body, *, idempotency: {**real(body, idempotency=idempotency), "last4": DIGITS}
    page = desk.get(call(desk).headers["location"]).text
    assert f"ending in <strong>{DIGITS[-4:]}</strong>" in page
    assert DIGITS[-5:] not in page
    assert shows_no_card(page)


@pytest.mark.promise("I16", "holds")
def test_no_other_desk_and_no_other_place_shows_a_digit(gourmet: Gourmet) -> None:
    call(at_desk(gourmet, "berta"))
    for role, place, purpose in (
        ("service_desk", "phone", "ordering"),
        ("order_desk", "desk", "ordering"),
        ("order_desk", "phone", "selection"),
        ("legal_desk", "phone", "ordering"),
    ):
        with gourmet.opened.unit(role, purpose, place=place, staff=True) as unit:
            with pytest.raises(Refused) as refusal:
                unit.judge("show", "card.last4", audience=role, place=place, role=role)
            assert anchors(refusal.value) == {"last-four"}, (role, place)
