"""Growing: whatever the batches, the same tiles and the same root as at once."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from avow.errors import LogError
from avow.ledger.growing import EMPTY, Edge, grow
from avow.ledger.merkle import EMPTY_ROOT, LARGEST_SIZE, root_of_hashes
from avow.ledger.tiles import WIDTH, Tile, widths
from tests.ledger.trees import leaves, tree

SIZES = (0, 1, 255, 256, 257, 65_536)


@cache
def whole(size: int) -> tuple[Edge, dict[Tile, bytes]]:
    edge, tiles = grow(EMPTY, b"".join(leaves(size)))
    return edge, dict(tiles)


@pytest.mark.parametrize("size", SIZES)
def test_the_tiles_are_those_of_the_definition(size: int) -> None:
    """Hash i of tile n at level l is the root over 256**l entries, the first of them (n * 256 + i) * 256**l."""
    edge, tiles = whole(size)
    hashes = leaves(size)
    expected = {
        Tile(level, number, width): b"".join(
            tree(hashes[at * WIDTH**level : (at + 1) * WIDTH**level])
            for at in range(number * WIDTH, number * WIDTH + width)
        )
        for level, full, partial in widths(size)
        for number, width in [*((number, WIDTH) for number in range(full)), *([(full, partial)] if partial else [])]
    }
    assert tiles == expected
    assert edge.size == size
    assert edge.root == tree(hashes) == root_of_hashes(b"".join(hashes))


@given(st.lists(st.integers(0, 400), max_size=8))
@example([])
@example([255, 1, 1])
@example([65_536])
@example([65_279, 256, 1])
def test_grown_in_batches_it_is_the_same_as_at_once(batches: list[int]) -> None:
    ends = [sum(batches[:count]) for count in range(len(batches) + 1)]
    hashes = b"".join(leaves(ends[-1]))
    edge, tiles = EMPTY, dict[Tile, bytes]()
    for start, end in pairwise(ends):
        edge, new = grow(edge, hashes[32 * start : 32 * end])
        assert len({tile for tile, _ in new} & tiles.keys()) == 0, "a tile comes new once"
        assert all(len(data) == tile.length for tile, data in new)
        tiles |= new
        assert edge.root == root_of_hashes(hashes[: 32 * end])
    at_once, expected = whole(ends[-1])
    assert edge == at_once
    assert expected.items() <= tiles.items()


@given(st.integers(0, 1500), st.integers(1, 300))
def test_a_log_goes_on_from_its_partial_tiles_alone(size: int, more: int) -> None:
    edge, tiles = whole(size)
    seen: list[Tile] = []

    def read(tile: Tile) -> bytes:
        seen.append(tile)
        return tiles[tile]

    assert Edge.read(size, read) == edge
    assert all(tile.width < WIDTH for tile in seen)
    hashes = b"".join(leaves(size + more))
    assert grow(Edge.read(size, read), hashes[32 * size :])[0] == whole(size + more)[0]


def test_an_old_log_is_not_touched_by_growing() -> None:
    edge = whole(300)[0]
    grow(edge, bytes(32 * 300))
    assert edge == whole(300)[0]
    assert edge.root == tree(leaves(300))


def test_a_log_without_entries_has_the_root_of_none() -> None:
    assert EMPTY.root == EMPTY_ROOT
    assert grow(EMPTY, b"") == (EMPTY, [])


def test_what_are_no_hashes_and_what_no_log_holds_is_refused() -> None:
    with pytest.raises(LogError, match="entries after 5: 33 bytes were given, no whole number of hashes\n  help: join"):
        grow(whole(5)[0], bytes(33))
    full, _ = grow(Edge.read(LARGEST_SIZE - 1, lambda tile: bytes(tile.length)), bytes(32))
    assert full.size == LARGEST_SIZE
    with pytest.raises(LogError, match=f"entries after {LARGEST_SIZE}: 32 bytes were given, more than a log can hold"):
        grow(full, bytes(32))


def test_a_partial_tile_of_another_width_is_told() -> None:
    with pytest.raises(LogError, match=r"tile/1/000\.p/1: the tile has 64 bytes, and 1 hashes have 32"):
        Edge.read(258, lambda tile: bytes(64))
