"""A database that is none of Avow's is told from one, whichever command looks into it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from avow.cli.main import run


@pytest.mark.parametrize(("command", "lacks"), [(["ledger", "verify"], "ledger"), (["outbox"], "outbox")])
def test_a_database_without_the_tables_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], lacks: str
) -> None:
    with closing(sqlite3.connect(tmp_path / "site.db")) as other:
        other.execute("CREATE TABLE member (name text)")
    assert run([*command, "--data", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert f"the database holds no {lacks}" in said
    assert "name the database of an Avow installation" in said
