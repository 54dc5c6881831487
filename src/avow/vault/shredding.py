"""Erasing people, second stage: what is left of them in backups, logs and free pages becomes noise.

A new key epoch is created, everybody's key is wrapped again under it, and the older epochs are destroyed. Whoever had
no row by then is out of reach, wherever a copy of their wrapped key may lie: nothing unwraps it. The order matters,
for a destroyed epoch takes everybody along who is still under it:

1. the new epoch is durable; from now on everything is wrapped under it, in every process;
2. all keys are wrapped again, batch by batch, while the service goes on;
3. once everybody is committed who has been inserted before, the last of them; the key table is written and every key
   in it is read back and unwrapped;
4. where a copy of keys and key table is kept elsewhere, it is renewed: what lies there opens backups before and after;
5. only then the older epochs are destroyed, the tombstones and the ledger say so, and the copy loses them too.

A process that dies anywhere leaves everybody's key readable; the next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import OperationalError

from avow.errors import KeyringError, StoreError
from avow.keys.hierarchy import unwrap_person, wrap_person
from avow.keys.keytable import NAME, alone_with, read_key_table
from avow.vault.backup import Progress, write_people
from avow.vault.erasure import duties_to_erase

if TYPE_CHECKING:
    from avow.vault.vault import Vault

#: People whose keys are wrapped again in one transaction.
BATCH = 500

#: Seconds to wait for who is being written.
PATIENCE = 5.0

#: Hours after which a person who was erased is out of reach in every backup too.
SHRED_AFTER = 24


def rotate(vault: Vault, progress: Progress = lambda done, total: None) -> int:
    """Wrap everybody's key under a new epoch, while the service goes on; the number of the epoch.

    Where somebody is still under an older one, a run before this one did not come to its end: its epoch will do.

    Raises:
        KeyringError: the epoch could not be made durable, or a key does not unwrap. What was done stays done.
    """
    epoch = vault.keyring.status().current
    if not _older(vault, epoch):
        epoch = vault.keyring.create_epoch()
    wrap_again(vault, progress)
    return epoch


def wrap_again(vault: Vault, progress: Progress = lambda done, total: None) -> int:
    """Wrap all keys that are under an older epoch again; how many they were."""
    newest = vault.keyring.status().current
    done, total = 0, _older(vault, newest)
    progress(done, total)
    while True:
        with vault.store.writing() as connection:
            count = _batch(connection, vault, newest)
        if not count:
            return done
        done += count
        progress(min(done, total), total)


def shred(
    vault: Vault, progress: Progress = lambda done, total: None, copy: Callable[[], object] = lambda: None
) -> tuple[int, ...]:
    """Destroy every older epoch, so that nobody who was erased can come back; the epochs that are gone.

    Args:
        copy: as `destroy_up_to`.

    Raises:
        KeyringError: a key does not unwrap, the key table cannot be written or read back. Nothing is destroyed then.
    """
    keys = vault.keyring.status()
    newest = keys.current
    # Else a run before this one has made the new epoch, and did not come to its end.
    if len(keys.epochs) == 1 or waiting(vault, under=newest):
        newest = vault.keyring.create_epoch()
    wrap_again(vault, progress)
    return destroy_up_to(vault, newest - 1, copy)


def destroy_up_to(vault: Vault, last: int, copy: Callable[[], object] = lambda: None) -> tuple[int, ...]:
    """Destroy the epochs up to `last`, an older one, once every key has been seen to be safe; the epochs that are gone.

    Args:
        copy: renews the copy that is kept elsewhere. It is called before anything is destroyed, when it takes over the
            key table, and after, when it loses the epochs; where it fails before, nothing is destroyed.

    Raises:
        KeyringError: as `shred`.
        StoreError: somebody was being written for too long: nothing is destroyed then. Or there is no copy: it says
            whether something was.
    """
    newest = vault.keyring.status().current
    path = vault.data / NAME
    with alone_with(path):
        _wait_for_inserts(vault)
        with vault.store.writing() as connection:
            while _batch(connection, vault, newest):
                pass
            write_people(vault, connection)
        _check_keys(vault, path, newest)
    gone = tuple(epoch for epoch in vault.keyring.status().epochs if epoch <= last)
    copy()
    with alone_with(path):  # a table that was written meanwhile has no older key either; seen to be so, not believed
        _check_keys(vault, path, newest)
        for epoch in gone:
            vault.keyring.destroy_epoch(epoch)
    note_shredded(vault)
    vault.store.checkpoint()
    try:
        copy()
    except StoreError as error:
        raise StoreError(f"the epochs were destroyed here, but {error.args[0]}", help=error.help) from None
    return gone


def _check_keys(vault: Vault, path: Path, newest: int) -> None:
    """Read the key table back: every key in it is under the newest epoch, and unwraps."""
    for key in read_key_table(path, vault.tenant):
        if key.epoch < newest:
            raise KeyringError(f"a key in `{path}` is still under epoch {key.epoch}", help="nothing was destroyed")
        unwrap_person(vault.keyring, vault.tenant, *key)


def _wait_for_inserts(vault: Vault) -> None:
    """Wait until everybody is committed who has been inserted: who is from now on looks up the newest epoch after that.

    An insert holds PostgreSQL's ROW EXCLUSIVE lock of the table until its transaction ends, which this mode waits for.
    SQLite's writers are one at a time as it is.

    Raises:
        StoreError: somebody is not in time.
    """
    if vault.store.dialect != "postgresql":
        return
    try:
        with vault.store.writing() as connection:
            # Whoever comes meanwhile waits behind us, so we do not wait for long.
            connection.execute(text(f"SET LOCAL lock_timeout = {int(PATIENCE * 1000)}"))
            connection.execute(text(f"LOCK TABLE {vault.home.schema.person.name} IN SHARE ROW EXCLUSIVE MODE"))
    except OperationalError:
        raise StoreError(
            f"somebody has been written for more than {PATIENCE:g} s and is not committed yet: nothing was destroyed",
            help="try again later, as the background work of the service does; if it goes on, look for a transaction "
            "that does not end",
        ) from None


def note_shredded(vault: Vault) -> int:
    """Say of whom no key is left, in their tombstones and in the ledger; how many they were.

    Asks the keyring, so that it may be done at any time after: also by the next start, if a process died before.
    """
    oldest, table = vault.keyring.status().epochs[0], vault.home.schema.tombstone
    done = (table.c.shredded.is_(None), table.c.epoch < oldest)
    with vault.store.reading() as connection:
        if not connection.scalar(select(func.count()).select_from(table).where(*done)):
            return 0
    with vault.store.writing() as connection:
        count = connection.execute(table.update().where(*done).values(shredded=vault.hour())).rowcount
        if count:
            vault.note(connection, "shredded", "erase", vault.subject, duties_to_erase(vault))
    vault.after_commit()
    return count


def waiting(vault: Vault, under: int = 1) -> int:
    """Of how many erased people a copy of the key could still be unwrapped: those whose epoch was `under` or later."""
    table = vault.home.schema.tombstone.c
    found = select(func.count()).where(table.shredded.is_(None), table.epoch >= under)
    with vault.store.reading() as connection:
        return connection.scalar(found) or 0


def is_due(vault: Vault) -> bool:
    """Whether somebody was erased so long ago that they must be out of reach everywhere by now."""
    table = vault.home.schema.tombstone
    with vault.store.reading() as connection:
        first = connection.scalar(select(func.min(table.c.hour)).where(table.c.shredded.is_(None)))
    return first is not None and first + SHRED_AFTER <= vault.hour()


def _older(vault: Vault, newest: int) -> int:
    """How many people's keys are wrapped under an epoch before the newest."""
    person = vault.home.schema.person
    with vault.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(person).where(person.c.epoch < newest)) or 0


def _batch(connection: Connection, vault: Vault, newest: int) -> int:
    person = vault.home.schema.person
    found = select(person.c.id, person.c.epoch, person.c.wrapped).where(person.c.epoch < newest).limit(BATCH)
    # Locked less than for an erasure: what leads them to ledger entries goes on being written.
    rows = connection.execute(found.with_for_update(key_share=True)).all()
    for identity, epoch, wrapped in rows:
        key = unwrap_person(vault.keyring, vault.tenant, identity, epoch, bytes(wrapped))
        now, again = wrap_person(vault.keyring, vault.tenant, identity, key)
        connection.execute(person.update().where(person.c.id == identity).values(epoch=now, wrapped=again))
        vault.forget(bytes(wrapped))
    return len(rows)


def people(connection: Connection, vault: Vault) -> Iterator[tuple[int, int]]:
    """How many people are under each epoch."""
    person = vault.home.schema.person
    rows = connection.execute(select(person.c.epoch, func.count()).group_by(person.c.epoch).order_by(person.c.epoch))
    return ((row[0], row[1]) for row in rows)
