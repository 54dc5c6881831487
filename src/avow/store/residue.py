"""What is left of values after they were emptied out of a table: cleaned where that can be done, and searched for.

Emptying a column overwrites it in its own page, at most. What was there stays

- in SQLite: in the log (WAL) until that is emptied; in pages that were reorganised before by a connection without
  `secure_delete`; in the samples that ANALYZE keeps of an index;
- in PostgreSQL: in dead rows, in the samples that ANALYZE keeps of a column (`pg_statistic`), and in segments of the
  log, which are used again under other names with what was in them.

The table is therefore written anew, and the log overwritten. What left the database's files before (blocks that the
file system has given to others, archived logs, replicas, backups) is out of reach from here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from avow.errors import StoreError
from avow.store.connection import LOCK_TIMEOUT, Store

#: Seconds for which the cleaning waits for who reads or writes.
PATIENCE = 15.0

#: Bytes of a text that are searched for at its beginning and end; a shorter text than `SHORTEST` could be anywhere.
LONGEST, SHORTEST = 24, 8

#: A file is looked at in every fourth place, for any of the first four windows of five bytes of a text: the shortest
#: text has one of them there.
WINDOW, STRIDE = 5, 4

#: Bytes of a file in memory at a time.
PORTION = 1 << 20

#: SQLSTATE of PostgreSQL: somebody else holds the table; this account may not do that.
_LOCKED, _FORBIDDEN = "55P03", "42501"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was done, what could not be, and what is out of reach from here; in sentences."""

    done: tuple[str, ...]
    left: tuple[str, ...]
    beyond: tuple[str, ...] = ()


def clean(store: Store, tables: Sequence[str]) -> Cleaned:
    """Write `tables` anew and empty or overwrite the log, so that nothing is left of what they held.

    Readers and writers wait meanwhile. It may be done again at any time.

    Raises:
        StoreError: SQLite does not overwrite what is deleted here, or the file cannot be written anew.
    """
    return _clean_sqlite(store, tables) if store.dialect == "sqlite" else _clean_postgresql(store, tables)


# -- SQLite -------------------------------------------------------------------------------------------


def _clean_sqlite(store: Store, tables: Sequence[str]) -> Cleaned:
    connection = store.engine.raw_connection()
    driver: Any = connection.driver_connection
    try:
        driver.execute(f"PRAGMA busy_timeout={int(PATIENCE * 1000)}")
        if driver.execute("PRAGMA secure_delete").fetchone()[0] != 1:
            raise StoreError("SQLite does not overwrite what is deleted", help="use an SQLite with secure_delete")
        _forget_samples(driver, tables)
        driver.execute("VACUUM")
        emptied = _empty_log(driver)
    except driver.Error as error:  # its words may be of the content, its name is not
        raise StoreError(
            f"the database could not be written anew: {type(error).__name__}",
            help="it needs as much free space again, and a moment without a writer; nothing is lost, run it again",
        ) from None
    finally:
        driver.execute(f"PRAGMA busy_timeout={int(LOCK_TIMEOUT * 1000)}")  # the connection goes back to the pool
        connection.close()
    done = ["the database file was written anew, without free pages"]
    if emptied:
        return Cleaned((*done, "its log (WAL) was emptied"), ())
    return Cleaned(tuple(done), ("the log (WAL) still holds what it held: somebody is reading; run it again",))


def _forget_samples(driver: Any, tables: Sequence[str]) -> None:
    """Delete the samples of indexes that an SQLite with STAT4 has taken; the next ANALYZE takes new ones."""
    found = driver.execute("SELECT name FROM sqlite_master WHERE name IN ('sqlite_stat3', 'sqlite_stat4')").fetchall()
    for (name,) in found:
        driver.executemany(f"DELETE FROM {name} WHERE tbl = ?", [(table,) for table in tables])  # noqa: S608


def _empty_log(driver: Any) -> bool:
    """Move the log into the file and cut it to nothing; whether nobody kept that from happening."""
    busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def files_of(store: Store) -> tuple[Path, ...]:
    """The files of an SQLite database that are there: the file itself and its logs. None of PostgreSQL."""
    if store.dialect != "sqlite":
        return ()
    file = Path(str(store.engine.url.database))
    beside = (file.with_name(file.name + end) for end in ("", "-wal", "-journal"))
    return tuple(path for path in beside if path.exists())


def encoding_of(store: Store) -> str:
    """How an SQLite database writes text, as Python calls it."""
    with store.reading() as connection:
        return str(connection.scalar(text("PRAGMA encoding")))


# -- PostgreSQL ---------------------------------------------------------------------------------------


def _clean_postgresql(store: Store, tables: Sequence[str]) -> Cleaned:
    done, left, beyond = [], [], []
    quoted = store.engine.dialect.identifier_preparer.quote
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"SET lock_timeout = {int(PATIENCE * 1000)}"))
        try:
            for table in tables:
                if why := _tried(connection, f"VACUUM (FULL, ANALYZE) {quoted(table)}"):
                    left.append(f"`{table}` was not written anew: {why}")
                else:
                    done.append(f"`{table}` was written anew, with its indexes")
            if _statistics_anew(connection):
                done.append("the samples of columns that the planner keeps were written anew")
            else:
                left.append(
                    "dead samples of columns may be left in pg_statistic: VACUUM FULL it as the owner of the database"
                )
            why = _overwrite_log(connection)
            if why is None:
                done.append("the segments of the log (WAL) were overwritten")
            else:
                left.append(f"the log (WAL) still holds the old rows until its segments have been used again: {why}")
            if connection.scalar(text("SELECT current_setting('archive_mode')")) != "off":
                beyond.append("the archived log holds the old rows: delete it once there is a newer base backup")
        finally:
            connection.execute(text("RESET lock_timeout"))  # the connection goes back to the pool
    return Cleaned(tuple(done), tuple(left), tuple(beyond))


