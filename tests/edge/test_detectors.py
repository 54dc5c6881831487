"""Card numbers are found however they are written; numbers that merely look like them are left alone."""

from __future__ import annotations

import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.edge.detectors import contains_card, contains_card_code, contains_typed_card, find_cards

# The networks' published test numbers.
CARDS = {
    "visa": "4242424242424242", "declined": "4000000000000002", "visa 19": "4000000000000000006",
    "mastercard": "5555555555554444", "mastercard 2": "2223003122003222", "amex": "378282246310005",
    "discover": "6011111111111117", "diners": "36227206271667", "diners 16": "3056930009020004",
    "jcb": "3566002020360505", "unionpay": "6200000000000005", "maestro": "6759649826438453",
}  # fmt: skip


def spellings(card: str) -> list[str]:
    fours = [card[i : i + 4] for i in range(0, len(card), 4)]
    if len(fours[-1]) < 3:
        fours[-2:] = ["".join(fours[-2:])]
    return [
        card,
        *(sign.join(fours) for sign in (" ", "-", ".", "  ", " - ", "\u00a0", "\u2013", "+", "%20", "&nbsp;", "_")),
    ]


@pytest.mark.parametrize("kind", CARDS)
def test_cards_are_found_in_every_spelling_and_company(kind: str) -> None:
    for spelling in spellings(CARDS[kind]):
        for text in (
            "{}",
            "card {}.",
            '"{}"',
            "pan={}&cvc=123",
            "4711 {} 12/29 123",
            "x{}y",
            "{}=2612",
            "№ 12: {}, {}",
        ):
            found = find_cards(text.replace("{}", spelling))
            assert [text.replace("{}", spelling)[slice(*span)] for span in found] == [spelling] * text.count("{}")


def test_unusual_spellings_are_found_too() -> None:
    for text in (
        "3782 822463 10005", "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2", "42 42 42 42 42 42 42 42", "%204242424242424242",
        "%3A4242424242424242", r"\u003d4242424242424242", r"line\n4242424242424242", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        "４２４２４２４２４２４２４２４２",
        "424242 4242424242", "N°4242-4242-4242-4242-12", "&#32;4242&#32;4242&#32;4242&#32;4242",
    ):  # fmt: skip
        assert contains_card(text), text


@pytest.mark.parametrize("text", [
    "4242424242424241",  # check digit
    "9242424242424248", "1234567812345670", "0000000000000000",  # no issuer
    "4222222222222", "4006381333931",  # retired Visa; EAN-13
    "1Z999AA10123456784", "9400 1000 0000 0000 0000 00", "9400111899223197428490",
    "420221539101026837331000039521",
    "+1 416 555 0100", "(416) 555-0100 ext 4242", "+49 30 901820 4242", "2016-11-04 12:30:45.123456",
    "1478262645123456",
    "20161104123045", "192.168.100.200", "10.0.0.1 172.16.254.1", "978-3-16-148410-0", "GB29 NWBK 6016 1331 9268 19",
    "4 2 4 2 42 42 4242 4242 12.90 3 1", "Order 2016-0042-0017", "0x4242424242424242424242424242424242424242",
    "sha256:9f864242424242424242aa5e3b1c7d2f4242424242424242e9d1c3b5a7f90e12", "", "4242", "4242\n4242\n4242\n4242",
])  # fmt: skip
def test_false_friends_are_left_alone(text: str) -> None:
    assert find_cards(text) == []


def test_random_identifiers_hardly_ever_look_like_cards() -> None:
    choose = random.Random(7)
    ids = [str(uuid.UUID(int=choose.getrandbits(128))) for _ in range(20_000)]
    digests = [f"{choose.getrandbits(256):064x}" for _ in range(20_000)]
    orders = [f"{choose.randrange(10**11, 10**12)}" for _ in range(20_000)]
    stamps = [f"{choose.randrange(14 * 10**digits, 20 * 10**digits)}" for digits in (11, 14) for _ in range(10_000)]
    assert [each for each in (*ids, *digests, *orders, *stamps) if contains_card(each)] == []
    trackings = [f"{choose.randrange(10**15, 10**16)}" for _ in range(20_000)]
    assert sum(map(contains_card, trackings)) < 0.04 * len(trackings)  # the check digit alone: 0.1


@pytest.mark.parametrize(
    "unit", ["4", "4 ", "424 ", "4242-", "4242424242424242 ", "%20", "&nbsp;", "1 - ", "\\u0030", "4a"]
)
def test_a_long_text_is_read_in_a_moment(unit: str) -> None:
    """Nothing is timed: were the time quadratic in the length, this would take hours."""
    text = (unit * 400_000)[:400_000]
    assert all(start < stop for start, stop in find_cards(text))


@given(st.text(alphabet="0123456789 -.%2\\u&nbsp;abcdef") | st.text())
def test_spans_are_in_order_within_the_text_and_begin_and_end_with_digits(text: str) -> None:
    end = 0
    for start, stop in find_cards(text):
        assert end <= start < stop <= len(text)
        assert text[start].isdecimal()
        assert text[stop - 1].isdecimal()
        end = stop


@pytest.mark.parametrize("text", ["CVV 737", "cvc: 1234.", "my card's code is 737", "security code 737", "csc=0123"])
def test_a_code_that_is_called_one_is_found(text: str) -> None:
    assert contains_card_code(text)


@pytest.mark.parametrize(
    "text", ["code 737", "door security code 1234", "CVV has three digits", "cvv 12345", "csc 12", "number 737 Main St"]
)
def test_other_numbers_are_no_codes(text: str) -> None:
    assert not contains_card_code(text)


def test_a_typed_card_is_found_whatever_stands_between_its_groups() -> None:
    for between in ("\n", "/", ",", ":", "*", ")(", "\u00ad", "    ", " . ", "_"):
        assert contains_typed_card("my card: " + between.join(["4242"] * 4))
    assert not contains_typed_card("2 pieces of 500 g, at 12/24 High Street, before 18:30")
