"""What a running service has left on the disk."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def left_in(folder: Path) -> dict[str, bytes]:
    """The content of each file of a folder and its folders, by its path in it.

    A file that is replaced lies beside its successor for a moment: one that went away meanwhile is left out.
    """
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError, IsADirectoryError):
            files[str(path.relative_to(folder))] = path.read_bytes()
    return files
