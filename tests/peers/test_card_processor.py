"""The card processor: one attempt is one charge, and it keeps no number and no code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from avow.errors import OutcomeUnknown, Rejected
from avow.outbound.https import HttpsChannel
from avow.testing.card_processor import DECLINED, CardProcessor

GOOD = "4242424242424242"


@pytest.fixture(scope="module")
def opened() -> Iterator[CardProcessor]:
    with CardProcessor() as peer:
        yield peer


@pytest.fixture
def processor(opened: CardProcessor) -> Iterator[CardProcessor]:
    yield opened
    opened.declines = opened.fails_midway = False


def payment(attempt: str, number: str = GOOD, **card: str) -> dict[str, Any]:
    card = {"number": number, "code": "123", "expiry": "12/29", "name": "Ann Miller", **card}
    return {"attempt": attempt, "amount": "41.90", "currency": "USD", "card": card}


def pay(processor: CardProcessor, body: dict[str, Any]) -> dict[str, Any]:
    return HttpsChannel(processor.url, ca=processor.ca).post(body, idempotency="x")


def status(processor: CardProcessor, attempt: str) -> dict[str, Any] | None:
    return HttpsChannel(processor.url, ca=processor.ca).get(attempt)


@pytest.mark.parametrize("number", [GOOD, "4242 4242 4242 4242", "4242-4242-4242-4242", "378282246310005"])
def test_a_good_card_is_authorised(processor: CardProcessor, number: str) -> None:
    answer = pay(processor, payment(f"good-{number.replace(' ', '_')}", number))
    assert answer["status"] == "authorised"
    assert answer["last4"] == number[-4:]
    assert answer["authorisation"]


@pytest.mark.parametrize(("number", "reason"), [(DECLINED, "bank declined"), ("4242424242424241", "not a card number")])
def test_a_bad_card_is_declined_with_the_reason(processor: CardProcessor, number: str, reason: str) -> None:
    answer = pay(processor, payment(f"bad-{number}", number))
    assert answer["status"] == "declined"
    assert reason in answer["reason"]
    assert "authorisation" not in answer


def test_the_switch_declines_every_card(processor: CardProcessor) -> None:
    processor.declines = True
    assert pay(processor, payment("switched"))["status"] == "declined"


def test_the_same_attempt_twice_is_charged_once(processor: CardProcessor) -> None:
    first = pay(processor, payment("twice"))
    before = len(processor.received)
    assert pay(processor, payment("twice")) == first == status(processor, "twice")
    assert len(processor.received) == before


def test_the_same_attempt_with_another_content_is_refused(processor: CardProcessor) -> None:
    pay(processor, payment("changed"))
    with pytest.raises(Rejected, match="422"):
        pay(processor, payment("changed", "5555555555554444"))


def test_the_outcome_of_an_unanswered_attempt_can_be_asked_for(processor: CardProcessor) -> None:
    processor.fails_midway = True
    with pytest.raises(OutcomeUnknown):
        pay(processor, payment("hung-up"))
    processor.fails_midway = False
    answer = status(processor, "hung-up")
    assert answer is not None
    assert answer["status"] == "authorised"
    assert status(processor, "never-came") is None


def test_it_keeps_neither_the_number_nor_the_code(processor: CardProcessor) -> None:
    pay(processor, payment("kept", "5555555555554444", code="9731"))
    kept = processor.received[-1]
    assert kept.last4 == "4444"
    assert {"card.number", "card.code", "card.expiry", "card.name", "amount"} == set(kept.fields)
    assert "555555555555" not in repr(vars(processor))
    written = repr([(payment.attempt, payment.fields, payment.last4) for payment in processor.received])
    assert "5555" not in written
    assert "9731" not in written


@pytest.mark.parametrize(
    ("change", "card"),
    [({"email": "ann@example.com"}, {}), ({"amount": "41.9"}, {}), ({"amount": 41.9}, {}), ({"currency": "usd"}, {}),
     ({"card": "4242"}, {}), ({"attempt": "a b"}, {}), ({}, {"address": "1 Market Lane"}), ({}, {"code": "12"}),
     ({}, {"expiry": "13/29"}), ({}, {"number": "4242 x"}), ({}, {"name": ""})],
)  # fmt: skip
def test_whatever_is_not_of_the_protocol_is_refused(
    processor: CardProcessor, change: dict[str, Any], card: dict[str, str]
) -> None:
    before = len(processor.received)
    with pytest.raises(Rejected, match="400"):
        pay(processor, {**payment("malformed", **card), **change})
    assert len(processor.received) == before
