"""What is left of emptied values: searched for as bytes in files, and cleaned out of SQLite's."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from avow.errors import StoreError
from avow.store import residue
from avow.store.connection import Store

MAIL = "mail{:05d}@example.org"


def plain_file(folder: Path, rows: int = 2000) -> Path:
    """A database of before: rows that were written, written again and deleted by who overwrites nothing."""
    file = folder / "old.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA secure_delete=OFF")
        db.execute("CREATE TABLE reader (id INTEGER PRIMARY KEY, email TEXT UNIQUE, note TEXT)")
        notes = [(number, MAIL.format(number), f"note {number:05d} " + "x" * (number % 700)) for number in range(rows)]
        db.executemany("INSERT INTO reader VALUES (?, ?, ?)", notes)
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA secure_delete=OFF")
        db.execute("UPDATE reader SET email = 'new' || email WHERE id % 3 = 0")
        db.execute("DELETE FROM reader WHERE id % 7 = 0")
    db.close()
    return file


def found(store: Store) -> int:
    """In how many pieces what was in `plain_file` is still in the files of `store`."""
    texts = {text.format(number): "it" for number in range(2000) for text in (MAIL, "new" + MAIL, "note {:05d} x")}
    return residue.search(residue.files_of(store), residue.needles(texts)).total()


def emptied(store: Store) -> None:
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE reader SET email = NULL, note = NULL")


def test_secure_delete_leaves_what_others_left_and_the_log(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{plain_file(tmp_path)}")
    emptied(store)
    in_log = found(store)
    store.checkpoint()
    in_pages = found(store)
    store.close()
    assert in_log > 3000
    assert 0 < in_pages < in_log / 10  # a few pages were reorganised before anybody overwrote


def test_nothing_is_left_in_the_files_of_sqlite_after_cleaning(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{plain_file(tmp_path)}")
    emptied(store)
    cleaned = residue.clean(store, ["reader"])
    assert found(store) == 0
    assert cleaned.left == ()
    assert [path.name for path in residue.files_of(store) if path.stat().st_size] == ["old.db"]
    store.close()


def test_a_log_that_somebody_reads_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residue, "PATIENCE", 0.2)
    store = Store.open(f"sqlite:///{plain_file(tmp_path)}")
    with store.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM reader").scalar()
        emptied(store)
        cleaned = residue.clean(store, ["reader"])
    assert cleaned.left == ("the log (WAL) still holds what it held: somebody is reading; run it again",)
    assert residue.clean(store, ["reader"]).left == ()
    store.close()


def test_a_file_that_cannot_be_written_anew_is_told_of_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(f"sqlite:///{plain_file(tmp_path)}")
    blocker = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(residue, "PATIENCE", 0.2)
    with pytest.raises(StoreError, match="the database could not be written anew: OperationalError"):
        residue.clean(store, ["reader"])
    blocker.execute("ROLLBACK")
    blocker.close()
    store.close()


def test_a_store_that_does_not_overwrite_is_refused(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{plain_file(tmp_path)}")
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete=FAST").fetchall()
    with pytest.raises(StoreError, match="SQLite does not overwrite what is deleted"):
        residue.clean(store, ["reader"])
    store.close()


def test_samples_of_an_index_are_forgotten(tmp_path: Path) -> None:
    """An SQLite with STAT4 keeps them; as this one may be without, its table is made by hand."""
    file = plain_file(tmp_path)
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE stat (tbl, idx, neq, nlt, ndlt, sample)")
        db.execute("INSERT INTO stat VALUES ('reader', 'i', 1, 1, 1, CAST('mail00001@example.org' AS BLOB))")
        db.execute("INSERT INTO stat VALUES ('shelf', 'i', 1, 1, 1, 'kept')")
        db.execute("PRAGMA writable_schema=ON")
        db.execute(
            "UPDATE sqlite_master SET name = 'sqlite_stat4', tbl_name = 'sqlite_stat4',"
            " sql = 'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)' WHERE name = 'stat'"
        )
    db.close()
    store = Store.open(f"sqlite:///{file}")
    emptied(store)
    residue.clean(store, ["reader"])
    assert found(store) == 0
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT tbl FROM sqlite_stat4").scalars().all() == ["shelf"]
    store.close()


# -- searching ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [*range(5), *(residue.PORTION + offset for offset in (-30, -8, -3, -2, -1, 0))])
def test_a_text_is_found_wherever_it_lies_in_a_file(tmp_path: Path, place: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(place) + b"Ann Example, reader" + bytes(residue.PORTION + 5))
    assert residue.search([file], residue.needles({"Ann Example, reader": "name"})) == {(file, "name"): 1}
    file.write_bytes(bytes(place) + b"Anne Lee" + bytes(residue.PORTION + 5))  # as short as can be
    assert residue.search([file], residue.needles({"Anne Lee": "name"})) == {(file, "name"): 1}


def test_a_text_at_the_very_end_is_found(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(residue.PORTION - 4) + b"Ann Example")
    assert residue.search([file], residue.needles({"Ann Example": "name"})).total() == 1


def test_the_beginning_and_the_end_of_a_long_text_are_found_each_by_itself(tmp_path: Path) -> None:
    text = "a note that begins here, goes on for quite a while, and ends there"
    for number, part in enumerate((text[:30], text[-30:], text[20:40])):
        (tmp_path / str(number)).write_text(part)
    hits = residue.search([tmp_path / str(number) for number in range(3)], residue.needles({text: "note"}))
    assert {path.name for path, _ in hits} == {"0", "1"}


def test_what_begins_alike_is_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("reader-00001@example.org and reader-00002@example.org")
    sought = residue.needles({f"reader-0000{number}@example.org": str(number) for number in range(1, 4)})
    assert set(residue.search([file], sought)) == {(file, "1"), (file, "2")}


def test_short_texts_are_not_searched_for() -> None:
    assert residue.needles({"Ann": "name", "Zoë Ng": "name", "Zoë-Anne": "name"}) == {"Zoë-Anne".encode(): "name"}


def test_texts_are_searched_for_as_the_database_writes_them(tmp_path: Path) -> None:
    file = tmp_path / "wide.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA encoding='UTF-16le'")
        db.execute("CREATE TABLE reader (name TEXT)")
        db.execute("INSERT INTO reader VALUES ('Ann Example')")
    db.close()
    store = Store.open(f"sqlite:///{file}")
    assert residue.encoding_of(store) == "UTF-16le"
    sought = residue.needles({"Ann Example": "name"}, residue.encoding_of(store))
    assert residue.search(residue.files_of(store), sought).total() == 1
    store.close()


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(2 * residue.PORTION + 3))
    seen: list[Any] = []
    residue.search([file, tmp_path / "missing"], {b"x" * 8: "x"}, lambda done, total: seen.append((done, total)))
    total = 2 * residue.PORTION + 3
    assert seen == [(residue.PORTION, total), (2 * residue.PORTION, total), (total, total)]


def test_a_server_has_no_files_here(store: str) -> None:
    opened = Store.open(store)
    assert bool(residue.files_of(opened)) == store.startswith("sqlite")
    opened.close()
