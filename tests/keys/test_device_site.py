"""A whole installation whose keys are in a device: nothing of it knows the difference, and no file opens it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.errors import AvowError, KeyringError
from avow.keys.hierarchy import unwrap_person
from avow.keys.provider import SecretName
from avow.site.safekeeping import backup, copy_kept, restore
from avow.testing.clock import FrozenClock
from avow.vault import shredding
from tests.vault.post import post

from .softhsm import PIN, SoftHSM

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(1_795_000_000.0)


class Post:
    """The village post, with its keys in a token."""

    def __init__(self, data: Path, softhsm: SoftHSM, clock: FrozenClock) -> None:
        self.site: Any = post()
        self.data = data
        self.clock = clock
        self.open(softhsm.device().uri)

    def open(self, device: str | None = None) -> None:
        self.site.open(self.data, background=False, clock=self.clock, device=device)

    def reopen(self) -> None:
        self.site.close()
        self.open()

    @property
    def vault(self) -> Any:
        return self.site.opened.vault

    def settle(self, *names: str) -> list[str]:
        with self.site.acting("desk", "mailing", place="counter") as work:
            people = [work.person() for _ in names]
            for person, name in zip(people, names, strict=True):
                work.collect(self.site.Neighbour, person=person, name=name, email=f"{name.lower()}@example.org")
            return [person.id for person in people]

    def erase(self, identity: str) -> None:
        with self.site.acting("desk", "mailing") as work:
            work.erase(work.db.get(self.site.person_class, identity))

    def names(self) -> list[str]:
        with self.site.acting("desk", "mailing") as work:
            return sorted(neighbour.name.open() for neighbour in work.select(self.site.Neighbour))

    def found(self, email: str) -> int:
        with self.site.acting("desk", "mailing") as work:
            return len(work.select(self.site.Neighbour, self.site.Neighbour.email == email))


@pytest.fixture
def office(tmp_path: Path, softhsm: SoftHSM, clock: FrozenClock) -> Iterator[Post]:
    office = Post(tmp_path / "data", softhsm, clock)
    yield office
    office.site.close()


def test_what_was_collected_opens_after_another_start(office: Post, softhsm: SoftHSM) -> None:
    office.settle("Ann", "Bob")
    assert office.vault.keyring.status().provider == "pkcs11"
    office.site.close()
    softhsm.restart()
    office.open()  # the keyring remembers the device
    assert office.names() == ["Ann", "Bob"]
    assert (office.found("ann@example.org"), office.found("eve@example.org")) == (1, 0)


def test_people_are_erased_and_shredded_and_the_living_open(office: Post, softhsm: SoftHSM) -> None:
    ann, _, _ = office.settle("Ann", "Bob", "Cid")
    person = office.site.home.schema.person
    with office.vault.store.reading() as connection:
        epoch, wrapped = connection.execute(
            person.select().with_only_columns(person.c.epoch, person.c.wrapped).where(person.c.id == ann)
        ).one()
    office.erase(ann)
    assert unwrap_person(office.vault.keyring, office.vault.tenant, ann, epoch, wrapped)  # a copy of it would still do
    office.clock.advance(shredding.SHRED_AFTER * 3600)
    office.site.opened.background.round()  # as the service does by itself
    assert office.vault.keyring.status().epochs == (2,)
    with pytest.raises(KeyringError, match="key epoch 1 is not in the token `avow`"):
        unwrap_person(office.vault.keyring, office.vault.tenant, ann, epoch, wrapped)
    office.site.close()
    softhsm.restart()
    office.open()
    assert office.names() == ["Bob", "Cid"]


def test_a_backup_opens_with_the_files_and_the_token_and_not_without(
    office: Post, softhsm: SoftHSM, tmp_path: Path
) -> None:
    ann, _ = office.settle("Ann", "Bob")
    office.site.close()
    backup(office.site, office.data, None, tmp_path / "backup", None, lambda done, total: None)
    office.open()
    office.erase(ann)
    shredding.shred(office.vault)
    copy_kept(office.data, tmp_path / "safe")
    office.site.opened.sequencer.run()
    office.site.close()
    # The machine is lost; the backup, the copy of the files and the token are left.
    pointer = (tmp_path / "safe" / "keyring").read_text()
    (tmp_path / "safe" / "keyring").write_text(pointer.replace("token=avow", "token=other"))
    softhsm.device("other")
    with pytest.raises(KeyringError, match="the token `other` holds no keys of an installation"):
        restore(office.site, tmp_path / "safe", None, tmp_path / "backup", lambda done, total: None)
    (tmp_path / "safe" / "keyring").write_text(pointer)
    softhsm.restart()
    restore(office.site, tmp_path / "safe", None, tmp_path / "backup", lambda done, total: None)
    office.data = tmp_path / "safe"
    office.open()
    assert office.names() == ["Bob"]


def test_no_file_holds_a_secret_or_the_pin(office: Post, softhsm: SoftHSM) -> None:
    office.settle("Ann")
    shredding.shred(office.vault)
    names: tuple[SecretName, ...] = ("blind", "link", "csrf", "cookie", "tombstone", "log")
    secrets = [office.vault.keyring.secret(name) for name in names]
    office.site.opened.sequencer.run()
    held = b"\0".join(path.read_bytes() for path in office.data.rglob("*") if path.is_file())
    assert str(office.vault.tenant).encode() in held  # the search would find them
    for where in (held, softhsm.files):
        assert not [secret for secret in secrets if secret in where or secret.hex().encode() in where]
    assert PIN.encode() not in held


def test_a_device_that_is_gone_is_told_at_the_start(office: Post, softhsm: SoftHSM) -> None:
    office.settle("Ann")
    office.site.close()
    tokens = softhsm.folder / "tokens"
    tokens.rename(softhsm.folder / "unplugged")
    tokens.mkdir()
    softhsm.restart()
    with pytest.raises(AvowError, match="there is no token `avow`\n  help: connect it"):
        office.open()
    tokens.rmdir()
    (softhsm.folder / "unplugged").rename(tokens)
    softhsm.restart()
    office.open()
    assert office.names() == ["Ann"]


def test_a_device_that_goes_away_is_told_and_comes_back_without_a_start(office: Post, softhsm: SoftHSM) -> None:
    office.settle("Ann")
    tokens = softhsm.folder / "tokens"
    tokens.rename(softhsm.folder / "unplugged")
    tokens.mkdir()
    softhsm.restart()
    assert office.names() == ["Ann"]  # whose key is in memory
    for _ in range(2):
        with pytest.raises(KeyringError, match="there is no token `avow`"):
            office.settle("Bob")
    tokens.rmdir()
    (softhsm.folder / "unplugged").rename(tokens)
    office.settle("Bob")
    assert office.names() == ["Ann", "Bob"]


SITE = """
from tests.vault.post import post
site = post()
"""


def avow(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "avow", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_commands_find_the_device_by_themselves(office: Post, tmp_path: Path) -> None:
    office.settle("Ann")
    office.site.opened.sequencer.run()
    office.site.close()
    folder, data = tmp_path / "village", ("--data", office.data)
    folder.mkdir()
    (folder / "app.py").write_text(SITE)
    status = avow("keys", "status", folder, *data)
    assert status.stdout.splitlines() == [
        "pkcs11 keyring token avow",
        "  epoch 1: 1 people  (the newest: it wraps)",
    ], status.stderr
    assert "wrapped under epoch 2" in avow("keys", "rotate", folder, *data).stdout
    gone = avow("keys", "destroy-epoch", folder, "1", *data)
    assert gone.stdout.startswith("destroyed: 1\nCopies of the token"), gone.stderr
    made = avow("backup", folder, tmp_path / "backup", "--safe", tmp_path / "safe", *data)
    assert "The keys themselves are in the token `avow`, and in no file" in made.stdout, made.stderr
    device = "pkcs11:token=theirs?module-path=/usr/lib/hsm.so"
    served = avow("serve", folder, "--port", "0", *data, "--device", device)
    assert (served.returncode, "names another device" in served.stderr) == (1, True), served.stderr
    office.open()
    assert office.names() == ["Ann"]
