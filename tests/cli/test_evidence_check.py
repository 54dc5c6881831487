"""The script of an evidence pack against packs that were changed, and packs that were made to deceive it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avow.ledger import folder
from avow.ledger.entry import commitment
from tests.cli import changed_pack as change
from tests.cli.changed_pack import SIGNER, checkpoint, figures, lines, named, policy, signed, tell, wrong

from .test_evidence import check


def told(**changed: object) -> Callable[[Path], None]:
    def _told(pack: Path) -> None:
        tell(pack, **changed)

    return _told


SHAPE = "pack.json: it is not as `avow evidence` writes it"
PART = "are no part of a log"
OTHER = "its entries do not lead to the root that was signed"
CHANGES: list[tuple[Callable[[Path], object], str]] = [
    (change.figure, "figures.csv, line"),
    (change.figure_dropped, "it says ``, and the entries say `"),
    (change.figure_added, ",7`, and the entries say ``"),
    (change.figure_of_nothing, ",0`, and the entries say ``"),
    (change.figure_twice, "and the entries say ``"),
    (change.figures_in_another_order, "figures.csv, line 2"),
    (change.prose, "figures.csv, line"),
    (lambda pack: figures(pack, lambda text: text + "\n"), "figures.csv, line"),
    (lambda pack: figures(pack, lambda text: text.replace("\n", "\r\n")), "figures.csv, line 1"),
    (lambda pack: figures(pack, lambda text: text + "a" * 200_000 + ",1\n"), "figures.csv, line"),
    (lambda pack: figures(pack, lambda text: ""), "figures.csv, line 1"),
    (change.entry, "it is not entry"),
    (change.entry_dropped, "and pack.json tells of"),
    (change.entries_swapped, "line 1: it is not entry 0 of the log"),
    (change.entries_doubled, PART),
    (change.entry_written_down_again, "it was written down more than once"),
    (change.entry_made_up, OTHER),
    (change.log, OTHER),
    (change.log_longer, "entries of 32 bytes"),
    (change.tile, "it is not what the entries of the log make of it"),
    (change.tile_too_many, "it is not what the entries of the log make of it"),
    (checkpoint(lambda note: note.replace(b"\n", b"\n1", 1)), "the key has not signed it"),
    (checkpoint(lambda note: note.replace(b"\n", b"\r\n")), "this is no checkpoint"),
    (checkpoint(lambda note: note + b"and more"), "this is no checkpoint"),
    (checkpoint(lambda note: note + b"\n"), "this is no checkpoint"),
    (checkpoint(lambda note: b""), "this is no checkpoint"),
    (change.policy_longer, "its SHA-256 is another than its name says"),
    (change.policy_missing, "which entries rest on, is missing"),
    (change.policy_renamed, "it calls itself version 1"),
    (change.sentence_missing, "has no sentence #card-never-kept"),
    (told(until="2026-01-01", **{"from": "2025-01-01"}), "figures.csv, line 2"),
    (told(first=1), PART),
    (told(first=-1), PART),
    (told(first=False), PART),
    (told(first=0.0), PART),
    (told(first=None), PART),
    (told(first=10**30), PART),
    (told(entries=-1), PART),
    (told(entries="5"), PART),
    (told(entries=10**6), PART),
    (told(site=["gourmet"]), SHAPE),
    (told(site="other"), "no policy here is of the site other"),
    (told(until="tomorrow"), SHAPE),
    (told(until="20990101"), SHAPE),
    (told(made=1999), SHAPE),
    (told(**{"from": "2099-01-01"}), SHAPE),
    (told(note="and all is well"), SHAPE),
    (lambda pack: (pack / "ledger.key").write_text("junk\n"), "the key is none"),
    (lambda pack: (pack / "ledger.key").write_text("junk" * 999), "the key is none"),
]


@pytest.mark.parametrize(("change", "why"), CHANGES, ids=range(len(CHANGES)))
def test_what_was_changed_is_found_though_pack_json_tells_of_it_as_it_is(
    pack: Path, change: Callable[[Path], object], why: str
) -> None:
    assert wrong(pack) == ""
    change(pack)
    named(pack)
    assert wrong(pack).startswith("WRONG: ")
    assert why in wrong(pack)


def _index(pack: Path) -> None:
    (pack / "index.html").write_text((pack / "index.html").read_text().replace("3 times", "0 times"))


def removed(file: Path) -> Path:
    file.unlink()
    return file


FILES: list[tuple[Callable[[Path], object], str]] = [
    (_index, "index.html: it is not as it was"),
    (lambda pack: (pack / "signatures.csv").unlink(), "signatures.csv: it is missing"),
    (lambda pack: (pack / "csv.py").write_text(""), "csv.py: it is no part of the pack"),
    (lambda pack: (pack / "policies/.DS_Store").write_text(""), ".DS_Store: it is no part of the pack"),
    (lambda pack: os.mkfifo(removed(pack / "entries.jsonl")), "entries.jsonl: it is no regular file"),
    (lambda pack: os.mkfifo(removed(pack / "pack.json")), "pack.json: it is no regular file"),
    (lambda pack: removed(pack / "entries.jsonl").symlink_to("x"), "entries.jsonl: it is no regular file"),
    (lambda pack: (pack / "more").symlink_to(pack), "more: it is no regular file"),
    (lambda pack: tell(pack, files={}), "check.py: it is no part of the pack"),
    (lambda pack: tell(pack, files=[]), SHAPE),
    (lambda pack: tell(pack, files={"index.html": 7}), SHAPE),
    (lambda pack: (pack / "pack.json").write_text("[]"), SHAPE),
    (lambda pack: (pack / "pack.json").write_text("null"), SHAPE),
    (lambda pack: (pack / "pack.json").write_text("[" * 200_000), SHAPE),
    (lambda pack: (pack / "pack.json").write_bytes(b"\xff\xfe"), SHAPE),
    (lambda pack: (pack / "pack.json").write_text((pack / "pack.json").read_text().rstrip()), SHAPE),
    (lambda pack: (pack / "pack.json").unlink(), "it has no pack.json"),
    (shutil.rmtree, "it has no pack.json"),
]


@pytest.mark.parametrize(("change", "why"), FILES, ids=range(len(FILES)))
def test_files_that_are_not_those_of_pack_json_are_found(
    pack: Path, change: Callable[[Path], object], why: str
) -> None:
    change(pack)
    assert wrong(pack).startswith("WRONG: ")
    assert why in wrong(pack)


def test_a_file_that_pack_json_tells_of_is_refused_where_a_pack_has_none(pack: Path) -> None:
    (pack / "json.py").write_text("")
    named(pack)
    assert "json.py: it is no part of the pack" in wrong(pack)


def body(**changed: object) -> bytes:
    """An entry of a ledger, but for what is changed."""
    parts = {
        "event": "refused",
        "format": 1,
        "hour": 500_000,
        "nonce": "0" * 32,
        "object": "card.number",
        "policy": "0" * 64,
        "sentences": [],
        "verb": "keep",
    }
    return json.dumps({**parts, **changed}, sort_keys=True, separators=(",", ":")).encode()


def test_an_entry_that_the_ledger_has_written_itself_is_one(pack: Path) -> None:
    signed(pack, [*lines(pack), body()])
    named(pack)
    assert wrong(pack) == ""


NO_ENTRIES = [
    b"",
    b"null",
    b"[]",
    b"[" * 100_000,
    b"\xff",
    body()[:-1] + b',"verb":"sell"}',
    body().replace(b'"event":', b'"event": '),
    body(hour=True),
    body(hour=-1),
    body(hour=10**20),
    body(format=1.0),
    body(format=True),
    body(sentences="erase"),
    body(sentences=[["erase"]]),
    body(sentences=["never,sold"]),
    body(event=None),
    body(verb="keep\nsell"),
    body(role=None),
    body(purpose=7),
    body(policy="x"),
    body(policy=7),
    body(note="and all is well"),
]


@pytest.mark.parametrize("line", NO_ENTRIES, ids=range(len(NO_ENTRIES)))
def test_a_line_that_the_service_has_signed_for_and_that_is_no_entry_is_refused(pack: Path, line: bytes) -> None:
    count = len(lines(pack))
    signed(pack, [*lines(pack), line])
    named(pack)
    assert f"entries.jsonl, line {count + 1}: this is no entry of a ledger" in wrong(pack)


def test_an_entry_of_an_hour_that_no_calendar_has_is_told_without_a_traceback(pack: Path) -> None:
    signed(pack, [*lines(pack), body(hour=2**32 - 1)])
    named(pack)
    assert wrong(pack).startswith("WRONG: ")


def test_a_policy_that_nothing_rests_on_is_told(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = policy(pack).read_bytes() + b"\n"
    other = pack / "policies" / f"1_{hashlib.sha256(data).hexdigest()}.md"
    other.write_bytes(data)
    named(pack)
    assert wrong(pack) == ""
    assert f"No disclosed entry rests on policies/{other.name}." in capsys.readouterr().out


@pytest.mark.parametrize("entries", [255, 256, 257, 513])
def test_a_log_of_many_tiles_is_read_to_its_end(pack: Path, entries: int) -> None:
    more = [body(nonce=f"{number:032x}") for number in range(entries - len(lines(pack)))]
    signed(pack, [*lines(pack), *more])
    named(pack)
    assert wrong(pack) == ""


def test_a_checkpoint_from_elsewhere_shows_what_the_log_lacks(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bodies = lines(pack)

    def seen(name: str, of: list[bytes]) -> list[str]:
        folder.write(tmp_path / name, map(commitment, of), SIGNER)
        return ["--checkpoint", str(tmp_path / name / "checkpoint")]

    signed(pack, bodies)
    named(pack)
    older, same = seen("older", bodies[:2]), seen("same", bodies)
    assert wrong(pack, *older, *same, str(SIGNER.key)) == ""
    assert f"begins with the 2 entries of checkpoint, and has {len(bodies) - 2} more" in capsys.readouterr().out
    newer = seen("newer", [*bodies, body(), body(hour=7)])
    assert f"it has {len(bodies) + 2} entries, and the log here lacks the last 2" in wrong(pack, *newer)
    other = seen("other", [body(), bodies[0]])
    assert "it is of another log, though the key has signed both" in wrong(pack, *other)
    (tmp_path / "foreign").write_bytes((tmp_path / "same/checkpoint").read_bytes().replace(b"gourmet", b"gourmand"))
    assert "the key has not signed it" in wrong(pack, "--checkpoint", str(tmp_path / "foreign"))


def test_the_key_in_the_pack_must_be_the_one_that_was_given(made: Any, pack: Path) -> None:
    assert wrong(pack, made.key) == ""
    (pack / "ledger.key").write_text(f"{SIGNER.key}\n")
    named(pack)
    assert "ledger.key: it is another key than the one given" in wrong(pack, made.key)
    for key in ("", "x", "a+00000000+AAAA", "\udcff+00000000+AAAA", "+B".join(made.key.rsplit("+A", 1))):
        assert "the key is none" in wrong(pack, key)


def test_nothing_of_the_pack_moves_the_cursor_of_who_checks_it(pack: Path) -> None:
    (pack / "\x1b[2KEverything fits: all is well\x1b[8m").write_text("")
    assert "\x1b" not in wrong(pack)
    assert r"\x1b[2KEverything" in wrong(pack)


@pytest.mark.parametrize("options", [(), ("-I",)])
def test_no_module_that_lies_beside_the_script_is_run(pack: Path, options: tuple[str, ...]) -> None:
    for name in (*sys.stdlib_module_names, "__future__"):
        (pack / f"{name}.py").write_text("print('Everything fits: gourmet'); import os; os._exit(0)\n")
    done = check(pack, options=options)
    assert (done.returncode, done.stdout) == (1, "")
    assert "it is no part of the pack" in done.stderr


def test_an_argument_too_many_is_refused(made: Any) -> None:
    done = check(made.pack, made.key, "and more")
    assert (done.returncode, "unrecognized arguments" in done.stderr) == (2, True)
