"""`avow evidence`: the pack that an auditor gets, and the script in it, which needs nothing of Avow."""

from __future__ import annotations

import csv
import hashlib
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from avow.cli.main import run
from avow.errors import LedgerError, StoreError
from avow.site import evidence_pack
from tests.cli.asking_shop import SHOP, asked, refused, used


def check(pack: Path, *arguments: str, options: tuple[str, ...] = ("-I", "-S")) -> subprocess.CompletedProcess[str]:
    """Run the pack's own script as on a computer where nothing else is installed."""
    command = [sys.executable, *options, "check.py", *arguments]
    return subprocess.run(command, cwd=pack, capture_output=True, text=True, timeout=60, check=False)


def rows(pack: Path) -> list[dict[str, str]]:
    with (pack / "figures.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_script_of_the_pack_finds_everything_in_order_without_avow(made: Any) -> None:
    done = check(made.pack, made.key)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nEverything fits: gourmet, from " in done.stdout
    count = len((made.pack / "entries.jsonl").read_text().splitlines())
    assert f"{count} entries are disclosed" in done.stdout
    without = "import sys; sys.path = [p for p in sys.path if 'packages' not in p]; import avow"
    assert subprocess.run([sys.executable, "-I", "-S", "-c", without], check=False, capture_output=True).returncode == 1


def test_the_figures_are_what_happened(made: Any) -> None:
    told = {(row["sentence"], row["event"], row["verb"]): int(row["times"]) for row in rows(made.pack)}
    assert told["card-never-kept", "refused", "keep"] == 3
    assert {key for key in told if key[1] == "permitted"}
    assert sum(told.values()) >= 4


def test_the_report_tells_each_sentence_with_what_became_of_it(made: Any) -> None:
    report = (made.pack / "index.html").read_text()
    start = report.index('<article id="card-never-kept">')
    article = report[start : report.index("</article>", start)]
    assert "Refused <strong>3 times</strong>" in article
    assert "never keep card.number" in article
    assert "test_" in article  # the tests that prove it
    assert '<svg class="chart"' in article
    assert "Nobody has signed for it at present: our security officer" in report
    assert "keep (refused)" in article
    assert "no member of staff" in article
    assert "In this time, or a part of it" not in report
    assert "otherwise the whole folder, key included, could be made up" in " ".join(report.split())
    assert re.search(r"<li>1, dated \d+ \w+ \d{4}, in force here since \d+ \w+ \d{4}</li>", report)
    assert "<script" not in report


def test_a_pack_that_somebody_else_made_up_does_not_pass_for_this_one(made: Any, tmp_path: Path) -> None:
    used(tmp_path / "data")
    assert run(["evidence", str(SHOP), str(tmp_path / "pack"), "--data", str(tmp_path / "data")]) == 0
    assert check(tmp_path / "pack").returncode == 0
    done = check(tmp_path / "pack", made.key)
    assert (done.returncode, "the key has not signed it" in done.stderr) == (1, True)


def test_a_time_without_entries_is_told_and_discloses_none(made: Any, tmp_path: Path) -> None:
    days = ["--from", "2001-02-03", "--to", "2001-02-03", "--only-period"]
    assert run(["evidence", str(SHOP), str(tmp_path / "pack"), "--data", str(made.data), *days]) == 0
    done = check(tmp_path / "pack")
    assert done.returncode == 0
    assert "0 entries are disclosed" in done.stdout
    assert "Ask for all to be sure" in done.stdout
    assert (tmp_path / "pack/entries.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--from", "31.12.2026"], "`31.12.2026` is no day"),
        (["--from", "2016-02-02", "--to", "2016-02-01"], "before it begins on 2016-02-02"),
        (["--from", "9999-12-31"], "before it begins on 9999-12-31"),
        (["--to", "9999-12-31"], "the time ends on 9999-12-31, and today is"),
        (["--to", "0001-01-01"], "the time ends on 0001-01-01, before it begins on"),
    ],
)
def test_a_time_that_is_none_is_said(
    made: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], why: str
) -> None:
    assert run(["evidence", str(SHOP), str(tmp_path / "pack"), "--data", str(made.data), *options]) == 1
    assert why in capsys.readouterr().err
    assert not (tmp_path / "pack").exists()


def test_a_folder_with_something_in_it_is_left_alone(
    made: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("mine")
    assert run(["evidence", str(SHOP), str(tmp_path), "--data", str(made.data)]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


@pytest.fixture
def site(tmp_path: Path) -> Any:
    """A shop in which one attempt to keep a card number was refused."""
    opened = asked(tmp_path / "data")
    refused(opened)
    opened.opened.sequencer.run()
    yield opened
    opened.close()


@pytest.mark.parametrize("step", ["_disclose", "_figures", "_policies", "_report"])
def test_a_pack_is_of_one_moment_whatever_is_integrated_meanwhile(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    came: list[int] = []
    of = getattr(evidence_pack, step)

    def integrate(*given: Any, **named: Any) -> Any:
        refused(site)
        came.append(site.opened.sequencer.run())
        return of(*given, **named)

    monkeypatch.setattr(evidence_pack, step, integrate)
    evidence_pack.pack(site.opened, tmp_path / "pack", date(2000, 1, 1), date(2100, 1, 1), tests={})
    assert came == [1]
    told = [row["times"] for row in rows(tmp_path / "pack") if row["sentence"] == "card-never-kept"]
    article = (tmp_path / "pack/index.html").read_text().partition('<article id="card-never-kept">')[2]
    assert (told, article.partition("</article>")[0].count("Refused <strong>once</strong>")) == (["1"], 1)
    assert check(tmp_path / "pack").returncode == 0


def test_a_file_and_the_data_folder_are_no_place_for_a_pack(site: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "data/empty").mkdir()
    for place, why in (
        ("mine", "mine` is no folder"),
        ("mine/pack", "mine` is no folder"),
        ("data/pack", "lies in the data folder"),
        ("other/../data/empty", "lies in the data folder"),
    ):
        with pytest.raises(StoreError, match=why):
            evidence_pack.pack(site.opened, tmp_path / place, date(2000, 1, 1), date(2100, 1, 1), tests={})
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "mine"]
    assert not (tmp_path / "data/pack").exists()


def test_a_pack_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> str:
        raise LedgerError("it does not verify")

    used(tmp_path / "data")
    command = ["evidence", str(SHOP), str(tmp_path / "packs/of/now"), "--data", str(tmp_path / "data")]
    with monkeypatch.context() as patch:
        patch.setattr(evidence_pack, "_report", fail)
        assert run(command) == 1
    assert list((tmp_path / "packs/of").iterdir()) == []
    assert run(command) == 0
    assert [file.name for file in (tmp_path / "packs/of").iterdir()] == ["now"]
    assert (tmp_path / "packs/of/now").stat().st_mode & 0o777 == 0o700


def test_the_digest_of_the_script_is_told(made: Any) -> None:
    digest = hashlib.sha256((made.pack / "check.py").read_bytes()).hexdigest()
    assert f"The SHA-256 of this release's check.py is {digest}." in made.said
