"""Entries: one canonical spelling, words of the policy only."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.errors import LedgerError
from avow.ledger.entry import LARGEST, Entry, commitment, read_quickly

ENTRY = Entry(
    event="permitted",
    verb="share",
    object="contact.address, contact.name",
    purpose="shipping",
    recipient="ups",
    sentences=("carriers", "never-sold"),
    policy="5f" * 32,
    hour=498_765,
    nonce="0a" * 16,
)

words = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,99}", fullmatch=True)
entries = st.builds(
    Entry,
    event=words,
    verb=words,
    object=st.lists(words, min_size=1, max_size=5).map(", ".join),
    purpose=st.none() | words,
    recipient=st.none() | words,
    sentences=st.lists(words, max_size=5).map(tuple),
    policy=st.binary(min_size=32, max_size=32).map(bytes.hex),
    hour=st.integers(0, 2**32 - 1),
    nonce=st.binary(min_size=16, max_size=16).map(bytes.hex),
)


@given(entries)
def test_what_was_encoded_decodes_to_the_same(entry: Entry) -> None:
    body = entry.encode()
    assert Entry.decode(body) == entry
    assert Entry.decode(body).encode() == body


@given(entries, entries)
def test_two_entries_have_two_bodies(one: Entry, other: Entry) -> None:
    assert (one.encode() == other.encode()) is (one == other)


def test_the_body_is_canonical_json() -> None:
    assert ENTRY.encode() == (
        b'{"event":"permitted","format":1,"hour":498765,"nonce":"' + b"0a" * 16 + b'",'
        b'"object":"contact.address, contact.name","policy":"' + b"5f" * 32 + b'","purpose":"shipping",'
        b'"recipient":"ups","sentences":["carriers","never-sold"],"verb":"share"}'
    )


def test_the_example_in_the_docs_is_this_entry() -> None:
    documented = Path(__file__).parents[2] / "docs" / "formats.md"
    assert ENTRY.encode().decode() in documented.read_text().splitlines()


def test_what_there_is_not_is_left_out() -> None:
    parts = json.loads(replace(ENTRY, purpose=None, recipient=None).encode())
    assert sorted(parts) == ["event", "format", "hour", "nonce", "object", "policy", "sentences", "verb"]


@pytest.mark.parametrize("name", ["event", "verb", "object", "purpose", "recipient"])
@pytest.mark.parametrize(
    "value",
    ["ann@example.org", "Ann Smith", "4242424242424242", "+1 555 0100", "", "a,b", "word\n", "ünï", "x" * 101, 7],
)
def test_a_value_that_is_no_word_makes_no_entry_and_is_not_repeated(name: str, value: Any) -> None:
    with pytest.raises(LedgerError, match=f"the `{name}` of a ledger entry") as caught:
        replace(ENTRY, **{name: value})
    assert not value or str(value) not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"sentences": ("ann@example.org",)},
        {"sentences": ["carriers"]},
        {"sentences": (1,)},
        {"policy": "5f" * 31},
        {"policy": "5F" * 32},
        {"nonce": "0a" * 17},
        {"nonce": None},
        {"event": None},
        {"hour": -1},
        {"hour": 2**32},
        {"hour": 498_765.5},
        {"hour": True},
    ],
    ids=str,
)
def test_each_part_has_its_shape(change: dict[str, Any]) -> None:
    with pytest.raises(LedgerError, match=f"the `{next(iter(change))}` of a ledger entry"):
        replace(ENTRY, **change)


def test_the_largest_body_is_65535_bytes() -> None:
    room = (
        LARGEST - len(replace(ENTRY, sentences=()).encode()) + 1
    )  # an anchor costs two quotes and a comma; one comma less
    rest = room % 100 + 100
    anchors = ["a" * 97] * (room // 100 - 1) + ["a" * (rest // 2 - 3)]
    last = "a" * (rest - rest // 2 - 3)
    assert len(replace(ENTRY, sentences=(*anchors, last)).encode()) == LARGEST
    with pytest.raises(LedgerError, match="at most 65535 bytes, this one 65536"):
        replace(ENTRY, sentences=(*anchors, last + "a")).encode()


BODY = ENTRY.encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b"\xff",
        b"[" * 100_000,
        BODY + b"\n",
        BODY.replace(b":", b": ", 1),
        BODY.replace(b'"format":1', b'"format":2'),
        BODY.replace(b'"format":1', b'"format":1.0'),
        BODY.replace(b'"format":1', b'"format":true'),
        BODY.replace(b'"format":1,', b""),
        BODY.replace(b'"verb":"share"', b'"verb":"share","who":"ann"'),
        BODY.replace(b',"verb":"share"', b""),
        BODY.replace(b'"verb":"share"', b'"verb":"share","verb":"share"'),
        BODY.replace(b'"verb":"share"', b'"verb":"\\u0073hare"'),
        BODY.replace(b'"recipient":"ups"', b'"recipient":null'),
        BODY.replace(b'["carriers","never-sold"]', b'"carriers"'),
        BODY.replace(b'["carriers","never-sold"]', b"null"),
        BODY.replace(b"498765", b"498765.0"),
        BODY.replace(b"498765", b"NaN"),
    ],
)
def test_other_bytes_are_no_entry(body: bytes) -> None:
    with pytest.raises(LedgerError):
        Entry.decode(body)


@given(st.binary(max_size=300))
def test_noise_is_no_entry(noise: bytes) -> None:
    with pytest.raises(LedgerError):
        Entry.decode(noise)


@given(entries)
def test_what_is_read_quickly_is_the_entry_but_for_its_nonce(entry: Entry) -> None:
    body = entry.encode()
    for _ in range(2):  # the second time from memory
        found = read_quickly(body)
        assert replace(found, nonce=entry.nonce) == entry
    other = replace(entry, nonce="f" * 32).encode()
    assert replace(read_quickly(other), nonce="f" * 32) == Entry.decode(other)


@given(entries, st.data())
def test_the_quick_way_takes_nothing_that_the_slow_one_refuses(entry: Entry, data: st.DataObject) -> None:
    body = entry.encode()
    read_quickly(body)
    at = data.draw(st.integers(0, len(body)))
    more = data.draw(st.binary(max_size=3) | st.sampled_from([b'"nonce":"', b"0" * 32, b'"', b"A", b" "]))
    changed = body[:at] + more + body[data.draw(st.integers(at, min(len(body), at + 40))) :]
    try:
        expected = Entry.decode(changed)
    except LedgerError:
        with pytest.raises(LedgerError):
            read_quickly(changed)
    else:
        assert replace(read_quickly(changed), nonce=expected.nonce) == expected


@pytest.mark.parametrize(
    "changed",
    [
        ENTRY.encode().replace(b"0a" * 16, b"0A" * 16),
        ENTRY.encode().replace(b"0a" * 16, b"0a" * 15 + b'"}'),
        ENTRY.encode().replace(b"0a" * 16, b"0a" * 15),
        ENTRY.encode().replace(b"0a" * 16, b"0a" * 17),
        ENTRY.encode().replace(b'"nonce":"', b'"nonce":"' + b"1" * 32 + b'","nonce":"'),
        ENTRY.encode().replace(b'"nonce"', b'"nonc"'),
        ENTRY.encode().replace(b"ups", b'\\"nonce\\":\\"' + b"1" * 32),
        ENTRY.encode() + b"\n",
        b'"nonce":"' + b"0" * 32,
        b"",
    ],
)
def test_the_quick_way_refuses_what_is_spelled_otherwise_around_a_known_one(changed: bytes) -> None:
    read_quickly(ENTRY.encode())
    with pytest.raises(LedgerError):
        read_quickly(changed)


def test_what_is_long_is_read_too() -> None:
    long = replace(ENTRY, object=", ".join(["contact.address"] * 400))
    assert len(long.encode()) > 4096
    assert read_quickly(long.encode()) == long


def test_a_commitment_is_the_digest_of_the_body() -> None:
    assert commitment(ENTRY.encode()) == sha256(ENTRY.encode()).digest()
