"""The envelope: a personal value as it lies in the database. The format is final.

    offset   bytes  what
    0        1      algorithm: 1 = AES-256-GCM with the layout below
    1        1 + c  category: length c, then UTF-8
    2+c      1 + v  policy version: length v, then UTF-8
    3+c+v    1 + p  place of collection: length p, then UTF-8
    4+c+v+p  4      collected: whole hours since 1970-01-01 UTC, big-endian
    8+c+v+p  12     nonce, random
    20+c+v+p n      ciphertext, a multiple of 16
    …        16     tag

The four label fields are readable without a key, and cannot be changed without one. The plaintext is
padded to a multiple of 16 bytes (0x80, then zeros: ISO/IEC 7816-4), so that `yes` and `no` have the
same length in the database.

    AAD = algorithm ‖ tenant ‖ person ‖ record ‖ field ‖ label

where each part after the first is preceded by its length in two bytes, big-endian, and `label` is
the bytes from offset 1 up to the nonce. A ciphertext moved to another installation, person, record
or field therefore does not open. A nonce is random and a subkey serves one record, so two values
meet the same nonce with a probability far below the limit of NIST SP 800-38D, section 8.3.
"""

from __future__ import annotations

import os
import struct
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from avow.errors import SealedError

ALGORITHM: Final = 1
_NONCE: Final = 12
_TAG: Final = 16
_BLOCK: Final = 16
_KEY: Final = 32
_PADDINGS: Final = tuple(b"\x80" + bytes(_BLOCK - 1 - used) for used in range(_BLOCK))
_LATEST_HOUR: Final = 2**32 - 1
_length = struct.Struct(">H").pack


class Label(NamedTuple):
    """What a sealed value says about itself in the clear.

    `version` names the policy version it was collected under, `place` where; `collected` is the time
    in whole hours since 1970-01-01 UTC, no finer, so that rows cannot be matched with an access log.
    Each text is at most 255 bytes of UTF-8.
    """

    category: str
    version: str
    place: str
    collected: int


class RecordSeal:
    """Seals and opens the values of one record: made once for as long as the record is in memory.

    Args:
        subkey: the record's own key of 32 bytes.

    Raises:
        SealedError: the subkey is not 32 bytes.
    """

    __slots__ = ("_aad", "_cipher")

    def __init__(self, subkey: bytes, *, tenant: str, person: str, record: str) -> None:
        if len(subkey) != _KEY:  # AESGCM takes 16 bytes too, and would quietly be AES-128
            raise SealedError(f"a subkey is {_KEY} bytes long, this one has {len(subkey)}")
        self._cipher = AESGCM(subkey)
        self._aad = b"\x01" + b"".join(_measured(part.encode()) for part in (tenant, person, record))

    def seal(self, field: str, label: Label, plaintext: bytes) -> bytes:
        """The envelope of `plaintext` for a field, by its stable id.

        Raises:
            SealedError: a part of the label is too long.
        """
        head = _encode(label)
        nonce = os.urandom(_NONCE)
        padded = plaintext + _PADDINGS[len(plaintext) % _BLOCK]
        return b"\x01%b%b%b" % (head, nonce, self._cipher.encrypt(nonce, padded, self._bound(field, head)))

    def unseal(self, field: str, envelope: bytes) -> tuple[Label, bytes]:
        """The label and plaintext of an envelope, both authenticated.

        Raises:
            SealedError: a bit was changed, or the envelope was sealed for another place or key.
        """
        end = _label_end(envelope, field)
        head, body = envelope[1:end], end + _NONCE
        try:
            padded = self._cipher.decrypt(envelope[end:body], envelope[body:], self._bound(field, head))
        except InvalidTag:
            raise SealedError(
                f"`{field}` does not open: the sealed value was changed, or belongs to another person, record, field "
                "or installation",
                help="restore the row from a backup; a value is copied by opening it and sealing it anew, never as "
                "bytes",
            ) from None
        return _decode(head), padded[: padded.rindex(b"\x80")]

    def _bound(self, field: str, head: bytes) -> bytes:
        """The AAD: where the value belongs, and its label."""
        return self._aad + _measured(field.encode()) + _measured(head)

    def __repr__(self) -> str:
        return "<record seal>"


def read_label(envelope: bytes) -> Label:
    """The label of an envelope as it stands there, readable without a key: not authenticated until it is unsealed.

    Raises:
        SealedError: these bytes are no envelope.
    """
    return _decode(envelope[1 : _label_end(envelope, "value")])


def _measured(part: bytes) -> bytes:
    return _length(len(part)) + part


def _label_end(envelope: bytes, field: str) -> int:
    """The offset of the nonce."""
    try:
        if envelope[0] != ALGORITHM:
            raise SealedError(
                f"`{field}` is sealed with algorithm {envelope[0]}, and this version of Avow knows only {ALGORITHM}",
                help="open the database with the version that sealed it, or restore the row from a backup",
            )
        category_end = 2 + envelope[1]
        version_end = category_end + 1 + envelope[category_end]
        end = version_end + 1 + envelope[version_end] + 4
    except IndexError:
        end = len(envelope)
    sealed = len(envelope) - end - _NONCE - _TAG
    if sealed < _BLOCK or sealed % _BLOCK:
        raise SealedError(f"`{field}` is cut off, or no sealed value at all", help="restore the row from a backup")
    return end


@lru_cache(maxsize=1024)  # a busy hour has few labels
def _encode(label: Label) -> bytes:
    parts: list[bytes] = []
    for name, text in zip(("category", "version", "place"), label[:3], strict=True):
        data = text.encode()
        if len(data) > 255:
            raise SealedError(f"the {name} of a label has at most 255 bytes, this one {len(data)}")
        parts.append(bytes([len(data)]) + data)
    if not 0 <= label.collected <= _LATEST_HOUR:
        raise SealedError(f"{label.collected} is no time in hours since 1970", help="divide unix seconds by 3600")
    return b"".join(parts) + label.collected.to_bytes(4, "big")


@lru_cache(maxsize=1024)
def _decode(head: bytes) -> Label:
    texts: list[str] = []
    offset = 0
    try:
        for _ in range(3):
            start = offset + 1
            offset = start + head[offset]
            texts.append(head[start:offset].decode())
    except UnicodeDecodeError:
        raise SealedError("the label of a sealed value is not text", help="restore the row from a backup") from None
    return Label(texts[0], texts[1], texts[2], int.from_bytes(head[offset:], "big"))
