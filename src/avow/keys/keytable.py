r"""The key table: every person's wrapped key in one file, apart from the database and its backups.

A backup of the database holds no keys. What it holds opens with the newest key table, in which whoever was erased since
is missing; and before an epoch is destroyed, the keys of all who live are in a key table that was read back.

    avow-keytable 1
    tenant 32 hex digits
    count 12345
    then for each person, in no order:
        16 bytes of the person's id ‖ epoch (8, big-endian) ‖ length of the wrapped key (2, big-endian) ‖ wrapped key
    32 bytes: SHA-256 of all before
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from avow.errors import KeyringError
from avow.store.files import locked, replace_durably

#: The file's name in the data folder.
NAME: Final = "keytable"

_HEAD: Final = re.compile(rb"avow-keytable 1\ntenant ([0-9a-f]{32})\ncount (0|[1-9][0-9]{0,17})\n")
_LONGEST_HEAD: Final = 96
_RECORD: Final = struct.Struct(">16sQH")


class WrappedKey(NamedTuple):
    """One person's key as their row has it: id (32 hexadecimal digits), epoch, wrapped bytes."""

    person: str
    epoch: int
    wrapped: bytes


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Hold the key table at `path`, one at a time over threads and processes; not while holding it already.

    For whoever looks at people's keys and writes them into it, copies it with the keyring, or destroys an epoch: a
    backup that looked before an epoch was destroyed and wrote after would leave a table in which no key unwraps.

    Raises:
        KeyringError: it cannot be locked.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked(path.with_name(path.name + ".lock")))
        except OSError as error:
            raise KeyringError(
                f"the key table `{path}` cannot be locked: {error.strerror}", help="mend the rights, or free space"
            ) from None
        yield


def write_key_table(path: Path, tenant: str, keys: Iterable[WrappedKey], count: int) -> None:
    """Replace the key table at `path`, durably.

    Args:
        count: how many keys there are; they are not held in memory together.

    Raises:
        KeyringError: it could not be written, or `keys` were not `count`. The old one is as it was.
    """
    try:
        replace_durably(path, _encoded(tenant, keys, count))
    except OSError as error:
        raise KeyringError(
            f"the key table `{path}` cannot be written: {error.strerror}",
            help="free space, or mend the rights; no key was destroyed",
        ) from None


def _encoded(tenant: str, keys: Iterable[WrappedKey], count: int) -> Iterator[bytes]:
    head = f"avow-keytable 1\ntenant {tenant}\ncount {count}\n".encode()
    digest, written = hashlib.sha256(head), 0
    yield head
    for key in keys:
        part = _RECORD.pack(bytes.fromhex(key.person), key.epoch, len(key.wrapped)) + key.wrapped
        digest.update(part)
        written += 1
        yield part
    if written != count:
        raise KeyringError(f"the key table was to have {count} keys, and {written} came")
    yield digest.digest()


def read_key_table(path: Path, tenant: str) -> Iterator[WrappedKey]:
    """The keys of the table at `path`; the whole of it is checked before the first one comes.

    Raises:
        KeyringError: it is missing, damaged, or of another installation.
    """
    try:
        with path.open("rb") as file:
            _check(path, file, tenant)
            head = _HEAD.match(file.read(_LONGEST_HEAD))
            assert head is not None
            file.seek(head.end())
            for _ in range(int(head[2])):
                person, epoch, length = _RECORD.unpack(file.read(_RECORD.size))
                yield WrappedKey(person.hex(), epoch, file.read(length))
    except FileNotFoundError:
        raise KeyringError(
            f"there is no key table at `{path}`",
            help="put back the newest one: without it, what a backup holds cannot be opened",
        ) from None
    except OSError as error:
        raise KeyringError(f"the key table `{path}` cannot be read: {error.strerror}") from None


def _check(path: Path, file: BinaryIO, tenant: str) -> None:
    head = _HEAD.match(file.read(_LONGEST_HEAD))
    size = os.fstat(file.fileno()).st_size
    digest = hashlib.sha256()
    file.seek(0)
    left = size - 32
    while left > 0 and (part := file.read(min(left, 1 << 20))):
        digest.update(part)
        left -= len(part)
    if head is None or left != 0 or file.read() != digest.digest():
        raise KeyringError(
            f"the key table `{path}` is cut off or damaged",
            help="restore the newest whole copy of it; an older one opens only who was there by then",
        )
    if head[1].decode() != tenant:
        raise KeyringError(
            f"the key table `{path}` belongs to another installation", help="put back the one that belongs to it"
        )
    file.seek(0)
