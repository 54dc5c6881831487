"""Where the repository's files are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "sites", "tests", "tools", "bench", "docs", ".ci")
CACHES = frozenset({"__pycache__", ".venv", ".git"})


def files(*folders: str, suffix: str = "") -> Iterator[Path]:
    """Every file under some folders (all of the project's and its root, when none is named), caches left out."""
    for folder in folders or FOLDERS:
        for file in sorted((ROOT / folder).rglob(f"*{suffix}")):
            if file.is_file() and not CACHES & set(file.parts):
                yield file
    if not folders:
        yield from (file for file in sorted(ROOT.glob(f"*{suffix}")) if file.is_file())


def name(file: Path) -> str:
    """The file's path from the root of the repository."""
    return file.relative_to(ROOT).as_posix()
