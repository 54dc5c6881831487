"""Questions and their answers (I3): asked on a page, read by the service desk and nobody else, answered by mail."""

from __future__ import annotations

import json
import logging
import sqlite3
from typing import Any

import pytest

from avow.errors import Refused, SetupError

from .conftest import Gourmet, Peers, Shop
from .customer import CONTACT, PAYS, anchors, hidden, spellings
from .staff import PASSWORD, at_desk, basic, hire_at
from .test_gourmet_carriers import change

ASKED = {
    "name": "Thibault Vandersloot",
    "email": "thibault.v@canary-mail.example",
    "text": "Is the kingfisher brie made with raw milk?",
}
ANSWERED = "It is: raw milk, and a little patience."


def ask(gourmet: Gourmet, **typed: str) -> Any:
    answer = gourmet.customer().send("/contact", {**ASKED, **typed})
    assert answer.status_code == 303, answer.text
    return answer


def requests(gourmet: Gourmet) -> list[tuple[str, str, str]]:
    with sqlite3.connect(gourmet.data / "site.db") as database:
        rows = database.execute("SELECT id, state, came_by FROM shop_request ORDER BY rowid").fetchall()
    database.close()
    return rows


def answer(gourmet: Gourmet, number: int = 0, text: str = ANSWERED) -> Any:
    return at_desk(gourmet, "otto").send(f"/desk/requests/{requests(gourmet)[number][0]}", {"answer": text})


# -- works --------------------------------------------------------------------------------------------


@pytest.mark.promise("I2", "works")
@pytest.mark.promise("I3", "works")
@pytest.mark.promise("I14", "works")
def test_a_question_is_asked_on_the_page_and_answered_by_mail(shop: Shop, page: Any, chromium: Any) -> None:
    hire_at(shop)
    page.goto(f"{shop.base}/contact")
    for way in ("service@quinceandbarrel.example", "+1 555 0100"):
        assert page.get_by_role("main").get_by_text(way).is_visible()
    for name, text in ASKED.items():
        page.locator(f"#{name}").fill(text)
    page.get_by_role("button", name="Send the question").click()
    page.get_by_text("Thank you, your question has arrived").wait_for()
    context = chromium.new_context(http_credentials={"username": "otto", "password": PASSWORD})
    desk = context.new_page()
    desk.goto(f"{shop.base}/desk")
    desk.get_by_role("main").get_by_role("link", name="Questions").click()
    desk.wait_for_url("**/desk/requests")
    for text in ASKED.values():
        assert desk.get_by_text(text).is_visible()
    desk.get_by_role("link", name="Answer").click()
    desk.get_by_label("Your answer").fill(ANSWERED)
    desk.get_by_role("button", name="Send the answer").click()
    desk.wait_for_url("**/desk/requests")
    desk.get_by_text("Nobody is waiting for an answer").wait_for()
    [mail] = shop.peers.mail.wait_for(1)
    assert mail.recipients == (ASKED["email"],)
    for text in (f"Dear {ASKED['name']}", ANSWERED, ASKED["text"], "+1 555 0100", "1 Market Lane"):
        assert text in mail.text
    context.close()


@pytest.mark.promise("I3", "works")
def test_who_gives_the_link_of_an_order_need_not_say_what_was_in_it(gourmet: Gourmet) -> None:
    path = gourmet.customer().order()
    gourmet.work_off()
    ask(gourmet, link=f"https://shop.example{path}")
    page = at_desk(gourmet, "otto").get(f"/desk/requests/{requests(gourmet)[0][0]}").text
    assert "2 × Comté, aged 24 months" in page
    assert "Tracking number TN" in page
    assert not [text for name, text in CONTACT.items() if text in page], "name and address are those of the question"


def test_a_link_that_leads_to_no_order_is_said(gourmet: Gourmet) -> None:
    for link in ("https://shop.example/order/x", "A" * 43, "nonsense"):
        answered = gourmet.customer().send("/contact", {**ASKED, "link": link})
        assert answered.status_code == 422
        assert "We know no order under" in answered.text
        assert ASKED["text"] in answered.text
    assert not requests(gourmet)


