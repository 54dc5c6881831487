"""The definitions of RFC 6962, section 2.1, word for word and slow: what the ledger's own tree is held against."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from avow.ledger.merkle import HashReader

Hashes = Sequence[bytes]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def leaves(count: int) -> list[bytes]:
    """Leaf hashes of so many entries, no two alike."""
    return [sha256(b"\x00entry %d" % number) for number in range(count)]


def split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def tree(hashes: Hashes) -> bytes:
    """MTH(D[n]), over leaf hashes."""
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return sha256(b"\x01" + tree(hashes[:k]) + tree(hashes[k:]))


def path(index: int, hashes: Hashes) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if index < k:
        return [*path(index, hashes[:k]), tree(hashes[k:])]
    return [*path(index - k, hashes[k:]), tree(hashes[:k])]


def growth(old: int, hashes: Hashes) -> list[bytes]:
    """PROOF(m, D[n])."""
    return _subproof(old, hashes, True)


def _subproof(old: int, hashes: Hashes, known: bool) -> list[bytes]:
    if old == len(hashes):
        return [] if known else [tree(hashes)]
    k = split(len(hashes))
    if old <= k:
        return [*_subproof(old, hashes[:k], known), tree(hashes[k:])]
    return [*_subproof(old - k, hashes[k:], False), tree(hashes[:k])]


def reading(hashes: Hashes) -> HashReader:
    """A reader of the subtrees over these leaf hashes; it has only complete ones."""

    def read(level: int, index: int) -> bytes:
        part = hashes[index << level : (index + 1) << level]
        assert len(part) == 1 << level, "a reader is asked for complete subtrees"
        return tree(part)

    return read
