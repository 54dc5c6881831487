"""Blind indexes: equality on a sealed column without the value.

    index = HMAC-SHA256(secret, len(field) ‖ field ‖ version ‖ len(value) ‖ normalised value)

with the lengths and the version in four bytes each, big-endian. Field and version separate columns and key
changes; the secret separates installations. Two rows with the same value have the same index, which
is what it is for and what it gives away: keep none for values that few words can guess by their
frequency (a sex, a country, a yes or no).
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from typing import Literal

from avow.errors import SealedError

#: How two spellings are the same value: to the character, or as mail addresses are compared.
Kind = Literal["email", "exact"]


def normalise(kind: Kind, value: str) -> str:
    """The spelling that all equal values share.

    `exact`: Unicode NFC. `email`: without spaces around it, and caselessly (Unicode 3.13, D145); in theory the
    part before the @ has case, in practice nobody tells Ann@ from ann@ and a second account would be the harm.

    Raises:
        SealedError: there is no such kind.
    """
    if kind == "exact":
        return unicodedata.normalize("NFC", value)
    if kind == "email":
        return unicodedata.normalize("NFC", unicodedata.normalize("NFD", value.strip()).casefold())
    raise SealedError(f"a lookup compares as `exact` or `email`, not `{kind}`")


class BlindIndex:
    """The blind indexes of one installation, under its secret of 32 bytes. For all threads."""

    def __init__(self, secret: bytes) -> None:
        self._start = hmac.new(secret, digestmod=hashlib.sha256)

    def of(self, field: str, value: str, version: int = 1, *, kind: Kind = "email") -> bytes:
        """The index of `value` in a field (its stable id): 32 bytes.

        Raises:
            SealedError: there is no such kind of comparison.
        """
        name, text = field.encode(), normalise(kind, value).encode()
        code = self._start.copy()  # half the time of keying it anew
        code.update(
            b"%b%b%b%b%b"
            % (len(name).to_bytes(4, "big"), name, version.to_bytes(4, "big"), len(text).to_bytes(4, "big"), text)
        )
        return code.digest()

    def __repr__(self) -> str:
        return "<blind index>"
