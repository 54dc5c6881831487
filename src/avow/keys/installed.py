"""The keys of an installation: its `keyring` holds them, or names the device that does."""

from __future__ import annotations

from pathlib import Path

from avow.errors import KeyringError
from avow.keys.device import Device, read_pointer
from avow.keys.keyring import FileKeyring
from avow.keys.provider import KeyProvider


def create_keys(path: Path, device: str | None = None) -> KeyProvider:
    """Make the keys of a new installation: in the file `path`, or in the device that a PKCS#11 URI names.

    Raises:
        SetupError: `device` is no such URI.
        KeyringError: there are keys already, or they cannot be made.
    """
    if device is None:
        return FileKeyring.create(path)
    from avow.keys.pkcs11 import DeviceKeyring

    return DeviceKeyring.create(path, Device.parse(device))


def open_keys(path: Path, device: str | None = None) -> KeyProvider:
    """Open the keys that the file `path` holds or speaks of.

    `device` need not be repeated, but may not be another: where the keys are is said in one place.

    Raises:
        SetupError: `device` is no PKCS#11 URI.
        KeyringError: the keys are missing, damaged, somewhere else, or cannot be reached.
    """
    asked = Device.parse(device) if device is not None else None
    pointer = read_pointer(path)
    if pointer is None and (asked is None or not path.exists()):
        return FileKeyring.open(path)
    if pointer is None:
        raise KeyringError(
            f"the keys of this installation are in {path}, not in a device",
            help="start it without the device: keys that have lain in a file are not brought into one; "
            "an installation with keys in a device begins with an empty data folder",
        )
    if asked not in (None, pointer.device):
        raise KeyringError(
            f"the keyring {path} names another device: {pointer.device.uri}",
            help="start without naming a device; if it is reached in another way now, change the file's last line",
        )
    from avow.keys.pkcs11 import DeviceKeyring

    return DeviceKeyring.open(path)
