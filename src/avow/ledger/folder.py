"""A log as a folder of files that never change but for the checkpoint: any web server can serve it (C2SP tlog-tiles).

    checkpoint                what the log says that it holds, signed
    tile/<level>/…            its hashes
    tile/entries/…            its entries

Partial tiles and bundles of older checkpoints may lie there too: they must be the beginnings of those of now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, NoReturn

from avow.errors import LogError, StoreError
from avow.ledger import bundle, growing
from avow.ledger.checkpoint import Checkpoint, open_checkpoint
from avow.ledger.merkle import HASH, leaf_hashes
from avow.ledger.note import LARGEST_NOTE, Signer, VerifierKey
from avow.ledger.tiles import ENTRIES, HEIGHT, WIDTH, Tile, TileReader, checked, leads, tile_at, widths

#: The name of the checkpoint's file.
CHECKPOINT: Final = "checkpoint"

_BATCH: Final = 64 * WIDTH


@dataclass(frozen=True, slots=True)
class Report:
    """A log that verifies.

    Args:
        checkpoint: what its key has signed.
        tiles: how many tiles were recomputed.
        bundles: how many bundles of entries were read.
        apart: paths of files that the checkpoint says nothing about, sorted: newer than it, or no part of a log.
    """

    checkpoint: Checkpoint
    tiles: int
    bundles: int
    apart: tuple[str, ...]


def write(folder: Path, entries: Iterable[bytes], signer: Signer, *, origin: str | None = None) -> Checkpoint:
    """Write a whole log into an empty folder, which is made if it is not there; the checkpoint comes last.

    What a crash leaves has no checkpoint, and is not a log: empty the folder and write it again.

    Args:
        folder: where to.
        entries: in order, at most 65,535 bytes each; gone through once.
        signer: of the checkpoint.
        origin: of the log, if it is not the name of the signer's key.

    Raises:
        LogError: an entry is too long.
        StoreError: the folder has something in it, or cannot be written.
    """
    try:
        _begin(folder)
        edge, last = growing.EMPTY, b""
        for batch in _batches(entries):
            bundles = bundle.grow(edge.size, last, batch)
            edge, tiles = growing.grow(edge, leaf_hashes(batch))
            for tile, data in (*bundles, *tiles):
                if tile.width == WIDTH:
                    _put(folder / tile.path, data)
            last = bundles[-1][1] if edge.size % WIDTH else b""
        for (level, number, width), data in zip(widths(edge.size), edge.partials, strict=True):
            if width:
                _put(folder / Tile(level, number, width).path, data)
        if last:
            _put(folder / tile_at(ENTRIES, edge.size // WIDTH, edge.size).path, last)
        found = Checkpoint(origin or signer.key.name, edge.size, edge.root)
        _put_checkpoint(folder, found.sign(signer))
    except OSError as error:
        raise _unwritable(folder, error) from None
    return found


def copy(folder: Path, checkpoint: Checkpoint, read: TileReader, signer: Signer) -> None:
    """Write a log that there is already into an empty folder, as `write` does, from its tiles; nothing is recomputed.

    Args:
        checkpoint: what is to be signed.
        read: gives the tiles and bundles of the log.

    Raises:
        LogError: a tile is not there.
        StoreError: the folder has something in it, or cannot be written.
    """
    try:
        _begin(folder)
        for level, full, width in widths(checkpoint.size):
            each = [Tile(level, number) for number in range(full)] + ([Tile(level, full, width)] if width else [])
            for tile in each:
                _put(folder / tile.path, read(tile))
                if level == 0:
                    entries = Tile(ENTRIES, tile.number, tile.width)
                    _put(folder / entries.path, read(entries))
        _put_checkpoint(folder, checkpoint.sign(signer))
    except OSError as error:
        raise _unwritable(folder, error) from None


def read_checkpoint(folder: Path) -> bytes:
    """The signed note of the checkpoint; **not** verified.

    Raises:
        LogError: there is none, or it cannot be read.
    """
    return _get(folder, CHECKPOINT, LARGEST_NOTE)


def reader(folder: Path) -> TileReader:
    """A reader of the tiles and bundles in a folder.

    Where a partial one is gone it takes its part of the full one: a log may delete it then.

    Raises:
        LogError: when it reads: there is no such file, or it cannot be read.
    """

    def read(tile: Tile) -> bytes:
        largest = bundle.LARGEST_BUNDLE if tile.level == ENTRIES else Tile(0, 0).length
        full = Tile(tile.level, tile.number)
        if (folder / tile.path).exists() or not (folder / full.path).exists():
            return _get(folder, tile.path, largest)
        data = _get(folder, full.path, largest)
        return bundle.encode(bundle.decode(full, data)[: tile.width]) if tile.level == ENTRIES else data[: tile.length]

    return read


def verify(folder: Path, key: VerifierKey, *, origin: str | None = None) -> Report:
    """Read the whole log in a folder and recompute it from its entries.

    Args:
        folder: of the log.
        key: the verifier key of the log.
        origin: of the log, if it is not the name of its key.

    Raises:
        LogError: naming the first file or entry that does not fit, in the order of the entries, and what was expected.
    """
    checkpoint = open_checkpoint(read_checkpoint(folder), key, origin=origin)
    size, read, edge, seen = checkpoint.size, reader(folder), growing.EMPTY, 0
    for number in range(-(-size // WIDTH)):
        here = tile_at(ENTRIES, number, size)
        edge, tiles = growing.grow(edge, leaf_hashes(bundle.decode(here, read(here))))
        for tile, data in tiles:
            if tile.width == WIDTH:
                _compare(tile, data, read, checkpoint)
                seen += 1
    for (level, number, width), data in zip(widths(size), edge.partials, strict=True):
        if width:
            _compare(Tile(level, number, width), data, read, checkpoint)
            seen += 1
    if edge.root != checkpoint.root:
        raise LogError(
            CHECKPOINT,
            f"it says that {size} entries have the root {checkpoint.root.hex()}, and those here have {edge.root.hex()}",
            help="tiles and entries fit each other: they were written anew since it was signed, or are another log's; "
            "put the log back from a copy",
        )
    return Report(checkpoint, seen, -(-size // WIDTH), tuple(_rest(folder, size, read)))


def _compare(tile: Tile, expected: bytes, read: TileReader, checkpoint: Checkpoint) -> None:
    """That a tile is what the entries below it make of it."""
    found = checked(tile, read)
    if found == expected:
        return
    at = next(at for at in range(0, len(expected), HASH) if found[at : at + HASH] != expected[at : at + HASH])
    old, new = found[at : at + HASH], expected[at : at + HASH]
    index = tile.number * WIDTH + at // HASH
    if tile.level == 0:
        _blame(tile, index, old, new, read, checkpoint)
    first = index << HEIGHT * tile.level
    last = (index + 1 << HEIGHT * tile.level) - 1
    raise LogError(
        tile.path,
        f"hash {at // HASH}, over the entries {first} to {last}, is {old.hex()}, and these entries have {new.hex()}",
        help="the tile was changed: fetch it again, or have it written anew from the entries",
    )


def _blame(tile: Tile, index: int, old: bytes, new: bytes, read: TileReader, checkpoint: Checkpoint) -> NoReturn:
    """Say which of an entry and its hash in the tile is wrong: the one that does not lead to the signed root."""
    entries = Tile(ENTRIES, tile.number, tile.width).path
    signed = [item for item in (old, new) if leads(item, index, checkpoint.size, checkpoint.root, read)]
    told = f"the tile {tile.path} has {old.hex()} for it, and it hashes to {new.hex()}"
    if signed == [old]:
        raise LogError(
            f"entry {index} in {entries}",
            f"the entry was changed: {told}",
            help="the tile leads to the signed root; put the bundle back from a copy, and find out who could write it",
        )
    if signed == [new]:
        raise LogError(
            f"{tile.path} at entry {index}",
            f"the tile was changed: {told}",
            help="the entry leads to the signed root; have the tile written anew from the entries",
        )
    raise LogError(
        f"entry {index} in {entries}",
        f"entry and tile do not fit, and neither leads to the signed root: {told}",
        help="more than one file was changed; put the log back from a copy",
    )


def _rest(folder: Path, size: int, read: TileReader) -> Iterator[str]:
    """The paths of files that the log of this size does not have; older partial ones among them are checked."""
    for path in sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir()):
        if path == CHECKPOINT:
            continue
        try:
            old = Tile.parse(path)
            now = tile_at(old.level, old.number, size)
        except LogError:
            yield path
            continue
        if old.width > now.width:
            yield path
        elif old.width < now.width:
            _compare_older(old, now, read)


def _compare_older(old: Tile, now: Tile, read: TileReader) -> None:
    if old.level == ENTRIES:
        same = bundle.decode(old, read(old)) == bundle.decode(now, read(now))[: old.width]
    else:
        same = checked(old, read) == checked(now, read)[: old.length]
    if not same:
        raise LogError(
            old.path,
            f"it is of an older checkpoint, and not the beginning of {now.path}",
            help="it was changed, or the log was written anew after that checkpoint; compare the checkpoint of then",
        )


def _batches(entries: Iterable[bytes]) -> Iterator[list[bytes]]:
    each = iter(entries)
    while batch := list(islice(each, _BATCH)):
        yield batch


def _begin(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise StoreError(f"the folder `{folder}` is not empty", help="name a new folder for the log")


def _put_checkpoint(folder: Path, note: bytes) -> None:
    _put(folder / f"{CHECKPOINT}.new", note)
    (folder / f"{CHECKPOINT}.new").replace(folder / CHECKPOINT)


def _unwritable(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        f"the log's folder `{folder}` cannot be written: {error.strerror}", help="free space, or mend the rights"
    )


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _get(folder: Path, path: str, largest: int) -> bytes:
    """The bytes of a file of the log."""
    file = folder / path
    try:
        if not file.is_file():  # a pipe would make us wait
            what = "it is not a file" if file.exists() else "it is missing"
            raise LogError(
                path, what, help=f"a log of that size has this file; put it back into `{folder}` from a copy"
            )
        with file.open("rb") as opened:
            data = opened.read(largest + 1)
    except OSError as error:
        raise LogError(path, f"it cannot be read: {error.strerror}", help=f"mend the rights in `{folder}`") from None
    if len(data) > largest:
        raise LogError(
            path, f"it has more than {largest} bytes", help="no such file of a log has; put it back from a copy"
        )
    return data
