"""An empty ledger, on each kind of store; and somebody else's program that verifies logs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from avow.ledger.kept import NAME
from avow.ledger.sequencer import Sequencer
from avow.store.connection import Store
from avow.store.schema import declare
from tests.ledger.pending import SIGNER, WAITING, add
from tests.ledger.touched import SIZE, Ledger
from tests.structure.tree import ROOT


@pytest.fixture
def ledger(store: str, tmp_path: Path) -> Iterator[Ledger]:
    opened, schema = Store.open(store), declare(MetaData())
    schema.metadata.create_all(opened.engine)
    sequencer = Sequencer(opened, schema, tmp_path / NAME, SIGNER, WAITING)
    sequencer.begin()
    yield opened, schema, sequencer
    opened.close()


@pytest.fixture
def full(ledger: Ledger) -> Ledger:
    """The same with `SIZE` entries."""
    store, schema, sequencer = ledger
    add(store, schema, 0, SIZE)
    sequencer.run()
    return ledger


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built with Debian's Go and Debian's packages alone."""
    program = tmp_path_factory.mktemp("go") / "verify"
    subprocess.run(
        ["go", "build", "-o", str(program), "."],
        cwd=ROOT / "docs/verify",
        # No module is asked for: the packages lie where golang-golang-x-mod-dev puts them.
        env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""},
        check=True,
    )
    return program
