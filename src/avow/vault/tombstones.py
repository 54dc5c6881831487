"""Tombstones: who was erased, told so that a restored backup can be checked for them and nobody can be found by it.

A person's receipt is a keyed hash of their random id, under a key outside the database:

    receipt = base64url(HMAC-SHA256(secret "tombstone", tenant ‖ 0 ‖ person))
    token   = SHA-256("avow tombstone" ‖ 0 ‖ receipt)

The person holds the receipt, and can ask by it how far the erasure is. The installation keeps the token, in the
database and in a file beside the keyring, because a database that is put back from a backup knows less than it did:

    avow-tombstones 1
    64 hex digits, epoch, hour      one line per person: the newest key epoch then, whole hours since 1970-01-01 UTC

A line is written and synced *before* the erasure is committed. A line without its erasure, left by a crash or by a
restored database, is an erasure that is still to be done: it is done before anything is served.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avow.errors import StoreError
from avow.store.files import locked, write_end

#: The file's name in the data folder.
NAME: Final = "tombstones"

_HEAD: Final = b"avow-tombstones 1\n"
_LONGEST: Final = 96  # bytes of a line, and of what a crash may have left of one
_LINE: Final = re.compile(rb"([0-9a-f]{64}) ([1-9][0-9]{0,17}) (0|[1-9][0-9]{0,9})\n")


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One erased person. `token` has 32 bytes; `epoch` is the newest key epoch at the time, `hour` the hour since 1970.

    Once every epoch up to `epoch` is destroyed, no copy of the person's key can be unwrapped any more.
    """

    token: bytes
    epoch: int
    hour: int


def receipt_of(secret: bytes, tenant: str, person: str) -> str:
    """The receipt of a person's erasure, 43 characters; `secret` is the keyring's `tombstone`."""
    words = f"{tenant}\0{person}".encode()
    return urlsafe_b64encode(hmac.digest(secret, words, "sha256")).decode().rstrip("=")


def token_of(receipt: str) -> bytes:
    """What is kept of a receipt: 32 bytes."""
    return hashlib.sha256(b"avow tombstone\0" + receipt.encode("utf-8", "replace")).digest()


class TombstoneFile:
    """The copy outside the database. Every use reads it anew, as other processes write it too."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[bytes, Tombstone]:
        """All tombstones by their tokens; none where there is no file yet.

        Raises:
            StoreError: the file cannot be read, or is damaged.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StoreError(
                f"the tombstones `{self.path}` cannot be read: {error.strerror}", help="check its rights and its disk"
            ) from None
        return {found.token: found for found in self._parse(content)}

    def add(self, *tombstones: Tombstone) -> None:
        """Append some, durably. The same one twice is the same as once.

        Raises:
            StoreError: it could not be written: nobody may be told that they are erased.
        """
        lines = b"".join(f"{each.token.hex()} {each.epoch} {each.hour}\n".encode() for each in tombstones)
        try:
            with locked(self.path) as file:
                end = _end_of_last_line(file.fileno())  # what a crash left of a line is no line
                write_end(self.path, file, end, lines if end else _HEAD + lines)
        except OSError as error:
            raise StoreError(
                f"the tombstones `{self.path}` cannot be written: {error.strerror}",
                help="free space, or mend the rights; nothing was erased",
            ) from None

    def _parse(self, content: bytes) -> Iterator[Tombstone]:
        end = content.rfind(b"\n") + 1
        if end and not content.startswith(_HEAD):
            self._damaged(1)
        for number, line in enumerate(content[len(_HEAD) : end].splitlines(keepends=True), start=2):
            match = _LINE.fullmatch(line)
            if match is None:
                self._damaged(number)
            else:
                yield Tombstone(bytes.fromhex(match[1].decode()), int(match[2]), int(match[3]))

    def _damaged(self, line: int) -> None:
        raise StoreError(
            f"the tombstones `{self.path}` are damaged at line {line}",
            help="restore the file from its copy; without it a restored backup could bring back who was erased",
        )


def _end_of_last_line(descriptor: int) -> int:
    size = os.fstat(descriptor).st_size
    start = max(0, size - 4 * _LONGEST)
    return start + os.pread(descriptor, size - start, start).rfind(b"\n") + 1
