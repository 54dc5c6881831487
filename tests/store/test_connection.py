"""Databases that cannot be used are said so in one sentence; commits are durable; errors show no value."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from avow.errors import SetupError, StoreError
from avow.store.connection import Store


def test_sqlite_is_set_up_to_be_durable_private_and_clean(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'site.db'}")
    with store.reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with store.writing() as connection:
        connection.execute(text("CREATE TABLE t (x)"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.glob("site.db*")} == {0o600}
    store.close()


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'site.db'}")
    with store.writing() as writer:
        writer.execute(text("CREATE TABLE t (x)"))
        with store.reading() as reader:
            assert reader.execute(text("SELECT count(*) FROM sqlite_master")).scalar() == 0
    store.close()


def test_an_error_shows_no_parameter(store: str) -> None:
    opened = Store.open(store)
    with pytest.raises(DBAPIError) as caught, opened.writing() as connection:
        connection.execute(text("SELECT * FROM nothing WHERE x = :x"), {"x": "Ann Example"})
    assert "Ann Example" not in str(caught.value)
    opened.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("no url", "not a database URL"),
        ("mysql://localhost/x", "`mysql` is not a database that Avow runs on"),
        ("sqlite://", "a store in memory keeps nothing"),
        ("sqlite:////no/such/folder/site.db", "`/no/such/folder` of the database does not exist"),
        ("postgresql://nobody@127.0.0.1:1/nothing", "does not answer"),
    ],
)
def test_a_store_that_cannot_be_used_says_why_and_what_to_do(address: str, said: str) -> None:
    with pytest.raises((SetupError, StoreError), match=said) as caught:
        Store.open(address)
    assert caught.value.help


def test_a_damaged_file_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "site.db"
    file.write_bytes(b"this is no database " * 300)
    with pytest.raises(StoreError, match="damaged or is no database"):
        Store.open(f"sqlite:///{file}")
    assert file.read_bytes() == b"this is no database " * 300


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(StoreError, match="cannot be written"):
        Store.open(f"sqlite:///{tmp_path / 'site.db'}")


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(StoreError) as caught:
        Store.open("postgresql://nobody:secret@127.0.0.1:1/nothing")
    assert "secret" not in str(caught.value)


def test_what_was_committed_is_there_for_another_process(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'site.db'}")
    with store.writing() as connection:
        connection.execute(text("CREATE TABLE t (x)"))
    with sqlite3.connect(tmp_path / "site.db") as other:
        assert other.execute("SELECT count(*) FROM t").fetchone() == (0,)
    store.close()
