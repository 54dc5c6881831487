"""Where an installation lives that a command looks after: one that is there, not one to be made."""

from __future__ import annotations

from pathlib import Path

from avow.errors import SetupError


def data_of(site: Path, data: Path | None) -> Path:
    """The data folder of a site.

    Raises:
        SetupError: nothing lives there.
    """
    where = data or Path("var") / site.resolve().name
    if not (where / "keyring").exists():
        raise SetupError(f"there is no installation in `{where}`", help="name its data folder with --data")
    return where
