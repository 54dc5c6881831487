"""The house rules that a reader can check by looking, checked by looking."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.structure.tree import ROOT, files, name

PYTHON = [*files(suffix=".py")]
CATCH_ALL = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"}

#: What must not stand in any file, and why. Spelled so that this file does not contain it.
FORBIDDEN = {
    r"/(home|root|work|farm|Users)/\w": "a path of one machine",
    r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b": "a loose end: finish it, or open an issue",
    "NotImplemented" + "Error": "a stub",
    r"pytest\.(mark\.)?(sk" + r"ip|xf" + r"ail)|importor" + "skip": "a test that does not run shows nothing",
    r"https?://\S*(py" + r"pi|pythonhosted|/simple)\b": "the lock and the docs name no package index",
    r"^(<{7}|>{7}) ": "an unresolved merge",
}

#: The services whose policies the sites are written after.
SOURCES = ("igourmet", "igroops", "igennie", "instagress")
#: Folders under sites/ whose names the library also uses for other things.
ORDINARY = {"members"}


def test_no_module_passes_400_lines() -> None:
    long = {name(file): count for file in PYTHON if (count := len(file.read_text().splitlines())) > 400}
    assert not long, "split them by noun"


def test_no_module_has_a_catch_all_name() -> None:
    assert not [name(file) for file in PYTHON if CATCH_ALL & {file.stem, *file.relative_to(ROOT).parts}]


def test_the_library_knows_no_site() -> None:
    folders = {file.parent.name for file in files("sites", suffix="policy.md")}
    assert len(folders) == 5
    # A folder called by an ordinary word counts where it is a path, or a text of its own.
    seen = {each: rf"\bsites[./]{each}\b|[\"']{each}[\"']" if each in ORDINARY else each for each in folders}
    words = re.compile("|".join([*seen.values(), *SOURCES]), re.IGNORECASE)
    assert all(words.search(f'open("sites/{each}/policy.md")') for each in folders)
    assert not [f"{name(file)}: {found[0]}" for file in files("src") if (found := words.search(_text(file)))]


@pytest.mark.parametrize("pattern", FORBIDDEN, ids=FORBIDDEN.values())
def test_no_file_contains(pattern: str) -> None:
    looking = re.compile(pattern, re.MULTILINE)
    assert not [
        f"{name(file)}:{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for file in files()
        if file.name not in ("requirements.lock", ".gitignore")
        for text in [_text(file)]
        if (found := looking.search(text))
    ]


def test_every_floor_has_tests_of_its_own() -> None:
    floors = {folder.parent.name for folder in (ROOT / "src/avow").glob("*/__init__.py")}
    tested = {file.parent.relative_to(ROOT / "tests").parts[0] for file in files("tests") if "test_" in file.name}
    assert floors <= tested | {"testing"}, "the peers of avow.testing are tested under tests/peers"


def test_every_public_package_says_what_it_is() -> None:
    packages = list(files("src", suffix="__init__.py"))
    assert not [name(file) for file in packages if not ast.get_docstring(ast.parse(file.read_text()))]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""  # a picture or a font
