"""The folder that a backup is written into: whole or not at all, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from avow.errors import KeyringError, StoreError
from avow.vault.backup import back_up

from .office import Office
from .test_shredding import names, settle


def test_a_backup_is_not_written_over_another(office: Office, tmp_path: Path) -> None:
    office.back_up(tmp_path / "backup")
    with pytest.raises(StoreError, match=r"there is a `.*backup` already"):
        office.back_up(tmp_path / "backup")


def test_what_a_backup_that_died_left_is_in_nobodys_way(office: Office, tmp_path: Path) -> None:
    (tmp_path / "backup.new").mkdir()
    (tmp_path / "backup.new" / "post_rest.jsonl").write_text("of one that died")
    office.back_up(tmp_path / "backup")
    assert not (tmp_path / "backup" / "post_rest.jsonl").exists()


def test_a_folder_of_somebody_else_is_not_taken_for_what_a_backup_left(office: Office, tmp_path: Path) -> None:
    (tmp_path / "backup.new").mkdir()
    (tmp_path / "backup.new" / "thesis.txt").write_text("the work of years")
    with pytest.raises(StoreError, match=r"in the way of the backup, and holds `thesis\.txt`"):
        back_up(office.vault, tmp_path / "backup")
    assert (tmp_path / "backup.new" / "thesis.txt").read_text() == "the work of years"


def test_two_backups_at_once_do_not_write_into_one_folder(office: Office, tmp_path: Path) -> None:
    settle(office.site, 3)
    refused: list[str] = []

    def again(_done: int, _total: int) -> None:
        with pytest.raises(StoreError) as error:
            back_up(office.vault, tmp_path / "backup")
        refused.append(str(error.value))

    back_up(office.vault, tmp_path / "backup", again)
    assert refused
    assert all("another backup is being written" in said for said in refused)
    office.put_back(tmp_path / "backup")
    assert len(names(office.site)) == 3


def test_a_backup_that_is_interrupted_or_fails_leaves_nothing(office: Office, tmp_path: Path) -> None:
    def interrupted(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(office.vault, tmp_path / "backup", interrupted)
    (office.data / "keytable.new").mkdir()  # so that the key table cannot be written
    with pytest.raises(KeyringError, match="cannot be written"):
        back_up(office.vault, tmp_path / "backup")
    assert not list(tmp_path.glob("backup*"))
