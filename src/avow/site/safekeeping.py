"""Backup and restore of a whole installation: `avow backup`, `avow restore`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from avow.errors import StoreError
from avow.keys.installed import open_keys
from avow.keys.keytable import NAME as KEY_TABLE
from avow.keys.keytable import alone_with
from avow.ledger.kept import NAME as CHECKPOINT
from avow.ledger.kept import log_signer
from avow.ledger.sequencer import Sequencer
from avow.ledger.waiting import WaitingSeal
from avow.site.serving import restoring
from avow.store.connection import Store
from avow.store.files import replace_durably
from avow.vault.backup import KEPT, Manifest, Progress, back_up
from avow.vault.former import take_back
from avow.vault.restoring import Target, fill, mend

if TYPE_CHECKING:
    from avow.site.site import Site


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: how many rows came back, how many ledger entries since, how many people were erased again."""

    rows: int
    entries: int
    erased: int


def backup(site: Site, data: Path, store: str | None, folder: Path, safe: Path | None, progress: Progress) -> Manifest:
    """Back up the installation in `data` into a new `folder`, and copy what opens it to the folder `safe`.

    It may be running meanwhile.

    Raises:
        StoreError, KeyringError: it cannot be read or written. An older copy in `safe` is as it was then.
    """
    opened = site.open(data, store=store, background=False, publishes=False)
    try:
        opened.sequencer.run_due()  # the rest goes along as it waits: sealed, and not in an order that says anything
        take_back(opened.vault)
        manifest = back_up(opened.vault, folder, progress)
        copy_kept(data, safe)
    finally:
        site.close()
    return manifest


def copy_kept(data: Path, safe: Path | None) -> None:
    """Copy the files that open a backup, each whole, where a copy is kept. The newest is the only one worth having.

    What a device holds is in none of them; then they say which device it is.

    Raises:
        StoreError: `safe` cannot be written.
    """
    if safe is None:
        return
    try:
        safe.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone_with(data / KEY_TABLE):  # else the keyring may be older than the table, and open nothing of it
            for name in KEPT:
                if (data / name).exists():
                    replace_durably(safe / name, (data / name).read_bytes())
    except OSError as error:
        raise StoreError(
            f"the keys cannot be copied to `{safe}`: {error.strerror}", help="free space, or mend the rights"
        ) from None


def restore(site: Site, data: Path, store: str | None, folder: Path | None, progress: Progress) -> Restored:
    """Put the backup in `folder` into an empty database, or mend one that was put back by other means.

    Raises:
        StoreError, KeyringError, LedgerError: it cannot be done, for one because the service is running.
            A database that was empty is empty then, or a restore that did not get to its end is gone on with by calling
            this again without a folder.
    """
    with restoring(data):
        return _restored(site, data, store, folder, progress)


def _restored(site: Site, data: Path, store: str | None, folder: Path | None, progress: Progress) -> Restored:
    address = store or f"sqlite:///{data / 'site.db'}"
    with _target(site, data, address) as target:
        rows = 0
        if folder is not None:
            manifest = fill(target, folder, progress)
            rows = sum(part.rows for part in manifest.tables.values())
        else:
            mend(target)
        signer = log_signer(data, target.keyring, f"{site.policy.site}/ledger")
        waiting = WaitingSeal(target.keyring.secret("log"))
        entries = Sequencer(target.store, site.home.schema, data / CHECKPOINT, signer, waiting).recover()
        people = _count(target)
    opened = site.open(data, store=store, background=False)  # erases again who was erased since
    try:
        opened.sequencer.run_due()
    finally:
        site.close()
    with _target(site, data, address) as target:
        return Restored(rows, entries, people - _count(target))


@contextmanager
def _target(site: Site, data: Path, address: str) -> Iterator[Target]:
    keyring = open_keys(data / "keyring")
    opened = Store.open(address)
    try:
        yield Target(site.home, opened, data, keyring)
    finally:
        opened.close()


def _count(target: Target) -> int:
    with target.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(target.home.schema.person)) or 0
