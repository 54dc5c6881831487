"""Where an installation's keys are is said once, when they are made."""

from __future__ import annotations

from pathlib import Path

import pytest

from avow.errors import KeyringError, SetupError
from avow.keys.installed import create_keys, open_keys

from .softhsm import SoftHSM


def test_without_a_device_they_are_in_the_file(path: Path) -> None:
    made = create_keys(path)
    assert made.status().provider == open_keys(path).status().provider == "file"


def test_a_device_need_not_be_repeated_and_may_be(path: Path, softhsm: SoftHSM) -> None:
    uri = softhsm.device().uri
    made = create_keys(path, uri)
    for opened in (open_keys(path), open_keys(path, uri)):
        assert (opened.tenant, opened.status()) == (made.tenant, made.status())
        assert opened.status().provider == "pkcs11"


def test_another_device_is_refused(path: Path, softhsm: SoftHSM) -> None:
    uri = softhsm.device().uri
    create_keys(path, uri)
    with pytest.raises(KeyringError, match="names another device: pkcs11:token=avow"):
        open_keys(path, uri.replace("token=avow", "token=other"))


def test_keys_in_a_file_are_not_looked_for_in_a_device(path: Path, softhsm: SoftHSM) -> None:
    create_keys(path)
    with pytest.raises(KeyringError, match="not in a device\n  help: start it without"):
        open_keys(path, softhsm.device().uri)


def test_missing_keys_are_missing_wherever_they_should_be(path: Path, softhsm: SoftHSM) -> None:
    for device in (None, softhsm.device().uri):
        with pytest.raises(KeyringError, match="there is no keyring at"):
            open_keys(path, device)


def test_what_is_no_device_begins_nothing(path: Path) -> None:
    for act in (create_keys, open_keys):
        with pytest.raises(SetupError, match="PKCS#11 URI"):
            act(path, "softhsm")
    assert not path.exists()
