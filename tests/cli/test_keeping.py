"""`avow backup`, `restore`, `keys`, `retention` on the shop, as its operator has it: a folder, and no program open."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.cli.serve import load_site

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "sites" / "gourmet"


def avow(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "avow", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Any]:
    """The shop with one question of a guest and one who asked to be erased an hour ago, closed."""
    site: Any = load_site(SHOP)
    site.open(tmp_path / "data", background=False)
    kinds = {kind.__name__: kind for kind in site.home.records}
    with site.acting("storefront", "objections", place="order_page", channel="https") as work:
        now = work.now - 3600
        work.collect(kinds["Erasure"], person=work.person(), asked="today", state="pending", wished=now)
    site.opened.sequencer.run()
    site.close()
    yield tmp_path / "data"
    site.close()


def test_backup_keys_and_restore(shop: Path, tmp_path: Path) -> None:
    data = ("--data", shop)
    made = avow("backup", SHOP, tmp_path / "backup", "--safe", tmp_path / "safe", *data)
    assert made.returncode == 0, made.stderr
    assert "no keys\n" in made.stdout
    assert f"copied to {tmp_path / 'safe'}" in made.stdout
    status = avow("keys", "status", SHOP, *data)
    assert status.stdout.splitlines()[1:] == ["  epoch 1: 1 people  (the newest: it wraps)"]
    rotated = avow("keys", "rotate", SHOP, *data)
    assert "wrapped under epoch 2" in rotated.stdout, rotated.stderr
    assert avow("keys", "destroy-epoch", SHOP, "2", *data).stderr.startswith("error: epoch 2 is not older")
    gone = avow("keys", "destroy-epoch", SHOP, "1", "--safe", tmp_path / "safe", *data)
    assert gone.stdout.startswith("destroyed: 1\n"), gone.stderr
    shutil.move(shop / "site.db", tmp_path / "lost.db")
    for side in ("site.db-wal", "site.db-shm"):
        (shop / side).unlink(missing_ok=True)
    restored = avow("restore", SHOP, tmp_path / "backup", *data)
    assert restored.returncode == 0, restored.stderr
    assert "rows were put back." in restored.stdout
    assert "0 people who have been erased since" in restored.stdout
    assert "epoch 2: 1 people" in avow("keys", "status", SHOP, *data).stdout
    assert avow("ledger", "verify", *data).returncode == 0


def test_what_has_to_be_gone_is_shown(shop: Path) -> None:
    due = avow("retention", "due", SHOP, "--data", shop)
    assert due.returncode == 0, due.stderr
    assert due.stdout.startswith(
        "must erase customer within 30 days after erasure_asked  (#erase)\n    1 in shop_erasure"
    )


@pytest.mark.parametrize(
    "arguments", [("backup", SHOP, "/nowhere/b"), ("keys", "status", SHOP), ("retention", "due", SHOP)]
)
def test_nothing_is_made_where_nothing_is(tmp_path: Path, arguments: tuple[str | Path, ...]) -> None:
    said = avow(*arguments, "--data", tmp_path / "data")
    assert said.returncode == 1
    assert "there is no installation in" in said.stderr
    assert not (tmp_path / "data").exists()
