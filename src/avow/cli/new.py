"""`avow new`: a folder with a small policy and a site that runs on it, to be changed into one's own."""

from __future__ import annotations

import re
import shutil
import sys
from datetime import date
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

from avow.errors import SetupError

STARTER = Path(__file__).with_name("starter")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_DATE = re.compile(r"^effective: .*$", re.MULTILINE)


def new(folder: Path, today: date | None = None) -> int:
    """Make a site in a new folder, and say what to do next. Its name is the folder's, and so are its titles.

    Raises SetupError, with nothing made, if the name cannot be a site's or the folder is there already.
    """
    name = folder.name
    if not _NAME.match(name) or iskeyword(name):
        raise SetupError(f"`{name}` cannot be a site's name", help="use lower-case letters, digits and `_`: letter_box")
    if name in sys.stdlib_module_names or _taken(name):
        help = "choose another name: Python would take the one for the other"
        raise SetupError(f"`{name}` is the name of a Python module that is installed here", help=help)
    try:
        shutil.copytree(STARTER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    except FileExistsError:
        raise SetupError(f"`{folder}` is there already", help="choose another name, or remove it first") from None
    except OSError as error:
        raise SetupError(
            f"cannot make `{folder}`: {error.strerror}", help="choose a folder you may write in"
        ) from error
    title = name.replace("_", " ").capitalize()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            text = file.read_text("utf-8").replace("starter", name).replace("Starter", title)
            if file.name == "policy.md":
                text = text.replace(f"@{name}.example", f"@{name.replace('_', '-')}.example")
                text = _DATE.sub(f"effective: {(today or date.today()).isoformat()}", text)  # noqa: DTZ011  # the author's day
            file.write_text(text, "utf-8")
    print(f"{folder}: a policy and a site that runs on it")
    print(f"  avow serve {folder}                      then open http://127.0.0.1:8000")
    print(f"  avow check --explain {folder}/policy.md   what its rules say in English")
    return 0


def _taken(name: str) -> bool:
    """Whether Python would find another module of this name first; the folder to be made is not there yet."""
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return True
