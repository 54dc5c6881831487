"""The chain: every way to tamper with it is found, at the entry where it was done."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.errors import LedgerError
from avow.ledger.chain import EMPTY, GENESIS, Head, link, replay

Rows = list[tuple[bytes, bytes]]


def chained(bodies: list[bytes], start: Head = EMPTY) -> Rows:
    rows: Rows = []
    root = start.root
    for body in bodies:
        root = link(root, body)
        rows.append((body, root))
    return rows


ROWS = chained([b"entry %d" % number for number in range(1, 9)])
HEAD = Head(8, ROWS[-1][1])


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_what_was_chained_verifies(bodies: list[bytes]) -> None:
    rows = chained(bodies)
    head = replay(rows)
    assert head == Head(len(bodies), rows[-1][1] if rows else GENESIS)
    assert replay(rows, kept=head) == head


@given(st.lists(st.binary(max_size=20), max_size=8), st.lists(st.binary(max_size=20), max_size=8))
def test_other_bodies_have_another_head(one: list[bytes], other: list[bytes]) -> None:
    assert (replay(chained(one)) == replay(chained(other))) is (one == other)


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(0, 20))
def test_it_can_be_followed_in_parts(bodies: list[bytes], cut: int) -> None:
    rows = chained(bodies)
    middle = replay(rows[:cut])
    assert replay(rows[cut:], start=middle, kept=middle) == replay(rows)


def test_the_link_is_as_documented() -> None:
    assert hashlib.sha256(b"avow ledger genesis 1").digest() == GENESIS
    expected = hashlib.sha256(b"avow ledger link 1\n" + GENESIS + b"\0\0\0\x04body").digest()
    assert link(GENESIS, b"body") == expected
    assert expected.hex() == "349c44ee75d6ea63b9c7de1a31a11ef081fe04ed215c6e720f79d20431610b68"


def test_no_flipped_bit_verifies() -> None:
    """Each bit of each body and each stored link, found at that entry."""
    for number, row in enumerate(ROWS, start=1):
        for part in (0, 1):
            for position in range(len(row[part]) * 8):
                changed = bytearray(row[part])
                changed[position // 8] ^= 1 << position % 8
                forged = (bytes(changed), row[1]) if part == 0 else (row[0], bytes(changed))
                with pytest.raises(LedgerError, match=f"ledger entry {number} does not verify"):
                    replay([*ROWS[: number - 1], forged, *ROWS[number:]])


def test_a_message_names_entry_expected_and_found() -> None:
    with pytest.raises(LedgerError) as caught:
        replay([*ROWS[:3], (b"forged", ROWS[3][1]), *ROWS[4:]])
    told = str(caught.value)
    assert f"ledger entry 4 does not verify: expected the link {link(ROWS[2][1], b'forged').hex()}" in told
    assert f"found {ROWS[3][1].hex()}\n  help: entry 4 was changed" in told
    assert "forged" not in told


@pytest.mark.parametrize("number", range(1, 8))
def test_a_dropped_entry_is_found_at_the_next(number: int) -> None:
    with pytest.raises(LedgerError, match=f"ledger entry {number} does not verify"):
        replay([*ROWS[: number - 1], *ROWS[number:]])


@pytest.mark.parametrize("number", range(1, 8))
def test_swapped_entries_are_found(number: int) -> None:
    rows = list(ROWS)
    rows[number - 1], rows[number] = rows[number], rows[number - 1]
    with pytest.raises(LedgerError, match=f"ledger entry {number} does not verify"):
        replay(rows)


@pytest.mark.parametrize("number", range(1, 9))
def test_a_repeated_entry_is_found(number: int) -> None:
    with pytest.raises(LedgerError, match=f"ledger entry {number + 1} does not verify"):
        replay([*ROWS[:number], *ROWS[number - 1 :]])


@pytest.mark.parametrize("size", range(8))
def test_a_cut_off_end_is_found_by_the_kept_head(size: int) -> None:
    assert replay(ROWS[:size]).size == size  # by itself it verifies
    with pytest.raises(LedgerError, match=f"expected at least 8 entries, found {size}\n  help: an older database"):
        replay(ROWS[:size], kept=HEAD)


@pytest.mark.parametrize("size", range(1, 9))
def test_a_ledger_written_anew_is_found_by_the_kept_head(size: int) -> None:
    forged = chained([*(body for body, _ in ROWS[: size - 1]), b"forged", *(body for body, _ in ROWS[size:])])
    kept = replay(ROWS[:size])
    assert replay(forged).size == 8  # by itself it verifies
    with pytest.raises(LedgerError, match=f"at entry {size} expected the link {kept.root.hex()}, found"):
        replay(forged, kept=kept)


def test_a_longer_ledger_contains_a_kept_head() -> None:
    for size in range(9):
        assert replay(ROWS, kept=replay(ROWS[:size])) == HEAD


def test_a_start_that_is_not_the_kept_head_is_found() -> None:
    with pytest.raises(LedgerError, match="at entry 3 expected"):
        replay(ROWS[3:], start=replay(ROWS[:3]), kept=Head(3, bytes(32)))


def test_a_kept_head_before_the_start_cannot_be_checked() -> None:
    with pytest.raises(ValueError, match="older than the start"):
        replay(ROWS[3:], start=replay(ROWS[:3]), kept=replay(ROWS[:2]))


@given(st.integers(1, 10**18 - 1), st.binary(min_size=32, max_size=32))
def test_a_head_reads_back(size: int, root: bytes) -> None:
    assert Head.decode(Head(size, root).encode()) == Head(size, root)
    assert Head.decode(EMPTY.encode()) == EMPTY


def test_the_head_file_is_as_documented() -> None:
    text = f"avow-ledger-head 1\nsize 8\nroot {HEAD.root.hex()}\n"
    assert HEAD.encode().decode() == f"{text}check {hashlib.sha256(text.encode()).hexdigest()}\n"


def test_no_flipped_bit_and_no_cut_is_a_head() -> None:
    whole = HEAD.encode()
    changed = [whole[:length] for length in range(len(whole))] + [whole + b"\n", whole + whole, b"size 8"]
    for position in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[position // 8] ^= 1 << position % 8
        changed.append(bytes(flipped))
    for data in changed:
        with pytest.raises(LedgerError, match="head is cut off or damaged"):
            Head.decode(data)


def test_an_empty_ledger_has_one_root() -> None:
    with pytest.raises(LedgerError, match="no empty ledger has"):
        Head.decode(Head(0, HEAD.root).encode())
