"""Old backups, put back after people were erased: a slice of the campaign, and that the campaign notices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from avow.testing.postgres import Server
from tests.campaigns import backups


@pytest.mark.campaign
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_erased_person_comes_back_from_any_backup_and_nobody_is_lost(
    tmp_path: Path, kind: str, postgres: Server
) -> None:
    stores: Callable[[], str | None] = postgres.fresh_database if kind == "postgresql" else lambda: None
    figures = backups.Trial(tmp_path, 40, 3, 7, stores).run()
    assert (figures["returned"], figures["lost"], figures["keys_found"]) == (0, 0, 0)
    assert figures["erased"] == 18


def test_a_wrapped_key_in_a_backup_would_be_found(tmp_path: Path) -> None:
    trial = backups.Trial(tmp_path, people=10, backups=1, seed=7)
    write = trial._erase

    def careless(identity: str) -> None:
        write(identity)
        (tmp_path / "backup-0" / "copy").write_bytes(b"left: " + trial.wrapped[-1])

    trial._erase = careless  # type: ignore[method-assign]
    assert trial.run()["keys_found"] == 1


def test_who_comes_back_would_be_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Restored without the tombstones, and with a key table that still has everybody."""
    trial = backups.Trial(tmp_path, people=10, backups=1, seed=7)
    put_back = trial._put_back
    monkeypatch.setattr(backups, "shred", lambda vault: None)

    def careless(folder: Path, into: Path) -> None:
        (trial.data / "tombstones").unlink()
        put_back(folder, into)

    trial._put_back = careless  # type: ignore[method-assign]
    assert trial.run()["returned"] == 5