def test_a_question_is_answered_once_and_may_be_closed_without_a_mail(gourmet: Gourmet, peers: Peers) -> None:
    ask(gourmet)
    ask(gourmet, text="And the rind?")
    assert answer(gourmet).status_code == 303
    desk = at_desk(gourmet, "otto")
    first, second = (number for number, _, _ in requests(gourmet))
    again = desk.send(f"/desk/requests/{first}", {"answer": "Another answer"}, page=f"/desk/requests/{second}")
    assert "What was answered" in again.text
    desk.send(f"/desk/requests/{second}/close", {}, page=f"/desk/requests/{second}")
    gourmet.work_off()
    assert [state for _, state, _ in requests(gourmet)] == ["answered", "closed"]
    [mail] = peers.mail.received
    assert ANSWERED in mail.text
    assert "Nobody is waiting" in desk.get("/desk/requests").text
    assert desk.get("/desk/requests/none").status_code == 404


# -- holds --------------------------------------------------------------------------------------------


@pytest.mark.promise("I3", "holds")
def test_no_other_desk_and_no_stranger_sees_a_question(gourmet: Gourmet) -> None:
    ask(gourmet)
    at_desk(gourmet, "otto")
    here = f"/desk/requests/{requests(gourmet)[0][0]}"
    for stranger in (
        gourmet.customer(),
        gourmet.customer(headers={"Authorization": basic("otto", "kettle")}),
        at_desk(gourmet, "berta"),
        at_desk(gourmet, "lena"),
    ):
        token = hidden(gourmet.customer().get("/contact"), "csrf")
        for path in ("/desk/requests", here, f"{here}/close"):
            for answered in (
                stranger.get(path),
                stranger.http.post(path, data={"csrf": token, "answer": "x"}, headers={"Origin": stranger.base}),
            ):
                assert answered.status_code in (401, 403, 429), path
                assert not [text for text in ASKED.values() if text in answered.text]
    assert at_desk(gourmet, "lena").get("/desk").status_code == 403
    assert "/desk/requests" not in at_desk(gourmet, "berta").get("/desk").text
    assert requests(gourmet)[0][1] == "open"


@pytest.mark.promise("I3", "holds")
def test_guessing_at_a_desk_is_limited(gourmet: Gourmet) -> None:
    ask(gourmet)
    at_desk(gourmet, "otto")
    guesser = gourmet.customer(headers={"Authorization": basic("otto", "kettle over the red barn")})
    assert [guesser.get("/desk/requests").status_code for _ in range(7)] == [401] * 5 + [429] * 2
    assert at_desk(gourmet, "otto").get("/desk/requests").status_code == 429, "the right one is not looked at meanwhile"
    gourmet.clock.advance(30)
    assert at_desk(gourmet, "otto").get("/desk/requests").status_code == 200


@pytest.mark.promise("I3", "holds")
def test_no_program_uses_a_question_for_other_ends(gourmet: Gourmet) -> None:
    ask(gourmet)
    record = next(kind for kind in gourmet.site.home.records if kind.__name__ == "Request")
    for role, purpose, anchor in (
        ("service_desk", "marketing", "no-other-use"),
        ("service_desk", "profiling", "no-sale"),
        ("service_desk", "advertising", "no-sale"),
        ("order_desk", "answers", "no-other-use"),
        ("storefront", "selection", "no-other-use"),
    ):
        with gourmet.site.acting(role, purpose, place="desk") as work:
            [request] = work.select(record)
            work.regard(request)
            for value in (request.text, request.email):
                with pytest.raises(Refused) as refusal:
                    value.open()
                assert anchor in anchors(refusal.value), (role, purpose)
    with gourmet.site.acting("service_desk", "answers", place="desk", channel="https") as work:
        [request] = work.select(record)
        for message, purpose in (("answer", "marketing"), ("offer", "answers"), ("newsletter", "answers")):
            with pytest.raises(Refused):
                work.send(message, request, purpose=purpose)
        for recipient in ("creamery", "processor", "authority"):
            with pytest.raises((Refused, SetupError)):
                work.share(request, recipient, purpose="shipping")
        with pytest.raises(Refused) as refusal:
            work.collect(record, person=work.person(), at="shop", state="open", came_by="shop", arrived=0, **ASKED)
        assert anchors(refusal.value) == {"requests"}


