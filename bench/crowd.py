"""Many people whose rows make the tables of a benchmark large, and the databases that they lie in.

They are not measured: their rows hold bytes that nobody opens. Ten thousand and a hundred thousand are loaded for each
run; with SCALE=1000000 so many are loaded once, and kept between runs.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from avow.store.connection import Store
from avow.testing.postgres import Server

COUNTS = 10_000, 100_000
PORTION = 5_000
#: Where people stay that took long to load.
KEPT = Path("var/bench")


@dataclass(frozen=True, slots=True)
class House:
    """Where `count` people live: the kind of store in words, a folder, and addresses of databases by their name."""

    store: str
    folder: Path
    count: int
    address: Callable[[str], str]

    @contextmanager
    def filling(self) -> Iterator[int]:
        """How many are missing, to be loaded within: all or none. After that it is full, unless that failed."""
        full = self.folder / "full"
        yield 0 if full.exists() else self.count
        full.touch()


def houses(bench: str) -> Iterator[House]:
    """One of each size on each kind of store."""
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)  # PostgreSQL may run as another user
            yield from _both(Path(folder), count)
    if scale := os.environ.get("SCALE"):
        kept = (KEPT / f"{bench}-{scale}").absolute()
        print(f"# {int(scale):,} people are kept in {kept}; remove it to free the space", file=sys.stderr)
        yield from _both(kept, int(scale))


def _both(folder: Path, count: int) -> Iterator[House]:
    sqlite, postgresql = folder / "sqlite", folder / "postgresql"
    for each in (sqlite, postgresql):
        each.mkdir(parents=True, exist_ok=True)
    yield House("SQLite", sqlite, count, lambda name: f"sqlite:///{sqlite}/{name}.db")
    with Server(fsync=True, buffers="256MB", kept=postgresql / "server") as server:
        yield House("PostgreSQL", postgresql, count, server.database)


def ids(count: int) -> Iterator[list[str]]:
    """So many new ids, some thousand at a time: spread over all there are, and in their order, to be loaded quickly."""
    step = 2**32 // count
    every = (f"{number * step:08x}{secrets.token_hex(12)}" for number in range(count))
    while portion := list(islice(every, PORTION)):
        yield portion


def load(store: Store, table: Table, rows: list[dict[str, Any]]) -> None:
    """Many rows of one shape, past SQLAlchemy."""
    names, values = ", ".join(rows[0]), [tuple(row.values()) for row in rows]
    with store.driver() as driver:
        if store.dialect == "sqlite":
            marks = ", ".join("?" * len(rows[0]))
            driver.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", values)
        else:
            with driver.cursor().copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)


def settle(store: Store) -> None:
    """Do after loading what a database has long done that grew slowly."""
    connection = store.engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        if store.dialect == "sqlite":
            driver.execute("ANALYZE")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            driver.rollback()
            driver.autocommit = True
            driver.execute("VACUUM (ANALYZE)")
            driver.execute("CHECKPOINT")
            driver.autocommit = False
    finally:
        connection.close()
