"""`avow transfer` on two shops, as their operators have it: folders, files, and no program open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avow.cli.serve import load_site
from tests.cli.typing_in import Said, avow

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "sites" / "gourmet"


class Folder:
    """Two shops, closed; in the first is one wish to be erased."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in ("here", "there"):
            site: Any = load_site(SHOP)
            site.open(path / name, background=False)
            if name == "here":
                kinds = {kind.__name__: kind for kind in site.home.records}
                with site.acting("storefront", "objections", place="order_page", channel="https") as work:
                    one = work.collect(
                        kinds["Erasure"], person=work.person(), asked="today", state="pending", wished=work.now
                    )
                    self.person = one.customer
            site.opened.sequencer.run()
            site.close()

    def card(self, name: str, *more: str | Path) -> Said:
        return avow("transfer", "key", SHOP, "--data", self.path / name, "--out", self.path / f"{name}.card", *more)

    def pack(self, *more: str | Path, out: str = "package") -> Said:
        card = self.path / "there.card"
        return avow(
            "transfer", "pack", SHOP, "--data", self.path / "here", "--to", card, "--out", self.path / out, *more
        )

    def open(self) -> Said:
        card = self.path / "here.card"
        return avow("transfer", "open", SHOP, self.path / "package", "--from", card, "--data", self.path / "there")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.promise("I10", "works")
def test_from_card_to_card_to_package_to_people(folder: Folder) -> None:
    mine = folder.card("here")
    assert mine.status == 0, mine.err
    assert "the card of `gourmet`" in mine.out
    assert "here something may be under version 1 of the policy" in mine.out
    theirs = folder.card("there", "--bind", folder.path / "here.card")
    assert "  bound to the policy " in theirs.out, theirs.err
    made = folder.pack()
    assert made.out.startswith(f"{folder.path / 'package'}: 1 people with 1 records"), made.err
    came = folder.open()
    assert came.out.startswith("1 people with 1 records have come."), came.err
    again = folder.open()
    assert again.status == 1
    assert "was opened here before" in again.err


@pytest.mark.promise("I10", "holds")
def test_a_card_that_is_not_bound_gets_no_package(folder: Folder) -> None:
    folder.card("here")
    folder.card("there")
    refused = folder.pack()
    assert refused.status == 1
    assert "(#succession)" in refused.err
    assert "--bind CARD" in refused.err
    assert not (folder.path / "package").exists()


def test_some_people_and_some_tables(folder: Folder) -> None:
    folder.card("here")
    folder.card("there", "--bind", folder.path / "here.card")
    (folder.path / "ids").write_text(folder.person + "\n")
    made = folder.pack("--people", folder.path / "ids", "--without", "shop_after", "--over", "sftp")
    assert made.status == 0, made.err
    wrong = folder.pack("--people", folder.path / "nobody", out="second")
    assert "is no file of ids" in wrong.err
    lost = avow("transfer", "key", SHOP, "--data", folder.path / "nowhere")
    assert "there is no installation in" in lost.err
