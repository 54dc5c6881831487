"""The places where keys lie: a file, and a device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .softhsm import SoftHSM


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an installation's `keyring` lies."""
    return tmp_path / "keyring"


@pytest.fixture
def softhsm(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftHSM]:
    device = SoftHSM(tmp_path_factory.mktemp("softhsm"), monkeypatch)
    yield device
    device.restart()  # nothing of this test is logged in when the next one begins
