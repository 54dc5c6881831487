"""Logging in to a token: what is told when it cannot be, and how often it is tried."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from avow.errors import AvowError, KeyringError, SetupError
from avow.keys.device import Device
from avow.keys.pkcs11 import DeviceKeyring
from avow.keys.token import Token

from .softhsm import PIN, SoftHSM


def refusal(device: Device) -> str:
    with pytest.raises(AvowError) as caught:
        Token(device)
    assert PIN not in str(caught.value)
    return str(caught.value)


def test_the_pin_may_be_in_the_environment(softhsm: SoftHSM, monkeypatch: pytest.MonkeyPatch) -> None:
    device = dataclasses.replace(softhsm.device(), pin_file=None)
    monkeypatch.delenv("AVOW_PIN", raising=False)
    assert "the PIN of the token `avow` is not known: AVOW_PIN is not set" in refusal(device)
    monkeypatch.setenv("AVOW_PIN", PIN)
    Token(device)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (Path.unlink, "cannot be read from"),
        (lambda file: file.write_text("\n"), "is empty"),
        (lambda file: file.chmod(0o604), "is open to everybody"),
        (lambda file: file.write_bytes(b"\xff\xfe"), "it is not text"),
        (lambda file: file.write_text("12345678"), "refuses the PIN\n  help: correct it before the next start"),
        (lambda file: file.write_text("1"), "refuses the PIN"),
    ],
    ids=["missing", "empty", "open", "binary", "wrong", "short"],
)  # fmt: skip
def test_a_pin_that_is_of_no_use_is_told(softhsm: SoftHSM, harm: object, words: str) -> None:
    device = softhsm.device()
    harm(softhsm.pin_file)  # type: ignore[operator]
    assert words in refusal(device)


def test_a_pin_that_was_refused_is_not_tried_again(softhsm: SoftHSM) -> None:
    """Devices count attempts: a service that goes on trying locks its own keys away."""
    token = Token(softhsm.device())
    softhsm.restart()
    softhsm.pin_file.write_text("wrong PIN")
    for _ in range(3):
        with pytest.raises(KeyringError, match="refuses the PIN"):
            token.ask(lambda session: None)
        softhsm.pin_file.write_text(PIN)  # would be right now, and is not tried
    Token(token.device).ask(lambda session: None)  # as after a start


def test_a_lost_session_is_opened_again(path: Path, softhsm: SoftHSM) -> None:
    provider = DeviceKeyring.create(path, softhsm.device())
    row = provider.wrap(bytes(32), b"")
    provider._token.ask(lambda session: session.close())
    assert provider.unwrap(*row, b"") == bytes(32)


def test_what_is_not_there_is_named(softhsm: SoftHSM, tmp_path: Path) -> None:
    device = softhsm.device()
    told = refusal(dataclasses.replace(device, token="avw"))
    assert "there is no token `avw`" in told
    assert "has `avow` (serial " in told
    assert "with serial 00" in refusal(dataclasses.replace(device, serial="00"))
    assert "there is no PKCS#11 module /nowhere.so" in refusal(dataclasses.replace(device, module=Path("/nowhere.so")))
    (tmp_path / "module.so").write_text("no library")
    told = refusal(dataclasses.replace(device, module=tmp_path / "module.so"))
    assert "module.so cannot be used as a PKCS#11 module" in told


def test_of_two_tokens_with_one_label_the_serial_number_says_which(softhsm: SoftHSM) -> None:
    device = softhsm.device()
    serial = Token(device).ask(lambda session: session.token.serial.decode())
    softhsm.device()
    assert "has several tokens `avow`\n  help: say which" in refusal(device)
    Token(dataclasses.replace(device, serial=serial))


def test_a_forked_process_is_refused(softhsm: SoftHSM) -> None:
    token = Token(softhsm.device())
    child = os.fork()
    if child == 0:
        try:
            token.ask(lambda session: None)
        except KeyringError as error:
            os._exit(42 if "forked process" in str(error) else 43)
        os._exit(44)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    token.ask(lambda session: None)


def test_nothing_of_it_is_loaded_unless_it_is_used(tmp_path: Path) -> None:
    words = """if True:
        import sys
        from pathlib import Path
        import avow.site, avow.cli.main
        from avow.keys.installed import create_keys, open_keys
        create_keys(Path(sys.argv[1]))
        open_keys(Path(sys.argv[1])).create_epoch()
        print([name for name in sys.modules if "pkcs11" in name])
    """
    done = subprocess.run(
        [sys.executable, "-c", words, str(tmp_path / "keyring")], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"


def test_the_missing_package_is_named(softhsm: SoftHSM, monkeypatch: pytest.MonkeyPatch) -> None:
    device = softhsm.device()
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pkcs11", None)  # what an import finds where it is not installed
        with pytest.raises(SetupError, match=r"need python-pkcs11\n  help: pip install 'avow\[pkcs11\]'"):
            Token(device)
