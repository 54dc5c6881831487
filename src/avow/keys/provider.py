"""What a key provider does: it wraps person keys under epochs, and can destroy an epoch.

An epoch is a generation of the key-encryption key. Erasing people for good is: create an epoch,
wrap the survivors' keys again, make that durable, destroy the old epoch. Whatever the old epoch
had wrapped is noise from then on, in every backup too.

The rules that every provider keeps; `tests/keys/conformance.py` checks them on each:

- `wrap` uses the newest epoch, also when another process created it a moment ago.
- The same key wrapped twice gives different bytes.
- What was wrapped unwraps only whole, under its own epoch, with the same `aad`.
- Epoch numbers rise and are never used again. The newest cannot be destroyed.
- Destroying an epoch that is gone already changes nothing, so a command that died may be repeated.
- A provider that returns from `create_epoch` or `destroy_epoch` has made it durable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

#: Length in bytes of every symmetric key: AES-256.
KEY_LENGTH = 32


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """What may be told about a provider: its kind, where its keys lie, and the epochs it can still unwrap."""

    provider: str
    location: str
    current: int
    epochs: tuple[int, ...]


class KeyProvider(Protocol):
    """Holder of the epoch keys. Safe to use from several threads and processes."""

    def wrap(self, key: bytes, aad: bytes) -> tuple[int, bytes]:
        """Wrap a key of 32 bytes under the newest epoch, bound to `aad`.

        Returns:
            The epoch, and the wrapped key.

        Raises:
            KeyringError: the keys cannot be reached, or `key` has another length.
        """
        ...

    def unwrap(self, epoch: int, wrapped: bytes, aad: bytes) -> bytes:
        """The key that `wrap` took.

        Raises:
            KeyringError: the epoch is gone, or `wrapped`, `epoch` or `aad` is not what it was.
        """
        ...

    def create_epoch(self) -> int:
        """Create the next epoch, durably, and return its number; `wrap` uses it from now on.

        Raises:
            KeyringError: it could not be made durable.
        """
        ...

    def destroy_epoch(self, epoch: int) -> None:
        """Destroy an older epoch's key. Wrap every survivor again, durably, *before* calling this.

        Raises:
            KeyringError: the epoch is the newest, never existed, or could not be destroyed.
        """
        ...

    def status(self) -> KeyStatus:
        """The provider's kind, place and epochs.

        Raises:
            KeyringError: the keys cannot be reached.
        """
        ...
