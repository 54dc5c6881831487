"""`avow fmt`: the blocks of policy files in canonical layout."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from avow.errors import PolicyError, SetupError
from avow.language.layout import layout
from avow.language.source import read_file


def fmt(files: Sequence[Path], check: bool) -> int:
    """Lay out policy files in place; with `check`, only say which would change.

    Returns 0, or 1 if a file cannot be laid out or, with `check`, would change. Raises SetupError if one cannot be
    written.
    """
    status = 0
    for file in files:
        try:
            data, text = read_file(file)
            result = layout(text, str(file)).encode("utf-8")
        except PolicyError as error:
            print(f"{error}\n", file=sys.stderr)
            status = 1
            continue
        if result == data:
            continue
        if check:
            print(f"{file}: would be laid out anew")
            status = 1
        else:
            _replace(file, result)
            print(f"{file}: laid out")
    return status


def _replace(file: Path, data: bytes) -> None:
    """Write the whole file or nothing: a policy that is being served must never be half a policy."""
    target = file.resolve()
    try:
        mode = target.stat().st_mode
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as new:
            new.write(data)
        Path(new.name).chmod(mode & 0o7777)
        Path(new.name).replace(target)
    except OSError as error:
        help = "check the permissions of the file and of its folder"
        raise SetupError(f"cannot write {file}: {error.strerror}", help=help) from error
