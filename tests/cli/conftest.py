"""What several tests of commands look at."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from avow.cli.main import run
from tests.cli.asking_shop import SHOP, used


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A shop that was used, and a pack of its evidence; `key` is the log's, as it was printed."""
    place = tmp_path_factory.mktemp("evidence")
    used(place / "data")
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(map(str, words))))
        assert run(["evidence", str(SHOP), str(place / "pack"), "--data", str(place / "data")]) == 0
    said = "\n".join(lines)
    key = said.partition("check.py --pack pack '")[2].partition("'")[0]
    return SimpleNamespace(pack=place / "pack", data=place / "data", key=key, said=said)


@pytest.fixture
def pack(made: Any, tmp_path: Path) -> Path:
    """A pack to be changed."""
    shutil.copytree(made.pack, tmp_path / "pack")
    return tmp_path / "pack"
