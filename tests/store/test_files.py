"""Small files are whole or not there, and nobody else's."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from avow.store.files import create_private, replace_durably


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    file = tmp_path / "head"
    file.write_text("old")
    file.chmod(0o644)
    replace_durably(file, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["head"]


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "head.new").symlink_to(victim)
    replace_durably(tmp_path / "head", b"new")
    assert victim.read_text() == "precious"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "head"
    replace_durably(file, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_durably(file, b"new")
    assert file.read_bytes() == b"old"


def test_a_private_file_is_created_once(tmp_path: Path) -> None:
    file = tmp_path / "site.db"
    create_private(file)
    file.write_text("kept")
    create_private(file)
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("kept", 0o600)
