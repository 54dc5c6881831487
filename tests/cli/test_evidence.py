"""`avow evidence`: the pack that an auditor gets, and the script in it, which needs nothing of Avow."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from avow.cli.main import run
from avow.errors import Refused
from tests.cli.asking_shop import SHOP, asked


def use(data: Path) -> None:
    """Somebody asks a shop to be erased, and somebody tries three times to keep a card number."""
    site = asked(data)
    for _ in range(3):
        with pytest.raises(Refused), site.acting("storefront", "ordering") as work:
            work.unit.judge("keep", "card.number", subject="customer")
    site.opened.sequencer.run()
    site.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A shop that was used, and a pack of its evidence; `key` is the log's, as it was printed."""
    place = tmp_path_factory.mktemp("evidence")
    use(place / "data")
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(map(str, words))))
        assert run(["evidence", str(SHOP), str(place / "pack"), "--data", str(place / "data")]) == 0
    key = lines[-1].partition("check.py '")[2].partition("'")[0]
    return SimpleNamespace(pack=place / "pack", data=place / "data", key=key, said="\n".join(lines))


def check(pack: Path, *key: str) -> subprocess.CompletedProcess[str]:
    """Run the pack's own script as on a computer where nothing else is installed."""
    command = [sys.executable, "-I", "-S", "check.py", *key]
    return subprocess.run(command, cwd=pack, capture_output=True, text=True, timeout=60, check=False)


def rows(pack: Path) -> list[dict[str, str]]:
    with (pack / "figures.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_script_of_the_pack_finds_everything_in_order_without_avow(made: Any) -> None:
    done = check(made.pack, made.key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Everything fits.\n")
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
    assert "<script" not in report


def _json(pack: Path, **changed: object) -> None:
    said = json.loads((pack / "pack.json").read_text())
    (pack / "pack.json").write_text(json.dumps({**said, **changed}))


def _figure(pack: Path) -> None:
    text = (pack / "figures.csv").read_text()
    (pack / "figures.csv").write_text(text.replace(",3\n", ",2\n", 1))


def _figure_dropped(pack: Path) -> None:
    lines = (pack / "figures.csv").read_text().splitlines(keepends=True)
    (pack / "figures.csv").write_text("".join(lines[:-1]))


def _figure_added(pack: Path) -> None:
    with (pack / "figures.csv").open("a") as file:
        file.write("2026-01-01,carriers,permitted,share,shipping,ups,,7\n")


def _entry(pack: Path) -> None:
    text = (pack / "entries.jsonl").read_text()
    (pack / "entries.jsonl").write_text(text.replace('"refused"', '"permitted"', 1))


def _entry_dropped(pack: Path) -> None:
    lines = (pack / "entries.jsonl").read_bytes().splitlines(keepends=True)
    (pack / "entries.jsonl").write_bytes(b"".join(lines[:-1]))


def _entries_swapped(pack: Path) -> None:
    first, second, *rest = (pack / "entries.jsonl").read_bytes().splitlines(keepends=True)
    (pack / "entries.jsonl").write_bytes(b"".join([second, first, *rest]))


def _entry_made_up(pack: Path) -> None:
    """In the bodies, and in the log that lies beside them: all but the signature."""
    lines = (pack / "entries.jsonl").read_bytes().splitlines(keepends=True)
    lines[0] = lines[0].replace(b'"event":"', b'"event":"re', 1)
    (pack / "entries.jsonl").write_bytes(b"".join(lines))
    (bundle,) = (file for file in (pack / "ledger/tile/entries").rglob("*") if file.is_file())
    data = bundle.read_bytes()
    bundle.write_bytes(data[:2] + hashlib.sha256(lines[0].rstrip()).digest() + data[34:])


def _log(pack: Path) -> None:
    (bundle,) = (file for file in (pack / "ledger/tile/entries").rglob("*") if file.is_file())
    data = bytearray(bundle.read_bytes())
    data[20] ^= 1
    bundle.write_bytes(data)


def _checkpoint(pack: Path) -> None:
    file = pack / "ledger/checkpoint"
    origin, size, rest = file.read_text().split("\n", 2)
    file.write_text(f"{origin}\n{int(size) - 1}\n{rest}")


def _policy(pack: Path) -> None:
    (file,) = (pack / "policies").iterdir()
    file.write_text(file.read_text() + "\n")


def _policy_missing(pack: Path) -> None:
    (file,) = (pack / "policies").iterdir()
    file.unlink()


def _sentence_missing(pack: Path) -> None:
    (file,) = (pack / "policies").iterdir()
    data = file.read_bytes().replace(b"#card-never-kept", b"#card-stored-at-times")
    file.unlink()
    file.with_name(f"1_{hashlib.sha256(data).hexdigest()}.md").write_bytes(data)


CHANGES: list[tuple[Callable[[Path], None], str]] = [
    (_figure, "figures.csv, line"),
    (_figure_dropped, "figures.csv: it lacks"),
    (_figure_added, "it says 7, and the entries say 0"),
    (_entry, "it is not entry"),
    (_entry_dropped, "and pack.json tells of"),
    (_entries_swapped, "line 1: it is not entry 0 of the log"),
    (_entry_made_up, "its entries do not lead to the root that was signed"),
    (_log, "its entries do not lead to the root that was signed"),
    (_checkpoint, "the key has not signed it"),
    (_policy, "its SHA-256 is another than its name says"),
    (_policy_missing, "which entries rest on, is missing"),
    (_sentence_missing, "is missing"),
    (lambda pack: _json(pack, until="2026-01-01"), "figures.csv, line 2"),
    (lambda pack: _json(pack, first=1), "is not entry 1 of the log"),
    (lambda pack: (pack / "ledger.key").unlink(), "cannot be read: FileNotFoundError"),
]


@pytest.mark.parametrize(("change", "why"), CHANGES, ids=lambda each: getattr(each, "__name__", None))
def test_the_script_finds_whatever_was_changed(made: Any, tmp_path: Path, change: Any, why: str) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(made.pack, pack)
    change(pack)
    done = check(pack)
    assert done.returncode == 1
    assert done.stderr.startswith("WRONG: ")
    assert why in done.stderr


def test_a_pack_that_somebody_else_made_up_does_not_pass_for_this_one(made: Any, tmp_path: Path) -> None:
    use(tmp_path / "data")
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
    assert "ask for the whole to be sure" in done.stdout
    assert (tmp_path / "pack/entries.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--from", "31.12.2026"], "`31.12.2026` is no day"),
        (["--from", "2026-02-02", "--to", "2026-02-01"], "before it begins on 2026-02-02"),
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
