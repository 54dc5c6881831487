"""Backup and restore: the living open again, the erased stay away, and the ledger is whole or refused."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import inspect

from avow.errors import KeyringError, LedgerError, StoreError
from avow.ledger.verify import verify
from avow.outbox.queue import standings
from avow.site.safekeeping import backup, copy_kept, restore
from avow.store.connection import Store
from avow.testing.clock import FrozenClock
from avow.vault.backup import read_manifest
from avow.vault.retention import carry_out
from avow.vault.shredding import shred

from .club import club
from .office import Office, silent
from .test_shredding import erase, keys_of, names, settle


def test_everybody_opens_after_a_restore(office: Office, tmp_path: Path) -> None:
    settle(office.site, 12)
    before = names(office.site)
    office.back_up(tmp_path / "backup")
    assert office.put_back(tmp_path / "backup").erased == 0
    assert names(office.site) == before
    count = len(office.events())
    sequencer = office.site.opened.sequencer
    assert verify(office.vault.store, office.site.home.schema, sequencer.file, sequencer.signer.key).size == count


def test_a_backup_holds_no_key_and_no_plain_text(office: Office, tmp_path: Path) -> None:
    settle(office.site, 5)
    folder = office.back_up(tmp_path / "backup")
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    for _, wrapped in keys_of(office.site).values():
        assert wrapped not in held
        assert b64encode(wrapped) not in held
        assert wrapped.hex().encode() not in held
    assert b"Example" not in held
    assert b"n0@example.org" not in held
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder,))


def test_everybody_opens_after_a_restore_from_before_the_keys_were_rotated(office: Office, tmp_path: Path) -> None:
    settle(office.site, 6)
    office.back_up(tmp_path / "backup")
    shred(office.vault)
    shred(office.vault)
    settle(office.site, 1)  # who came after the backup is lost with the database
    office.put_back(tmp_path / "backup")
    assert len(names(office.site)) == 6
    assert {epoch for epoch, _ in keys_of(office.site).values()} == {3}


@pytest.mark.parametrize("shredded", [False, True])
def test_who_was_erased_since_does_not_come_back(office: Office, tmp_path: Path, shredded: bool) -> None:
    ann, *others = settle(office.site, 4)
    office.back_up(tmp_path / "backup")
    erase(office.site, ann)
    if shredded:
        shred(office.vault)
    assert office.put_back(tmp_path / "backup").erased == 1
    assert set(keys_of(office.site)) == set(others)
    assert names(office.site) == ["Name 1 Example", "Name 2 Example", "Name 3 Example"]


def test_who_was_erased_does_not_come_back_though_the_tombstones_were_lost_before(
    office: Office, tmp_path: Path
) -> None:
    """What the database still knew of them is told outside it again, at the first start."""
    ann, bob, cid = settle(office.site, 3)
    office.back_up(tmp_path / "backup")
    erase(office.site, ann)
    erase(office.site, bob)
    office.site.close()
    file = office.data / "tombstones"
    told = file.read_text().splitlines(keepends=True)
    file.write_text("".join(told[:2]))
    office.open()
    assert file.read_text().splitlines(keepends=True) == told
    file.unlink()
    office.site.close()
    office.open()
    assert office.put_back(tmp_path / "backup").erased == 2
    assert set(keys_of(office.site)) == {cid}


@pytest.mark.parametrize("order", [0, 1])
def test_a_record_is_not_handed_on_to_who_was_erased_as_well(office: Office, tmp_path: Path, order: int) -> None:
    """The key table of the day between knows the one and not the other, and they are erased again in any order."""
    with office.site.acting("desk", "mailing", place="counter") as work:
        people = sorted((work.person(), work.person()), key=lambda person: person.id)
        writer, reader = (people[order].id, people[1 - order].id)
        work.collect(office.site.Letter, person=people[order], reader=reader, words="dear Bob")
    office.back_up(tmp_path / "backup")
    erase(office.site, reader)
    office.back_up(tmp_path / "between")
    erase(office.site, writer)
    assert office.put_back(tmp_path / "backup").erased == 2
    assert keys_of(office.site) == {}


def test_a_person_who_was_written_after_the_key_table_opens_as_long_as_their_epoch_lives(
    office: Office, tmp_path: Path
) -> None:
    """Mending takes a key only from the table where the one in the database is gone."""
    settle(office.site, 1)
    office.back_up(tmp_path / "backup")
    settle(office.site, 2)
    office.site.close()
    restore(office.site, office.data, office.store, None, silent)
    office.open()
    assert len(names(office.site)) == 3


def test_a_database_file_put_back_by_hand_is_refused_until_it_is_mended(office: Office, tmp_path: Path) -> None:
    if not office.store.startswith("sqlite"):
        return
    ann, *_ = settle(office.site, 4)
    office.site.opened.sequencer.run()
    office.site.close()
    file = Path(office.store.removeprefix("sqlite:///"))
    shutil.copy(file, tmp_path / "old.db")
    office.open()
    erase(office.site, ann)
    shred(office.vault)
    office.site.opened.sequencer.run()
    office.site.close()
    shutil.copy(tmp_path / "old.db", file)
    for side in ("-wal", "-shm"):
        file.with_name(file.name + side).unlink(missing_ok=True)
    with pytest.raises((LedgerError, KeyringError)):
        office.open()
    office.site.close()
    assert restore(office.site, office.data, office.store, None, silent).erased == 1
    office.open()
    assert names(office.site) == ["Name 1 Example", "Name 2 Example", "Name 3 Example"]
    assert {epoch for epoch, _ in keys_of(office.site).values()} == {2}


def test_a_database_file_put_back_by_hand_is_searched_though_every_key_is_there(office: Office, tmp_path: Path) -> None:
    if not office.store.startswith("sqlite"):
        return
    with office.site.acting("desk", "mailing", place="counter") as work:
        made = work.collect(office.site.Letter, person=work.person(), words="dear Bob", answer="ann@example.org")
        key = (made.owner_id, made.id)
    office.site.opened.sequencer.run()
    office.site.close()
    file = Path(office.store.removeprefix("sqlite:///"))
    shutil.copy(file, tmp_path / "old.db")
    office.open()
    with office.site.acting("desk", "mailing") as work:
        work.db.get_one(office.site.Letter, key).answer = None
    office.site.opened.sequencer.run()
    office.site.close()
    for side in ("-wal", "-shm"):
        file.with_name(file.name + side).unlink(missing_ok=True)
    shutil.copy(tmp_path / "old.db", file)
    restore(office.site, office.data, office.store, None, silent)
    office.open()
    with office.site.acting("desk", "mailing") as work:
        assert work.db.get_one(office.site.Letter, key).answer is None


def test_what_had_to_be_gone_by_now_is_gone_before_anything_is_served(office: Office, tmp_path: Path) -> None:
    with office.site.acting("desk", "mailing", place="counter") as work:
        work.collect(
            office.site.Card, person=work.person(), words="happy birthday", arrived=office.clock() - 100 * 86_400
        )
    office.back_up(tmp_path / "backup")
    assert carry_out(office.vault) == 1
    office.put_back(tmp_path / "backup")
    with office.site.acting("desk", "mailing") as work:
        assert work.select(office.site.Card) == []


def test_a_backup_with_rows_that_the_site_declares_no_longer_is_refused(office: Office, tmp_path: Path) -> None:
    settle(office.site, 1)
    folder = office.back_up(tmp_path / "backup")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["tables"]["post_stamp"] = manifest["tables"].pop("post_neighbour")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match="rows of `post_stamp`, which the site no longer declares"):
        office.put_back(folder)
    assert is_empty(office.store)


def test_the_ledger_goes_on_where_it_was_and_says_that_it_was_put_back(office: Office, tmp_path: Path) -> None:
    settle(office.site, 2)
    office.back_up(tmp_path / "backup")
    settle(office.site, 2)
    before = office.events()
    assert office.put_back(tmp_path / "backup").entries == len(before) - read_manifest(tmp_path / "backup").ledger
    assert office.events() == [*before, "restored"]


def test_a_shortened_ledger_is_refused(office: Office, tmp_path: Path) -> None:
    settle(office.site, 2)
    office.back_up(tmp_path / "backup")
    settle(office.site, 2)
    office.site.opened.sequencer.run()
    (office.data / "ledger.journal").unlink()
    with pytest.raises(LedgerError, match="a shortened ledger is not served"):
        office.put_back(tmp_path / "backup")


def test_a_key_table_older_than_the_backup_is_refused_and_nothing_is_restored(office: Office, tmp_path: Path) -> None:
    settle(office.site, 2)
    office.back_up(tmp_path / "one")
    shutil.copy(office.data / "keytable", tmp_path / "old")
    settle(office.site, 3)
    office.back_up(tmp_path / "two")
    shutil.copy(tmp_path / "old", office.data / "keytable")
    with pytest.raises(KeyringError, match="knows nothing of 3 people"):
        office.put_back(tmp_path / "two")
    assert is_empty(office.store)


def is_empty(store: str) -> bool:
    opened = Store.open(store)
    try:
        return not inspect(opened.engine).get_table_names()
    finally:
        opened.close()


def test_a_backup_is_not_put_over_an_installation(office: Office, tmp_path: Path) -> None:
    settle(office.site, 2)
    office.back_up(tmp_path / "backup")
    office.site.close()
    with pytest.raises(StoreError, match="there is an installation in this database already"):
        restore(office.site, office.data, office.store, tmp_path / "backup", silent)
    office.open()
    assert len(names(office.site)) == 2


@pytest.mark.parametrize("harm", ["changed", "cut", "missing", "extra"])
def test_a_damaged_backup_is_refused_and_nothing_is_restored(office: Office, tmp_path: Path, harm: str) -> None:
    settle(office.site, 3)
    folder = office.back_up(tmp_path / "backup")
    file = folder / "post_neighbour.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    if harm == "changed":
        cells = json.loads(lines[0])
        cells[1] = cells[1][::-1]
        lines[0] = json.dumps(cells).encode() + b"\n"
    file.write_bytes(b"".join(lines[:-1] if harm == "cut" else [*lines, lines[0]] if harm == "extra" else lines))
    if harm == "missing":
        file.unlink()
    with pytest.raises(StoreError):
        office.put_back(folder)
    shutil.rmtree(folder)
    assert is_empty(office.store)


def test_a_backup_of_another_installation_is_refused(office: Office, tmp_path: Path) -> None:
    settle(office.site, 1)
    folder = office.back_up(tmp_path / "backup")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "tenant": "0" * 32}))
    with pytest.raises(KeyringError, match="of another installation"):
        office.put_back(folder)


@pytest.mark.parametrize(
    ("text", "words"), [(None, "is no backup"), ("{", "damaged"), ('{"format": 2}', "of format 2")]
)
def test_what_is_no_backup_is_told(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match=words):
        read_manifest(tmp_path)


def test_what_opens_a_backup_is_copied_in_place_of_the_last_copy(office: Office, tmp_path: Path) -> None:
    settle(office.site, 3)
    office.back_up(tmp_path / "backup")
    safe = tmp_path / "safe"
    copy_kept(office.data, safe)
    erase(office.site, settle(office.site, 1)[0])
    copy_kept(office.data, safe)
    assert sorted(path.name for path in safe.iterdir()) == [
        "keyring", "keytable", "ledger.checkpoint", "ledger.journal", "tombstones",
    ]  # fmt: skip
    assert all(path.stat().st_mode & 0o077 == 0 for path in safe.iterdir())
    # The machine is lost: only the backup and the copy of the keys are left.
    office.site.close()
    office.data, office.store = safe, office.another()
    restore(office.site, office.data, office.store, tmp_path / "backup", silent)
    office.open()
    assert len(names(office.site)) == 3


def test_a_backup_of_one_kind_of_store_goes_into_the_other(
    office: Office, tmp_path: Path, other_store: Callable[[], str]
) -> None:
    settle(office.site, 5)
    before = names(office.site)
    office.back_up(tmp_path / "backup")
    office.another = other_store
    office.put_back(tmp_path / "backup")
    assert names(office.site) == before


def test_what_waited_to_leave_is_held_back(
    store: str, tmp_path: Path, clock: FrozenClock, another_store: Callable[[], str]
) -> None:
    """It may have left since the backup was made: sent again it would be sent twice."""
    site = club()
    site.open(tmp_path / "data", store=store, background=False, clock=clock)
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.collect(site.Member, person=work.person(), name="Ann Example", email="ann@example.org")
        work.share(member, "binder")
    site.close()
    backup(site, tmp_path / "data", store, tmp_path / "backup", None, silent)
    target = another_store()
    restore(site, tmp_path / "data", target, tmp_path / "backup", silent)
    site.open(tmp_path / "data", store=target, background=False, clock=clock)
    with site.opened.vault.store.reading() as connection:
        found = standings(connection, site.home.schema)
    assert [(one.name, one.state, one.count) for one in found] == [("binder", "failed", 1)]
    assert "held back after a restore" in found[0].note
    site.close()


def test_an_empty_database_is_not_mended(office: Office) -> None:
    office.site.close()
    with pytest.raises(StoreError, match="no database to mend"):
        restore(office.site, office.data, office.another(), None, silent)
