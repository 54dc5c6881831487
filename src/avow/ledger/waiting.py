"""Entries that wait to come into the log: they are sealed until then.

A waiting entry lies in the database beside what was written with it, and so in every copy that is made at that moment:
whoever has the copy could tell from it what the few did who were there. In the log it stands among all entries of its
hour, in an order that says nothing. So nobody who has only copies reads it before.

    offset  bytes  what
    0       1      algorithm: 1 = AES-256-GCM with the layout below
    1       12     nonce, random
    13      n      ciphertext of the body
    13 + n  16     tag                        AAD = algorithm ‖ id of the row
"""

from __future__ import annotations

import hmac
import os
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection

from avow.errors import LedgerError
from avow.ledger.entry import Entry
from avow.store.schema import Schema

_ALGORITHM: Final = b"\x01"
_NONCE: Final = 12


class WaitingSeal:
    """Seals the bodies of waiting entries, and opens them. For all threads.

    Args:
        secret: the installation's secret `log`, 32 bytes. The key is HMAC-SHA256 of `avow pending 1` under it.
    """

    __slots__ = ("_cipher",)

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(secret, b"avow pending 1", "sha256"))

    def seal(self, identity: str, body: bytes) -> bytes:
        """A body as it lies in the row of an id."""
        nonce = os.urandom(_NONCE)
        return b"%b%b%b" % (_ALGORITHM, nonce, self._cipher.encrypt(nonce, body, _ALGORITHM + identity.encode()))

    def unseal(self, identity: object, sealed: bytes) -> bytes:
        """The body in the row of an id.

        Raises:
            LedgerError: it was changed, lies in another row, or was put there by who has not the key.
        """
        if sealed[:1] == _ALGORITHM and isinstance(identity, str):  # SQLite keeps whatever is put into a column
            nonce, rest = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
            try:
                return self._cipher.decrypt(nonce, rest, _ALGORITHM + identity.encode())
            except (InvalidTag, ValueError):
                pass  # told below
        raise LedgerError("a waiting entry does not open: it was changed, or put there by somebody else")


def put_own(connection: Connection, schema: Schema, seal: WaitingSeal, said: Entry) -> None:
    """Have an entry of the ledger about itself (`avow.ledger.entry.own_entry`) wait, in the caller's transaction."""
    identity = secrets.token_hex(16)
    connection.execute(schema.pending.insert().values(id=identity, body=seal.seal(identity, said.encode())))
