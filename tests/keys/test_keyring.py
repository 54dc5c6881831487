"""The file keyring: conformance, what it refuses to open, and what a dying process leaves."""

from __future__ import annotations

import hmac
import os
import signal
import stat
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from avow.errors import KeyringError
from avow.keys.hierarchy import new_person_key, wrap_person
from avow.keys.keyring import FileKeyring
from avow.keys.provider import SecretName
from tests.keys.conformance import AAD, ProviderConformance


class TestFileKeyring(ProviderConformance):
    @pytest.fixture
    def provider(self, path: Path) -> FileKeyring:
        return FileKeyring.create(path)


class TestTwoProcesses(ProviderConformance):
    """A keyring that another process created, and changes meanwhile, is the same keyring."""

    @pytest.fixture
    def provider(self, path: Path) -> FileKeyring:
        other = FileKeyring.create(path)
        opened = FileKeyring.open(path)
        other.destroy_epoch(other.create_epoch() - 1)
        return opened


def test_secrets_are_32_bytes_and_differ_by_name_and_by_keyring(tmp_path: Path) -> None:
    rings = [FileKeyring.create(tmp_path / name) for name in ("one", "two")]
    secrets = [ring.secret(name) for ring in rings for name in get_args(SecretName)]
    assert len(set(secrets)) == len(secrets) == 2 * len(get_args(SecretName))
    assert {len(secret) for secret in secrets} == {32}


def test_create_makes_a_file_for_its_owner_alone(path: Path) -> None:
    old = os.umask(0)
    try:
        FileKeyring.create(path).create_epoch()
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["keyring"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o777])
def test_a_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    FileKeyring.create(path)
    path.chmod(mode)
    with pytest.raises(KeyringError, match=f"open to others: its mode is {mode:04o}\n  help: chmod 600"):
        FileKeyring.open(path)


def test_a_file_that_becomes_open_to_others_is_refused_while_in_use(path: Path) -> None:
    ring = FileKeyring.create(path)
    path.chmod(0o644)
    with pytest.raises(KeyringError, match="open to others"):
        ring.wrap(new_person_key(), AAD)


def test_a_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FileKeyring.create(path)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(KeyringError, match="belongs to user"):
        FileKeyring.open(path)


def test_no_cut_is_taken_for_a_keyring_and_no_cut_is_quoted(path: Path) -> None:
    FileKeyring.create(path).create_epoch()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(KeyringError) as caught:
            FileKeyring.open(path)
        assert "restore it from its backup" in str(caught.value)
        told = "".join(traceback.format_exception(caught.value))
        assert not any(line.split()[-1] in told for line in whole.decode().splitlines()[1:])


