"""Backing up: every row as it is at one moment, and no key.

    FOLDER/
      manifest.json         what this is a backup of: installation, policy, ledger; rows and digest of each table
      avow_person.jsonl …   one file a table, one row a line: a JSON array in the order of the manifest's columns

Bytes are base64, everything else is as JSON has it. Wrapped keys are left out: they come from the newest key table, so
that whoever was erased since is in no backup, and no backup has to be searched for them. The key table is therefore
written first, and what opens a backup lies in the data folder: keyring, key table, tombstones, the ledger's checkpoint
and its journal (`KEPT`). Keep a copy of those in another place than the backups, and only the newest.

The same files fit both kinds of store: a backup of SQLite may be put back into PostgreSQL.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Time,
    func,
    select,
)

from avow.errors import SetupError, StoreError
from avow.keys.keytable import NAME as KEY_TABLE
from avow.keys.keytable import WrappedKey, alone_with, write_key_table
from avow.keys.transfer import NAME as TRANSFER
from avow.ledger.growing import Edge
from avow.ledger.journal import NAME as JOURNAL
from avow.ledger.kept import NAME as CHECKPOINT
from avow.ledger.stored import StoredLog
from avow.store.files import alone_in, replace_durably, sync_folder
from avow.vault.columns import SealedColumn
from avow.vault.former import NAME as FORMER
from avow.vault.tombstones import NAME as TOMBSTONES

if TYPE_CHECKING:
    from avow.vault.vault import Vault

FORMAT: Final = 1

#: The files of a data folder that open a backup or a package, or keep a backup from bringing back who was erased.
KEPT: Final = ("keyring", KEY_TABLE, TOMBSTONES, FORMER, CHECKPOINT, JOURNAL, TRANSFER)

#: What a backup under way has in its folder.
_OURS: Final = re.compile(r"[a-z0-9_]+\.jsonl|manifest\.json(\.new)?", re.IGNORECASE)

#: Rows held in memory at a time.
PORTION = 1000

_DATES: Final = (datetime, date, time)

#: What a backup can hold: the type of a column, and that of its values in Python.
_KINDS: Final[tuple[tuple[type[Any], type[Any]], ...]] = (
    (LargeBinary, bytes),
    (String, str),
    (Boolean, bool),
    (Integer, int),
    (Float, float),
    (DateTime, datetime),
    (Date, date),
    (Time, time),
)

#: Told how many of how many rows, or people, are done.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One table of a backup: its columns in order, how many rows, the SHA-256 of its file."""

    columns: list[str]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of. `hour` counts from 1970; `ledger` is the size of the log, `root` is over it."""

    format: int
    tenant: str
    site: str
    policy: str
    hour: int
    ledger: int
    root: str
    tables: dict[str, Part]

    def encode(self) -> bytes:
        """The manifest's file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True).encode() + b"\n"


