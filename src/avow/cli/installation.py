"""Where an installation lives, and opening one for a command that looks after it: one that is there, not a new one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from avow.errors import SetupError

if TYPE_CHECKING:
    from avow.site.opened import Opened


def folder_of(site: Path, data: Path | None) -> Path:
    """The data folder of a site: the one that was named, or else `var/` with the site's name."""
    return data or Path("var") / site.resolve().name


def data_of(site: Path, data: Path | None) -> Path:
    """The data folder of a site that has been served.

    Raises:
        SetupError: nothing lives there.
    """
    where = folder_of(site, data)
    if not (where / "keyring").exists():
        raise SetupError(f"there is no installation in `{where}`", help="name its data folder with --data")
    return where


@contextmanager
def opened(site: Path, data: Path | None, store: str | None, *, reads: bool = False) -> Iterator[Opened]:
    """A site's installation, without its background work. In the end what was noted is chained, unless it only `reads`.

    Raises:
        AvowError: there is no installation, or it cannot be used.
    """
    from avow.cli.serve import load_site

    declared = load_site(site)
    found = declared.open(data_of(site, data), store=store, background=False)
    try:
        yield found
    finally:
        if not reads:
            found.sequencer.run()
        declared.close()
