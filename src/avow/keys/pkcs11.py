"""Keys in a PKCS#11 device, which gives none of them out.

In the token, as objects whose CKA_ID is the tenant's 16 bytes:

    avow TENANT root        generic secret of 32 bytes; named secrets are CKM_SHA256_HMAC under it
    avow TENANT epoch 3     AES-256; wraps with CKM_AES_GCM

All are made in the token, sensitive and never extractable. What is wrapped was handed in and comes out sealed: 61 bytes
as the file keyring's, but for the algorithm, so that neither takes what the other has wrapped:

    algorithm (2 = AES-256-GCM in a device) ‖ nonce (12) ‖ sealed key (32) ‖ tag (16)
    AAD = algorithm ‖ epoch (8 bytes, big-endian) ‖ the caller's `aad`

The `keyring` file of the installation says which tenant and which token (`avow.keys.device`). Its folder is locked by
whoever makes or destroys an epoch, since labels in a token need not be unique; so one machine does that for an
installation. Every use asks the token what is there: an epoch made or destroyed by another process holds at once.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from avow.errors import KeyringError
from avow.keys.device import Device, Pointer, read_pointer, write_pointer
from avow.keys.hierarchy import derivation
from avow.keys.keyring import locked
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
from avow.keys.token import Token

if TYPE_CHECKING:
    from pkcs11.types import Session

_ALGORITHM: Final = b"\x02"
_NONCE_LENGTH: Final = 12
_WRAPPED_LENGTH: Final = 1 + _NONCE_LENGTH + KEY_LENGTH + 16

_LABEL: Final = re.compile(r"avow ([0-9a-f]{32}) (?:root|epoch ([1-9][0-9]{0,17}))")


class DeviceKeyring:
    """The keys of one installation in a token. Make it with `create` or `open`.

    `tenant` is the installation's id: 32 hexadecimal digits.
    """

    def __init__(self, path: Path, tenant: str, token: Token) -> None:
        self.path = path
        self.tenant = tenant
        self._token = token
        self._secrets: dict[SecretName, bytes] = {}
        self._checked: set[str] = set()  # labels of keys whose attributes have been looked at

    @classmethod
    def create(cls, path: Path, device: Device) -> Self:
        """Make the keys of a new installation in a device, and say so in the file `path`.

        What a process that died here has left in the token is of a tenant that no installation has.

        Raises:
            KeyringError: there is a keyring already, or the device cannot be reached or does not do it.
        """
        with locked(path):
            if os.path.lexists(path):
                raise KeyringError(f"there is a keyring already at {path}", help="open it, or choose another path")
            made = cls(path, os.urandom(16).hex(), Token(device))
            made._token.ask(lambda session: made._make(session, "root"))
            made._token.ask(lambda session: made._make(session, "epoch 1"))
            tried = os.urandom(KEY_LENGTH)
            epoch, wrapped = made.wrap(tried, b"")
            if made.unwrap(epoch, wrapped, b"") != tried or len(made.secret("blind")) != KEY_LENGTH:
                raise KeyringError(f"the token `{device.token}` does not give back what it wrapped")
            write_pointer(path, Pointer(made.tenant, device))
        return made

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the keys that the file `path` speaks of.

        Raises:
            KeyringError: it speaks of none, the device cannot be reached, or its token is of another installation.
        """
        pointer = read_pointer(path)
        if pointer is None:
            raise KeyringError(f"the keyring {path} names no device")
        opened = cls(path, pointer.tenant, Token(pointer.device))
        opened._token.ask(opened._keys)
        return opened

    def secret(self, name: SecretName) -> bytes:
        """A named secret of 32 bytes; the same derivation as the file keyring's, done in the device.

        Raises:
            KeyringError: there is no secret of that name, or the device cannot be reached.
        """
        check_secret_name(name)
        if name not in self._secrets:
            self._secrets[name] = self._token.ask(lambda session: _hashed(self._root(session), name))
        return self._secrets[name]

    def wrap(self, key: bytes, aad: bytes) -> tuple[int, bytes]:
        """Wrap a key under the newest epoch; see `KeyProvider.wrap`."""
        check_key_length(key)

        def act(session: Session) -> tuple[int, bytes]:
            epoch, kek = self._newest(session)
            nonce = os.urandom(_NONCE_LENGTH)
            return epoch, _ALGORITHM + nonce + _sealed(kek, nonce, key, _bound(epoch, aad))

        return self._token.ask(act)

    def unwrap(self, epoch: int, wrapped: bytes, aad: bytes) -> bytes:
        """The key that was wrapped; see `KeyProvider.unwrap`."""
        from pkcs11 import PKCS11Error

        def act(session: Session) -> bytes:
            epochs = self._epochs(session)
            if epoch not in epochs:
                raise no_such_epoch(epoch, f"the token `{self._token.device.token}`", tuple(epochs))
            if len(wrapped) != _WRAPPED_LENGTH or wrapped[:1] != _ALGORITHM:
                raise not_a_wrapped_key(len(wrapped))
            nonce, sealed = wrapped[1 : 1 + _NONCE_LENGTH], wrapped[1 + _NONCE_LENGTH :]
            try:
                return _opened(epochs[epoch], nonce, sealed, _bound(epoch, aad))
            except PKCS11Error:
                # What a wrong tag is called differs: SoftHSM says CKR_GENERAL_ERROR. If the key still opens what it
                # seals now, it was not the device that failed; if not, that error is the one to tell.
                fresh = os.urandom(_NONCE_LENGTH)
                _opened(epochs[epoch], fresh, _sealed(epochs[epoch], fresh, bytes(KEY_LENGTH), b""), b"")
                raise does_not_unwrap(epoch) from None

        return self._token.ask(act)

    def create_epoch(self) -> int:
        """Create the next epoch; see `KeyProvider.create_epoch`."""

        def act(session: Session) -> int:
            epoch = self._newest(session)[0] + 1
            self._make(session, f"epoch {epoch}")
            self._epochs(session)  # looks at how the new key is kept
            return epoch

        with locked(self.path):
            return self._token.ask(act)

    def destroy_epoch(self, epoch: int) -> None:
        """Destroy an older epoch; see `KeyProvider.destroy_epoch`."""

        def act(session: Session) -> None:
            epochs = self._epochs(session)
            check_destroyable(epoch, max(epochs))
            if epoch in epochs:
                epochs[epoch].destroy()
                if epoch in self._epochs(session):
                    raise KeyringError(
                        f"the token `{self._token.device.token}` still has epoch {epoch}",
                        help="destroy it with the device's own tool: the erased are not out of reach before",
                    )

        with locked(self.path):
            self._token.ask(act)

    def status(self) -> KeyStatus:
        """The token and its epochs; see `KeyProvider.status`."""
        epochs = tuple(self._token.ask(self._epochs))
        return KeyStatus("pkcs11", f"token {self._token.device.token}", epochs[-1], epochs)

    # -- in the token -----------------------------------------------------------------------------

    def _make(self, session: Session, name: str) -> None:
        """Make the root or an epoch, unless a session that was lost has made it."""
        from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag

        label = f"avow {self.tenant} {name}"
        if label in self._labels(session):
            return
        root = name == "root"
        session.generate_key(
            KeyType.GENERIC_SECRET if root else KeyType.AES,
            KEY_LENGTH * 8,
            id=bytes.fromhex(self.tenant),
            label=label,
            store=True,
            mechanism=Mechanism.GENERIC_SECRET_KEY_GEN if root else Mechanism.AES_KEY_GEN,
            capabilities=MechanismFlag(0),
            template={
                Attribute.PRIVATE: True,
                Attribute.SENSITIVE: True,
                Attribute.EXTRACTABLE: False,
                Attribute.MODIFIABLE: False,
                Attribute.SIGN: root,
                Attribute.ENCRYPT: not root,
                Attribute.DECRYPT: not root,
            },
        )

    def _labels(self, session: Session) -> dict[str, Any]:
        """The tenant's keys by label.

        Raises:
            KeyringError: two have one label, or one could be given out.
        """
        from pkcs11 import Attribute, ObjectClass

        found: dict[str, Any] = {}
        wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.ID: bytes.fromhex(self.tenant)}
        for key in list(session.get_objects(wanted)):
            label = str(key[Attribute.LABEL])
            match = _LABEL.fullmatch(label)
            if match is None or match[1] != self.tenant:
                continue
            if label in found:
                raise KeyringError(
                    f"the token has two keys `{label}`",
                    help="one machine only may rotate the keys of an installation; delete the one that nothing was "
                    "wrapped under yet, with the device's own tool",
                )
            if label not in self._checked:
                self._check_kept(label, key)
            found[label] = key
        return found

    def _check_kept(self, label: str, key: Any) -> None:
        """A key that has been outside, or could be, is none that a device protects: not even under the right label."""
        from pkcs11 import Attribute

        kept = (Attribute.PRIVATE, Attribute.SENSITIVE, Attribute.ALWAYS_SENSITIVE, Attribute.NEVER_EXTRACTABLE)
        if not all(key[attribute] for attribute in kept) or key[Attribute.EXTRACTABLE]:
            raise KeyringError(
                f"the key `{label}` can be given out by the token, or was brought into it",
                help="the keys of an installation are made in its device: whoever put this one there may hold a copy",
            )
        self._checked.add(label)

    def _keys(self, session: Session) -> dict[str, Any]:
        """The root and the epochs by label; there is one of each at least.

        Raises:
            KeyringError: the token is of another installation.
        """
        found = self._labels(session)
        if f"avow {self.tenant} root" not in found or len(found) < 2:
            raise KeyringError(
                f"the token `{self._token.device.token}` "
                + ("has lost keys of this installation" if found else self._of_whom(session)),
                help="connect the one that the database was sealed with, or restore it by the device's own means; "
                "without it nothing can be opened",
            )
        return found

    def _of_whom(self, session: Session) -> str:
        from pkcs11 import Attribute, ObjectClass

        labels = [str(key[Attribute.LABEL]) for key in session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY})]
        others = any(_LABEL.fullmatch(label) for label in labels)
        return "belongs to another installation" if others else "holds no keys of an installation"

    def _epochs(self, session: Session) -> dict[int, Any]:
        """The epochs' keys, rising."""
        matches = ((_LABEL.fullmatch(label), key) for label, key in self._keys(session).items())
        return dict(sorted((int(match[2]), key) for match, key in matches if match is not None and match[2]))

    def _newest(self, session: Session) -> tuple[int, Any]:
        return list(self._epochs(session).items())[-1]

    def _root(self, session: Session) -> Any:
        return self._keys(session)[f"avow {self.tenant} root"]

    def __repr__(self) -> str:
        return f"<keyring in {self._token!r}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise KeyringError(f"{self!r} cannot be pickled or copied", help="open it where it is needed")


def _bound(epoch: int, aad: bytes) -> bytes:
    return _ALGORITHM + epoch.to_bytes(8, "big") + aad


def _sealed(key: Any, nonce: bytes, data: bytes, aad: bytes) -> bytes:
    from pkcs11 import GCMParams, Mechanism

    return bytes(key.encrypt(data, mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(nonce, aad)))


def _opened(key: Any, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
    from pkcs11 import GCMParams, Mechanism

    return bytes(key.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(nonce, aad)))


def _hashed(root: Any, name: str) -> bytes:
    from pkcs11 import Mechanism

    return bytes(root.sign(derivation("secret", name), mechanism=Mechanism.SHA256_HMAC))
