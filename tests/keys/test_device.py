"""The URI of a device, and the keyring file that names one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from avow.errors import KeyringError, SetupError
from avow.keys.device import Device, Pointer, read_pointer, write_pointer

TENANT = "7e" * 16
URI = "pkcs11:token=shop?module-path=/usr/lib/hsm.so"


@pytest.mark.parametrize(
    ("uri", "device"),
    [
        (URI, Device("shop", Path("/usr/lib/hsm.so"))),
        (URI + "&pin-source=file:/run/pin", Device("shop", Path("/usr/lib/hsm.so"), pin_file=Path("/run/pin"))),
        (
            "pkcs11:serial=0a;token=My%20shop%3F?pin-source=file:/run/a%26b&module-path=/lib/x.so",
            Device("My shop?", Path("/lib/x.so"), "0a", Path("/run/a&b")),
        ),
    ],
)
def test_a_uri_is_read_and_written(uri: str, device: Device) -> None:
    assert Device.parse(uri) == device
    assert Device.parse(device.uri) == device


@pytest.mark.parametrize("uri", [URI + "&pin-source=/run/pin", URI + "&pin-source=file:///run/pin"])
def test_other_spellings_of_the_pins_file_mean_the_same(uri: str) -> None:
    assert Device.parse(uri).uri == URI + "&pin-source=file:/run/pin"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("", "named by a PKCS#11 URI"),
        ("pkcs11", "named by a PKCS#11 URI"),
        ("softhsm:token=a", "named by a PKCS#11 URI"),
        ("pkcs11:", "has no `token`"),
        ("pkcs11:token=shop", "has no `module-path`"),
        ("pkcs11:?module-path=/usr/lib/hsm.so", "has no `token`"),
        ("pkcs11:tokn=shop?module-path=/x", "says `tokn`, which is not used here\n  help: in that part: token, serial"),
        (URI + "&token=b", "says `token`, which is not used here\n  help: in that part: module-path, pin-source"),
        ("pkcs11:token=a;token=b?module-path=/x", "one value for `token`"),
        ("pkcs11:token=?module-path=/x", "one value for `token`"),
        ("pkcs11:token=a%0Ab?module-path=/x", "one value for `token`"),
        ("pkcs11:token=a?module-path=x.so", "`module-path` of the device's URI is not a whole path: x.so"),
        (URI + "&pin-source=file:pin", "`pin-source` of the device's URI is not a whole path"),
        (URI + "&pin-source=%7Ccat%20/run/pin", "from a file only"),
        (URI + "&pin-source=https://pins.example/1", "from a file only"),
        (URI + "&pin-value=Canary1234", "a PIN does not belong into"),
        ("pkcs11:token=a;pin-value=Canary1234", "a PIN does not belong into"),
    ],
)  # fmt: skip
def test_what_is_no_device_is_told(uri: str, words: str) -> None:
    with pytest.raises(SetupError) as caught:
        Device.parse(uri)
    assert words in str(caught.value)
    assert "Canary" not in str(caught.value)


def test_a_pointer_is_read_as_it_was_written(path: Path) -> None:
    pointer = Pointer(TENANT, Device.parse(URI))
    write_pointer(path, pointer)
    assert path.read_text() == f"avow-device 1\ntenant {TENANT}\ndevice {URI}\n"
    assert read_pointer(path) == pointer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("avow-device 1\n", "cut off or damaged"),
        (f"avow-device 1\ntenant {TENANT}\ndevice {URI}", "cut off or damaged"),
        (f"avow-device 1\ntenant {TENANT[1:]}\ndevice {URI}\n", "cut off or damaged"),
        (f"avow-device 1\ntenant {TENANT}\ndevice pkcs11:token=a\n", "does not name its device: .*no `module-path`"),
    ],
)
def test_a_damaged_pointer_is_refused(path: Path, text: str, words: str) -> None:
    path.write_text(text)
    with pytest.raises(KeyringError, match=words):
        read_pointer(path)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_pointer_that_others_may_write_is_refused(path: Path, mode: int) -> None:
    """Whoever writes it says what library the service loads."""
    write_pointer(path, Pointer(TENANT, Device.parse(URI)))
    path.chmod(mode)
    with pytest.raises(KeyringError, match="can be written by others"):
        read_pointer(path)


def test_what_is_no_pointer_is_left_to_the_file_keyring(path: Path) -> None:
    assert read_pointer(path) is None
    path.write_text("avow-keyring 1\n")
    assert read_pointer(path) is None
    path.unlink()
    os.mkfifo(path)
    assert read_pointer(path) is None
    path.unlink()
    path.mkdir()
    assert read_pointer(path) is None
