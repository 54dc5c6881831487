"""Databases that cannot be used are said so in one sentence; commits are durable; errors show no value."""

from __future__ import annotations

import gc
import os
import sqlite3
import stat
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from avow.errors import OnlyReads, SetupError, StoreError
from avow.store.adding import Adding
from avow.store.connection import Store
from avow.testing.postgres import Server


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


def test_what_only_reads_cannot_write(store: str) -> None:
    opened = Store.open(store)
    with opened.writing() as connection:
        connection.execute(text("CREATE TABLE only_read (x integer)"))
    for statement in ("INSERT INTO only_read VALUES (1)", "DELETE FROM only_read", "DROP TABLE only_read"):
        with pytest.raises(OnlyReads, match="only reads"), opened.reading() as connection:
            connection.execute(text(statement))
    with opened.writing() as connection:
        connection.execute(text("INSERT INTO only_read VALUES (1)"))
    with opened.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM only_read")) == 1
    opened.close()


def test_one_moment_is_seen_whatever_is_committed_meanwhile(store: str) -> None:
    opened = Store.open(store)
    with opened.writing() as connection:
        connection.execute(text("CREATE TABLE seen (x integer)"))
    count = text("SELECT count(*) FROM seen")
    with opened.one_moment() as moment:
        assert moment.scalar(count) == 0
        with opened.writing() as connection:
            connection.execute(text("INSERT INTO seen VALUES (1)"))
        assert moment.scalar(count) == 0
    with opened.reading() as connection:
        assert connection.scalar(count) == 1
    with pytest.raises(OnlyReads, match="only reads"), opened.one_moment() as moment:
        moment.execute(text("DELETE FROM seen"))
    opened.close()


def _commits(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("SELECT 1"))


def _fails(store: Store) -> None:
    with pytest.raises(DBAPIError), store.writing() as connection:
        connection.execute(text("SELECT * FROM nothing"))


def _walks_away(store: Store) -> None:
    connection = store.engine.connect()
    connection.execute(text("SELECT 1"))
    connection.close()


def _goes_on(store: Store) -> None:
    with store.engine.connect() as connection:
        for _ in range(2):
            connection.execute(text("SELECT 1"))
            connection.commit()


def _is_cut_off(store: Store) -> None:
    with store.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.invalidate()


def _gets_no_lock(store: Store) -> None:
    with sqlite3.connect(str(store.engine.url.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            _commits(store)


@pytest.mark.parametrize("end", [_commits, _fails, _walks_away, _goes_on, _is_cut_off, _gets_no_lock])
def test_the_next_writer_gets_its_turn_however_the_last_one_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[[Store], None]
) -> None:
    monkeypatch.setattr("avow.store.connection.LOCK_TIMEOUT", 0.2)  # for the driver, which is asked when it connects
    store = Store.open(f"sqlite:///{tmp_path / 'site.db'}")
    monkeypatch.setattr("avow.store.connection.LOCK_TIMEOUT", 30.0)  # for the turn: as long as never
    for _ in range(2):
        end(store)
        start = time.monotonic()
        with ThreadPoolExecutor() as pool:
            pool.submit(_commits, store).result()
        assert time.monotonic() - start < 10
    store.close()


def test_writers_of_one_process_wait_in_line(tmp_path: Path) -> None:
    """SQLite's own way of waiting lets one writer starve for seconds beside a few busy ones."""
    store = Store.open(f"sqlite:///{tmp_path / 'site.db'}")
    with store.writing() as connection:
        connection.execute(text("CREATE TABLE t (x)"))

    turns = count()

    def write(_number: int) -> int:
        """How many came between asking and writing."""
        asked = next(turns)
        with store.writing() as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))
            time.sleep(0.001)
            return next(turns) - asked

    connected = Barrier(5)  # as many connections are kept; to open one takes many turns

    def connect(_number: int) -> None:
        with store.engine.connect():
            connected.wait()

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(connect, range(5)))
        between = list(pool.map(write, range(400)))
    with store.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM t")) == 400
    assert max(between) < 100
    store.close()


def test_an_error_shows_no_parameter(store: str) -> None:
    opened = Store.open(store)
    with pytest.raises(DBAPIError) as caught, opened.writing() as connection:
        connection.execute(text("SELECT * FROM nothing WHERE x = :x"), {"x": "Ann Example"})
    assert "Ann Example" not in str(caught.value)
    opened.close()


@pytest.mark.parametrize("row", [{"name": "Ann Example", "age": 40}, {"name": "Bob Example", "age": None}])
def test_an_error_shows_nothing_of_a_row_that_is_not_taken(store: str, row: dict[str, Any]) -> None:
    """Neither by SQLAlchemy nor by the driver: PostgreSQL would quote it."""
    opened = Store.open(store)
    table = Table("t", MetaData(), Column("name", Text, unique=True), Column("age", Integer, nullable=False))
    with opened.writing() as connection:
        table.create(connection)
        connection.execute(table.insert(), {"name": "Ann Example", "age": 40})
    with pytest.raises(IntegrityError) as one, opened.writing() as connection:
        connection.execute(table.insert(), row)
    with pytest.raises(IntegrityError) as other, opened.writing() as connection:
        Adding(opened, table).add(connection, [list(row.values())])
    for caught in (one, other):
        assert "Example" not in str(caught.value)
        assert "Example" not in str(caught.value.orig)
        assert "constraint" in str(caught.value)
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


@pytest.mark.parametrize("before", [True, False])
def test_a_connection_that_is_cut_leaves_no_cursor_open(postgres: Server, before: bool) -> None:
    """Before the cursor is declared on the server, or while its rows come in."""
    store = Store.open(postgres.fresh_database())
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with suppress(OperationalError), store.reading() as connection:
            own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()

            def cut() -> None:
                with store.writing() as other:
                    other.execute(text("SELECT pg_terminate_backend(:own, 5000)"), {"own": own})

            if before:
                cut()
            rows = connection.execution_options(yield_per=1).execute(text("SELECT generate_series(1, 5)"))
            cut()
            rows.fetchall()
            raise AssertionError("it was not cut")
        gc.collect()
    assert [one for one in warned if one.category is ResourceWarning] == []
    store.close()
