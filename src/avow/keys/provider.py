"""What a key provider does: it wraps person keys under epochs, derives named secrets, and can destroy an epoch.

None of it needs the epoch keys or the root to leave the place where they are: a device serves it as well as a file.

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
- The tenant and the named secrets stay the same for the life of the installation, whatever becomes of the epochs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from avow.errors import KeyringError

#: Length in bytes of every symmetric key: AES-256.
KEY_LENGTH = 32

#: The secrets that an installation has beside its epochs, each 32 bytes.
SecretName = Literal["blind", "link", "csrf", "cookie", "tombstone", "log"]


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """What may be told about a provider: its kind, where its keys lie, and the epochs it can still unwrap."""

    provider: str
    location: str
    current: int
    epochs: tuple[int, ...]


class KeyProvider(Protocol):
    """Holder of the epoch keys and of the root. Safe to use from several threads and processes."""

    @property
    def tenant(self) -> str:
        """The installation's id: 32 hexadecimal digits, random."""
        ...

    def secret(self, name: SecretName) -> bytes:
        """A named secret of 32 bytes, derived from the root where the root is.

        Raises:
            KeyringError: there is no secret of that name, or the keys cannot be reached.
        """
        ...

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


def check_secret_name(name: str) -> None:
    """Refuse a name that no secret has.

    Raises:
        KeyringError: naming those that there are.
    """
    if name not in get_args(SecretName):
        raise KeyringError(f"there is no secret `{name}`", help=f"the secrets are {', '.join(get_args(SecretName))}")


def check_key_length(key: bytes) -> None:
    """Refuse to wrap what is no key.

    Raises:
        KeyringError: it is not `KEY_LENGTH` bytes long.
    """
    if len(key) != KEY_LENGTH:
        raise KeyringError(f"a person's key is {KEY_LENGTH} bytes long, this one has {len(key)}")


def check_destroyable(epoch: int, current: int) -> None:
    """Refuse to destroy an epoch that holds everybody, or that never was.

    Raises:
        KeyringError: it is the newest, or not a number that an epoch has had.
    """
    if epoch == current:
        raise KeyringError(
            f"epoch {epoch} is the newest: destroying it would lose everybody",
            help="create an epoch, wrap every key again, and then destroy this one",
        )
    if not 0 < epoch < current:
        raise KeyringError(f"there never was an epoch {epoch}: the newest is {current}")


def no_such_epoch(epoch: int, where: str, epochs: tuple[int, ...]) -> KeyringError:
    """What is said of a key whose epoch is not there; `where` names the place, `epochs` what it holds."""
    return KeyringError(
        f"key epoch {epoch} is not in {where}: it holds {', '.join(map(str, epochs))}",
        help="a destroyed epoch is gone for good; if it was not destroyed, the keys and the database "
        "are of different dates: restore the newest copy of each",
    )


def not_a_wrapped_key(length: int) -> KeyringError:
    """What is said of `length` bytes that no version of this provider wrote."""
    return KeyringError(
        f"a wrapped key of {length} bytes is not one of this format",
        help="the row was damaged, written by a newer version of Avow, or wrapped by another kind of provider",
    )


def does_not_unwrap(epoch: int) -> KeyringError:
    """What is said of a wrapped key that is not what it was."""
    return KeyringError(
        f"a wrapped key does not unwrap under epoch {epoch}",
        help="it was changed, or belongs to another person or installation: restore the row from a backup",
    )