def back_up(vault: Vault, folder: Path, progress: Progress = lambda done, total: None) -> Manifest:
    """Write a backup into a new `folder`, of one moment, while the service goes on.

    Raises:
        StoreError: the folder exists, or cannot be written. No half backup is left.
        KeyringError: the key table cannot be written.
    """
    scratch = folder.with_name(folder.name + ".new")
    try:
        if folder.exists():
            raise StoreError(f"there is a `{folder}` already", help="name a new folder for each backup")
        with _scratch(scratch):
            with ExitStack() as lasting:
                with alone_with(vault.data / KEY_TABLE):  # from the first look on: no epoch ends between
                    connection = lasting.enter_context(vault.store.one_moment())
                    log = StoredLog(connection, vault.home.schema)
                    edge = log.edge(log.size())
                    write_people(vault, connection)
                tables = _write_tables(vault, connection, scratch, progress)
            manifest = _manifest(vault, edge, tables)
            replace_durably(scratch / "manifest.json", manifest.encode())
            scratch.replace(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise StoreError(
            f"the backup `{folder}` cannot be written: {error.strerror}", help="free space, or mend the rights"
        ) from None
    return manifest


@contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """A new folder to write a backup into, held for as long as the block lasts, and gone if that fails.

    Raises:
        StoreError: another backup is being written there, or it is somebody's folder.
        OSError: it cannot be made.
    """
    if folder.exists():  # what a backup that died left, unless it is something else
        with _held(folder):
            others = sorted(path.name for path in folder.iterdir() if not _OURS.fullmatch(path.name))
            if others:
                raise StoreError(
                    f"`{folder}` is in the way of the backup, and holds `{others[0]}`, which no backup has left there",
                    help="move it away, or name another folder for the backup",
                )
            rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    with _held(folder):
        try:
            yield
        except BaseException:
            with suppress(OSError):
                rmtree(folder)
            raise


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes that would write a backup into it."""
    with ExitStack() as held:
        try:
            held.enter_context(alone_in(folder, wait=False))
        except BlockingIOError:
            raise StoreError(
                f"another backup is being written into `{folder}`", help="wait for its end, or name another folder"
            ) from None
        yield


def read_manifest(folder: Path) -> Manifest:
    """What the backup in `folder` is of.

    Raises:
        StoreError: it is no backup, or of another format.
    """
    try:
        parts = json.loads((folder / "manifest.json").read_bytes())
        if parts["format"] == FORMAT:
            return Manifest(**{**parts, "tables": {name: Part(**part) for name, part in parts["tables"].items()}})
    except FileNotFoundError:
        raise StoreError(
            f"`{folder}` is no backup: it has no manifest.json", help="name the folder that `avow backup` made"
        ) from None
    except OSError as error:
        raise StoreError(
            f"the backup `{folder}` cannot be read: {error.strerror}", help="name the folder that `avow backup` made"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"the manifest of `{folder}` is damaged", help="take another backup") from None
    raise StoreError(f"the backup `{folder}` is of format {parts['format']}, and this version of Avow reads {FORMAT}")


def rows_of(folder: Path, table: Table, part: Part) -> Iterator[dict[str, Any]]:
    """The rows of a table in a backup, as they are inserted; its digest is compared when the last one has come.

    Raises:
        StoreError: the file is missing or damaged, or the table has other columns now.
    """
    path = folder / f"{table.name}.jsonl"
    unknown = [name for name in part.columns if name not in table.columns]
    if unknown:
        raise StoreError(
            f"the backup has `{table.name}.{unknown[0]}`, which the site no longer declares",
            help="restore it with the site as it was, then change the site",
        )
    decoders = [decoder_of(table.columns[name]) for name in part.columns]
    digest, count = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            for line in file:
                digest.update(line)
                count += 1
                cells = zip(part.columns, decoders, json.loads(line), strict=True)
                yield {name: decode(cell) for name, decode, cell in cells}
    except OSError as error:
        raise StoreError(f"`{path}` cannot be read: {error.strerror}", help="take another backup") from None
    except (ValueError, TypeError):
        raise StoreError(f"`{path}` is damaged at line {count}", help="take another backup") from None
    if (count, digest.hexdigest()) != (part.rows, part.sha256):
        raise StoreError(f"`{path}` is not as it was written", help="take another backup: nothing was restored")


def write_people(vault: Vault, connection: Connection) -> int:
    """Write the key table, of everybody whom `connection` sees; how many they are. It has to be held."""
    person = vault.home.schema.person
    count = connection.scalar(select(func.count()).select_from(person)) or 0
    everybody = select(person.c.id, person.c.epoch, person.c.wrapped).execution_options(yield_per=PORTION)
    with connection.execute(everybody) as rows:
        keys = (WrappedKey(row[0], row[1], bytes(row[2])) for row in rows)
        write_key_table(vault.data / KEY_TABLE, vault.tenant, keys, count)
    return count


def _write_tables(vault: Vault, connection: Connection, folder: Path, progress: Progress) -> dict[str, Part]:
    tables = vault.home.metadata.sorted_tables
    total = sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
    done = 0
    progress(done, total)
    parts: dict[str, Part] = {}
    for table in tables:
        columns = [c for c in table.columns if (table.name, c.name) != ("avow_person", "wrapped")]
        encoders = [encoder_of(column) for column in columns]
        digest, count = hashlib.sha256(), 0
        rows = select(*columns).execution_options(yield_per=PORTION)
        with (folder / f"{table.name}.jsonl").open("xb") as file, connection.execute(rows) as found:
            for portion in found.partitions(PORTION):
                lines = b"".join(
                    json.dumps([encode(cell) for encode, cell in zip(encoders, row, strict=True)]).encode() + b"\n"
                    for row in portion
                )
                digest.update(lines)
                file.write(lines)
                count += len(portion)
                progress(done + count, total)
            file.flush()
            os.fsync(file.fileno())
        done += count
        parts[table.name] = Part([column.name for column in columns], count, digest.hexdigest())
    return parts


def _manifest(vault: Vault, edge: Edge, tables: dict[str, Part]) -> Manifest:
    policy = vault.policy
    return Manifest(FORMAT, vault.tenant, policy.site, policy.digest, vault.hour(), edge.size, edge.root.hex(), tables)


def encoder_of(column: Column[Any]) -> Callable[[Any], Any]:
    """How a cell of `column` is written; None is written as it is."""
    if isinstance(column.type, SealedColumn):
        return lambda cell: None if cell is None else b64encode(cell._envelope).decode()
    kind = kind_of(column)
    if kind is bytes:
        return lambda cell: None if cell is None else b64encode(cell).decode()
    if kind in _DATES:
        return lambda cell: None if cell is None else cell.isoformat()
    return lambda cell: cell


def decoder_of(column: Column[Any]) -> Callable[[Any], Any]:
    """How a cell of `column` is read again. The function raises ValueError or TypeError for what is none."""
    if isinstance(column.type, SealedColumn):
        sealed = column.type.stored
        return lambda cell: None if cell is None else sealed(b64decode(cell, validate=True))
    kind = kind_of(column)
    if kind is bytes:
        return lambda cell: None if cell is None else b64decode(cell, validate=True)
    if kind in _DATES:
        return lambda cell: None if cell is None else kind.fromisoformat(cell)
    return lambda cell: cell


def kind_of(column: Column[Any]) -> type[Any]:
    """The type of a plain column's values in Python.

    Raises:
        SetupError: it is none that can be written into a file.
    """
    kind = next((python for sql, python in _KINDS if isinstance(column.type, sql)), None)
    if kind is None:
        raise SetupError(
            f"a backup cannot hold `{column.table.name}.{column.name}`, which is of type {column.type}",
            help="make it a column of text, numbers, bytes or dates",
        )
    return kind
