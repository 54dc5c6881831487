r"""Tiles: the hashes of a log in files of 256, and their addresses (C2SP tlog-tiles).

    tile/<level>/<number>             256 hashes, 8,192 bytes
    tile/<level>/<number>.p/<width>   the last one of its level: 1 to 255 hashes
    tile/entries/<number>[.p/<width>] the entries of tile 0/<number> themselves: a bundle

Level 0 holds the leaf hashes, each level above the roots of the full tiles below. A number is written in
groups of three digits, all but the last behind an `x`: 1234067 is `x001/x234/067`. So a folder has no
more than some thousand names, and every tile one address: another spelling is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from avow.errors import LogError
from avow.ledger.merkle import HASH, HashReader, inclusion_proof, parent_hashes, verify_inclusion
from avow.ledger.merkle import root as merkle_root

#: Levels of the tree in one tile.
HEIGHT: Final = 8
#: Hashes in a full tile, entries in a full bundle.
WIDTH: Final = 256
#: The level of bundles of entries, below that of the leaf hashes.
ENTRIES: Final = -1

_ADDRESS: Final = re.compile(
    r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/){0,6})([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """Which tile of a log, or which bundle of its entries.

    Args:
        level: 0 to 63, or `ENTRIES` for a bundle.
        number: within the level, from 0.
        width: how many hashes or entries: 1 to 255 for a partial one, 256 for a full one.
    """

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its address below the log's."""
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{''.join(f'x{group}/' for group in groups[:-1])}{groups[-1]}{partial}"

    @classmethod
    def parse(cls, path: str) -> Tile:
        """The tile at an address.

        Raises:
            LogError: it is not the address of a tile, or not in the one spelling that it has.
        """
        match = _ADDRESS.fullmatch(path)
        if match is not None:
            level, high, low, width = match.groups()
            number = int(re.sub("[x/]", "", high) + low)
            found = cls(ENTRIES if level == "entries" else int(level), number, int(width or WIDTH))
            if found.path == path:
                return found
        raise LogError(
            repr(path[:200]),
            "this is not the address of a tile",
            help="they look like tile/0/x001/234, tile/entries/067 or tile/1/000.p/17; there is one for each tile",
        )

    @property
    def length(self) -> int:
        """How many bytes its hashes have."""
        return self.width * HASH


#: Gives the bytes of a tile, or of a bundle.
TileReader: TypeAlias = Callable[[Tile], bytes]


def widths(size: int) -> Iterator[tuple[int, int, int]]:
    """For each level of a log of `size` entries: the level, how many full tiles it has, the width of the partial one.

    A width of 0 means that there is no partial tile.
    """
    level = 0
    while size:
        yield level, size // WIDTH, size % WIDTH
        size //= WIDTH
        level += 1


def tile_at(level: int, number: int, size: int) -> Tile:
    """Tile `number` of a level, or of the bundles, as wide as it is in a log of `size` entries.

    Raises:
        LogError: a log of that size has no such tile.
    """
    width = min(WIDTH, (size >> HEIGHT * max(level, 0)) - number * WIDTH)
    if width < 1 or number < 0:
        raise LogError(Tile(level, max(number, 0)).path, f"a log of {size} entries has no such tile")
    return Tile(level, number, width)


def hashes_in(size: int, read: TileReader) -> HashReader:
    """A reader of hashes, for roots and proofs, from the tiles of a log of `size` entries.

    Each tile is read once, and a proof needs at most two of each level. What was read is not checked: verify the proof.

    Args:
        size: of the log.
        read: gives the bytes of a tile.

    Raises:
        LogError: when it reads: a tile has not the bytes of its width, or there is none for what was asked.
    """
    held: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        tile_level, inner = divmod(level, HEIGHT)
        number, first = divmod(index << inner, WIDTH)
        place = tile_level, number
        if place not in held:
            held[place] = checked(tile_at(tile_level, number, size), read)
        hashes = held[place][first * HASH : (first + (1 << inner)) * HASH]
        if len(hashes) != HASH << inner:
            raise LogError(f"node {index} of level {level}", f"it is not complete in a log of {size} entries")
        for _ in range(inner):
            hashes = parent_hashes(hashes)
        return hashes

    return node


def checked(tile: Tile, read: TileReader) -> bytes:
    """The bytes of a tile.

    Raises:
        LogError: they are not as many as it is wide.
    """
    data = read(tile)
    if len(data) != tile.length:
        raise LogError(
            tile.path,
            f"the tile has {len(data)} bytes, and {tile.width} hashes have {tile.length}",
            help="it was cut off or changed; fetch it again, or have the log written anew from its entries",
        )
    return data


def root(size: int, read: TileReader) -> bytes:
    """The root of a log of `size` entries from its rightmost tiles.

    Raises:
        LogError: a tile has not the bytes of its width.
    """
    return merkle_root(size, hashes_in(size, read))


def leads(leaf: bytes, index: int, size: int, signed: bytes, read: TileReader) -> bool:
    """Whether an entry with the hash `leaf`, as number `index` of `size`, leads to the root `signed` over the tiles."""
    try:
        proof = inclusion_proof(index, size, hashes_in(size, read))
        verify_inclusion(leaf, index, size, proof, signed)
    except LogError:
        return False
    return True