@pytest.mark.promise("I3", "holds")
def test_an_answer_goes_to_nobody_who_wants_no_mail(gourmet: Gourmet, peers: Peers) -> None:
    ask(gourmet)
    ask(gourmet, text="And the rind?")
    assert answer(gourmet).status_code == 303
    gourmet.customer().send("/stop", {"what": "mail", "email": ASKED["email"], "words": ""})
    refused = answer(gourmet, 1)
    assert refused.status_code == 422
    assert "No mail may go to this address" in refused.text
    assert ANSWERED in refused.text, "what was typed is not lost"
    gourmet.work_off()
    assert not peers.mail.received, "not even the one that waited"
    assert [state for _, state, _ in requests(gourmet)] == ["answered", "open"]
    assert any("no-more-mail" in sentences for sentences in gourmet.refused("send"))


@pytest.mark.promise("I2", "holds")
def test_neither_a_question_nor_an_answer_holds_a_card(gourmet: Gourmet) -> None:
    for typed in ({"text": f"my card is {PAYS}"}, {"name": PAYS}, {"email": f"{PAYS.replace(' ', '')}@a.example"}):
        answered = gourmet.customer().send("/contact", {**ASKED, **typed})
        assert answered.status_code == 422
        assert not [form for form in spellings(PAYS) if form in answered.content]
    ask(gourmet)
    refused = answer(gourmet, text=f"your card {PAYS} was declined")
    assert refused.status_code == 422
    assert not [form for form in spellings(PAYS) if form in refused.content + gourmet.stored()]


@pytest.mark.promise("I3", "holds")
def test_what_somebody_changed_in_the_database_is_shown_to_no_other_desk_and_sent_to_nobody_else(
    gourmet: Gourmet, peers: Peers
) -> None:
    ask(gourmet)
    ask(gourmet, name="Zuleika Brandt", email="z@canary-mail.example", text="Do you send to islands?")
    first, second = (number for number, _, _ in requests(gourmet))
    assert answer(gourmet).status_code == 303
    change(
        gourmet,
        f"UPDATE shop_request SET email = (SELECT email FROM shop_request WHERE id = '{second}') WHERE id = '{first}'",
    )
    gourmet.work_off()
    assert not peers.mail.received, "an address that was put there from elsewhere does not open"
    shown = at_desk(gourmet, "otto").get(f"/desk/requests/{first}")
    assert shown.status_code == 500
    assert "z@canary-mail.example" not in shown.text


@pytest.mark.promise("I3", "holds")
def test_stored_bytes_logs_and_ledger_hold_no_word_of_it(gourmet: Gourmet, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ask(gourmet)
        answer(gourmet)
        at_desk(gourmet, "berta").get("/desk/requests")
        gourmet.work_off()
    # The peers are in this process too, and the mail server of the test logs what it gets.
    said = "\n".join(record.getMessage() for record in caplog.records if record.name != "mail.log")
    seen = said.encode() + gourmet.stored() + json.dumps(gourmet.entries()).encode()
    assert not [text for text in (*ASKED.values(), ANSWERED) for form in spellings(text) if form in seen]
    shown = [entry for entry in gourmet.entries() if entry["verb"] == "show" and entry.get("role")]
    assert {entry["role"] for entry in shown} == {"service_desk"}
    assert not [entry for entry in gourmet.entries() if "otto" in json.dumps(entry)]
