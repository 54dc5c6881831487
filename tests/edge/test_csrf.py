"""A form is taken only from the browser that it was given to."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.edge.csrf import LIFETIME, issue, same_origin, verify

SECRET, NOW = b"k" * 32, 1_800_000_000.0
OWN = "https://shop.example"


def test_a_token_holds_for_its_browser_until_it_expires() -> None:
    token = issue(SECRET, "cart-1", NOW)
    assert verify(SECRET, "cart-1", token, NOW)
    assert verify(SECRET, "cart-1", token, NOW + LIFETIME - 1)
    assert not verify(SECRET, "cart-1", token, NOW + LIFETIME)
    assert not verify(SECRET, "cart-2", token, NOW)
    assert not verify(SECRET, "", token, NOW)
    assert not verify(b"j" * 32, "cart-1", token, NOW)
    assert verify(SECRET, "", issue(SECRET, "", NOW), NOW)


def test_tokens_differ_and_fit_into_a_form_field() -> None:
    first, second = issue(SECRET, "cart-1", NOW), issue(SECRET, "cart-1", NOW)
    assert first != second
    assert len(first) == 64
    assert first.replace("-", "").replace("_", "").isalnum()


def test_no_flipped_bit_and_no_other_length_is_taken() -> None:
    raw = base64.urlsafe_b64decode(issue(SECRET, "a", NOW))
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        assert not verify(SECRET, "a", base64.urlsafe_b64encode(changed).decode(), NOW)
    for cut in range(len(raw)):
        assert not verify(SECRET, "a", base64.urlsafe_b64encode(raw[:cut]).decode(), NOW)
    assert not verify(SECRET, "a", base64.urlsafe_b64encode(raw + b"\0\0\0").decode(), NOW)


@given(st.text(), st.text())
def test_nonsense_is_refused_not_raised(binding: str, token: str) -> None:
    assert not verify(SECRET, binding, token, NOW)


@given(st.text(), st.text())
def test_a_token_serves_its_binding_only(binding: str, other: str) -> None:
    token = issue(SECRET, binding, NOW)
    assert verify(SECRET, binding, token, NOW)
    assert verify(SECRET, other, token, NOW) == (binding == other)


@pytest.mark.parametrize("headers", [
    {"origin": OWN}, {"sec-fetch-site": "same-origin"}, {"origin": OWN, "sec-fetch-site": "same-origin"},
    {"origin": "https://SHOP.example:443"}, {"sec-fetch-site": "none", "origin": OWN},
])  # fmt: skip
def test_our_own_pages_are_recognised(headers: dict[str, str]) -> None:
    assert same_origin(headers, OWN)


@pytest.mark.parametrize("headers", [
    {}, {"origin": "null"}, {"origin": ""}, {"origin": "https://evil.example"}, {"origin": "http://shop.example"},
    {"origin": "https://shop.example:8443"}, {"origin": "https://shop.example.evil.example"}, {"origin": "https://[bad"},
    {"origin": "https://shop.example:port"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": OWN}, {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
    {"sec-fetch-site": "SAME-ORIGIN "}, {"referer": OWN}, {"origin": "file://shop.example"},
])  # fmt: skip
def test_everything_else_is_another_site(headers: dict[str, str]) -> None:
    assert not same_origin(headers, OWN)


def test_an_origin_of_ours_that_cannot_be_read_matches_nothing() -> None:
    assert not same_origin({"origin": "null"}, "null")
    assert same_origin({"origin": "http://127.0.0.1:8000"}, "http://127.0.0.1:8000")
    assert not same_origin({"origin": "http://127.0.0.1:8001"}, "http://127.0.0.1:8000")
