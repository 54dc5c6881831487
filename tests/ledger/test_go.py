"""What others say of our logs: Go's packages sumdb/note and sumdb/tlog, through the program in docs/verify."""

from __future__ import annotations

import hashlib
import os
import random
import re
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import update

from avow.errors import LogError
from avow.ledger import folder
from avow.ledger.checkpoint import Checkpoint, open_checkpoint
from avow.ledger.export import export, receipt
from avow.ledger.merkle import inclusion_proof, leaf_hash
from avow.ledger.note import Signer
from avow.ledger.proof import Receipt
from avow.ledger.public import PublicLog
from avow.ledger.sequencer import Sequencer
from avow.ledger.tiles import ENTRIES, Tile, hashes_in
from avow.store.connection import Store
from avow.store.schema import Schema
from tests.ledger.corruption import KINDS, LOG, SIZES, copy, corrupt, entries, log
from tests.ledger.pending import SIGNER, add
from tests.vault.club import club

SEED = int(os.environ.get("SOAK_SEED", "0"))
#: How many corruptions of a log of each size; together 1,000.
CORRUPTIONS = {0: 60, 1: 200, 255: 200, 256: 220, 257: 300, 65_536: 20}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A log of each size; nobody writes into its files."""
    place = tmp_path_factory.mktemp("logs")
    return {size: log(place / str(size), size) for size in SIZES}


def ask(
    verifier: Path, *places: object, key: str = str(LOG.key), options: Sequence[str | Path] = ()
) -> tuple[int, list[str]]:
    """The exit status and the lines that the program prints: one for each place."""
    command = [verifier, *options, key, *map(str, places)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == "" or done.returncode == 2, done.stderr
    return done.returncode, done.stdout.splitlines()


def told(place: object, checkpoint: Checkpoint) -> str:
    return f"ok {place}: {checkpoint.size} entries, root {checkpoint.text.splitlines()[2]}"


def test_go_verifies_our_logs(verifier: Path, logs: dict[int, Path]) -> None:
    status, lines = ask(verifier, *logs.values())
    assert status == 0
    assert lines == [told(place, folder.verify(place, LOG.key).checkpoint) for place in logs.values()]
    assert [line.split(": ")[1].split()[0] for line in lines] == [str(size) for size in SIZES]


@pytest.mark.campaign
def test_go_rejects_each_of_a_thousand_corruptions(verifier: Path, logs: dict[int, Path], tmp_path: Path) -> None:
    assert sum(CORRUPTIONS.values()) == 1000
    chance = random.Random(SEED)
    done: dict[Path, str] = {}
    for size, count in CORRUPTIONS.items():
        for number in range(count):
            place = copy(logs[size], tmp_path / f"{size}-{number}")
            done[place] = corrupt(place, chance)
    status, lines = ask(verifier, *done)
    assert status == 1
    assert len(lines) == 1000
    passed = [
        f"{place.name}: {done[place]}" for place, line in zip(done, lines, strict=True) if not line.startswith("wrong ")
    ]
    assert passed == []
    assert {what.partition(" in ")[0] for what in done.values()} == set(KINDS)
    # And so does our own verification.
    found = [f"{place.name}: {what}" for place, what in done.items() if verifies(place)]
    assert found == []


def verifies(place: Path) -> bool:
    try:
        folder.verify(place, LOG.key)
    except LogError:
        return False
    return True


def test_go_says_which_entry_was_changed(verifier: Path, logs: dict[int, Path], tmp_path: Path) -> None:
    place = copy(logs[257], tmp_path / "log")
    bundle = place / Tile(ENTRIES, 1, 1).path
    bundle.unlink()
    bundle.write_bytes(b"\0\x06forged")
    status, (line,) = ask(verifier, place)
    assert status == 1
    assert line == f"wrong {place}: tile/entries/001.p/1: entry 256 is not the one that the log has signed"


def test_go_takes_a_checkpoint_with_further_signatures_and_no_other_log_s(verifier: Path, tmp_path: Path) -> None:
    witness, other = Signer.from_seed("witness.example", bytes(32)), Signer.from_seed(LOG.key.name, b"o" * 32)
    place = log(tmp_path / "log", 300)
    checkpoint = folder.verify(place, LOG.key).checkpoint
    (place / "checkpoint").write_bytes(checkpoint.sign(witness, LOG, other))
    assert ask(verifier, place) == (0, [told(place, checkpoint)])
    assert ask(verifier, place, key=str(other.key)) == (0, [told(place, checkpoint)])
    status, (line,) = ask(verifier, place, key=str(witness.key))
    assert (status, line) == (1, f"wrong {place}: checkpoint: it is not one of the log witness.example")
    status, (line,) = ask(verifier, place, key=str(Signer.from_seed(LOG.key.name, b"n" * 32).key))
    assert (status, line) == (1, f"wrong {place}: checkpoint: note has no verifiable signatures")


def test_go_takes_a_log_whose_full_tiles_came_after_the_checkpoint(
    verifier: Path, logs: dict[int, Path], tmp_path: Path
) -> None:
    """The log grew while it was read, and took its partial tiles away: the full ones begin with them."""
    old, place = folder.verify(logs[255], LOG.key).checkpoint, copy(logs[256], tmp_path / "log")
    (place / "checkpoint").unlink()
    (place / "checkpoint").write_bytes(old.sign(LOG))
    assert ask(verifier, place) == (0, [told(place, old)])
    assert folder.verify(place, LOG.key).checkpoint == old


def test_go_finds_a_log_that_does_not_go_on_from_an_older_checkpoint(
    verifier: Path, logs: dict[int, Path], tmp_path: Path
) -> None:
    now = folder.verify(logs[257], LOG.key).checkpoint
    for size in (0, 1, 255, 256, 257):
        assert ask(verifier, logs[257], options=["-before", logs[size] / "checkpoint"]) == (0, [told(logs[257], now)])
    forked = tmp_path / "forked"
    folder.write(forked, [*entries(200), b"forged", *list(entries(257))[201:]], LOG)
    assert ask(verifier, forked)[0] == 0, "by itself nothing is wrong with it"
    for size, what in (
        (255, "the first 255 entries are not"),
        (257, "the first 257 entries"),
        (65_536, "had 65536 at"),
    ):
        status, (line,) = ask(verifier, forked, options=["-before", logs[size] / "checkpoint"])
        assert status == 1
        assert what in line
    assert ask(verifier, forked, options=["-before", logs[1] / "checkpoint"])[0] == 0


def test_go_takes_our_receipts_and_no_other_entry(verifier: Path, logs: dict[int, Path], tmp_path: Path) -> None:
    receipt, entry = tmp_path / "one.tlog-proof", tmp_path / "entry"
    asked: list[str | Path] = ["-receipt", receipt, "-entry", entry]
    for size, index in ((1, 0), (256, 255), (257, 256), (65_536, 0), (65_536, 40_001)):
        checkpoint = folder.verify(logs[size], LOG.key).checkpoint
        proof = inclusion_proof(index, size, hashes_in(size, folder.reader(logs[size])))
        made = Receipt(index, proof, (logs[size] / "checkpoint").read_bytes(), b"extra" * (index % 2))
        receipt.write_bytes(made.encode())
        entry.write_bytes(list(entries(size))[index])
        assert ask(verifier, options=asked) == (0, [told(receipt, checkpoint)])
        assert ask(verifier, options=asked, key=str(Signer.from_seed("log.example/b", bytes(32)).key))[0] == 1
        entry.write_bytes(b"forged")
        assert ask(verifier, options=asked)[0] == 1
        entry.write_bytes(list(entries(size))[index])
        for changed in (
            Receipt(index + 1, proof, made.checkpoint).encode(),
            Receipt(index, (*proof, bytes(32)), made.checkpoint).encode(),
            made.encode().replace(b"index ", b"index 0"),
            made.encode().replace(b"@v1", b"@v2"),
            made.encode().replace(b"\n\n", b"\n", 1),
            made.encode()[:-1],
        ):
            receipt.write_bytes(changed)
            assert ask(verifier, options=asked)[0] == 1, changed
            with pytest.raises(LogError):
                Receipt.parse(changed).verify(leaf_hash(entry.read_bytes()), LOG.key)


def test_go_refuses_what_is_no_verifier_key(verifier: Path, logs: dict[int, Path]) -> None:
    for key in ("", LOG.key.name, str(LOG.key)[:-1], str(LOG.key).replace("+", "-")):
        assert ask(verifier, logs[1], key=key) == (2, [])


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: what is asked for is looked at by the test."""


