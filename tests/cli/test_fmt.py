"""`avow fmt` writes the canonical layout, and only then; `--check` writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from avow.cli.main import run

UNTIDY = b"---\r\nsite: x\r\n---\r\n\r\nOne.\r\n\r\n```avow #one\r\nmay  keep   a\r\n```\r\n"
TIDY = UNTIDY.replace(b"may  keep   a", b"may keep a")


def test_a_file_is_laid_out_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "policy.md"
    file.write_bytes(UNTIDY)
    file.chmod(0o640)
    assert run(["fmt", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: laid out\n"
    assert file.read_bytes() == TIDY
    assert file.stat().st_mode & 0o777 == 0o640
    before = file.stat().st_mtime_ns
    assert run(["fmt", str(file)]) == 0
    assert capsys.readouterr().out == ""
    assert file.stat().st_mtime_ns == before
    assert [path.name for path in tmp_path.iterdir()] == ["policy.md"]


def test_check_names_the_files_and_changes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.md").write_bytes(UNTIDY)
    (tmp_path / "b.md").write_bytes(TIDY)
    assert run(["fmt", "--check", str(tmp_path / "a.md"), str(tmp_path / "b.md")]) == 1
    assert capsys.readouterr().out == f"{tmp_path / 'a.md'}: would be laid out anew\n"
    assert (tmp_path / "a.md").read_bytes() == UNTIDY
    assert run(["fmt", "--check", str(tmp_path / "b.md")]) == 0


def test_a_fault_is_shown_and_the_other_files_are_laid_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.md").write_bytes(UNTIDY.replace(b"keep   a", b"keep , a"))
    (tmp_path / "b.md").write_bytes(UNTIDY)
    assert run(["fmt", str(tmp_path / "a.md"), str(tmp_path / "b.md"), str(tmp_path / "none.md")]) == 1
    said = capsys.readouterr().err
    assert f"--> {tmp_path / 'a.md'}:8:11" in said
    assert "cannot read the policy" in said
    assert (tmp_path / "b.md").read_bytes() == TIDY


def test_a_link_to_a_policy_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "policy.md").write_bytes(UNTIDY)
    link = tmp_path / "link.md"
    link.symlink_to("policy.md")
    assert run(["fmt", str(link)]) == 0
    assert link.is_symlink()
    assert (tmp_path / "policy.md").read_bytes() == TIDY