def _tried(connection: Connection, statement: str, **values: object) -> str | None:
    """Why a statement could not be carried out, in words of ours; None where it was."""
    try:
        connection.execute(text(statement), values)
    except DatabaseError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state == _LOCKED:
            return f"somebody held it for {PATIENCE:.0f} s; run it again"
        if state == _FORBIDDEN:
            return "this account of the database may not"
        return f"the database refused ({type(error.orig).__name__})"
    return None


def _statistics_anew(connection: Connection) -> bool:
    """Write pg_statistic anew. Who may not is only warned by the server, and sees it by the file's number."""
    number = text("SELECT pg_relation_filenode('pg_statistic'::regclass)")
    before = connection.scalar(number)
    return _tried(connection, "VACUUM FULL pg_catalog.pg_statistic") is None and connection.scalar(number) != before


def _overwrite_log(connection: Connection) -> str | None:
    """Overwrite every segment of the log that is there; why not, where it cannot be done.

    A checkpoint after a switch lets all segments before be used again, with what is in them, under names to come. Each
    further switch fills the rest of a segment with zeros and goes on to the next: as many switches as there are
    segments have been through all of them.
    """
    try:
        last = connection.scalar(text("SELECT pg_walfile_name(pg_current_wal_lsn())"))
        _switch(connection)
        if why := _tried(connection, "CHECKPOINT"):
            return why
        for _ in range((connection.scalar(text("SELECT count(*) FROM pg_ls_waldir()")) or 0) + 1):
            _switch(connection)
        if why := _tried(connection, "CHECKPOINT"):
            return why
        kept = text("SELECT count(*) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' AND name <= :last")
        count = connection.scalar(kept, {"last": last})
    except DatabaseError as error:
        forbidden = getattr(error.orig, "sqlstate", None) == _FORBIDDEN
        return "this account of the database may not switch them" if forbidden else type(error.orig).__name__
    return f"{count} are kept back (a replication slot, an archive, wal_keep_size)" if count else None


def _switch(connection: Connection) -> None:
    """Go on to the next segment of the log; one in which nothing was written would not be left."""
    connection.execute(text("SELECT pg_logical_emit_message(true, 'avow', '')"))
    connection.execute(text("SELECT pg_switch_wal()"))


# -- searching ----------------------------------------------------------------------------------------

#: By a window of bytes, the needles that have it, and where.
_Windows = dict[bytes, list[tuple[bytes, int]]]


def needles(values: Mapping[str, str], encoding: str = "utf-8") -> dict[bytes, str]:
    """What to search for of each text: its first and last bytes, and by what name it is called if that is found.

    Args:
        values: a name by text, `customer.email` for example. What is shorter than `SHORTEST` bytes is left out.
        encoding: how the database writes text.
    """
    found: dict[bytes, str] = {}
    for given, name in values.items():
        data = given.encode(encoding, "replace")
        if len(data) >= SHORTEST:
            found[data[:LONGEST]] = found[data[-LONGEST:]] = name
    return found


def search(
    files: Iterable[Path], sought: Mapping[bytes, str], progress: Callable[[int, int], None] = lambda done, total: None
) -> Counter[tuple[Path, str]]:
    """How often each name's texts are in the files, by file and name. Each file is read once, a portion at a time.

    Raises:
        StoreError: a file cannot be read.
    """
    windows: _Windows = {}
    for needle in sought:
        for offset in range(STRIDE):
            windows.setdefault(needle[offset : offset + WINDOW], []).append((needle, offset))
    hits: Counter[tuple[Path, str]] = Counter()
    there = [path for path in files if path.is_file()]
    total, done = sum(path.stat().st_size for path in there), 0
    for path in there:
        try:
            for portion, fresh in _portions(path):
                for needle in _found(portion, fresh, windows):
                    hits[path, sought[needle]] += 1
                done += fresh
                progress(min(done, total), total)
        except OSError as error:
            raise StoreError(f"`{path}` cannot be searched: {error.strerror}", help="mend its rights") from None
    return hits


def _portions(path: Path) -> Iterator[tuple[bytes, int]]:
    """A file piece by piece: each with the beginning of the next, and how many bytes are its own."""
    with path.open("rb") as file:
        held = file.read(PORTION)
        while held:
            ahead = file.read(PORTION)
            yield held + ahead[: LONGEST - 1], len(held)
            held = ahead


def _found(portion: bytes, fresh: int, windows: _Windows) -> Iterator[bytes]:
    """Each needle that begins within the first `fresh` bytes of a portion, as often as it does."""
    places = [at for at in range(0, fresh + STRIDE - 1, STRIDE) if portion[at : at + WINDOW] in windows]
    for at in places:
        for needle, offset in windows[portion[at : at + WINDOW]]:
            if 0 <= at - offset < fresh and portion.startswith(needle, at - offset):
                yield needle
