"""A token of a PKCS#11 device, logged in to: its module, its PIN, one request at a time, and what its errors mean.

A process has one session with a token, whoever uses it, because logging in is for the whole process in PKCS#11. The
module is told that no two threads call it at once (C_Initialize without arguments), and so they do not.

A session that the device has dropped is opened again, and what may pass is waited for a little. A PIN that was refused
is not tried again: devices count attempts, and lock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from avow.errors import KeyringError, SetupError

if TYPE_CHECKING:
    from pkcs11 import PKCS11Error
    from pkcs11.types import Session
    from pkcs11.types import Token as Found

    from avow.keys.device import Device

T = TypeVar("T")

_LOCK: Final = RLock()

#: The sessions of this process by module, label and, where it is given, serial number; and the process that began them.
_SESSIONS: Final[dict[tuple[str, str, str | None], Session]] = {}
_PROCESS: int | None = None

#: Errors after which the session is of no use.
_LOST: Final = frozenset({
    "SessionHandleInvalid", "SessionClosed", "DeviceRemoved", "TokenNotPresent", "UserNotLoggedIn", "SlotIDInvalid",
})  # fmt: skip
#: Errors that pass: another process has just destroyed a key, or was writing what this one read (SoftHSM, as seen when
#: several begin at once; a token that was read by half has no PIN).
_PASSING: Final = frozenset({
    "ObjectHandleInvalid", "KeyHandleInvalid", "GeneralError", "FunctionFailed", "DeviceError", "UserPinNotInitialized",
})  # fmt: skip

#: Seconds between the attempts.
_PAUSES: Final = (0.02, 0.1, 0.5)

_REFUSED: Final = frozenset({"PinIncorrect", "PinInvalid", "PinLenRange"})

_MEANING: Final = {
    "PinIncorrect": ("refuses the PIN", "correct it before the next start: devices lock after a few attempts"),
    "PinInvalid": ("refuses the PIN", "correct it before the next start: devices lock after a few attempts"),
    "PinLenRange": ("refuses the PIN", "it is too long or too short: correct it before the next start"),
    "PinLocked": ("is locked after too many wrong PINs", "unlock it with its security officer's PIN"),
    "PinExpired": ("wants another PIN", "set a new one with the device's own tool"),
    "UserPinNotInitialized": ("has no PIN yet", "set it up with the device's own tool"),
    "TokenWriteProtected": ("cannot be written", "an epoch is made and destroyed in it: lift its write protection"),
    "DeviceMemory": ("is full", "destroy old epochs, or make room with the device's own tool"),
    "SessionCount": ("takes no more sessions", "end what else uses it, or raise its limit"),
}


class Token:
    """A logged-in token. Safe to use from several threads; not from a forked process.

    Raises:
        KeyringError: the module or the token is not there, the PIN is wrong, or the device cannot do what is needed.
        SetupError: python-pkcs11 is not installed.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self._refused: KeyringError | None = None
        self._key = (str(device.module), device.token, device.serial)
        self.ask(lambda session: None)

    def ask(self, act: Callable[[Session], T]) -> T:
        """What `act` returns with a session; called again where that may help, so it must bear that.

        Raises:
            KeyringError: the device did not do it.
        """
        for pause in (*_PAUSES, None):
            try:
                return self._ask(act)
            except _Passing as error:
                if pause is None:
                    raise error.told from None
            time.sleep(pause)  # not under the lock: others may have their session
        raise AssertionError("the last attempt returns or raises")

    def _ask(self, act: Callable[[Session], T]) -> T:
        pkcs11 = _library()
        with _LOCK:
            _check_process()
            try:
                session = self._session()
                # A lost session is noticed here, by a request that leaves nothing behind: python-pkcs11 does not
                # get rid of a search that could not be begun without complaining.
                session.generate_random(8)
                return act(session)
            except pkcs11.PKCS11Error as error:
                name, told = type(error).__name__, self._told(error)
                if name in _LOST:
                    self._drop()
                elif name not in _PASSING:
                    raise told from None
            except _Passing as error:
                told = error.told
            self._renew()
        raise _Passing(told)

    def _session(self) -> Session:
        if self._key not in _SESSIONS:
            if self._refused is not None:
                raise self._refused
            _SESSIONS[self._key] = self._log_in()
        return _SESSIONS[self._key]

    def _log_in(self) -> Session:
        pkcs11, token = _library(), self._find()
        try:
            return token.open(rw=True, user_pin=self.device.pin())
        except pkcs11.UserAlreadyLoggedIn:
            # By this process: it lost a session and not the log-in, or gives the token's serial number elsewhere.
            return token.open(rw=True)
        except pkcs11.PKCS11Error as error:
            if type(error).__name__ in _REFUSED:
                self._refused = self._told(error)
                raise self._refused from None
            raise

    def _find(self) -> Found:
        """The token itself, able to do what is needed.

        Raises:
            KeyringError: the module is missing or none, no such token is there, or several, or it cannot do enough.
        """
        pkcs11, device = _library(), self.device
        if not device.module.is_file():
            raise KeyringError(
                f"there is no PKCS#11 module {device.module}",
                help="install the device's software, or correct `module-path`",
            )
        try:
            module = pkcs11.lib(str(device.module))
        except pkcs11.PKCS11Error as error:
            why = f" ({type(error).__name__})" if type(error) is not pkcs11.PKCS11Error else ""
            raise KeyringError(
                f"{device.module} cannot be used as a PKCS#11 module{why}",
                help="name the library of the device, and check that its own configuration can be read",
            ) from None
        serial = device.serial.encode() if device.serial is not None else None
        try:
            token: Found = module.get_token(token_label=device.token, token_serial=serial)
        except pkcs11.MultipleTokensReturned:
            raise KeyringError(
                f"{device.module} has several tokens `{device.token}`", help="say which: pkcs11:token=…;serial=…"
            ) from None
        except pkcs11.NoSuchToken:
            there = ", ".join(f"`{each.label}` (serial {each.serial.decode()})" for each in module.get_tokens())
            told = KeyringError(
                f"there is no token `{device.token}`" + (f" with serial {device.serial}" if serial else ""),
                help=f"connect it, or correct the URI; {device.module} has {there or 'none'}",
            )
            raise _Passing(told) from None
        kinds = pkcs11.Mechanism
        needed = {kinds.AES_KEY_GEN, kinds.AES_GCM, kinds.GENERIC_SECRET_KEY_GEN, kinds.SHA256_HMAC}
        if lacking := needed - set(token.slot.get_mechanisms()):
            raise KeyringError(
                f"the token `{device.token}` cannot do {', '.join(sorted(kind.name for kind in lacking))}",
                help="take a device that can, or allow it in the device's configuration",
            )
        return token

    def _drop(self) -> None:
        pkcs11 = _library()
        session = _SESSIONS.pop(self._key, None)
        if session is not None:
            with suppress(pkcs11.PKCS11Error):  # it was lost, which is why it is dropped
                session.close()

    def _renew(self) -> None:
        """Have the module look for its tokens anew, which many do at their beginning only; unless it is in use."""
        pkcs11, path = _library(), str(self.device.module)
        if not any(module == path for module, _, _ in _SESSIONS):
            with suppress(pkcs11.PKCS11Error):
                pkcs11.lib(path).reinitialize()

    def _told(self, error: PKCS11Error) -> KeyringError:
        name = type(error).__name__
        what, help = _MEANING.get(name, (f"failed: {name}", "look into the device's own log; nothing was lost here"))
        return KeyringError(f"the token `{self.device.token}` {what}", help=help)

    def __repr__(self) -> str:
        return f"<token {self.device.token}>"


class _Passing(Exception):
    """What is `told`, unless another attempt succeeds."""

    def __init__(self, told: KeyringError) -> None:
        super().__init__(str(told))
        self.told = told


def _library() -> Any:
    try:
        import pkcs11
    except ImportError:
        raise SetupError("keys in a device need python-pkcs11", help="pip install 'avow[pkcs11]'") from None
    return pkcs11


def _check_process() -> None:
    """A forked process has its parent's sessions in memory, and no right to them (PKCS#11 2.40, section 5.4)."""
    global _PROCESS  # noqa: PLW0603  # one module of the device, one login: they are the process's
    if _PROCESS is None:
        _PROCESS = os.getpid()
    if os.getpid() != _PROCESS:
        raise KeyringError(
            "a token cannot be used by a forked process", help="open the site in the process that uses it"
        )
