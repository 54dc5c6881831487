"""`avow backup`, `restore`, `keys`, `retention` on the shop, as its operator has it: a folder, and no program open."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.cli.serve import load_site
from tests.cli.typing_in import avow

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "sites" / "gourmet"


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
    assert made.status == 0, made.err
    assert "no keys\n" in made.out
    assert f"copied to {tmp_path / 'safe'}" in made.out
    status = avow("keys", "status", SHOP, *data)
    assert status.out.splitlines()[1:] == ["  epoch 1: 1 people  (the newest: it wraps)"]
    rotated = avow("keys", "rotate", SHOP, *data)
    assert "wrapped under epoch 2" in rotated.out, rotated.err
    assert avow("keys", "destroy-epoch", SHOP, "2", *data).err.startswith("error: epoch 2 is not older")
    gone = avow("keys", "destroy-epoch", SHOP, "1", "--safe", tmp_path / "safe", *data)
    assert gone.out.startswith("destroyed: 1\n"), gone.err
    shutil.move(shop / "site.db", tmp_path / "lost.db")
    for side in ("site.db-wal", "site.db-shm"):
        (shop / side).unlink(missing_ok=True)
    restored = avow("restore", SHOP, tmp_path / "backup", *data)
    assert restored.status == 0, restored.err
    assert "rows were put back." in restored.out
    assert "0 people who have been erased since" in restored.out
    assert "epoch 2: 1 people" in avow("keys", "status", SHOP, *data).out
    assert avow("ledger", "verify", *data).status == 0


def test_what_has_to_be_gone_is_shown(shop: Path) -> None:
    due = avow("retention", "due", SHOP, "--data", shop)
    assert due.status == 0, due.err
    assert due.out.startswith("must erase customer within 30 days after erasure_asked  (#erase)\n    1 in shop_erasure")


@pytest.mark.parametrize(
    "arguments", [("backup", SHOP, "/nowhere/b"), ("keys", "status", SHOP), ("retention", "due", SHOP)]
)
def test_nothing_is_made_where_nothing_is(tmp_path: Path, arguments: tuple[str | Path, ...]) -> None:
    said = avow(*arguments, "--data", tmp_path / "data")
    assert said.status == 1
    assert "there is no installation in" in said.err
    assert not (tmp_path / "data").exists()


def test_who_interrupts_a_command_is_told_that_nothing_is_half_done(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("avow.vault.backup._manifest", interrupted)
    said = avow("backup", SHOP, tmp_path / "backup", "--data", shop)
    assert (said.status, said.out) == (130, "")
    assert said.err.startswith("interrupted: nothing is left half done")
    assert not list(tmp_path.glob("backup*"))


def test_a_rotation_that_was_cut_short_is_gone_on_with(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("avow.vault.shredding._batch", interrupted)
        assert avow("keys", "rotate", SHOP, "--data", shop).status == 130
    again = avow("keys", "rotate", SHOP, "--data", shop)
    assert again.out.startswith("Everybody's key is wrapped under epoch 2."), again.err
    assert "A run before this one had made that epoch" in again.out
    new = avow("keys", "rotate", SHOP, "--data", shop).out
    assert "epoch 3" in new
    assert "A run before" not in new


def test_no_command_begins_a_database_where_one_was_lost(shop: Path, tmp_path: Path) -> None:
    """The key table would be written anew for nobody, and then no backup would open."""
    avow("backup", SHOP, tmp_path / "backup", "--data", shop)
    before = (shop / "keytable").read_bytes()
    for lost in shop.glob("site.db*"):
        lost.unlink()
    for command in (("backup", SHOP, tmp_path / "empty"), ("keys", "rotate", SHOP), ("keys", "status", SHOP)):
        said = avow(*command, "--data", shop)
        assert said.err.startswith(f"error: the database is empty, and `{shop}` is the data folder"), said.out
    assert (shop / "keytable").read_bytes() == before
    assert avow("restore", SHOP, tmp_path / "backup", "--data", shop).status == 0
    assert "epoch 1: 1 people" in avow("keys", "status", SHOP, "--data", shop).out
