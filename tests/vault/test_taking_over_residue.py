"""After taking over and cleaning, no file of the database holds what lay in the clear, its log included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from avow.store import residue
from avow.store.connection import Store
from avow.testing.postgres import Server
from avow.vault.taking_over_sample import sample

from .club import club
from .library import Library, declare, take

NUMBERS = range(10, 400)
TEXTS = ["1 Lane of Bees"]
TEXTS += [form.format(n) for n in NUMBERS[::20] for form in ("Reader-{:05d} Example", "mail{:05d}@example.org")]


def filled(store: str) -> Library:
    """A library that has been open for a while: many readers, written more than once."""
    old = Library(store).fill()
    rows = ", ".join(f"({n}, 'Reader-{n:05d} Example', 'mail{n:05d}@example.org', NULL, 'bees', 'R')" for n in NUMBERS)
    old.run(f"INSERT INTO reader VALUES {rows}")
    old.run("UPDATE reader SET email = 'new' || email WHERE id > 9")
    old.run("DELETE FROM reader WHERE id > 9 AND id % 5 = 0")
    old.run("ANALYZE")
    return old


def left(files: list[Path]) -> set[str]:
    """Which texts are in the files; a file that goes away while they are read holds none."""
    seen: set[str] = set()
    for file in files:
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            continue
        seen |= {each for each in TEXTS if each.encode() in data}
    return seen


def test_the_files_of_sqlite(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    filled(store)
    site: Any = club()
    site.open(tmp_path / "data", store=store, background=False)
    declare(site)
    take(site, batch=100)
    vault = site.opened.vault
    sought = residue.needles(sample(vault, site.taking_over[0]), residue.encoding_of(vault.store))
    files = [*residue.files_of(vault.store), *(path for path in (tmp_path / "data").iterdir() if path.is_file())]
    assert residue.search(files, sought).total() > 100
    cleaned = residue.clean(vault.store, ["reader", "order"])
    assert cleaned.left == ()
    assert residue.search(files, sought).total() == 0
    site.close()
    assert left([path for path in tmp_path.rglob("*") if path.is_file()]) == set()


def test_the_data_folder_of_a_postgresql_server_its_log_included(tmp_path: Path) -> None:
    """A server of its own, whose folder no other test writes to."""
    with Server() as server:
        store = server.fresh_database()
        filled(store)
        folder = server.folder / "data"

        def files() -> list[Path]:
            return [path for path in folder.rglob("*") if path.is_file()]

        assert len(left(files())) == len(TEXTS)
        site: Any = club()
        site.open(tmp_path / "data", store=store, background=False)
        declare(site)
        take(site, batch=100)
        assert len(left(files())) == len(TEXTS)  # dead rows, and the log
        cleaned = residue.clean(site.opened.vault.store, ["order", "reader"])
        assert cleaned.left == ()
        assert left(files()) == set()
        assert left([path for path in (tmp_path / "data").iterdir() if path.is_file()]) == set()
        site.close()


def test_a_log_that_is_kept_back_is_told_of(tmp_path: Path) -> None:
    with Server() as server:
        store = server.fresh_database()
        old = filled(store)
        old.run("SELECT pg_create_physical_replication_slot('replica', true)")
        opened = Store.open(store)
        cleaned = residue.clean(opened, ["order", "reader"])
        old.run("SELECT pg_drop_replication_slot('replica')")
        again = residue.clean(opened, ["order", "reader"])
        opened.close()
    (line,) = cleaned.left
    assert line.startswith("the log (WAL) still holds the old rows")
    assert line.endswith("are kept back (a replication slot, an archive, wal_keep_size)")
    assert again.left == ()


def test_an_archive_of_the_log_is_out_of_reach(tmp_path: Path) -> None:
    with Server() as server:
        store = server.fresh_database()
        filled(store)
        owner = create_engine(store, isolation_level="AUTOCOMMIT")
        with owner.connect() as connection:
            connection.execute(text("ALTER SYSTEM SET archive_mode = 'on'"))
            connection.execute(text("ALTER SYSTEM SET archive_command = 'true'"))
        owner.dispose()
        opened = Store.open(store)
        assert residue.clean(opened, ["reader"]).beyond == ()
        server.stop()
        server.start()
        cleaned = residue.clean(opened, ["reader"])
        opened.close()
    assert cleaned.beyond == ("the archived log holds the old rows: delete it once there is a newer base backup",)


def test_an_account_that_may_not_clean_the_server_is_told_what_is_left(tmp_path: Path) -> None:
    with Server() as server:
        store = server.fresh_database()
        owner = create_engine(store, isolation_level="AUTOCOMMIT")
        with owner.connect() as connection:
            connection.execute(text("CREATE ROLE clerk LOGIN"))
            connection.execute(text("GRANT ALL ON SCHEMA public TO clerk"))
        owner.dispose()
        clerk = store.replace("//avow@", "//clerk@")
        filled(clerk)
        site: Any = club()
        site.open(tmp_path / "data", store=clerk, background=False)
        declare(site)
        take(site, batch=100)
        cleaned = residue.clean(site.opened.vault.store, ["order", "reader"])
        site.close()
    assert [line.partition(" was written")[0] for line in cleaned.done] == ["`order`", "`reader`"]
    assert [line.split(":")[0] for line in cleaned.left] == [
        "dead samples of columns may be left in pg_statistic",
        "the log (WAL) still holds the old rows until its segments have been used again",
    ]


def test_a_table_that_somebody_holds_is_told_of(tmp_path: Path, store: str, monkeypatch: Any) -> None:
    if store.startswith("sqlite"):
        return  # there the whole file is waited for: see tests/store/test_residue.py
    monkeypatch.setattr(residue, "PATIENCE", 0.3)
    old = filled(store)
    site: Any = club()
    site.open(tmp_path / "data", store=store, background=False)
    declare(site)
    take(site, batch=100)
    with old.engine.begin() as connection:
        connection.execute(text("SELECT count(*) FROM reader"))
        cleaned = residue.clean(site.opened.vault.store, ["order", "reader"])
    site.close()
    assert [line for line in cleaned.left if "reader" in line] == [
        "`reader` was not written anew: somebody held it for 0 s; run it again"
    ]


def test_a_sample_is_of_what_is_of_one_person_only(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    old = Library(store).fill()
    old.run("UPDATE reader SET address = '1 Lane of Bees' WHERE id = 3")
    site: Any = club()
    site.open(tmp_path / "data", store=store, background=False)
    readers, orders = declare(site)
    take(site)
    assert sample(site.opened.vault, readers) == {
        "Ann Example": "reader.name", "ann@example.org": "reader.email", "novels about bees": "reader.note",
        "Bob Example": "reader.name", "bob@example.org": "reader.email",
        "Cid Example": "reader.name", "cid@example.org": "reader.email",
    }  # fmt: skip
    assert sample(site.opened.vault, orders) == {"Ann Example at work": "order.name", "Guest Example": "order.name"}
    assert {*sample(site.opened.vault, readers, 1)} & {"ann@example.org", "bob@example.org", "cid@example.org"}
    assert len(sample(site.opened.vault, readers, 1)) < 5
    site.close()
