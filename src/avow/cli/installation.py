"""Where an installation lives, and opening one for a command that looks after it: one that is there, not a new one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from avow.errors import SetupError

if TYPE_CHECKING:
    from avow.site.opened import Opened
    from avow.store.connection import Store
    from avow.store.schema import Schema


def folder_of(site: Path, data: Path | None) -> Path:
    """The data folder of a site: the one that was named, or else `var/` with the site's name."""
    return data or Path("var") / site.resolve().name


def data_of(site: Path, data: Path | None) -> Path:
    """The data folder of a site that has been served.

    Raises:
        SetupError: nothing lives there, or this user may not look.
    """
    where = folder_of(site, data)
    try:
        there = (where / "keyring").exists()
    except OSError as error:
        raise SetupError(
            f"`{where}` cannot be looked into: {error.strerror}", help="run this as the user of the service"
        ) from None
    if not there:
        raise SetupError(f"there is no installation in `{where}`", help="name its data folder with --data")
    return where


@contextmanager
def opened(site: Path, data: Path | None, store: str | None, *, reads: bool = False) -> Iterator[Opened]:
    """A site's installation, without its background work. In the end what is due is integrated, unless it `reads`.

    The policy is the one in force: whoever edits its file has not published it until the service is started with it.

    Raises:
        AvowError: there is no installation, or it cannot be used.
    """
    from avow.cli.serve import load_site

    declared = load_site(site)
    found = declared.open(data_of(site, data), store=store, background=False, publishes=False)
    try:
        yield found
    finally:
        if not reads:
            found.sequencer.run_due()
        declared.close()


@contextmanager
def database(data: Path, store: str | None, table: str) -> Iterator[tuple[Store, Schema]]:
    """An installation's database with Avow's own tables, without the site whose it is: in `data`, or named by a URL.

    Args:
        table: what is looked for in it: the `ledger`, or the `outbox`.

    Raises:
        StoreError, SetupError: there is no database there, or it has no such table.
    """
    from sqlalchemy import MetaData, inspect

    from avow.store.connection import Store
    from avow.store.schema import declare

    if store is None and not (data / "site.db").is_file():
        raise SetupError(f"there is no database in `{data}`", help="name the data folder with --data, or --store")
    found = Store.open(store or f"sqlite:///{data / 'site.db'}")
    try:
        schema = declare(MetaData())
        tables = {"ledger": schema.entry, "outbox": schema.outbox}
        if not inspect(found.engine).has_table(tables[table].name):
            raise SetupError(f"the database holds no {table}", help="name the database of an Avow installation")
        yield found, schema
    finally:
        found.close()


def tell_waiting(count: int) -> None:
    """Say that entries are not in the log yet."""
    if count:
        print(f"{count} entries of this hour come in when it is over: so that their order says no more than the hour.")
