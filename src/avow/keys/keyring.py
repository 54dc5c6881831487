"""The file keyring, the default provider: one small text file that only its owner may read.

    avow-keyring 1
    tenant 32 hex digits      random id of the installation; in the database too, so that the two find each other
    root 64 hex digits        named secrets are derived from it
    epoch 1 64 hex digits     one line per epoch, rising; the last one wraps
    check 64 hex digits       SHA-256 of all bytes before this line

Whoever changes the file locks its folder, writes `<name>.new`, fsyncs it, renames it over the old
one and fsyncs the folder. A process that dies at any point leaves the old file or the new one, whole.

Every use looks whether the file was replaced (one `stat`), so that an epoch created or destroyed by
another process holds in this one at once: wrapping under an epoch about to be destroyed would lose a person.

What destroying an epoch here can promise: the key is in no file of that name any more. It cannot
promise that a disk forgot the blocks, or that nobody kept a copy: backups of the keyring must be
replaced too, and on an SSD only disk encryption makes freed blocks unreadable.

A wrapped key is 61 bytes: algorithm (1 = AES-256-GCM) ‖ nonce (12) ‖ sealed key (32) ‖ tag (16).
Its AAD is algorithm ‖ epoch (8 bytes, big-endian) ‖ the caller's `aad`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, NoReturn, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from avow.errors import KeyringError
from avow.keys.hierarchy import derive
from avow.keys.provider import (
    KEY_LENGTH,
    KeyStatus,
    SecretName,
    check_destroyable,
    check_key_length,
    check_secret_name,
    does_not_unwrap,
    no_such_epoch,
    not_a_wrapped_key,
)
from avow.store.files import replace_durably

_ALGORITHM: Final = b"\x01"
_NONCE_LENGTH: Final = 12
_WRAPPED_LENGTH: Final = 1 + _NONCE_LENGTH + KEY_LENGTH + 16
_LARGEST: Final = 1 << 20  # a megabyte holds ten thousand epochs: anything larger is not a keyring

_EPOCH = rb"epoch ([1-9][0-9]{0,17}) ([0-9a-f]{64})\n"
_LINE = re.compile(_EPOCH)
_FILE = re.compile(
    rb"(avow-keyring 1\ntenant ([0-9a-f]{32})\nroot ([0-9a-f]{64})\n((?:" + _EPOCH + rb")+))check ([0-9a-f]{64})\n"
)


class _Keys(NamedTuple):
    """What a keyring file says, and the stamp of the file it was read from."""

    tenant: str
    root: bytes
    epochs: dict[int, bytes]  # rising
    stamp: tuple[int, ...]

    @property
    def current(self) -> int:
        return next(reversed(self.epochs))

    def encode(self) -> bytes:
        lines = [f"avow-keyring 1\ntenant {self.tenant}\nroot {self.root.hex()}\n"]
        lines += [f"epoch {epoch} {key.hex()}\n" for epoch, key in self.epochs.items()]
        body = "".join(lines).encode()
        return body + f"check {hashlib.sha256(body).hexdigest()}\n".encode()


class FileKeyring:
    """A keyring in a file of mode 0600. Make it with `create` or `open`.

    `tenant` is the installation's id: 32 hexadecimal digits.
    """

    def __init__(self, path: Path, keys: _Keys) -> None:
        self.path = path
        self.tenant = keys.tenant
        self._keys = keys

    @classmethod
    def create(cls, path: Path) -> Self:
        """Create a keyring with a new tenant id, new secrets and epoch 1.

        Raises:
            KeyringError: there is a file already, or the folder is missing or not writable.
        """
        keys = _Keys(os.urandom(16).hex(), os.urandom(KEY_LENGTH), {1: os.urandom(KEY_LENGTH)}, ())
        with locked(path):
            # Under the lock, so that of two processes that start at once only one creates.
            if os.path.lexists(path):
                raise KeyringError(f"there is a keyring already at {path}", help="open it, or choose another path")
            _replace(path, keys)
            return cls(path, _read(path))

    @classmethod
    def open(cls, path: Path, *, tenant: str | None = None) -> Self:
        """Open a keyring.

        Args:
            path: the file; it must belong to this user and be closed to all others.
            tenant: the id that the database was sealed under, if it is known by now.

        Raises:
            KeyringError: the file is missing, unreadable, damaged, open to others, or of another installation.
        """
        keys = _read(path)
        if tenant is not None and keys.tenant != tenant:
            _foreign(path)
        return cls(path, keys)

    def secret(self, name: SecretName) -> bytes:
        """A named secret of 32 bytes, derived from the root by HKDF; the same for the life of the keyring.

        Raises:
            KeyringError: there is no secret of that name.
        """
        check_secret_name(name)
        return derive(self._keys.root, "secret", name)

    def wrap(self, key: bytes, aad: bytes) -> tuple[int, bytes]:
        """Wrap a key under the newest epoch; see `KeyProvider.wrap`."""
        check_key_length(key)
        keys = self._fresh()
        epoch = keys.current
        nonce = os.urandom(_NONCE_LENGTH)
        return epoch, _ALGORITHM + nonce + AESGCM(keys.epochs[epoch]).encrypt(nonce, key, _bound(epoch, aad))

    def unwrap(self, epoch: int, wrapped: bytes, aad: bytes) -> bytes:
        """The key that was wrapped; see `KeyProvider.unwrap`."""
        epochs = self._fresh().epochs
        if epoch not in epochs:
            raise no_such_epoch(epoch, f"the keyring {self.path}", tuple(epochs))
        if len(wrapped) != _WRAPPED_LENGTH or wrapped[:1] != _ALGORITHM:
            raise not_a_wrapped_key(len(wrapped))
        nonce, sealed = wrapped[1 : 1 + _NONCE_LENGTH], wrapped[1 + _NONCE_LENGTH :]
        try:
            return AESGCM(epochs[epoch]).decrypt(nonce, sealed, _bound(epoch, aad))
        except InvalidTag:
            raise does_not_unwrap(epoch) from None

    def create_epoch(self) -> int:
        """Create the next epoch; see `KeyProvider.create_epoch`."""
        with locked(self.path):
            keys = self._fresh()
            epoch = keys.current + 1
            _replace(self.path, keys._replace(epochs={**keys.epochs, epoch: os.urandom(KEY_LENGTH)}))
            self._fresh()
        return epoch

    def destroy_epoch(self, epoch: int) -> None:
        """Destroy an older epoch; see `KeyProvider.destroy_epoch`."""
        with locked(self.path):
            keys = self._fresh()
            check_destroyable(epoch, keys.current)
            # Written even if the epoch is gone: whoever destroyed it may have died before the folder's fsync.
            kept = {number: key for number, key in keys.epochs.items() if number != epoch}
            _replace(self.path, keys._replace(epochs=kept))
            self._fresh()

    def status(self) -> KeyStatus:
        """The file's path and epochs; see `KeyProvider.status`."""
        keys = self._fresh()
        return KeyStatus("file", str(self.path), keys.current, tuple(keys.epochs))

    def _fresh(self) -> _Keys:
        """The keys as the file has them now."""
        try:
            unchanged = _stamp(self.path.stat()) == self._keys.stamp
        except OSError as error:
            _unusable(self.path, error)
        if not unchanged:
            keys = _read(self.path)
            if keys.tenant != self.tenant:
                _foreign(self.path)
            self._keys = keys
        return self._keys

    def __repr__(self) -> str:
        return f"<keyring {self.path}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise KeyringError(f"{self!r} cannot be pickled or copied", help="open the file where it is needed")


