"""What leads a person to the ledger entries about them, and nobody else: one sealed row for each person and entry.

An entry names nobody. What says whom it is about lies beside the log, under that person's key: erasing them deletes it,
and once their key is destroyed no copy of it opens. The format is final.

    offset  bytes  what
    0       1      algorithm: 1 = AES-256-GCM with the layout below
    1       12     nonce, random
    13      224    ciphertext
    237     16     tag

The plaintext has one length whatever it tells of, so that nothing can be told from rows that cannot be opened:

    0       1      1 where it was the person who was looking, else 0
    1       4      hour of the entry since 1970, big-endian
    5       32     commitment: SHA-256 of the entry's body
    37      16     the entry's id for as long as it waits to come into the log
    53      32     which of the entry's objects were theirs: the lowest bit of the last byte is the first
    85      1 + p  place by its name in the policy: length p, then UTF-8
    86+p    1 + t  table of the record: length t, then UTF-8; 0 where there is none, or more than one
    87+p+t  16     id of the record, where there is a table
    …              zeros

    AAD = algorithm ‖ tenant ‖ person ‖ id        each after the first preceded by its length, two bytes, big-endian

Key: HKDF-Expand of the person's key, with the use `trace`; see `avow.keys.hierarchy.derive`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from avow.errors import SealedError
from avow.keys.hierarchy import derive

#: Objects that a trace can tell apart: an entry names no more of them.
OBJECTS: Final = 256

_ALGORITHM: Final = b"\x01"
_NONCE: Final = 12
_PLAIN: Final = 224
_LENGTH: Final = 1 + _NONCE + _PLAIN + 16
_PLACE: Final = 85
_ID: Final = 16
_HEX: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Trace:
    """What a trace tells.

    Attributes:
        own: whether it was the person themselves who was looking.
        hour: of the entry, since 1970.
        commitment: of the entry's body, 32 bytes.
        pending: the entry's id for as long as it waits, 32 hexadecimal digits.
        objects: which of the entry's objects were theirs, as bits: the lowest is the first.
        place: by its name in the policy; empty where there is none.
        record: table and id of the one record that it was about; None where there is none, or more than one.
    """

    own: bool
    hour: int
    commitment: bytes
    pending: str
    objects: int
    place: str = ""
    record: tuple[str, str] | None = None


class TraceSeal:
    """Seals and opens the traces of one person.

    Args:
        key: the person's key of 32 bytes.
    """

    __slots__ = ("_aad", "_cipher")

    def __init__(self, key: bytes, tenant: str, person: str) -> None:
        self._cipher = AESGCM(derive(key, "trace", person))
        self._aad = _ALGORITHM + _measured(tenant.encode()) + _measured(person.encode())

    def seal(self, identity: str, trace: Trace) -> bytes:
        """The sealed bytes of a trace for the row of an id: always as many."""
        nonce = os.urandom(_NONCE)
        bound = self._aad + _measured(identity.encode())
        return b"\x01%b%b" % (nonce, self._cipher.encrypt(nonce, _encode(trace), bound))

    def unseal(self, identity: str, sealed: bytes) -> Trace:
        """What a row of an id tells.

        Raises:
            SealedError: a bit was changed, or it belongs to another person, row or installation.
        """
        if len(sealed) == _LENGTH and sealed[:1] == _ALGORITHM:
            nonce, bound = sealed[1 : 1 + _NONCE], self._aad + _measured(identity.encode())
            try:
                return _decode(self._cipher.decrypt(nonce, sealed[1 + _NONCE :], bound))
            except InvalidTag:
                pass  # told below
        raise SealedError(
            "a trace of a ledger entry does not open: it was changed, or belongs to another person or installation",
            help="restore the rows of avow_trace from a backup",
        )

    def __repr__(self) -> str:
        return "<trace seal>"


def _encode(trace: Trace) -> bytes:
    place = trace.place.encode()
    table, identity = trace.record or ("", "")
    name = table.encode()
    if not _HEX.fullmatch(identity) or _PLACE + 2 + len(place) + len(name) + _ID > _PLAIN:
        name, identity = b"", ""  # which record is the least of it
    if _PLACE + 2 + len(place) > _PLAIN:
        place = b""
    plain = b"".join((
        b"\x01" if trace.own else b"\x00",
        trace.hour.to_bytes(4, "big"),
        trace.commitment,
        bytes.fromhex(trace.pending),
        trace.objects.to_bytes(OBJECTS // 8, "big"),
        bytes([len(place)]), place,
        bytes([len(name)]), name, bytes.fromhex(identity),
    ))  # fmt: skip
    return plain.ljust(_PLAIN, b"\0")


def _decode(plain: bytes) -> Trace:
    end = _PLACE + 1 + plain[_PLACE]
    place = plain[_PLACE + 1 : end].decode()
    last = end + 1 + plain[end]
    table = plain[end + 1 : last].decode()
    return Trace(
        own=plain[0] == 1,
        hour=int.from_bytes(plain[1:5], "big"),
        commitment=plain[5:37],
        pending=plain[37:53].hex(),
        objects=int.from_bytes(plain[53:_PLACE], "big"),
        place=place,
        record=(table, plain[last : last + _ID].hex()) if table else None,
    )


def _measured(part: bytes) -> bytes:
    return len(part).to_bytes(2, "big") + part
