"""`avow ledger export`, `check` and `prove`: an outsider verifies a shop's log, an auditor each of its entries."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from avow.cli.main import run
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.entry import Entry, commitment
from avow.ledger.export import receipt
from avow.ledger.merkle import leaf_hash
from avow.ledger.note import Signer, VerifierKey
from avow.ledger.proof import Receipt
from tests.cli.asking_shop import SHOP, asked


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The log of a shop in which somebody has asked to be erased, with its bodies; `key` verifies it."""
    place = tmp_path_factory.mktemp("exported")
    asked(place / "data").close()
    return SimpleNamespace(place=place, log=place / "log", bodies=place / "bodies", data=place / "data")


@pytest.fixture(scope="module")
def key(exported: Any) -> str:
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(map(str, words))))
        asked = ["ledger", "export", str(SHOP), str(exported.log), "--data", str(exported.data)]
        assert run([*asked, "--origin", "shop.example/ledger", "--bodies", str(exported.bodies)]) == 0
    return lines[-1].splitlines()[-1]


def body(exported: Any, tmp_path: Path, number: int = 0) -> Path:
    """One line of the bodies as a file of its own."""
    file = tmp_path / "body"
    file.write_bytes(exported.bodies.read_bytes().splitlines(keepends=True)[number])
    return file


