"""What the ledger costs: writing its entries, integrating them into the log, verifying a million, and a page's entry.

- written: entries as a unit of work leaves them, each in a transaction of its own that is on the disk, by one thread
  and by eight that share commits; beside what may be integrated in the same time.
- integrated: a hundred thousand pending entries, on both kinds of store: read, checked, hashed, put into the tree,
  committed, read back, appended to the journal, signed.
- verified: a log of a million entries (SCALE, if it is given), on SQLite. It is made once and kept under var/bench.
- the same page of five sealed values with its ledger entry and without, in turns (`bench/vault.py`).
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import local

from sqlalchemy import MetaData

from avow.ledger.entry import around_nonce
from avow.ledger.kept import NAME
from avow.ledger.note import Signer
from avow.ledger.sequencer import Sequencer
from avow.ledger.verify import verify
from avow.ledger.waiting import WaitingSeal
from avow.store.adding import Adding
from avow.store.connection import Store
from avow.store.schema import Schema, declare
from avow.store.together import Together
from avow.testing.postgres import Server
from bench.crowd import KEPT, load, settle
from bench.figures import figure, in_turns
from bench.vault import sealed

#: Entries that an hour of a busy service leaves, and of a log that is verified.
PENDING, MILLION = 100_000, int(os.environ.get("SCALE", "1000000"))
#: What is wanted: entries integrated in a second, seconds for a million verified.
AIM, ALLOWED = 20_000, 10.0
WRITES, TURNS, PORTION = 3_000, 1_000, 50_000
SIGNER = Signer.from_seed("bench.example/ledger", bytes(range(32)))
WAITING = WaitingSeal(bytes(range(32)))


def entries(count: int) -> Iterator[tuple[str, bytes]]:
    """So many entries as pages leave them: of one policy, of twenty kinds, some tens of thousands an hour."""
    for number in range(count):
        objects = f"contact.email, contact.name, guest.field{number % 20}"
        sentences = ("carriers", "never-sold", "shown")
        before, after = around_nonce(
            "permitted", "show", objects, "lodging", None, None, sentences, "5f" * 32, 498_765 + number // 40_000
        )
        yield secrets.token_hex(16), before + secrets.token_hex(16).encode() + after


def ledger(store: Store, folder: Path) -> tuple[Schema, Sequencer]:
    schema = declare(MetaData())
    schema.metadata.create_all(store.engine)
    sequencer = Sequencer(store, schema, folder / NAME, SIGNER, WAITING)
    sequencer.begin()
    return schema, sequencer


def wait(store: Store, schema: Schema, count: int) -> None:
    """Let so many entries wait."""
    for start in range(0, count, PORTION):
        part = entries(min(PORTION, count - start))
        load(store, schema.pending, [{"id": each, "body": WAITING.seal(each, body)} for each, body in part])


def written(store: Store, schema: Schema) -> tuple[float, float]:
    """Entries in a second, each made durable before the next: by one thread, by eight."""
    together, rates, mine = Together(Adding(store, schema.pending)), [], local()

    def write(_: int) -> None:
        mine.entries = getattr(mine, "entries", None) or entries(WRITES)
        identity, body = next(mine.entries)
        together.write([(identity, WAITING.seal(identity, body))])

    for threads in (1, 8):
        start = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(write, range(WRITES)))
        rates.append(WRITES / (time.perf_counter() - start))
    return rates[0], rates[1]


def integrated(store: Store, schema: Schema, sequencer: Sequencer) -> tuple[float, float]:
    """Entries in a second, and in a second of this process on a processor."""
    sequencer.run()
    wait(store, schema, PENDING)
    settle(store)
    start, processor = time.perf_counter(), time.process_time()
    assert sequencer.run() == PENDING
    return PENDING / (time.perf_counter() - start), PENDING / (time.process_time() - processor)


def one_store(name: str, address: str, folder: Path) -> None:
    with closing(Store.open(address)) as store:
        schema, sequencer = ledger(store, folder)
        alone, together = written(store, schema)
        rate, processor = integrated(store, schema, sequencer)
        figure("ledger", f"entries integrated, {name}", rate, "entries/s", AIM, digits=0)
        figure("ledger", f"entries integrated, {name}, processor time", processor, "entries/s", AIM, digits=0)
        figure("ledger", f"entries written, {name}, one thread, beside integrated", alone, "entries/s", rate, digits=0)
        figure("ledger", f"entries written, {name}, eight threads, beside one", together, "entries/s", alone, digits=0)


def million() -> None:
    """Verify a large log, which is there or is made now."""
    folder = (KEPT / f"ledger-{MILLION}").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    print(f"# a log of {MILLION:,} entries is kept in {folder}; remove it to free the space", file=sys.stderr)
    with closing(Store.open(f"sqlite:///{folder / 'site.db'}")) as store:
        schema, sequencer = ledger(store, folder)
        size = verify(store, schema, sequencer.file, SIGNER.key).size
        while size < MILLION:
            part = min(PENDING, MILLION - size)
            wait(store, schema, part)
            size += sequencer.run()
        start, processor = time.perf_counter(), time.process_time()
        report = verify(store, schema, sequencer.file, SIGNER.key)
        taken, processor = time.perf_counter() - start, time.process_time() - processor
        assert report.size == MILLION
        figure("ledger", f"a log of {MILLION:,} entries verified, SQLite", taken, "s", ALLOWED)
        figure("ledger", f"a log of {MILLION:,} entries verified, SQLite, processor time", processor, "s", ALLOWED)


def pages(name: str, address: str, other: str, folder: Path) -> None:
    """A page with its entry and without, which no page of a service can be: only here nothing is written down."""
    with (
        sealed(address, folder / "with", 0) as (_, told, _, _),
        sealed(other, folder / "without", 0) as (silent, untold, _, _),
    ):
        setattr(silent.vault, "write_down", lambda *_: None)  # noqa: B010 - a method of one object
        taken = in_turns({"told": told, "untold": untold}, TURNS)
        what = f"page of five sealed values with its entry, {name}, beside without"
        figure("ledger", what, taken["told"].wall, "µs", taken["untold"].wall, digits=0)
        figure("ledger", f"{what}, processor time", taken["told"].processor, "µs", taken["untold"].processor, digits=0)


def main() -> None:
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        folder.chmod(0o755)  # PostgreSQL may run as another user
        server = stack.enter_context(Server(fsync=True, buffers="256MB"))
        for name in ("SQLite", "PostgreSQL"):
            (folder / name).mkdir()
            log, told, untold = (
                f"sqlite:///{folder}/{each}.db" if name == "SQLite" else server.fresh_database()
                for each in ("log", "told", "untold")
            )
            one_store(name, log, folder / name)
            pages(name, told, untold, folder / name)
    million()


if __name__ == "__main__":
    main()
