"""A probe of a service: it finds what is careless in it, and nothing in the healthy ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from avow.cli.main import run
from avow.cli.new import new
from avow.cli.serve import load_site
from avow.testing.probing.run import probe
from tests.probing.service_holes import SERVICE, Careless

ROOT = Path(__file__).parents[2]
SITES = sorted(path.parent.name for path in (ROOT / "sites").glob("*/policy.md"))


@pytest.mark.parametrize("site", SITES)
def test_nothing_gets_through_at_a_site(site: str) -> None:
    folder = ROOT / "sites" / site
    declared = load_site(folder) if (folder / "app.py").exists() else None
    report = probe(folder, site=declared, each=3, most=1)
    assert [str(hole) for hole in report.holes] == []
    probed, all_of_them = report.sentences
    assert probed >= all_of_them - 6
    assert all(why for why in report.unprobed.values())


def made(folder: Path, name: str, changes: tuple[tuple[str, str, str], ...] = ()) -> Path:
    """A new site, changed."""
    site = folder / name
    new(site)
    for file, find, replace in changes:
        text = (site / file).read_text("utf-8")
        assert text.count(find) == 1, f"{find} is {text.count(find)} times in {file}"
        (site / file).write_text(text.replace(find, replace), "utf-8")
    return site


def test_nothing_gets_through_at_a_new_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = made(tmp_path, "probe_me")
    assert run(["probe", str(site), "--json", "--each", "6", "--most", "4"]) == 0
    report = json.loads(capsys.readouterr().out.partition("{")[2].join(("{", "")))
    assert (report["ok"], report["holes"]) == (True, [])
    assert report["attempts"]["own.page"] > 5
    assert {rule["sentence"] for rule in report["rules"]} >= {"your-page", "nobody-else"}
    assert not (tmp_path / "var").exists(), "the installation that is probed is a scratch one"


@pytest.mark.parametrize("hole", SERVICE, ids=str)
def test_what_is_careless_in_a_service_is_found(hole: Careless, tmp_path: Path) -> None:
    name = f"careless_{SERVICE.index(hole)}"
    site = made(tmp_path, name, hole.changes)
    try:
        report = probe(site, site=load_site(site), only=("service",), each=6, most=4)
    finally:
        for module in [known for known in sys.modules if known.partition(".")[0] == name]:
            del sys.modules[module]
    found = [each for each in report.holes if each.probe == hole.probe]
    assert found, [str(each) for each in report.holes]
    assert all(each.look for each in found)


def test_a_hole_is_told_in_words_and_ends_with_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = made(tmp_path, "careless_told", SERVICE[0].changes)
    assert run(["probe", str(site), "--only", "service", "--each", "4"]) == 1
    out = capsys.readouterr().out
    assert "hole: own.stranger, at the page /message/…" in out
    assert "should happen:    it is refused" in out
    assert "careless_told: " in out.splitlines()[-1]
    assert "hole" in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "`nowhere` has no policy.md"),
        (["sites/members", "--only", "nonsense"], "there is no family `nonsense`"),
    ],
)
def test_bad_use_ends_with_status_2(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(["probe", *arguments]) == 2
    error, help = capsys.readouterr().err.splitlines()
    assert said in error
    assert help.startswith("  help: ")