def test_the_log_verifies_by_the_key_that_was_told(exported: Any, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert key.startswith("shop.example/ledger+")
    assert run(["ledger", "check", key, str(exported.log)]) == 0
    size = len(exported.bodies.read_bytes().splitlines())
    assert f"The log verifies: {size} entries" in capsys.readouterr().out
    assert size >= 1


def test_the_bodies_are_entries_of_this_shop(exported: Any, key: str) -> None:
    told = [json.loads(line) for line in exported.bodies.read_bytes().splitlines()]
    assert {"collect", "keep"} <= {entry["verb"] for entry in told}


def test_figures_that_were_lost_are_counted_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked(tmp_path / "data").close()
    verify = ["ledger", "verify", "--data", str(tmp_path / "data")]
    with closing(sqlite3.connect(tmp_path / "data/site.db")) as database:
        database.execute("DROP TABLE avow_tally")
    assert run(verify) == 1
    assert "avow ledger recount SITE" in capsys.readouterr().err
    asked(tmp_path / "data").close()  # a start adds the table, and it counts from there on
    assert run(verify) == 1
    assert "and the entries say" in capsys.readouterr().err
    assert run(["ledger", "recount", str(SHOP), "--data", str(tmp_path / "data")]) == 0
    assert "The tally was counted anew from" in capsys.readouterr().out
    assert run(verify) == 0
    assert "1 more wait" in capsys.readouterr().out


def test_who_holds_a_receipt_and_the_body_needs_nothing_else(
    exported: Any, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = body(exported, tmp_path)
    assert run(["ledger", "prove", key, str(exported.log), str(file)]) == 0
    proof = tmp_path / "entry.tlog-proof"
    proof.write_text(capsys.readouterr().out)
    assert run(["ledger", "check", key, "--receipt", str(proof), "--body", str(file)]) == 0
    assert "The receipt verifies: it is entry 0 of" in capsys.readouterr().out
    file.write_bytes(file.read_bytes().replace(b"permitted", b"permittee"))
    assert run(["ledger", "check", key, "--receipt", str(proof), "--body", str(file)]) == 1
    assert "error: " in capsys.readouterr().err


def test_a_receipt_with_the_entry_in_it_is_enough_and_tells_what_it_says(
    exported: Any, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = exported.bodies.read_bytes().splitlines()[0]
    bare = receipt(exported.log, VerifierKey.parse(key), whole)
    file = tmp_path / "entry.tlog-proof"

    def check(extra: bytes) -> tuple[int, str, str]:
        file.write_bytes(replace(bare, extra=extra).encode())
        status = run(["ledger", "check", key, "--receipt", str(file)])
        return status, *capsys.readouterr()

    status, out, _ = check(whole)
    first, second, *lines = out.splitlines()
    assert (status, second) == (0, "The entry says:")
    assert first.startswith("The receipt verifies: it is entry 0 of ")
    told = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}
    said = json.loads(whole)
    assert {name: told[name] for name in ("event", "verb", "object")} == {
        name: said[name] for name in ("event", "verb", "object")
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d h UTC", told["hour"])
    assert said["nonce"] not in out
    status, out, error = check(b"")
    assert (status, out) == (1, "")
    assert "does not have the entry that it is for in it" in error
    assert "--body FILE" in error
    status, out, error = check(whole.replace(b"permitted", b"permittee"))
    assert (status, out) == (1, "")
    assert "Traceback" not in error


def test_what_is_in_a_receipt_and_no_entry_is_not_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who signs a log may write into it what they like: for one, what a terminal obeys."""
    signer = Signer.from_seed("evil.example/ledger", bytes(32))
    for extra in (b"\x1b]0;obey\x07", b'{"hour":1}', b"[" * 100_000):
        note = Checkpoint(signer.key.name, 1, leaf_hash(commitment(extra))).sign(signer)
        file = tmp_path / "entry.tlog-proof"
        file.write_bytes(Receipt(0, (), note, extra).encode())
        assert run(["ledger", "check", str(signer.key), "--receipt", str(file)]) == 1
        out, error = capsys.readouterr()
        assert (out, "obey" in error, "Traceback" in error) == ("", False, False)
        assert "this is not a ledger entry of format 1" in error


def test_an_entry_of_an_impossible_hour_is_told_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signer = Signer.from_seed("far.example/ledger", bytes(32))
    body = Entry("done", "send", "notice", None, None, (), "0" * 64, 2**32 - 1, "0" * 32).encode()
    note = Checkpoint(signer.key.name, 1, leaf_hash(commitment(body))).sign(signer)
    file = tmp_path / "entry.tlog-proof"
    file.write_bytes(Receipt(0, (), note, body).encode())
    assert run(["ledger", "check", str(signer.key), "--receipt", str(file)]) == 0
    assert "4294967295 after 1970 began, UTC" in capsys.readouterr().out


def test_the_key_stays_the_same_and_is_the_installations_own(
    exported: Any, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = ["ledger", "export", str(SHOP), str(tmp_path / "again"), "--data", str(exported.data)]
    assert run([*again, "--origin", "shop.example/ledger"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == key


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "KEY"], "it is not clear what to check"),
        (["check", "KEY", "LOG", "--receipt", "R", "--body", "B"], "it is not clear what to check"),
        (["check", "KEY", "LOG", "--body", "B"], "it is not clear what to check"),
        (["check", "KEY", "--body", "B"], "it is not clear what to check"),
        (["check", "KEY", "--receipt", "LOG"], "LOG` cannot be read"),
        (["check", "no key", "LOG"], "this is not the text of a key"),
        (["check", "KEY", "--receipt", "missing", "--body", "missing"], "`missing` cannot be read"),
        (["check", "KEY", "missing"], "it is missing"),
        (["prove", "KEY", "LOG", "missing"], "`missing` cannot be read"),
    ],
)
def test_what_is_wrong_is_said(
    exported: Any, key: str, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    known = {"KEY": key, "LOG": str(exported.log)}
    assert run(["ledger", *(known.get(word, word) for word in arguments)]) == 1
    shown = capsys.readouterr().err.replace(str(exported.log), "LOG")
    assert said in shown
    assert "Traceback" not in shown


def test_a_ledger_that_does_not_verify_is_not_exported(
    exported: Any, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = asked(tmp_path / "data")
    opened = site.opened
    opened.sequencer.run()
    with opened.vault.store.writing() as connection:
        connection.exec_driver_sql("UPDATE avow_entry SET body = x'7b7d' WHERE number = 0")
    site.close()
    assert run(["ledger", "export", str(SHOP), str(tmp_path / "log"), "--data", str(tmp_path / "data")]) == 1
    assert "entry 0 of the ledger does not verify" in capsys.readouterr().err
    assert not (tmp_path / "log").exists()


def test_bodies_do_not_come_into_the_folder_that_is_published(
    exported: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["ledger", "export", str(SHOP), str(tmp_path / "log"), "--data", str(exported.data)]
    assert run([*command, "--bodies", str(tmp_path / "other/../log/tile/bodies")]) == 1
    assert "which is to be published" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
