"""A log that grows: what of it must be at hand, and which tiles come new with a batch of entries.

Of a log of any size only its right edge is needed: the partial tile of each level, and the roots of the complete
subtrees that the log falls into (one for each bit of its size). A batch of n entries costs n hashes above those of its
entries and a few for the root, however large the log is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from avow.errors import LogError
from avow.ledger.merkle import EMPTY_ROOT, HASH, LARGEST_SIZE, node_hash, parent_hashes
from avow.ledger.tiles import HEIGHT, Tile, TileReader, checked, widths

_FULL: Final = Tile(0, 0).length


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a log.

    Args:
        size: how many entries the log has.
        partials: by level, the bytes of the partial tile; empty where there is none.
        peaks: by bit of the size, the root of the complete subtree of 2 ** bit entries; empty where the bit is 0.

    Make one with `read`, or go on from `EMPTY`.
    """

    size: int
    partials: tuple[bytes, ...]
    peaks: tuple[bytes, ...]

    @classmethod
    def read(cls, size: int, read: TileReader) -> Edge:
        """The edge of a log of `size` entries from its partial tiles: no others are read.

        What was read is not checked: compare the root with one that is vouched for.

        Raises:
            LogError: a tile has not the bytes of its width.
        """
        partials, peaks = [], []
        for level, full, width in widths(size):
            hashes = checked(Tile(level, full, width), read) if width else b""
            partials.append(hashes)
            start = width
            for bit in range(HEIGHT):
                count = width & 1 << bit
                start -= count
                part = hashes[start * HASH : (start + count) * HASH]
                while len(part) > HASH:
                    part = parent_hashes(part)
                peaks.append(part)
        return cls(size, tuple(partials), tuple(peaks[: size.bit_length()]))

    @property
    def root(self) -> bytes:
        """The root of the log."""
        found = b""
        for peak in self.peaks:
            if peak:
                found = node_hash(peak, found) if found else peak
        return found or EMPTY_ROOT


#: The edge of a log without entries.
EMPTY: Final = Edge(0, (), ())


def grow(edge: Edge, hashes: bytes) -> tuple[Edge, list[tuple[Tile, bytes]]]:
    """Append entries to a log.

    Args:
        edge: of the log before.
        hashes: of the new entries, joined: 32 bytes each (`merkle.leaf_hashes`).

    Returns:
        The new edge, and the tiles that come new, level by level from the leaves: of each level the full ones, and
        the partial one at its end.

    Raises:
        LogError: `hashes` has no whole number of hashes, or the log would have more than 2 ** 63 - 1 entries.
    """
    count, rest = divmod(len(hashes), HASH)
    size = edge.size + count
    if rest or size > LARGEST_SIZE:
        raise LogError(
            f"entries after {edge.size}",
            f"{len(hashes)} bytes were given"
            + (", no whole number of hashes" if rest else ", more than a log can hold"),
            help=f"join the hashes of the entries, {HASH} bytes each",
        )
    partials, peaks = list(edge.partials), list(edge.peaks)
    tiles: list[tuple[Tile, bytes]] = []
    bit = 0
    while hashes:
        if bit % HEIGHT == 0:
            level = bit // HEIGHT
            _at_least(partials, level + 1)
            new, partials[level] = _cut(level, edge.size >> bit >> HEIGHT, partials[level] + hashes)
            tiles += new
        # Every complete subtree at this bit, in pairs: the root of an older one waits for its right half.
        _at_least(peaks, bit + 1)
        hashes = peaks[bit] + hashes
        odd = len(hashes) % (2 * HASH)
        peaks[bit] = hashes[len(hashes) - odd :]
        hashes = parent_hashes(hashes[: len(hashes) - odd])
        bit += 1
    return Edge(size, tuple(partials), tuple(peaks)), tiles


def _cut(level: int, number: int, hashes: bytes) -> tuple[list[tuple[Tile, bytes]], bytes]:
    """The tiles of a level from `number` on, and the bytes of the partial one among them."""
    tiles = []
    for start in range(0, len(hashes), _FULL):
        part = hashes[start : start + _FULL]
        tiles.append((Tile(level, number, len(part) // HASH), part))
        number += 1
    return tiles, hashes[len(hashes) - len(hashes) % _FULL :]


def _at_least(items: list[bytes], count: int) -> None:
    items.extend([b""] * (count - len(items)))