def _bound(epoch: int, aad: bytes) -> bytes:
    return _ALGORITHM + epoch.to_bytes(8, "big") + aad


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read(path: Path) -> _Keys:
    try:
        # Not blocking: a named pipe put in the keyring's place must not hang the service.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            _check_access(path, status)
            content = os.read(descriptor, _LARGEST)
        finally:
            os.close(descriptor)
    except OSError as error:
        _unusable(path, error)
    match = _FILE.fullmatch(content)
    if match is None or hashlib.sha256(match[1]).hexdigest().encode() != match[7]:
        raise KeyringError(
            f"the keyring {path} is cut off or damaged"
            if content.startswith(b"avow-keyring 1\n")
            else f"{path} is not a keyring of this version of Avow",
            help="restore it from its backup; do not create a new one: it could not open what is sealed",
        )
    epochs = {int(number): bytes.fromhex(key.decode()) for number, key in _LINE.findall(match[4])}
    return _Keys(match[2].decode(), bytes.fromhex(match[3].decode()), epochs, _stamp(status))


def _check_access(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyringError(f"{path} is not a file", help="give the path of the keyring file")
    if status.st_uid != os.geteuid():
        raise KeyringError(
            f"the keyring {path} belongs to user {status.st_uid}, and this is user {os.geteuid()}",
            help="run as its owner; a keyring rewritten by another user would lock the owner out",
        )
    if status.st_mode & 0o077:
        raise KeyringError(
            f"the keyring {path} is open to others: its mode is {stat.S_IMODE(status.st_mode):04o}",
            help=f"chmod 600 {path}; if others could log in here, create an epoch, wrap all keys again, "
            "and destroy the epochs they may have read",
        )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the folder of the keyring `path`: one writer at a time, over threads and processes.

    Raises:
        KeyringError: the folder is missing, or cannot be locked.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyringError(
            f"the folder of the keyring {path} cannot be used: {error.strerror}",
            help=f"mkdir -m 700 {path.parent}, as the user of the service",
        ) from None
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
        except OSError as error:
            raise KeyringError(
                f"the folder of the keyring {path} cannot be locked: {error.strerror}",
                help="keep the keyring on a local file system",
            ) from None
        yield
    finally:
        os.close(folder)  # and with it the lock


def _replace(path: Path, keys: _Keys) -> None:
    """Put `keys` in place of the file, whole and durable, under the folder's lock."""
    try:
        replace_durably(path, keys.encode())
    except OSError as error:
        raise KeyringError(
            f"the keyring {path} cannot be written: {error.strerror}",
            help="make room and check the folder's permissions; the keyring is as it was, or as it was to be",
        ) from None


def _unusable(path: Path, error: OSError) -> NoReturn:
    if isinstance(error, FileNotFoundError):
        raise KeyringError(
            f"there is no keyring at {path}",
            help="restore it from its backup; only where nothing has been sealed yet, create one",
        ) from None
    raise KeyringError(
        f"the keyring {path} cannot be read: {error.strerror}", help=f"check its permissions and owner: ls -l {path}"
    ) from None


def _foreign(path: Path) -> NoReturn:
    raise KeyringError(
        f"the keyring {path} belongs to another installation",
        help="put back the keyring that the database was sealed with; without it nothing in it can be opened",
    )
