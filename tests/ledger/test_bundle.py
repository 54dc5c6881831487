"""Bundles of entries: nothing cut off, nothing behind the last one, the same however they came."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.errors import LogError
from avow.ledger.bundle import LARGEST_BUNDLE, decode, encode, grow
from avow.ledger.tiles import ENTRIES, Tile

ENTRY_LISTS = st.lists(st.binary(max_size=40), min_size=1, max_size=20)


def test_a_bundle_is_as_specified() -> None:
    assert encode([b"", b"ab", b"c" * 258]) == b"\0\0" + b"\0\x02ab" + b"\x01\x02" + b"c" * 258


@given(ENTRY_LISTS)
def test_a_bundle_reads_back(entries: list[bytes]) -> None:
    assert decode(Tile(ENTRIES, 0, len(entries)), encode(entries)) == entries


@given(ENTRY_LISTS)
def test_no_cut_and_nothing_added_passes(entries: list[bytes]) -> None:
    bundle, whole = Tile(ENTRIES, 7, len(entries)), encode(entries)
    for length in range(len(whole)):
        with pytest.raises(LogError, match=rf"tile/entries/007\.p/{len(entries)}: the bundle ends at byte {length}"):
            decode(bundle, whole[:length])
    with pytest.raises(LogError, match=f"2 bytes follow the last of its {len(entries)} entries"):
        decode(bundle, whole + b"\0\0")


def test_the_largest_entry_is_what_two_bytes_can_say() -> None:
    whole = encode([b"x" * 65_535] * 256)
    assert len(whole) == LARGEST_BUNDLE
    assert decode(Tile(ENTRIES, 0), whole) == [b"x" * 65_535] * 256
    with pytest.raises(
        LogError, match="entry 258: it has 65536 bytes, and an entry has at most 65535\n  help: write it"
    ):
        grow(257, b"\0\0", [b"", b"x" * 65_536])


@given(st.lists(st.integers(0, 600), max_size=6))
def test_bundles_in_batches_are_those_made_at_once(sizes: list[int]) -> None:
    entries = [b"%d" % number for number in range(sum(sizes))]
    ends = [sum(sizes[:count]) for count in range(len(sizes) + 1)]
    files: dict[Tile, bytes] = {}
    last = b""
    for start, end in pairwise(ends):
        new = grow(start, last, entries[start:end])
        files |= new
        last = (new[-1][1] if new else last) if end % 256 else b""
    for tile, data in grow(0, b"", entries):
        assert files[tile] == data
    for tile, data in files.items():
        assert decode(tile, data) == entries[tile.number * 256 :][: tile.width]


@pytest.mark.parametrize(("size", "partial"), [(0, b"\0\0"), (256, b"\0\0"), (1, b""), (257, b"")])
def test_a_partial_bundle_must_fit_the_size(size: int, partial: bytes) -> None:
    with pytest.raises(LogError, match=f"bundle {size // 256} at size {size}: {size % 256} entries are in the partial"):
        grow(size, partial, [b"entry"])
