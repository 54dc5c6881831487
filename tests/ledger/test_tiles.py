"""Tiles: one address for each, and hashes read from no more of them than are needed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.errors import LogError
from avow.ledger import merkle
from avow.ledger.tiles import ENTRIES, WIDTH, Tile, hashes_in, root, tile_at, widths
from tests.ledger.trees import growth, leaves, path, sha256, tree

NO_ADDRESSES = (
    *("tile/0/0", "tile/0/00", "tile/0/1", "tile/0/0000", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/0/+01"),
    *(
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/x001/x002",
        "tile/0/000/",
        "/tile/0/000",
        "tile//000",
    ),
    *("tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/00", "tile/0/000.p/01", "tile/0/000.p/256"),
    *("tile/0/000.p/1000", "tile/0/000.p/-1", "tile/0/000.p/1/", "tile/0/000.P/1", "tile/0/000.p/1\n", "tile/0/000\n"),
    *("tile/8/0/000", "tile/data/000", "tile/entries/0", "tile/Entries/000", "tile/0/../000", "checkpoint", ""),
    *(" tile/0/000", "tile/0/ 00", "tile/0/0\u06612"),  # the last one is a digit, in Arabic
)
TILES = st.builds(Tile, st.integers(-1, 63), st.integers(0, 2**63), st.integers(1, WIDTH))


@pytest.mark.parametrize(
    ("tile", "address"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),  # the example of the specification
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 0, 1), "tile/0/000.p/1"),
        (Tile(63, 999), "tile/63/999"),
        (Tile(2, 1000, 255), "tile/2/x001/000.p/255"),
        (Tile(0, 1234, 17), "tile/0/x001/234.p/17"),
        (Tile(ENTRIES, 67), "tile/entries/067"),
        (Tile(ENTRIES, 1234067, 8), "tile/entries/x001/x234/067.p/8"),
    ],
)
def test_an_address_is_as_specified(tile: Tile, address: str) -> None:
    assert tile.path == address
    assert Tile.parse(address) == tile


@given(TILES)
def test_an_address_reads_back(tile: Tile) -> None:
    assert Tile.parse(tile.path) == tile


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(LogError, match="this is not the address of a tile\n  help: they look like tile/0/x001/234"):
        Tile.parse(address)


@given(TILES, st.data())
def test_a_changed_address_is_another_or_none(tile: Tile, data: st.DataObject) -> None:
    """No two spellings of one tile: a cache, or a fence around some of them, would be got around."""
    old = tile.path
    at = data.draw(st.integers(0, len(old)))
    new = old[:at] + data.draw(st.sampled_from(["", *"0123456789x/.p-"])) + old[at + data.draw(st.integers(0, 1)) :]
    try:
        found = Tile.parse(new)
    except LogError:
        return
    assert found.path == new
    assert (found == tile) is (new == old)


def test_a_log_of_70000_entries_has_the_tiles_of_the_specification() -> None:
    assert list(widths(70_000)) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert list(widths(256)) == [(0, 1, 0), (1, 0, 1)]
    assert list(widths(0)) == []
    assert tile_at(0, 273, 70_000) == Tile(0, 273, 112)
    assert tile_at(ENTRIES, 273, 70_000) == Tile(ENTRIES, 273, 112)
    assert tile_at(1, 0, 70_000) == Tile(1, 0)
    assert tile_at(2, 0, 70_000) == Tile(2, 0, 1)


@pytest.mark.parametrize(
    ("level", "number", "size"), [(0, 0, 0), (0, 1, 256), (1, 0, 255), (0, -1, 5), (ENTRIES, 1, 9), (63, 0, 2**63 - 1)]
)
def test_a_tile_that_a_log_does_not_have_is_refused(level: int, number: int, size: int) -> None:
    with pytest.raises(LogError, match=f"a log of {size} entries has no such tile"):
        tile_at(level, number, size)


def test_roots_and_proofs_come_from_tiles() -> None:
    for size in (1, 2, 255, 256, 257, 511, 700):
        hashes = leaves(size)
        upper = [tree(hashes[start : start + WIDTH]) for start in range(0, size - size % WIDTH, WIDTH)]

        def read(tile: Tile, levels: list[list[bytes]] = [hashes, upper]) -> bytes:  # noqa: B006  one for each size
            return b"".join(levels[tile.level][tile.number * WIDTH :][: tile.width])

        assert root(size, read) == tree(hashes)
        for index in {0, size // 2, size - 1}:
            assert list(merkle.inclusion_proof(index, size, hashes_in(size, read))) == path(index, hashes)
            assert list(merkle.consistency_proof(index + 1, size, hashes_in(size, read))) == growth(index + 1, hashes)


class Counting:
    """Gives the tiles of a log whose entries are all alike, and notes which were read."""

    def __init__(self) -> None:
        self.seen: list[Tile] = []
        self.roots = [sha256(b"\x00the same")]
        while len(self.roots) < 64:
            self.roots.append(merkle.node_hash(self.roots[-1], self.roots[-1]))

    def __call__(self, tile: Tile) -> bytes:
        self.seen.append(tile)
        return self.roots[8 * tile.level] * tile.width


@pytest.mark.parametrize("size", [1_000_000, 2**20, 2**40 - 1, merkle.LARGEST_SIZE])
def test_a_proof_reads_each_tile_once_and_few_of_them(size: int) -> None:
    read = Counting()
    found = root(size, read)
    levels = len(list(widths(size)))
    assert len(read.seen) <= levels
    for index in (0, 1, size // 3, size - 1):
        read = Counting()
        proof = merkle.inclusion_proof(index, size, hashes_in(size, read))
        merkle.verify_inclusion(read.roots[0], index, size, proof, found)
        assert len(read.seen) == len(set(read.seen)) <= 2 * levels
    for old in (1, 2**19, 999_999):
        read = Counting()
        proof = merkle.consistency_proof(old, size, hashes_in(size, read))
        merkle.verify_consistency(old, size, proof, root(old, read), found)
        assert len(set(read.seen)) <= 3 * levels


def test_a_cut_off_tile_is_told() -> None:
    with pytest.raises(
        LogError, match=r"tile/0/000\.p/3: the tile has 95 bytes, and 3 hashes have 96\n  help: it was cut"
    ):
        root(3, lambda tile: bytes(tile.length - 1))


def test_a_reader_gives_no_subtree_that_the_log_does_not_have_whole() -> None:
    read = hashes_in(300, lambda tile: bytes(tile.length))
    for level, index in ((9, 0), (3, 37), (0, 300), (8, 1)):
        with pytest.raises(LogError, match=r"not complete in a log of 300|log of 300 entries has no such tile"):
            read(level, index)
