"""`avow backup` and `avow restore`."""

from __future__ import annotations

from pathlib import Path

from avow.cli.installation import data_of
from avow.cli.progress import bar
from avow.cli.serve import load_site


def backup(site: Path, data: Path | None, store: str | None, folder: Path, safe: Path | None) -> int:
    """Back up a site into a new folder.

    Raises:
        AvowError: it could not be done; no half backup is left.
    """
    from avow.keys.device import read_pointer
    from avow.site.safekeeping import backup as back_up

    where = data_of(site, data)
    with bar("rows") as progress:
        manifest = back_up(load_site(site), where, store, folder, safe, progress)
    rows = sum(part.rows for part in manifest.tables.values())
    print(f"{folder}: {rows} rows of {len(manifest.tables)} tables, a ledger of {manifest.ledger} entries, no keys")
    if safe is None:
        print(f"What opens it lies in {where} only. Copy that with --safe DIR, to another place than the backups.")
    else:
        print(f"What opens it was copied to {safe}. Keep that apart from the backups, and only the newest.")
    if pointer := read_pointer(where / "keyring"):
        print(
            f"The keys themselves are in the token `{pointer.device.token}`, and in no file: without it, nothing opens."
        )
        print(
            "Back that up by its own means, to another place than these two, and again whenever an epoch was destroyed."
        )
    return 0


def restore(site: Path, data: Path | None, store: str | None, folder: Path | None) -> int:
    """Put a backup back, or mend a database that was put back by other means.

    Raises:
        AvowError: it could not be done.
    """
    from avow.site.safekeeping import restore as put_back

    where = data_of(site, data)
    with bar("rows") as progress:
        done = put_back(load_site(site), where, store, folder, progress)
    if folder is not None:
        print(f"{done.rows} rows were put back.")
    print(f"{done.entries} ledger entries since were taken from the journal.")
    print(f"{done.erased} people who have been erased since were erased again.")
    print("Sends that waited then are held back, since they may have left: see `avow outbox`.")
    return 0
