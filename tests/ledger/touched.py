"""A ledger that something is done to, and what verifying says of it."""

from __future__ import annotations

import pytest

from avow.errors import LedgerError
from avow.ledger.sequencer import Sequencer
from avow.ledger.verify import verify
from avow.store.connection import Store
from avow.store.schema import Schema

from .pending import SIGNER

Ledger = tuple[Store, Schema, Sequencer]

#: Entries of the ledger: a full tile, and a partial one beside it, at two levels.
SIZE = 300


def found_in(ledger: Ledger) -> str:
    """What verifying says is wrong."""
    store, schema, sequencer = ledger
    with pytest.raises(LedgerError) as caught:
        verify(store, schema, sequencer.file, SIGNER.key)
    assert caught.value.help
    return str(caught.value.args[0])
