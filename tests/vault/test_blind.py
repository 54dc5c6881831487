"""Blind indexes: equal values meet, everything else differs, and nothing shows the value."""

from __future__ import annotations

import hmac
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.errors import SealedError
from avow.vault.blind import BlindIndex, Kind

INDEX = BlindIndex(bytes(range(32)))


@pytest.mark.parametrize("same", [" Ann@Example.org ", "ann@example.org\n", "ANN@EXAMPLE.ORG"])
def test_spellings_of_one_mail_address_meet(same: str) -> None:
    assert INDEX.of("account.email", same) == INDEX.of("account.email", "ann@example.org")


def test_composed_and_decomposed_letters_meet() -> None:
    kinds: list[Kind] = ["email", "exact"]
    for kind in kinds:
        assert INDEX.of("f", "jos\u00e9@example.org", kind=kind) == INDEX.of("f", "jose\u0301@example.org", kind=kind)


def test_caseless_means_caseless_beyond_ascii() -> None:
    assert INDEX.of("f", "STRASSE@ÉCOLE.example") == INDEX.of("f", "straße@école.example")


def test_an_exact_value_keeps_case_and_spaces() -> None:
    assert len({INDEX.of("f", text, kind="exact") for text in ("A1", "a1", " A1", "A1 ")}) == 4


@given(
    one=st.tuples(st.text(), st.text(), st.integers(0, 9)),
    other=st.tuples(st.text(), st.text(), st.integers(0, 9)),
)
def test_another_field_value_or_version_differs(one: tuple[str, str, int], other: tuple[str, str, int]) -> None:
    same = (one[0], normalize("NFC", one[1]), one[2]) == (other[0], normalize("NFC", other[1]), other[2])
    assert (INDEX.of(*one, kind="exact") == INDEX.of(*other, kind="exact")) is same


def test_what_moves_from_field_to_value_differs() -> None:
    assert INDEX.of("ab", "c") != INDEX.of("a", "bc")


def test_another_secret_differs() -> None:
    assert INDEX.of("f", "ann@example.org") != BlindIndex(bytes(32)).of("f", "ann@example.org")


def test_it_is_the_documented_code() -> None:
    message = b"\0\0\0\x01f\0\0\0\x02\0\0\0\x03a@b"
    assert INDEX.of("f", " A@b", 2) == hmac.digest(bytes(range(32)), message, "sha256")


def test_one_index_serves_many_threads() -> None:
    values = [f"{number}@example.org" for number in range(500)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda value: INDEX.of("f", value), values)) == [INDEX.of("f", value) for value in values]


def test_an_unknown_comparison_is_refused() -> None:
    kind: Any = "phone"
    with pytest.raises(SealedError, match="`exact` or `email`, not `phone`"):
        INDEX.of("f", "x", kind=kind)


def test_it_shows_no_secret() -> None:
    assert repr(INDEX) == "<blind index>"
