"""An installation is served by as many as like, and restored by one alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avow.errors import StoreError
from avow.site.safekeeping import restore
from avow.site.serving import NAME, restoring, serving
from tests.vault.club import club


def test_several_processes_serve_and_nobody_restores_meanwhile(tmp_path: Path) -> None:
    running = pytest.raises(StoreError, match="is running, or is being restored already")
    with serving(tmp_path), serving(tmp_path), running, restoring(tmp_path):
        pass
    with restoring(tmp_path):
        with pytest.raises(StoreError, match="is being restored"), serving(tmp_path):
            pass
        with pytest.raises(StoreError, match="restored already"), restoring(tmp_path):
            pass
    assert (tmp_path / NAME).read_bytes() == b""


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made: No such file"), serving(tmp_path / "none"):
        pass


def test_a_service_is_not_restored_under_its_feet(tmp_path: Path) -> None:
    """It would go on writing into a file that nobody finds any more, and its answers would be lost."""
    site: Any = club()
    opened = site.open(tmp_path / "data")
    held = opened.settings.data / "site.db"
    held.rename(tmp_path / "away.db")
    with pytest.raises(StoreError, match="nothing was changed"):
        restore(club(), tmp_path / "data", None, None, lambda done, total: None)
    (tmp_path / "away.db").rename(held)
    site.close()
    with restoring(tmp_path / "data"):
        with pytest.raises(StoreError, match="is being restored"):
            site.open(tmp_path / "data")
        assert site.open(tmp_path / "data", background=False).policy.site == "club"
        site.close()
    site.open(tmp_path / "data")
    site.close()
