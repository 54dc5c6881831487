r"""The chain: each entry's link is a hash over its body and the link before; the last link stands for all.

    genesis = SHA-256("avow ledger genesis 1")
    link    = SHA-256("avow ledger link 1\n" ‖ previous link (32) ‖ len(body) (4, big-endian) ‖ body)

A changed, swapped, inserted or dropped entry changes every later link. What a chain cannot show by
itself is that its end was cut off, or that it was written anew from the start: for that, a head is
kept outside the database, and a ledger must still contain it:

    avow-ledger-head 1
    size 42
    root 64 hex digits        link of entry 42; of an empty ledger the genesis
    check 64 hex digits       SHA-256 of all bytes before this line: finds a torn write, proves nothing

Entries are numbered from 1, so that the size is the number of the last.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from avow.errors import LedgerError

GENESIS: Final = hashlib.sha256(b"avow ledger genesis 1").digest()

_PREFIX: Final = b"avow ledger link 1\n"
_HEAD: Final = re.compile(
    rb"(avow-ledger-head 1\nsize (0|[1-9][0-9]{0,17})\nroot ([0-9a-f]{64})\n)check ([0-9a-f]{64})\n"
)


def link(previous: bytes, body: bytes) -> bytes:
    """The link of an entry: 32 bytes over the link before it and its body."""
    return hashlib.sha256(b"%b%b%b%b" % (_PREFIX, previous, len(body).to_bytes(4, "big"), body)).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """How long a ledger is, and the link of its last entry (32 bytes)."""

    size: int
    root: bytes

    def after(self, body: bytes) -> Head:
        """The head once `body` is appended."""
        return Head(self.size + 1, link(self.root, body))

    def encode(self) -> bytes:
        """The head as the text that is kept outside the database."""
        text = f"avow-ledger-head 1\nsize {self.size}\nroot {self.root.hex()}\n".encode()
        return text + f"check {hashlib.sha256(text).hexdigest()}\n".encode()

    @classmethod
    def decode(cls, data: bytes) -> Head:
        """The head of a kept text.

        Raises:
            LedgerError: it is cut off, changed, or no head of an empty ledger although its size is 0.
        """
        match = _HEAD.fullmatch(data)
        if match is None or hashlib.sha256(match[1]).hexdigest().encode() != match[4]:
            raise LedgerError(
                "the kept ledger head is cut off or damaged",
                help="restore it from its backup, an older one is better than none; without it, entries cut off "
                "the end of the ledger cannot be noticed",
            )
        head = cls(int(match[2]), bytes.fromhex(match[3].decode()))
        if head.size == 0 and head.root != GENESIS:
            raise LedgerError(
                "the kept ledger head says that the ledger is empty, with a root that no empty ledger has"
            )
        return head


#: The head of a ledger without entries.
EMPTY: Final = Head(0, GENESIS)


def replay(rows: Iterable[tuple[bytes, bytes]], *, start: Head = EMPTY, kept: Head | None = None) -> Head:
    """Follow a ledger from `start`, check every stored link, and return its head.

    Args:
        rows: body and stored link of each entry after `start`, in order.
        start: a head verified before.
        kept: a head from outside the database that this ledger must contain.

    Raises:
        LedgerError: an entry does not fit the ones before it, or the ledger does not contain `kept`
            (it was cut off, rolled back or written anew).
    """
    head = start
    if kept is not None and kept.size < start.size:
        raise ValueError("the kept head is older than the start: replay from an earlier head")
    if kept is not None:
        _compare(head, kept)
    for body, stored in rows:
        head = head.after(body)
        if head.root != stored:
            raise LedgerError(
                f"ledger entry {head.size} does not verify: expected the link {head.root.hex()}, found {stored.hex()}",
                help=f"entry {head.size} was changed, or an entry before it was dropped, inserted or moved; "
                "restore the ledger from a backup, and find out who could write the database",
            )
        if kept is not None:
            _compare(head, kept)
    if kept is not None and head.size < kept.size:
        raise LedgerError(
            f"the ledger is smaller than the kept head: expected at least {kept.size} entries, found {head.size}",
            help="an older database was restored, or the end was cut off; restore the newest backup",
        )
    return head


def _compare(head: Head, kept: Head) -> None:
    """Two ledgers of the same size and different roots are a fork."""
    if head.size == kept.size and head.root != kept.root:
        raise LedgerError(
            f"the ledger is not the one whose head was kept: at entry {kept.size} expected the link "
            f"{kept.root.hex()}, found {head.root.hex()}",
            help="it was written anew or belongs to another installation; restore the one that was kept",
        )
