"""Keys in a device: conformance, and that nothing is known outside of what the device holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, MechanismFlag, ObjectClass

from avow.errors import KeyringError
from avow.keys import pkcs11 as provider_module
from avow.keys.device import read_pointer
from avow.keys.hierarchy import new_person_key, wrap_person
from avow.keys.keyring import FileKeyring
from avow.keys.pkcs11 import DeviceKeyring

from .conformance import AAD, ProviderConformance
from .softhsm import PIN, SoftHSM, elsewhere


@pytest.fixture
def provider(path: Path, softhsm: SoftHSM) -> DeviceKeyring:
    return DeviceKeyring.create(path, softhsm.device())


class TestDeviceKeyring(ProviderConformance):
    @pytest.fixture
    def provider(self, path: Path, softhsm: SoftHSM) -> DeviceKeyring:
        return DeviceKeyring.create(path, softhsm.device())


class TestAmongOthers(ProviderConformance):
    """A token that another installation uses too, and keys that have been through some epochs elsewhere."""

    @pytest.fixture
    def provider(self, path: Path, tmp_path: Path, softhsm: SoftHSM) -> DeviceKeyring:
        device = softhsm.device()
        (tmp_path / "other").mkdir()
        DeviceKeyring.create(tmp_path / "other" / "keyring", device).create_epoch()
        DeviceKeyring.create(path, device)
        for act, *numbers in (("create_epoch",), ("destroy_epoch", 1)):
            assert elsewhere(path, str(act), *numbers) == ""
        return DeviceKeyring.open(path)


def keys_of(session: Any, provider: DeviceKeyring) -> dict[str, Any]:
    wanted = {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.ID: bytes.fromhex(provider.tenant)}
    return {key.label: key for key in session.get_objects(wanted)}


def test_no_key_can_be_exported_by_whoever_knows_the_pin(provider: DeviceKeyring, softhsm: SoftHSM) -> None:
    provider.create_epoch()
    session = softhsm.session()
    keys = keys_of(session, provider)
    assert sorted(keys) == [f"avow {provider.tenant} {name}" for name in ("epoch 1", "epoch 2", "root")]
    wrapping: Any = session.generate_key(KeyType.AES, 256, capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP)
    plain = session.generate_key(KeyType.AES, 256, template={Attribute.EXTRACTABLE: True, Attribute.SENSITIVE: False})
    assert len(plain[Attribute.VALUE]) == 32  # so that what follows can fail
    assert wrapping.wrap_key(plain, mechanism=Mechanism.AES_KEY_WRAP)
    for key in keys.values():
        with pytest.raises(pkcs11.AttributeSensitive):
            key[Attribute.VALUE]
        with pytest.raises(pkcs11.KeyUnextractable):
            wrapping.wrap_key(key, mechanism=Mechanism.AES_KEY_WRAP)
        with pytest.raises(pkcs11.PKCS11Error):
            key[Attribute.EXTRACTABLE] = True
        with pytest.raises(pkcs11.PKCS11Error):
            key[Attribute.LABEL] = "avow, another"
        with pytest.raises(pkcs11.PKCS11Error):
            key.copy({Attribute.EXTRACTABLE: True, Attribute.SENSITIVE: False})
        assert not key[Attribute.EXTRACTABLE]


def test_the_root_does_nothing_but_hash_and_an_epoch_nothing_but_seal(
    provider: DeviceKeyring, softhsm: SoftHSM
) -> None:
    for label, key in keys_of(softhsm.session(), provider).items():
        root = label.endswith("root")
        uses = {use: key[use] for use in (Attribute.SIGN, Attribute.ENCRYPT, Attribute.DECRYPT)}
        assert uses == {Attribute.SIGN: root, Attribute.ENCRYPT: not root, Attribute.DECRYPT: not root}
        assert not any(key[use] for use in (Attribute.WRAP, Attribute.UNWRAP, Attribute.DERIVE, Attribute.VERIFY))


def test_the_keyring_file_says_whose_keys_and_where_and_holds_none(provider: DeviceKeyring, softhsm: SoftHSM) -> None:
    uri = f"pkcs11:token=avow?module-path={provider._token.device.module}&pin-source=file:{softhsm.pin_file}"
    assert provider.path.read_text() == f"avow-device 1\ntenant {provider.tenant}\ndevice {uri}\n"
    assert provider.path.stat().st_mode & 0o777 == 0o600
    assert PIN not in uri + repr(provider) + repr(provider.status())
    assert provider.status().location == "token avow"


def test_a_wrapped_key_and_a_secret_are_as_documented(provider: DeviceKeyring, softhsm: SoftHSM) -> None:
    """Taken apart here by hand, from docs/formats.md, with the device's own key: it must unwrap for ever."""
    provider.create_epoch()
    person = new_person_key()
    epoch, wrapped = wrap_person(provider, provider.tenant, "ann", person)
    keys = keys_of(softhsm.session(), provider)
    aad = b"\x02" + bytes(7) + b"\x02" + b"\0\x20" + provider.tenant.encode() + b"\0\x03ann"
    assert (epoch, wrapped[:1], len(wrapped)) == (2, b"\x02", 61)
    kek = keys[f"avow {provider.tenant} epoch 2"]
    opened = kek.decrypt(wrapped[13:], mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(wrapped[1:13], aad))
    assert opened == person
    root = keys[f"avow {provider.tenant} root"]
    assert provider.secret("blind") == root.sign(b"avow secret\0blind\x01", mechanism=Mechanism.SHA256_HMAC)