@pytest.fixture
def served(logs: dict[int, Path]) -> Iterator[str]:
    """A web server that gives out the folder with all logs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(logs[0].parent))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_go_verifies_a_log_over_http(verifier: Path, logs: dict[int, Path], served: str) -> None:
    place = f"{served}/257"
    checkpoint = folder.verify(logs[257], LOG.key).checkpoint
    assert ask(verifier, place, f"{place}/") == (0, [told(place, checkpoint), told(f"{place}/", checkpoint)])
    status, (line,) = ask(verifier, f"{served}/258")
    assert status == 1
    assert re.fullmatch(rf"wrong {re.escape(served)}/258: checkpoint: file does not exist", line)


def test_the_hash_of_an_entry_is_what_go_says(verifier: Path, tmp_path: Path) -> None:
    """Of a log of one entry it is the root, which the program prints."""
    root = leaf_hash(next(iter(entries(1))))
    place = log(tmp_path / "one", 1)
    assert ask(verifier, place) == (0, [told(place, Checkpoint(LOG.key.name, 1, root))])


def test_go_verifies_the_exported_ledger_and_the_receipt_of_an_entry(
    verifier: Path, ledger: tuple[Store, Schema, Sequencer], tmp_path: Path
) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 300)
    sequencer.run()
    checkpoint = export(store, schema, tmp_path / "log", LOG, bodies=tmp_path / "bodies").checkpoint
    assert ask(verifier, tmp_path / "log") == (0, [told(tmp_path / "log", checkpoint)])
    body = (tmp_path / "bodies").read_bytes().splitlines()[270]
    (tmp_path / "proof").write_bytes(receipt(tmp_path / "log", LOG.key, body).encode())
    for seen, status in ((body, 0), (body.replace(b"show", b"hide"), 1)):
        (tmp_path / "entry").write_bytes(hashlib.sha256(seen).digest())
        asked: list[str | Path] = ["-receipt", tmp_path / "proof", "-entry", tmp_path / "entry"]
        assert ask(verifier, options=asked)[0] == status


def test_go_takes_the_receipt_that_a_person_gets_by_itself(
    verifier: Path, ledger: tuple[Store, Schema, Sequencer], tmp_path: Path
) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 300)
    sequencer.run()
    checkpoint = export(store, schema, tmp_path / "log", SIGNER, bodies=tmp_path / "bodies").checkpoint
    body = (tmp_path / "bodies").read_bytes().splitlines()[270]
    held, file = PublicLog(store, schema, sequencer.file, SIGNER.key).receipt(270, body), tmp_path / "entry.tlog-proof"
    file.write_bytes(held.encode())
    alone: list[str | Path] = ["-receipt", file]
    key = str(SIGNER.key)
    assert ask(verifier, options=alone, key=key) == (0, [told(file, checkpoint)])
    for extra, said in (
        (body.replace(b"show", b"hide"), "invalid transparency proof"),
        (b"", "name a file with -entry"),
    ):
        file.write_bytes(Receipt(270, held.proof, held.checkpoint, extra).encode())
        status, (line,) = ask(verifier, options=alone, key=key)
        assert (status, line.startswith(f"wrong {file}: "), said in line) == (1, True, True), line
    assert ask(verifier, options=["-entry", file], key=key)[0] == 2


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Any, str]]:
    """A site that runs, served by uvicorn; and where its log is."""
    site: Any = club()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        site.open(tmp_path / "data", background=False, base=base)
        server = uvicorn.Server(uvicorn.Config(site.opened.app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield site, f"{base}/log"
        server.should_exit = True
        thread.join()
    site.close()


def test_go_verifies_the_log_of_a_running_site_and_that_it_only_grew(
    verifier: Path, running: tuple[Any, str], tmp_path: Path
) -> None:
    site, place = running
    sequencer, store = site.opened.sequencer, site.opened.vault.store
    key = str(sequencer.signer.key)
    before: list[str | Path] = ["-before", tmp_path / "before"]
    for start, count in ((0, 0), (0, 3), (3, 297), (300, 300)):
        (tmp_path / "before").write_bytes(sequencer.file.read_bytes())
        add(store, site.home.schema, start, count) if count else None
        sequencer.run()
        checkpoint = open_checkpoint(sequencer.file.read_bytes(), sequencer.signer.key)
        assert checkpoint.size == start + count
        assert ask(verifier, place, key=key, options=before) == (0, [told(place, checkpoint)])
    # Another log under the same key and at the same place: nobody who has kept a checkpoint takes it.
    (tmp_path / "before").write_bytes(Checkpoint(checkpoint.origin, 600, bytes(32)).sign(sequencer.signer))
    status, (line,) = ask(verifier, place, key=key, options=before)
    assert status == 1
    assert "the first 600 entries are not those of the older checkpoint" in line
    with store.writing() as connection:
        entry = site.home.schema.entry
        connection.execute(update(entry).where(entry.c.number == 299).values(commitment=bytes(32)))
    status, (line,) = ask(verifier, place, key=key)
    assert status == 1
    assert "tile/entries/001: 503" in line  # a site does not even give out what does not lead to its signature
