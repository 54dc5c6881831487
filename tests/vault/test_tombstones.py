"""Tombstones: the file outlives the database, and tells nobody who was erased."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from avow.errors import StoreError
from avow.vault.tombstones import Tombstone, TombstoneFile, receipt_of, token_of

SECRET = b"s" * 32


def one(number: int) -> Tombstone:
    return Tombstone(token_of(receipt_of(SECRET, "t", f"person {number}")), number, 498_000 + number)


@pytest.fixture
def file(tmp_path: Path) -> TombstoneFile:
    return TombstoneFile(tmp_path / "tombstones")


def test_no_file_is_no_tombstones(file: TombstoneFile) -> None:
    assert file.read() == {}


def test_what_was_added_is_read(file: TombstoneFile) -> None:
    for number in (1, 2, 3):
        file.add(one(number))
    assert list(TombstoneFile(file.path).read().values()) == [one(1), one(2), one(3)]


def test_the_same_one_twice_is_one(file: TombstoneFile) -> None:
    file.add(one(1))
    file.add(one(1))
    assert file.read() == {one(1).token: one(1)}


def test_the_file_is_for_its_owner_alone(file: TombstoneFile) -> None:
    file.add(one(1))
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_receipt_cannot_be_made_without_the_key() -> None:
    assert receipt_of(SECRET, "t", "p") != receipt_of(b"x" * 32, "t", "p")
    assert receipt_of(SECRET, "t", "p") != receipt_of(SECRET, "u", "p")
    assert len(receipt_of(SECRET, "t", "p")) == 43


def test_neither_person_nor_receipt_is_in_the_file(file: TombstoneFile) -> None:
    file.add(one(7))
    content = file.path.read_bytes()
    assert b"person 7" not in content
    assert receipt_of(SECRET, "t", "person 7").encode() not in content


@pytest.mark.parametrize("left", range(1, 74, 12))
def test_a_line_that_a_crash_cut_off_is_no_line_and_is_written_over(file: TombstoneFile, left: int) -> None:
    file.add(one(1))
    whole = file.path.stat().st_size
    file.add(one(2))
    os.truncate(file.path, whole + left)
    assert list(file.read().values()) == [one(1)]
    file.add(one(3))
    assert list(file.read().values()) == [one(1), one(3)]


@pytest.mark.parametrize("left", range(1, 19))
def test_a_beginning_that_a_crash_cut_off_is_written_anew(file: TombstoneFile, left: int) -> None:
    file.add(one(1))
    os.truncate(file.path, left)
    assert file.read() == {}
    file.add(one(2))
    assert list(file.read().values()) == [one(2)]


@pytest.mark.parametrize("damage", [b"avow-tombstones 2\n", b"avow-tombstones 1\nhello\n", b"\n"])
def test_a_damaged_file_is_told(file: TombstoneFile, damage: bytes) -> None:
    file.path.write_bytes(damage)
    with pytest.raises(StoreError, match="damaged at line"):
        file.read()


def test_a_full_disk_is_told_and_nobody_is_called_erased(file: TombstoneFile) -> None:
    file.path.symlink_to("/dev/full")
    with pytest.raises(StoreError, match="nothing was erased"):
        file.add(one(1))
