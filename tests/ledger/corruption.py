"""A log folder, and what may happen to its files: each kind of damage, at random places, always to something signed."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from avow.ledger import folder
from avow.ledger.note import Signer

LOG = Signer.from_seed("log.example/a", bytes(range(32)))
SIZES = (0, 1, 255, 256, 257, 65_536)


def entries(count: int) -> Iterable[bytes]:
    """Entries of several lengths, some of them empty, no two neighbours alike."""
    return (b"entry %d" % number * (number % 5) for number in range(count))


def log(place: Path, size: int) -> Path:
    """A log of `size` entries in a new folder at `place`."""
    folder.write(place, entries(size), LOG)
    return place


def copy(log: Path, place: Path) -> Path:
    """The log at another place. The files are shared until one is replaced: never write into them."""
    return Path(shutil.copytree(log, place, copy_function=os.link))


def corrupt(log: Path, chance: random.Random) -> str:
    """Damage one file of a log, or exchange two, and say what was done."""
    files = sorted(file for file in log.rglob("*") if file.is_file())
    # The checkpoint is one file among many, and the one with most to get wrong.
    file = chance.choice([*files, *([log / folder.CHECKPOINT] * (len(files) // 4 + 1))])
    old = file.read_bytes()
    kind = chance.choice(sorted(KINDS))
    new = KINDS[kind](old, chance)
    if kind == "exchange":
        others = [each for each in files if each.read_bytes() != old]
        if others:
            other = chance.choice(others)
            new = other.read_bytes()
            _replace(other, old)
    told = f"{kind} in {file.relative_to(log)}"
    if new is None:
        file.unlink()
    else:
        assert new != old, told
        _replace(file, new)
    return told


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed, bit = bytearray(data), chance.randrange(len(data) * 8)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _add(data: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.randbytes(chance.randint(1, 40)) + data[at:]


def _drop(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randint(1, 40) :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _swap(data: bytes, chance: random.Random) -> bytes:
    """Two stretches of the same length change places: two hashes, two lines, two entries or anything between."""
    if len(data) < 2:
        return _flip(data, chance)
    length = chance.randint(1, min(40, len(data) // 2))
    one = chance.randint(0, len(data) - 2 * length)
    other = chance.randint(one + length, len(data) - length)
    changed = bytearray(data)
    changed[one : one + length], changed[other : other + length] = (
        data[other : other + length],
        data[one : one + length],
    )
    return bytes(changed) if changed != data else _flip(data, chance)


def _blank(data: bytes, chance: random.Random) -> bytes:
    return bytes(len(data)) if any(data) else _flip(data, chance)


KINDS: dict[str, Callable[[bytes, random.Random], bytes | None]] = {
    "a flipped bit": _flip,
    "bytes added": _add,
    "bytes taken out": _drop,
    "the end cut off": _cut,
    "two stretches swapped": _swap,
    "nothing but zeros": _blank,
    "exchange": _flip,
    "the file gone": lambda data, chance: None,
    "an empty file": lambda data, chance: b"" if data else _flip(data, chance),
    "the file twice": lambda data, chance: data + data,
}


def _replace(file: Path, data: bytes) -> None:
    file.unlink()
    file.write_bytes(data)
