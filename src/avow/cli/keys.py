"""`avow keys`: the epochs of an installation, rotating them, and destroying the old ones."""

from __future__ import annotations

from pathlib import Path

from avow.cli.installation import opened
from avow.cli.progress import bar
from avow.errors import KeyringError


def status(site: Path, data: Path | None, store: str | None) -> int:
    """Say which epochs there are, how many people are under each, and how many erased ones wait to be out of reach."""
    from avow.vault.shredding import people, waiting

    with opened(site, data, store) as found:
        vault = found.vault
        keys = vault.keyring.status()
        with vault.store.reading() as connection:
            under = dict(people(connection, vault))
        print(f"{keys.provider} keyring {keys.location}")
        for epoch in keys.epochs:
            newest = "  (the newest: it wraps)" if epoch == keys.current else ""
            print(f"  epoch {epoch}: {under.get(epoch, 0)} people{newest}")
        count = waiting(vault)
        if count:
            print(f"{count} people were erased whose key could still be unwrapped from an old copy of the database.")
    return 0


def rotate(site: Path, data: Path | None, store: str | None) -> int:
    """Wrap everybody's key under a new epoch, or that of a run that was cut short; the service may run meanwhile."""
    from avow.vault.shredding import rotate as wrap_all

    with opened(site, data, store) as found, bar("people") as progress:
        before = found.vault.keyring.status().current
        epoch = wrap_all(found.vault, progress)
    print(f"Everybody's key is wrapped under epoch {epoch}. Older epochs are there until they are destroyed.")
    if epoch == before:
        print("A run before this one had made that epoch and did not come to its end. For another, run this again.")
    return 0


def destroy_epoch(site: Path, data: Path | None, store: str | None, epoch: int, safe: Path | None) -> int:
    """Destroy every epoch up to `epoch`, with whatever keys of erased people were wrapped under them.

    Raises:
        KeyringError: it is the newest, or there is none such; nothing was destroyed.
    """
    from avow.site.safekeeping import copy_kept
    from avow.vault.shredding import destroy_up_to

    with opened(site, data, store) as found:
        vault = found.vault
        if epoch >= vault.keyring.status().current:
            raise KeyringError(
                f"epoch {epoch} is not older than the newest, {vault.keyring.status().current}",
                help="run `avow keys rotate` first, so that everybody who lives is under a new one",
            )
        gone = destroy_up_to(vault, epoch, lambda: copy_kept(vault.data, safe))
        holder = vault.keyring.status().provider
    print(f"destroyed: {', '.join(map(str, gone)) or 'nothing, they were gone'}")
    if safe is not None:
        print(f"The copy in {safe} was renewed, before and after.")
    if holder == "file":
        other = (
            "that were kept elsewhere hold them still: replace them with --safe DIR"
            if safe is None
            else "elsewhere, if there are any, hold them still: delete them"
        )
        print(f"Copies of the keyring {other}.")
    else:
        print("Copies of the token that were kept elsewhere hold them still: replace them by the device's own means.")
    return 0
