"""`avow ledger verify` says what it recomputed, and what lay there that was no entry."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import MetaData, delete, insert

from avow.cli.main import run
from avow.ledger.entry import Entry
from avow.ledger.sequencer import Sequencer
from avow.store.connection import Store
from avow.store.schema import declare


def test_what_could_not_be_read_is_reported_with_its_digest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, schema = Store.open(f"sqlite:///{tmp_path / 'site.db'}"), declare(MetaData())
    schema.metadata.create_all(store.engine)
    sequencer = Sequencer(store, schema, tmp_path / "ledger.head")
    sequencer.begin()
    entry = Entry("permitted", "show", "contact", None, None, ("a",), "0" * 64, 500_000, "0" * 32)
    with store.writing() as connection:
        rows = [{"id": "1", "body": entry.encode()}, {"id": "2", "body": b"garbage"}]
        connection.execute(insert(schema.pending), rows)
    sequencer.run()
    digest = hashlib.sha256(b"garbage").hexdigest()
    assert run(["ledger", "verify", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "The ledger verifies: 2 entries" in said
    assert f"a row that was no entry, SHA-256 {digest}; its bytes lie in avow_aside." in said
    with store.writing() as connection:
        connection.execute(delete(schema.aside))
    store.close()
    assert run(["ledger", "verify", "--data", str(tmp_path)]) == 0
    assert "its bytes are gone from avow_aside" in capsys.readouterr().out


def test_a_folder_without_a_database_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "verify", "--data", str(tmp_path)]) == 1
    assert "there is no database in" in capsys.readouterr().err
