"""Putting a backup back: old rows, the newest keys, the whole ledger, and nobody who was erased since.

1. In one transaction: the tables are created and filled, and each person gets their key from the newest key table.
   What waited to leave when the backup was made is held back: it may have left since.
2. The ledger gets the entries since from its journal, or is refused.
3. When the site is opened next, whoever has a tombstone is erased again, and what was changed or removed since is taken
   out, before anything is served.

`mend` does the same for a database that somebody put back by other means. Each step may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, inspect, select
from sqlalchemy.exc import DatabaseError, OperationalError

from avow.errors import KeyringError, StoreError, first_line
from avow.keys.keytable import NAME as KEY_TABLE
from avow.keys.keytable import WrappedKey, read_key_table
from avow.vault.backup import PORTION, Manifest, Progress, read_manifest, rows_of
from avow.vault.former import want_search
from avow.vault.tombstones import NAME as TOMBSTONES
from avow.vault.tombstones import TombstoneFile, receipt_of, token_of

if TYPE_CHECKING:
    from avow.keys.provider import KeyProvider
    from avow.store.connection import Store
    from avow.vault.record import Home

#: What is said of a send that waited when the backup was made.
HELD = "held back after a restore: it may have left since; see avow outbox"


@dataclass(frozen=True, slots=True)
class Target:
    """What a backup is put into: the declared records, a store, and the data folder with its keyring."""

    home: Home
    store: Store
    data: Path
    keyring: KeyProvider


def fill(target: Target, folder: Path, progress: Progress = lambda done, total: None) -> Manifest:
    """Create the tables and fill them from the backup in `folder`: all of it, or nothing.

    Raises:
        StoreError: the database is in use already, or the backup is damaged, or has a table that the site has not.
        KeyringError: the keyring is of another installation, or the key table does not know everybody.
    """
    manifest = read_manifest(folder)
    if manifest.tenant != target.keyring.tenant:
        raise KeyringError(
            f"the backup `{folder}` is of another installation", help="put the keyring that belongs to it in its place"
        )
    schema, metadata = target.home.schema, target.home.metadata
    if inspect(target.store.engine).has_table(schema.meta.name):
        raise StoreError(
            "there is an installation in this database already",
            help="if a restore was interrupted, `avow restore SITE` without the folder goes on with it; else restore "
            "into an empty one: move the old file away with the -wal and -shm beside it, or name another with --store",
        )
    unknown = [name for name, part in manifest.tables.items() if part.rows and name not in metadata.tables]
    if unknown:
        raise StoreError(
            f"the backup has rows of `{unknown[0]}`, which the site no longer declares",
            help="restore it with the site as it was, then change the site",
        )
    total, done = sum(part.rows for part in manifest.tables.values()), 0
    progress(done, total)
    try:
        with target.store.writing() as connection:
            metadata.create_all(connection)
            for table in metadata.sorted_tables:
                if table.name in manifest.tables:
                    add = _without_key if table is schema.person else dict
                    for portion in _portions(folder, table, manifest, add):
                        connection.execute(table.insert(), portion)
                        done += len(portion)
                        progress(done, total)
            _hold_back(connection, schema.outbox)
            bring_keys(target, connection)
    except DatabaseError as error:
        # Of a full disk, a lock or a server that is gone; anything else might repeat a value.
        said = first_line(error.orig or error) if isinstance(error, OperationalError) else type(error.orig).__name__
        raise StoreError(
            f"the backup does not go into the database: {said}",
            help="nothing was restored; check that there is room, and that the site is the one that was backed up",
        ) from None
    return manifest


def mend(target: Target) -> int:
    """Give the people of a database that was put back the keys that the key table has; how many had lost theirs.

    Whether an epoch was destroyed since or not, it has to be searched, and what waited may have left.

    Raises:
        StoreError: the database is empty.
        KeyringError: as `bring_keys`.
    """
    if not inspect(target.store.engine).has_table(target.home.schema.meta.name):
        raise StoreError("there is no database to mend", help="name the folder of a backup: avow restore SITE FOLDER")
    with target.store.writing() as connection:
        count = bring_keys(target, connection)
        _hold_back(connection, target.home.schema.outbox)
    return count


def bring_keys(target: Target, connection: Connection) -> int:
    """Take the keys of all whose epoch is gone from the key table; how many they were.

    Who was erased since has none there: their row stays without, until their tombstone has it removed.

    Raises:
        KeyringError: somebody is neither in the key table nor erased.
    """
    person = target.home.schema.person
    keyless = person.c.epoch.not_in(target.keyring.status().epochs)
    missing = set(connection.scalars(select(person.c.id).where(keyless)))
    count = len(missing)
    if not missing:
        return 0
    portion: list[WrappedKey] = []
    for key in read_key_table(target.data / KEY_TABLE, target.keyring.tenant):
        if key.person in missing:
            missing.discard(key.person)
            portion.append(key)
        if len(portion) == PORTION:
            _write_keys(connection, person, portion)
    _write_keys(connection, person, portion)
    secret, erased = target.keyring.secret("tombstone"), TombstoneFile(target.data / TOMBSTONES).read()
    lost = [one for one in missing if token_of(receipt_of(secret, target.keyring.tenant, one)) not in erased]
    if lost:
        raise KeyringError(
            f"the key table knows nothing of {len(lost)} people whose keys are gone",
            help=f"put the newest copy of `{target.data / KEY_TABLE}` in its place: this one is older than the backup",
        )
    if missing:
        connection.execute(person.update().where(keyless).values(epoch=0, wrapped=b""))
    return count


def _write_keys(connection: Connection, person: Table, portion: list[WrappedKey]) -> None:
    for key in portion:
        connection.execute(
            person.update().where(person.c.id == key.person).values(epoch=key.epoch, wrapped=key.wrapped)
        )
    portion.clear()


def _without_key(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "epoch": 0, "wrapped": b""}


def _portions(folder: Path, table: Table, manifest: Manifest, add: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    portion: list[dict[str, Any]] = []
    for row in rows_of(folder, table, manifest.tables[table.name]):
        portion.append(add(row))
        if len(portion) == PORTION:
            yield portion
            portion = []
    if portion:
        yield portion


def _hold_back(connection: Connection, outbox: Table) -> None:
    waiting = outbox.c.state.in_(("ready", "attempted"))
    connection.execute(outbox.update().where(waiting).values(state="failed", note=HELD))
    want_search(connection, outbox.metadata.tables["avow_meta"])
