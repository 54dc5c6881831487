r"""The Merkle tree of a transparency log: its hashes, its root, and the two proofs (RFC 6962 and 9162, section 2.1).

    leaf = SHA-256(0x00 ‖ entry)       node = SHA-256(0x01 ‖ left ‖ right)       root of no entries = SHA-256("")

The two first bytes differ so that a node cannot be shown as an entry (a second-preimage attack).

A proof is made from a *reader*, which is asked for the root of one complete subtree at a time: `read(level, index)` is
the root over the entries from `index << level` up to `(index + 1) << level`. So a proof over a million entries
asks for some twenty hashes and needs no more of the tree.

Entries are counted from 0. All hashes have 32 bytes. No hash says how many entries are below it: take a size and a root
only together, from one signed checkpoint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from avow.errors import LogError

#: Bytes of a hash.
HASH: Final = 32
#: The root of a log without entries.
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
#: More entries than this no log has: sizes must fit the signed 64 bits of other programs.
LARGEST_SIZE: Final = 2**63 - 1

#: The root of the complete subtree at a level (0 for leaves) and index within the level.
HashReader: TypeAlias = Callable[[int, int], bytes]

_sha256 = hashlib.sha256


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry."""
    return _sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> bytes:
    """The hashes of entries, joined: 32 bytes for each."""
    sha256 = _sha256
    return b"".join([sha256(b"\x00" + entry).digest() for entry in entries])


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over the roots of its two halves."""
    return _sha256(b"\x01" + left + right).digest()


def parent_hashes(hashes: bytes) -> bytes:
    """The hashes one level up, joined: 32 bytes for each pair (64 bytes) in `hashes`, which has only whole pairs."""
    sha256 = _sha256
    return b"".join([sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)])


def root_of_hashes(hashes: bytes) -> bytes:
    """The root over leaf hashes, given joined (32 bytes each), in any number."""
    if not hashes:
        return EMPTY_ROOT
    while len(hashes) > HASH:
        odd = hashes[-HASH:] if len(hashes) % 64 else b""  # has no sibling, and goes up as it is
        hashes = parent_hashes(hashes[: len(hashes) - len(odd)]) + odd
    return hashes


def root(size: int, read: HashReader) -> bytes:
    """The root over the first `size` entries."""
    return _range_root(0, size, read) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: HashReader) -> tuple[bytes, ...]:
    """The hashes that lead from entry `index` to the root over the first `size` entries, from the leaf up.

    RFC 9162, section 2.1.3.1: of each range on the way down, the half without the entry.

    Raises:
        LogError: there is no such entry among so many.
    """
    if not 0 <= index < size <= LARGEST_SIZE:
        raise LogError(
            f"entry {index}",
            f"it is not in a log of {size} entries",
            help="entries are counted from 0, before the size",
        )
    proof, low, high = [], 0, size
    while high - low > 1:
        middle = low + _left_part(high - low)
        if index < middle:
            proof.append(_range_root(middle, high, read))
            high = middle
        else:
            proof.append(_range_root(low, middle, read))
            low = middle
    return tuple(reversed(proof))


def consistency_proof(old: int, new: int, read: HashReader) -> tuple[bytes, ...]:
    """The hashes that show that the first `old` of `new` entries are the log of then (RFC 9162, section 2.1.4.1).

    Raises:
        LogError: there is nothing to show: the older log is empty, or larger than the newer.
    """
    if not 0 < old <= new <= LARGEST_SIZE:
        raise LogError(
            f"consistency of size {old} with size {new}",
            "there is no such proof",
            help="the older log must have an entry, and no more than the newer one",
        )
    proof, low, high = [], 0, new
    while old != high:
        middle = low + _left_part(high - low)
        if old <= middle:
            proof.append(_range_root(middle, high, read))
            high = middle
        else:
            proof.append(_range_root(low, middle, read))
            low = middle
    if low:  # otherwise the older log is itself that subtree, and its root is known to who verifies
        proof.append(_range_root(low, high, read))
    return tuple(reversed(proof))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` is the hash of entry `index` in the log of that size and root (RFC 9162, section 2.1.3.2).

    Raises:
        LogError: the proof does not show it.
    """
    where = f"inclusion of entry {index} in size {size}"
    if not 0 <= index < size <= LARGEST_SIZE:
        raise LogError(where, "there is no such entry in a log of that size", help=_OTHER)
    if len(leaf) != HASH:
        raise LogError(where, f"the hash of an entry has {HASH} bytes, this one {len(leaf)}", help=_OTHER)
    _expect(where, proof, _inner(index, size) + (index >> _inner(index, size)).bit_count())
    found, at, last = leaf, index, size - 1
    for sibling in proof:
        # The last node of a level may have no sibling there: it goes up until it is a right child.
        while at == last and not at & 1:
            at, last = at >> 1, last >> 1
        found = node_hash(sibling, found) if at & 1 else node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    _compare(where, "root", root, found)


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the log of `new` entries begins with the log of `old` entries (RFC 9162, section 2.1.4.2).

    Raises:
        LogError: the proof does not show it: the log was rolled back, written anew or forked, or it is another proof.
    """
    where = f"consistency of size {old} with size {new}"
    if not 0 < old <= new <= LARGEST_SIZE:
        raise LogError(where, "there is no such proof: the older log is empty, or larger than the newer", help=_OTHER)
    if old == new:
        _expect(where, proof, 0)
        _compare(where, "root", old_root, new_root)
        return
    at, last = old - 1, new - 1
    while at & 1:  # up to the largest complete subtree in which the older log ends
        at, last = at >> 1, last >> 1
    inner = _inner(at, last + 1)
    _expect(where, proof, (at > 0) + inner + (at >> inner).bit_count())
    # An older log that is one complete subtree needs no hash for it: its root is that.
    first, *rest = proof if at else (old_root, *proof)
    older = newer = first
    for sibling in rest:
        while at == last and not at & 1:
            at, last = at >> 1, last >> 1
        if at & 1:
            older = node_hash(sibling, older)
            newer = node_hash(sibling, newer)
        else:
            newer = node_hash(newer, sibling)
        at, last = at >> 1, last >> 1
    _compare(where, "older root", old_root, older)
    _compare(where, "newer root", new_root, newer)


_OTHER: Final = "ask for the proof anew, with the index and the sizes that are meant"


def _left_part(count: int) -> int:
    """The largest power of two below `count`, which is at least 2: how many entries the left half of a range has."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(low: int, high: int, read: HashReader) -> bytes:
    """The root over the entries from `low` up to `high`: a range that the tree itself has."""
    parts = []
    while low < high:
        # `low` is a multiple of each power of two that fits: only the last range of a log is not complete.
        level = (high - low).bit_length() - 1
        parts.append(read(level, low >> level))
        low += 1 << level
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found


def _inner(index: int, size: int) -> int:
    """How many levels the paths of an entry and of the last one take apart: on these every node has a sibling."""
    return (index ^ (size - 1)).bit_length()


def _expect(where: str, proof: Sequence[bytes], count: int) -> None:
    if len(proof) != count:
        raise LogError(where, f"the proof has {len(proof)} hashes, and {count} are needed", help=_OTHER)
    for number, item in enumerate(proof, start=1):
        if len(item) != HASH:
            raise LogError(where, f"hash {number} of the proof has {len(item)} bytes, and not {HASH}", help=_OTHER)


def _compare(where: str, what: str, expected: bytes, found: bytes) -> None:
    if expected != found:
        raise LogError(
            where,
            f"the {what} is {expected.hex()}, and the proof leads to {found.hex()}",
            help="the entry, the proof or the log was changed, or they do not belong together; keep all three, and "
            "compare the checkpoint with one that somebody else has",
        )
