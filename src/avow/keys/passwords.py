"""Passwords as they are stored: Argon2id (RFC 9106), slow to make and costly to guess.

The hash is a PHC string that names its own parameters, so that they can be raised later and old hashes still verify:

    $argon2id$v=19$m=19456,t=2,p=1$…salt…$…digest…

Parameters: OWASP Password Storage Cheat Sheet, 19 MiB of memory, two passes, one lane.
"""

from __future__ import annotations

import os
import re
import unicodedata

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

#: KiB of memory, passes, lanes; bytes of the salt and of the digest.
MEMORY, PASSES, LANES, SALT, DIGEST = 19 * 1024, 2, 1, 16, 32

#: What a stored hash looks like. Its parameters are bounded: a hash that was put there must not eat the memory.
_SHAPE = re.compile(
    r"\$argon2id\$v=19\$m=([1-9]\d{3,5}),t=([1-9]),p=([1-4])\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{22,86}"
)


def hash_password(password: str) -> str:
    """The PHC string to store for a password, with a new random salt. Takes some 30 ms and 19 MiB."""
    kdf = Argon2id(salt=os.urandom(SALT), length=DIGEST, iterations=PASSES, lanes=LANES, memory_cost=MEMORY)
    return kdf.derive_phc_encoded(_bytes(password))


def hash_is_dated(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's; it is made anew when the password is at hand."""
    return not stored.startswith(f"$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}$")


def is_password_hash(text: str) -> bool:
    """Whether a text is a hash that `password_fits` can compare with."""
    return _SHAPE.fullmatch(text) is not None


def password_fits(password: str, stored: str) -> bool:
    """Whether `stored` is the hash of `password`; compared in constant time. False for what is no hash."""
    if not is_password_hash(stored):
        return False
    try:
        Argon2id.verify_phc_encoded(_bytes(password), stored)
    except (InvalidKey, ValueError):
        return False
    return True


def _bytes(password: str) -> bytes:
    # One keyboard composes an accent, another does not; both mean the same password (NIST SP 800-63B 3.1.1.2).
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