def test_a_destroyed_epoch_is_not_in_the_token_any_more(provider: DeviceKeyring, softhsm: SoftHSM) -> None:
    count = len(list(softhsm.folder.rglob("*.object")))
    provider.create_epoch()
    assert len(list(softhsm.folder.rglob("*.object"))) == count + 1
    provider.destroy_epoch(1)
    assert len(list(softhsm.folder.rglob("*.object"))) == count
    assert f"avow {provider.tenant} epoch 1" not in keys_of(softhsm.session(), provider)


def test_what_a_file_keyring_wrapped_is_not_taken(provider: DeviceKeyring, tmp_path: Path) -> None:
    epoch, wrapped = FileKeyring.create(tmp_path / "file").wrap(new_person_key(), AAD)
    with pytest.raises(KeyringError, match="not one of this format"):
        provider.unwrap(epoch, wrapped, AAD)


def test_a_key_that_was_brought_in_is_not_used_under_the_right_label(provider: DeviceKeyring, softhsm: SoftHSM) -> None:
    """Whoever knows the PIN could otherwise make everybody's key wrapped under a key that they hold."""
    softhsm.session().create_object({
        Attribute.CLASS: ObjectClass.SECRET_KEY,
        Attribute.KEY_TYPE: KeyType.AES,
        Attribute.ID: bytes.fromhex(provider.tenant),
        Attribute.LABEL: f"avow {provider.tenant} epoch 2",
        Attribute.TOKEN: True,
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.ENCRYPT: True,
        Attribute.DECRYPT: True,
        Attribute.VALUE: os.urandom(32),
    })  # fmt: skip
    for use in (provider.status, lambda: provider.wrap(new_person_key(), AAD), provider.create_epoch):
        with pytest.raises(KeyringError, match="epoch 2` can be given out by the token, or was brought into it"):
            use()


def test_two_keys_of_one_label_are_told(provider: DeviceKeyring, softhsm: SoftHSM) -> None:
    def make(label: str) -> None:
        kept = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
        tenant = bytes.fromhex(provider.tenant)
        softhsm.session().generate_key(KeyType.AES, 256, id=tenant, label=label, store=True, template=kept)

    make("the key of somebody else")  # is not minded, nor is
    make(f"avow {'0' * 32} epoch 9")
    assert provider.status().epochs == (1,)
    make(f"avow {provider.tenant} epoch 1")
    with pytest.raises(KeyringError, match=r"has two keys `avow .* epoch 1`\n  help: one machine only"):
        provider.status()


def test_a_process_that_died_while_creating_is_begun_after_anew(
    path: Path, softhsm: SoftHSM, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = softhsm.device()
    with monkeypatch.context() as dying:
        dying.setattr(provider_module, "write_pointer", lambda path, pointer: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            DeviceKeyring.create(path, device)
    assert not path.exists()
    provider = DeviceKeyring.create(path, device)
    assert provider.status().epochs == (1,)


def test_a_keyring_is_never_created_over_another(path: Path, softhsm: SoftHSM) -> None:
    device = softhsm.device()
    FileKeyring.create(path)
    before = path.read_bytes(), softhsm.files
    with pytest.raises(KeyringError, match="a keyring already"):
        DeviceKeyring.create(path, device)
    assert (path.read_bytes(), softhsm.files) == before


def test_a_token_of_another_installation_is_told(provider: DeviceKeyring, tmp_path: Path, softhsm: SoftHSM) -> None:
    (tmp_path / "other").mkdir()
    DeviceKeyring.create(tmp_path / "other" / "keyring", softhsm.device("theirs"))
    softhsm.device("empty")
    pointer = read_pointer(provider.path)
    assert pointer is not None
    for label, words in (("theirs", "belongs to another installation"), ("empty", "holds no keys of an installation")):
        provider.path.write_text(provider.path.read_text().replace("token=avow", f"token={label}"))
        with pytest.raises(KeyringError, match=f"`{label}` {words}\n  help: connect the one"):
            DeviceKeyring.open(provider.path)
        provider.path.write_text(f"avow-device 1\ntenant {provider.tenant}\ndevice {pointer.device.uri}\n")
    assert DeviceKeyring.open(provider.path).status() == provider.status()


@pytest.mark.parametrize("lost", ["root", "epoch 1"])
def test_a_token_that_has_lost_a_key_is_told(provider: DeviceKeyring, softhsm: SoftHSM, lost: str) -> None:
    keys_of(softhsm.session(), provider)[f"avow {provider.tenant} {lost}"].destroy()
    with pytest.raises(KeyringError, match=r"has lost keys of this installation\n  help: .*restore it"):
        provider.wrap(new_person_key(), AAD)


def test_a_device_that_fails_is_not_taken_for_a_damaged_row(
    provider: DeviceKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both may be called CKR_GENERAL_ERROR; a row is restored from a backup, a device is not."""
    row = provider.wrap(new_person_key(), AAD)

    def broken(*_: object) -> bytes:
        raise pkcs11.GeneralError

    monkeypatch.setattr(provider_module, "_opened", broken)
    with pytest.raises(KeyringError, match="the token `avow` failed: GeneralError"):
        provider.unwrap(*row, AAD)
    monkeypatch.undo()
