"""Which device holds the keys of an installation, and how it is reached: a PKCS#11 URI (RFC 7512).

    pkcs11:token=shop;serial=cb668aee79f928a9?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/shop.pin

`token` and `module-path` must be there. Without a `pin-source` the PIN is in the environment, as AVOW_PIN. It is never
in the URI: command lines are seen by everybody on the machine.

The `keyring` of such an installation holds no key, and says whose keys to look for and where. Its last line may be
edited when the device is reached in another way:

    avow-device 1
    tenant 32 hex digits
    device pkcs11:…
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self
from urllib.parse import quote, unquote

from avow.errors import KeyringError, SetupError
from avow.store.files import replace_durably

#: The environment variable that holds the PIN where no file does.
PIN_VARIABLE: Final = "AVOW_PIN"

#: What the `keyring` of an installation begins with whose keys are in a device.
HEAD: Final = b"avow-device 1\n"

_EXAMPLE: Final = "pkcs11:token=NAME?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin"
_FILE: Final = re.compile(rb"avow-device 1\ntenant ([0-9a-f]{32})\ndevice ([^\n]{1,4000})\n")
_LARGEST: Final = 1 << 13
_SAFE: Final = "/:-._~"  # besides letters and digits, what RFC 7512 lets stand in both parts


@dataclass(frozen=True, slots=True)
class Device:
    """A token of a PKCS#11 device.

    Attributes:
        token: its label.
        module: the device's library.
        serial: its serial number, where several tokens have one label.
        pin_file: the file with its PIN; None: the PIN is in the environment.
    """

    token: str
    module: Path
    serial: str | None = None
    pin_file: Path | None = None

    @classmethod
    def parse(cls, uri: str) -> Self:
        """The device that a PKCS#11 URI names.

        Raises:
            SetupError: it is none, says too little, or something that is not known here. A PIN in it is not repeated.
        """
        scheme, colon, rest = uri.partition(":")
        if scheme != "pkcs11" or not colon:
            raise SetupError("a device is named by a PKCS#11 URI (RFC 7512)", help=f"for example {_EXAMPLE}")
        path, _, query = rest.partition("?")
        token = _attributes(path, ";", ("token", "serial"))
        reached = _attributes(query, "&", ("module-path", "pin-source"))
        for name, found in (("token", token), ("module-path", reached)):
            if name not in found:
                raise SetupError(f"the device's URI has no `{name}`", help=f"for example {_EXAMPLE}")
        return cls(
            token["token"],
            _absolute("module-path", reached["module-path"]),
            token.get("serial"),
            _pin_file(reached["pin-source"]) if "pin-source" in reached else None,
        )

    @property
    def uri(self) -> str:
        """The URI that names it."""
        serial = f";serial={quote(self.serial, safe=_SAFE)}" if self.serial else ""
        source = f"&pin-source=file:{quote(str(self.pin_file), safe=_SAFE)}" if self.pin_file else ""
        module = quote(str(self.module), safe=_SAFE)
        return f"pkcs11:token={quote(self.token, safe=_SAFE)}{serial}?module-path={module}{source}"

    def pin(self) -> str:
        """The PIN, read anew each time, so that it may be changed.

        Raises:
            KeyringError: it is not there, or anybody may read its file.
        """
        if self.pin_file is None:
            pin = os.environ.get(PIN_VARIABLE, "")
            if not pin:
                raise KeyringError(
                    f"the PIN of the token `{self.token}` is not known: {PIN_VARIABLE} is not set",
                    help="set it in the environment of the service, or name a file: pin-source=file:/…",
                )
            return pin
        try:
            with self.pin_file.open("rb") as file:
                others = os.fstat(file.fileno()).st_mode & stat.S_IRWXO
                pin = file.read(1024).decode().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise KeyringError(
                f"the PIN of the token `{self.token}` cannot be read from {self.pin_file}: {why}",
                help="put it there, for the user of the service to read",
            ) from None
        if others:
            raise KeyringError(
                f"the PIN of the token `{self.token}` is open to everybody: {self.pin_file}",
                help=f"chmod 600 {self.pin_file}, and change the PIN if others could log in here",
            )
        if not pin:
            raise KeyringError(f"the file of the PIN of the token `{self.token}` is empty: {self.pin_file}")
        return pin


class Pointer(NamedTuple):
    """What the `keyring` of an installation says whose keys are in a device: whose, and where."""

    tenant: str
    device: Device


def write_pointer(path: Path, pointer: Pointer) -> None:
    """Write the `keyring` file, durably.

    Raises:
        KeyringError: it cannot be written.
    """
    try:
        replace_durably(path, HEAD + f"tenant {pointer.tenant}\ndevice {pointer.device.uri}\n".encode())
    except OSError as error:
        raise KeyringError(
            f"the keyring {path} cannot be written: {error.strerror}", help="make room and check the folder's rights"
        ) from None


def read_pointer(path: Path) -> Pointer | None:
    """What the `keyring` at `path` says of a device; None where it holds the keys itself, or is not there.

    Raises:
        KeyringError: it is damaged, or others may write it: whoever does chooses what library the service loads.
    """
    try:
        # Not blocking: a named pipe put in the keyring's place must not hang the service.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_LARGEST) if stat.S_ISREG(status.st_mode) else b""
    except OSError:
        return None  # told by the file keyring, with the same words for either kind
    if not content.startswith(HEAD):
        return None
    if status.st_uid not in (os.geteuid(), 0) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise KeyringError(
            f"the keyring {path} can be written by others", help=f"as the user of the service: chmod 600 {path}"
        )
    match = _FILE.fullmatch(content)
    if match is None:
        raise KeyringError(
            f"the keyring {path} is cut off or damaged",
            help="restore it from its backup; the keys themselves are in the device",
        )
    try:
        return Pointer(match[1].decode(), Device.parse(match[2].decode(errors="replace")))
    except SetupError as error:
        raise KeyringError(f"the keyring {path} does not name its device: {error.args[0]}", help=error.help) from None


def _attributes(text: str, between: str, known: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(between) if text else ():
        name, equals, value = part.partition("=")
        if name == "pin-value":
            raise SetupError(
                "a PIN does not belong into the device's URI: it would be seen in the list of processes",
                help=f"change it now; then put it into a file, pin-source=file:/…, or into {PIN_VARIABLE}",
            )
        if name not in known:
            raise SetupError(
                f"the device's URI says `{name}`, which is not used here", help=f"in that part: {', '.join(known)}"
            )
        plain = unquote(value)
        if not equals or not plain.strip() or not plain.isprintable() or name in found:
            raise SetupError(f"the device's URI needs one value for `{name}`", help=f"for example {_EXAMPLE}")
        found[name] = plain
    return found


def _absolute(name: str, text: str) -> Path:
    path = Path(text)
    if not path.is_absolute():
        raise SetupError(f"`{name}` of the device's URI is not a whole path: {text}", help="begin it with /")
    return path


def _pin_file(text: str) -> Path:
    scheme, colon, rest = text.partition(":")
    if text.startswith("|") or (colon and scheme != "file" and not text.startswith("/")):
        raise SetupError("the PIN can be read from a file only", help="pin-source=file:/…")
    return _absolute("pin-source", rest if scheme == "file" and colon else text)