def test_no_flipped_bit_is_taken_for_a_keyring(path: Path) -> None:
    FileKeyring.create(path)
    whole = path.read_bytes()
    for position in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[position // 8] ^= 1 << position % 8
        path.write_bytes(changed)
        with pytest.raises(KeyringError):
            FileKeyring.open(path)


def test_another_file_is_called_no_keyring(path: Path) -> None:
    path.write_text('{"tenant": "0"}')
    path.chmod(0o600)
    with pytest.raises(KeyringError, match="is not a keyring of this version"):
        FileKeyring.open(path)


def test_a_keyring_of_another_installation_is_refused(tmp_path: Path) -> None:
    FileKeyring.create(tmp_path / "mine")
    other = FileKeyring.create(tmp_path / "other")
    with pytest.raises(KeyringError, match="belongs to another installation\n  help: put back"):
        FileKeyring.open(tmp_path / "mine", tenant=other.tenant)


def test_a_keyring_exchanged_while_in_use_is_refused(tmp_path: Path) -> None:
    mine = FileKeyring.create(tmp_path / "mine")
    FileKeyring.create(tmp_path / "other")
    (tmp_path / "other").replace(tmp_path / "mine")
    for use in (mine.status, mine.create_epoch, lambda: mine.wrap(new_person_key(), AAD)):
        with pytest.raises(KeyringError, match="another installation"):
            use()


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(KeyringError, match=f"there is no keyring at {path}\n  help: restore"):
        FileKeyring.open(path)


def test_a_keyring_that_vanishes_while_in_use_is_named(path: Path) -> None:
    ring = FileKeyring.create(path)
    path.unlink()
    with pytest.raises(KeyringError, match="there is no keyring"):
        ring.wrap(new_person_key(), AAD)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match=r"folder .* No such file or directory\n  help: mkdir"):
        FileKeyring.create(tmp_path / "none" / "keyring")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_refused_without_waiting(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    with pytest.raises(KeyringError, match="is not a file"):
        FileKeyring.open(path)


def test_a_keyring_is_never_created_over_another(path: Path) -> None:
    FileKeyring.create(path)
    before = path.read_bytes()
    with pytest.raises(KeyringError, match="a keyring already"):
        FileKeyring.create(path)
    assert path.read_bytes() == before


def test_a_link_to_nowhere_is_not_created_over(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")
    with pytest.raises(KeyringError, match="a keyring already"):
        FileKeyring.create(path)


def test_what_lies_at_the_new_name_is_replaced_and_not_followed(path: Path) -> None:
    victim = path.parent / "victim"
    victim.write_text("untouched")
    (path.parent / "keyring.new").symlink_to(victim)
    FileKeyring.create(path)
    assert victim.read_text() == "untouched"


def test_of_many_that_create_at_once_one_does(path: Path) -> None:
    start = threading.Barrier(8)

    def create(_: int) -> FileKeyring | None:
        start.wait()
        try:
            return FileKeyring.create(path)
        except KeyringError:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [ring for ring in pool.map(create, range(8)) if ring]
    assert len(made) == 1
    assert FileKeyring.open(path).tenant == made[0].tenant


def test_a_full_disk_leaves_the_keyring_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = FileKeyring.create(path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyringError, match=r"cannot be written: No space left on device\n  help: make room"):
        ring.create_epoch()
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert ring.create_epoch() == 2


STEPS = {"unlink": 1, "open": 2, "fchmod": 1, "fsync": 2, "replace": 1, "close": 1}


def _dies(act: Callable[[], object], name: str, nth: int, after: bool) -> bool:
    """Run `act` in a child that is killed before or after its nth call of `os.name`; whether it came to that."""
    child = os.fork()
    if child == 0:
        real: Callable[..., object] = getattr(os, name)
        calls = 0

        def deadly(*args: object, **kwargs: object) -> object:
            nonlocal calls
            calls += 1
            if calls == nth and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return real(*args, **kwargs)
            finally:
                if calls == nth:
                    os.kill(os.getpid(), signal.SIGKILL)

        setattr(os, name, deadly)
        try:
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("name", "nth"), [(name, n + 1) for name, count in STEPS.items() for n in range(count)])
class TestKilled:
    """Killed at any call that changes the disk, it leaves the old keyring or the new one, and can go on."""

    def test_while_creating(self, path: Path, name: str, nth: int, after: bool) -> None:
        assert _dies(lambda: FileKeyring.create(path), name, nth, after)
        ring = FileKeyring.open(path) if path.exists() else FileKeyring.create(path)
        assert ring.status().epochs == (1,)
        assert ring.create_epoch() == 2

    def test_while_creating_an_epoch(self, path: Path, name: str, nth: int, after: bool) -> None:
        ring = FileKeyring.create(path)
        key = new_person_key()
        row = ring.wrap(key, AAD)
        assert _dies(ring.create_epoch, name, nth, after)
        assert FileKeyring.open(path).status().epochs in {(1,), (1, 2)}
        assert ring.unwrap(*row, AAD) == key
        assert ring.create_epoch() in {2, 3}

    def test_while_destroying_an_epoch(self, path: Path, name: str, nth: int, after: bool) -> None:
        ring = FileKeyring.create(path)
        ring.create_epoch()
        key = new_person_key()
        row = ring.wrap(key, AAD)
        assert _dies(lambda: ring.destroy_epoch(1), name, nth, after)
        assert FileKeyring.open(path).status().epochs in {(2,), (1, 2)}
        ring.destroy_epoch(1)
        assert ring.status().epochs == (2,)
        assert ring.unwrap(*row, AAD) == key
        assert [file.name for file in path.parent.iterdir()] == ["keyring"]


def test_the_folder_is_durable_before_create_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is what a power cut tests: file fsynced, renamed, folder fsynced."""
    order: list[str] = []
    fsync, replace = os.fsync, os.replace

    def seen_fsync(descriptor: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def seen_replace(*args: Any) -> None:
        order.append("rename")
        replace(*args)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(os, "replace", seen_replace)
    FileKeyring.create(path)
    assert order == ["file", "rename", "folder"]


def test_a_wrapped_key_and_the_file_are_as_documented(path: Path) -> None:
    """Taken apart here by hand, from docs/formats.md: what is wrapped today must unwrap for ever."""
    ring = FileKeyring.create(path)
    ring.create_epoch()
    key = new_person_key()
    epoch, wrapped = wrap_person(ring, ring.tenant, "ann", key)
    lines = path.read_text().splitlines()
    assert [line.rpartition(" ")[0] for line in lines] == [
        "avow-keyring",
        "tenant",
        "root",
        "epoch 1",
        "epoch 2",
        "check",
    ]
    assert (epoch, lines[0], lines[1]) == (2, "avow-keyring 1", f"tenant {ring.tenant}")
    aad = b"\x01" + bytes(7) + b"\x02" + b"\0\x20" + ring.tenant.encode() + b"\0\x03ann"
    cipher = AESGCM(bytes.fromhex(lines[4].split()[-1]))
    assert (wrapped[:1], len(wrapped)) == (b"\x01", 61)
    assert cipher.decrypt(wrapped[1:13], wrapped[13:], aad) == key
    root = bytes.fromhex(lines[2].split()[-1])
    assert ring.secret("blind") == hmac.digest(root, b"avow secret\0blind\x01", "sha256")
