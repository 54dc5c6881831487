"""`avow ledger verify` says what it recomputed, and what lay there that was no entry."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import MetaData, delete, insert

from avow.cli.main import run
from avow.keys.installed import create_keys
from avow.ledger.entry import Entry
from avow.ledger.kept import NAME, log_signer
from avow.ledger.note import Signer
from avow.ledger.sequencer import Sequencer
from avow.ledger.waiting import WaitingSeal
from avow.store.connection import Store
from avow.store.schema import declare


def test_what_could_not_be_read_is_reported_with_its_digest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, schema = Store.open(f"sqlite:///{tmp_path / 'site.db'}"), declare(MetaData())
    schema.metadata.create_all(store.engine)
    keys = create_keys(tmp_path / "keyring", None)
    signer, waiting = log_signer(tmp_path, keys, "shop/ledger"), WaitingSeal(keys.secret("log"))
    sequencer = Sequencer(store, schema, tmp_path / NAME, signer, waiting)
    sequencer.begin()
    entry = Entry("permitted", "show", "contact", None, None, ("a",), "0" * 64, 500_000, "0" * 32)
    with store.writing() as connection:
        rows = [{"id": "1", "body": waiting.seal("1", entry.encode())}, {"id": "2", "body": b"garbage"}]
        connection.execute(insert(schema.pending), rows)
    sequencer.run()
    digest = hashlib.sha256(b"garbage").hexdigest()
    assert run(["ledger", "verify", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "The ledger verifies: 2 entries" in said
    assert f"vouches for the first 2; it is signed by {signer.key}." in said
    assert f"a row that was no entry or repeated one, SHA-256 {digest}; its bytes lie in avow_aside." in said
    with store.writing() as connection:
        connection.execute(delete(schema.aside))
    store.close()
    assert run(["ledger", "verify", "--data", str(tmp_path)]) == 0
    assert "its bytes are gone from avow_aside" in capsys.readouterr().out


def test_a_folder_without_a_database_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "verify", "--data", str(tmp_path)]) == 1
    assert "there is no database in" in capsys.readouterr().err


def test_it_is_verified_by_a_key_that_is_given_where_the_keyring_is_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, schema = Store.open(f"sqlite:///{tmp_path / 'site.db'}"), declare(MetaData())
    schema.metadata.create_all(store.engine)
    signer = Signer.from_seed("shop/ledger", bytes(range(32)))
    Sequencer(store, schema, tmp_path / NAME, signer, WaitingSeal(bytes(range(32)))).begin()
    store.close()
    verify = ["ledger", "verify", "--data", str(tmp_path)]
    assert run([*verify, "--key", str(signer.key)]) == 0
    assert run(verify) == 1
    other = Signer.from_seed("shop/ledger", bytes(32))
    assert run([*verify, "--key", str(other.key)]) == 1
    assert "is not to be believed" in capsys.readouterr().err


def test_a_chain_of_an_earlier_version_is_refused_and_not_misread(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'site.db'}")
    with store.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE avow_entry (number INTEGER PRIMARY KEY, body BLOB, root BLOB)")
    store.close()
    assert run(["ledger", "verify", "--data", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "is a hash chain" in said
    assert "nothing was changed" in said
