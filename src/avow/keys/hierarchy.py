"""The key hierarchy below an epoch: one random key per person, one derived subkey per record.

A person's key lies in their row, wrapped and bound to installation and person, so that the bytes
moved to another row, or another installation, do not unwrap there:

    aad = len(tenant) ‖ tenant ‖ len(person) ‖ person        each length two bytes, big-endian

The provider binds the epoch as well. A new epoch therefore wraps keys again and touches no value.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from hashlib import sha256
from threading import Lock
from typing import Final

from avow.errors import KeyringError
from avow.keys.provider import KEY_LENGTH, KeyProvider

#: What HMAC adds to each byte of a key (RFC 2104, section 2): ipad and opad.
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


def new_person_key() -> bytes:
    """A fresh key: 32 bytes from the operating system."""
    return os.urandom(KEY_LENGTH)


def wrap_person(provider: KeyProvider, tenant: str, person: str, key: bytes) -> tuple[int, bytes]:
    """Wrap a person's key for their row; see `KeyProvider.wrap`."""
    return provider.wrap(key, _aad(tenant, person))


def unwrap_person(provider: KeyProvider, tenant: str, person: str, epoch: int, wrapped: bytes) -> bytes:
    """The key of a person from the bytes in their row; see `KeyProvider.unwrap`."""
    return provider.unwrap(epoch, wrapped, _aad(tenant, person))


def derive(key: bytes, use: str, name: str) -> bytes:
    """A subkey of 32 bytes: HKDF-Expand with SHA-256 (RFC 5869, section 2.3), one block.

    The extract step may be left out because `key` is uniformly random (section 3.3).

    Raises:
        KeyringError: `key` is not 32 bytes long.
    """
    if len(key) != KEY_LENGTH:
        raise KeyringError(f"a key is {KEY_LENGTH} bytes long, this one has {len(key)}")
    # HMAC spelled out: OpenSSL looks the algorithm up for every key that it is given, which takes longer than hashing.
    block = key.ljust(64, b"\0")
    inner = sha256(block.translate(_INNER) + derivation(use, name)).digest()
    return sha256(block.translate(_OUTER) + inner).digest()


def derivation(use: str, name: str) -> bytes:
    """What is hashed under a key to derive a subkey: info ‖ 0x01, where info = "avow " ‖ use ‖ zero byte ‖ name.

    `use` is one of ours and holds no zero byte.
    """
    return b"avow %b\0%b\x01" % (use.encode(), name.encode())


def record_subkey(person_key: bytes, record: str) -> bytes:
    """The key that seals the values of one record of a person."""
    return derive(person_key, "record", record)


class PersonKeys:
    """The keys of people seen lately, unwrapped: a bounded, least-recently-used memory for all threads.

    Entries are found by the wrapped bytes that came with the row, and hold only for the person and
    epoch they were unwrapped for: a wrapped key copied into another person's row must not open there
    merely because it was seen before.

    Args:
        limit: how many keys are held at most (about 300 bytes each).
    """

    def __init__(self, provider: KeyProvider, tenant: str, limit: int = 10_000) -> None:
        self._provider = provider
        self._tenant = tenant
        self._limit = limit
        self._held: OrderedDict[bytes, tuple[str, int, bytes]] = OrderedDict()
        self._forgotten = 0
        self._lock = Lock()

    def new(self, person: str) -> tuple[int, bytes]:
        """Make the key of a new person, wrapped for their row; it is held, as it will be used at once.

        Returns:
            The epoch, and the wrapped key.

        Raises:
            KeyringError: the provider cannot wrap it; see `KeyProvider.wrap`.
        """
        key = new_person_key()
        epoch, wrapped = wrap_person(self._provider, self._tenant, person, key)
        with self._lock:
            self._hold(wrapped, (person, epoch, key))
        return epoch, wrapped

    def get(self, person: str, epoch: int, wrapped: bytes) -> bytes:
        """The key of `person`, from memory or unwrapped by the provider.

        Raises:
            KeyringError: the provider cannot unwrap it; see `KeyProvider.unwrap`.
        """
        with self._lock:
            held = self._held.get(wrapped)
            if held is not None and held[0] == person and held[1] == epoch:
                self._held.move_to_end(wrapped)
                return held[2]
            forgotten = self._forgotten
        key = unwrap_person(self._provider, self._tenant, person, epoch, wrapped)
        with self._lock:
            # A person erased while their key was being unwrapped must not come back into memory.
            if forgotten == self._forgotten:
                self._hold(wrapped, (person, epoch, key))
        return key

    def _hold(self, wrapped: bytes, of: tuple[str, int, bytes]) -> None:
        self._held[wrapped] = of
        self._held.move_to_end(wrapped)
        if len(self._held) > self._limit:
            self._held.popitem(last=False)

    def forget(self, wrapped: bytes) -> None:
        """Drop a key: its person was erased, or it was wrapped again."""
        with self._lock:
            self._forgotten += 1
            self._held.pop(wrapped, None)

    def __len__(self) -> int:
        return len(self._held)

    def __repr__(self) -> str:
        return f"<{len(self)} person keys>"


def _aad(tenant: str, person: str) -> bytes:
    first, second = tenant.encode(), person.encode()
    return len(first).to_bytes(2, "big") + first + len(second).to_bytes(2, "big") + second
