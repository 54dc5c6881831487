"""Bundles: the entries of a log, 256 to a file, each behind its length in two bytes (C2SP tlog-tiles)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from avow.errors import LogError
from avow.ledger.entry import LARGEST
from avow.ledger.tiles import ENTRIES, WIDTH, Tile

#: The most bytes that a full bundle has.
LARGEST_BUNDLE: Final = WIDTH * (2 + LARGEST)


def encode(entries: Iterable[bytes], *, first: int = 0) -> bytes:
    """Entries as they stand in a bundle, one behind the other.

    Args:
        entries: each at most 65,535 bytes.
        first: the number of the first one, for the message.

    Raises:
        LogError: an entry is longer.
    """
    parts: list[bytes] = []
    for number, entry in enumerate(entries, start=first):
        if len(entry) > LARGEST:
            raise LogError(
                f"entry {number}",
                f"it has {len(entry)} bytes, and an entry has at most {LARGEST}",
                help="write it as several entries",
            )
        parts += (len(entry).to_bytes(2, "big"), entry)
    return b"".join(parts)


def decode(bundle: Tile, data: bytes) -> list[bytes]:
    """The entries of a bundle, as many as it is wide.

    Raises:
        LogError: there are fewer or more, or the last one is cut off.
    """
    entries, at = [], 0
    for number in range(bundle.width):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data):
            raise LogError(
                bundle.path,
                f"the bundle ends at byte {len(data)}, within entry {bundle.number * WIDTH + number} or before it",
                help="it was cut off, or a length in it was changed; fetch it again",
            )
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data):
        raise LogError(
            bundle.path,
            f"{len(data) - at} bytes follow the last of its {bundle.width} entries",
            help="something was put in, or a length in it was changed; fetch it again",
        )
    return entries


def grow(size: int, partial: bytes, entries: Iterable[bytes]) -> list[tuple[Tile, bytes]]:
    """The bundles that come new when entries follow the first `size` of a log: full ones, and a partial one at the end.

    Args:
        size: how many entries there were.
        partial: the bytes of the partial bundle at their end, or none where there is none.
        entries: what follows.

    Raises:
        LogError: an entry is too long, or `partial` is there or not against the size.
    """
    number, width = divmod(size, WIDTH)
    if bool(partial) != bool(width):
        raise LogError(
            f"bundle {number} at size {size}",
            f"{width} entries are in the partial bundle of that size, and {len(partial)} bytes of it were given",
            help="give the bytes of the last bundle of that very size",
        )
    batch, bundles = list(entries), []
    taken = 0
    while taken < len(batch):
        part = batch[taken : taken + WIDTH - width]
        partial += encode(part, first=size + taken)
        taken += len(part)
        width += len(part)
        bundles.append((Tile(ENTRIES, number, width), partial))
        number, width, partial = number + 1, 0, b""
    return bundles
