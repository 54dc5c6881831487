"""Several processes that integrate at once, and processes that are killed while they do."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import MetaData, select

from avow.ledger.checkpoint import Checkpoint
from avow.ledger.kept import read_kept
from avow.ledger.sequencer import Sequencer, pending_count
from avow.ledger.stored import StoredLog
from avow.ledger.verify import verify
from avow.store.connection import Store
from avow.store.schema import Schema, declare
from tests.structure.tree import ROOT

from .pending import SIGNER, WAITING, add

Ledger = tuple[Store, Schema, Sequencer]


def begin(address: str, file: Path) -> subprocess.Popen[str]:
    """A process that integrates what is pending, again and again, until it is killed or nothing is left."""
    command = [sys.executable, "-m", "tests.ledger.test_processes", address, str(file)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def address(ledger: Ledger) -> str:
    return ledger[0].engine.url.render_as_string(hide_password=False)


def test_processes_that_integrate_at_once_make_one_log(ledger: Ledger, address: str) -> None:
    store, schema, sequencer = ledger
    add(store, schema, 0, 3000)
    processes = [begin(address, sequencer.file) for _ in range(3)]
    for start in range(3000, 6000, 100):
        add(store, schema, start, 100)
        time.sleep(0.01)
    counts = [int(process.communicate()[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(counts) + sequencer.run() == 6000
    report = verify(store, schema, sequencer.file, SIGNER.key)
    assert (report.size, report.pending, report.kept) == (6000, 0, Checkpoint(SIGNER.key.name, 6000, report.root))
    assert len({bytes(body) for body in _bodies(ledger)}) == 6000
    assert sequencer.journal.size() == 6000


def test_whoever_is_killed_leaves_a_log_that_goes_on_from_every_checkpoint(ledger: Ledger, address: str) -> None:
    store, schema, sequencer = ledger
    signed: list[Checkpoint] = []
    for number in range(6):
        add(store, schema, number * 5000, 5000)
        process = begin(address, sequencer.file)
        assert process.stdout is not None
        process.stdout.readline()  # it begins
        time.sleep(0.02 * number)
        process.kill()
        process.wait()
        process.stdout.close()
        left = read_kept(sequencer.file, SIGNER.key)
        assert left is not None
        sequencer.begin()
        kept = read_kept(sequencer.file, SIGNER.key)
        assert kept is not None
        signed += [left, kept]
        with store.one_moment() as connection:
            log = StoredLog(connection, schema)
            for each in signed:
                log.check_holds(each, log.size())
            assert log.size() + pending_count(connection, schema) == (number + 1) * 5000
    assert [each.size for each in signed] == sorted(each.size for each in signed)
    sequencer.run()
    assert verify(store, schema, sequencer.file, SIGNER.key).size == 30_000
    assert len({bytes(body) for body in _bodies(ledger)}) == 30_000
    assert sequencer.journal.size() == 30_000


def _bodies(ledger: Ledger) -> list[bytes]:
    store, schema, _ = ledger
    with store.reading() as connection:
        return list(connection.scalars(select(schema.entry.c.body)))


def main(address: str, file: Path) -> None:
    """Integrate until nothing is left, and say how much it was."""
    store, schema = Store.open(address), declare(MetaData())
    sequencer, total = Sequencer(store, schema, file, SIGNER, WAITING), 0
    sys.stdout.write("\n")
    sys.stdout.flush()
    while count := sequencer.run():
        total += count
    sys.stdout.write(f"{total}\n")
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
