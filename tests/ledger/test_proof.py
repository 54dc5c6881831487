"""Receipts: what they show can be checked alone, and nothing else passes for it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.errors import LogError
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.merkle import leaf_hash
from avow.ledger.note import Signer
from avow.ledger.proof import LARGEST_RECEIPT, Receipt
from tests.ledger.trees import leaves, path, tree

LOG = Signer.from_seed("log.example/a", bytes(range(32)))


def receipt(index: int, size: int, extra: bytes = b"") -> Receipt:
    """Of entry `index` in a log of so many entries, `b"entry 0"` and on."""
    hashes = leaves(size)
    checkpoint = Checkpoint(LOG.key.name, size, tree(hashes)).sign(LOG)
    return Receipt(index, tuple(path(index, hashes)), checkpoint, extra)


ONE = receipt(4, 7, b"extra data")
LEAF = leaf_hash(b"entry 4")


def test_a_receipt_is_as_specified() -> None:
    hashes = [base64.b64encode(item).decode() for item in path(4, leaves(7))]
    text = f"c2sp.org/tlog-proof@v1\nextra ZXh0cmEgZGF0YQ==\nindex 4\n{hashes[0]}\n{hashes[1]}\n{hashes[2]}\n\n"
    assert ONE.encode() == text.encode() + ONE.checkpoint
    assert receipt(4, 7).encode() == text.replace("extra ZXh0cmEgZGF0YQ==\n", "").encode() + ONE.checkpoint
    assert receipt(0, 1).encode() == b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + receipt(0, 1).checkpoint


@given(st.integers(1, 300), st.data(), st.binary(max_size=20))
def test_a_receipt_reads_back_and_verifies(size: int, data: st.DataObject, extra: bytes) -> None:
    index = data.draw(st.integers(0, size - 1))
    made = receipt(index, size, extra)
    assert Receipt.parse(made.encode()) == made
    checkpoint = Receipt.parse(made.encode()).verify(leaf_hash(b"entry %d" % index), LOG.key)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (LOG.key.name, size, tree(leaves(size)))


def test_no_changed_bit_but_of_the_extra_data_verifies() -> None:
    """The extra data is signed by nobody; another spelling of it is refused all the same."""
    whole = ONE.encode()
    passed = 0
    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            found = Receipt.parse(bytes(changed))
            found.verify(LEAF, LOG.key)
        except LogError:
            continue
        assert found.extra != ONE.extra
        assert found.encode() == changed
        assert Receipt(found.index, found.proof, found.checkpoint, ONE.extra) == ONE
        passed += 1
    assert passed, "a bit of the extra data was changed"


def test_a_receipt_is_of_one_entry_in_one_log() -> None:
    assert ONE.verify(LEAF, LOG.key).size == 7
    with pytest.raises(LogError, match="inclusion of entry 4 in size 7: the root is"):
        ONE.verify(leaf_hash(b"entry 5"), LOG.key)
    for index in {*range(9)} - {4}:
        with pytest.raises(LogError, match=f"inclusion of entry {index} in size 7"):
            Receipt(index, ONE.proof, ONE.checkpoint).verify(LEAF, LOG.key)
    with pytest.raises(LogError, match="in size 8: "):
        Receipt(4, ONE.proof, receipt(4, 8).checkpoint).verify(LEAF, LOG.key)
    with pytest.raises(LogError, match="none of the 1 known keys"):
        ONE.verify(LEAF, Signer.from_seed(LOG.key.name, bytes(32)).key)
    with pytest.raises(LogError, match=r"origin of the checkpoint: it is of the log 'log\.example/a', and not of"):
        ONE.verify(LEAF, LOG.key, origin="log.example/b")


HASH = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("", "line 1 of the receipt: it is not 'c2sp.org/tlog-proof@v1'"),
        ("c2sp.org/tlog-proof@v2\nindex 0", "line 1"),
        ("c2sp.org/tlog-proof@v1", "there is no line with `index`"),
        ("c2sp.org/tlog-proof@v1\nextra YQ==", "there is no line with `index`"),
        (f"c2sp.org/tlog-proof@v1\n{HASH}", "there is no line with `index`"),
        *(
            (f"c2sp.org/tlog-proof@v1\nindex {number}", "index")
            for number in ("", "00", "01", "-1", "+1", " 1", "1 ", "x", 2**63)
        ),
        ("c2sp.org/tlog-proof@v1\nIndex 0", "there is no line with `index`"),
        ("c2sp.org/tlog-proof@v1\nextra \nindex 0", "extra data of the receipt: it is not the base64"),
        (
            "c2sp.org/tlog-proof@v1\nextra YR==\nindex 0",
            "extra data of the receipt",
        ),  # the same byte, spelled otherwise
        ("c2sp.org/tlog-proof@v1\nindex 0\nextra YQ==", "hash 1 of the receipt: it is not the base64"),
        (f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH}\n{HASH[:-1]}", "hash 2 of the receipt: it is not the base64"),
        ("c2sp.org/tlog-proof@v1\nindex 0\nYQ==", "proof of the receipt: it is not at most 63 hashes of 32 bytes"),
        ("c2sp.org/tlog-proof@v1\nindex 0" + f"\n{HASH}" * 64, "proof of the receipt: it is not at most 63 hashes"),
        (f"c2sp.org/tlog-proof@v1\r\nindex 0\r\n{HASH}", "line 1"),
        ("c2sp.org/tlog-proof@v1\nindex ٤", "no ASCII lines"),
    ],
)
def test_what_is_no_receipt_is_refused(head: str, told: str) -> None:
    with pytest.raises(LogError, match=told):
        Receipt.parse(f"{head}\n\n".encode() + ONE.checkpoint)


def test_a_receipt_without_a_checkpoint_is_refused() -> None:
    with pytest.raises(
        LogError, match="it has no ASCII lines, an empty line and a checkpoint below it\n  help: ask for"
    ):
        Receipt.parse(b"c2sp.org/tlog-proof@v1\nindex 0\n")
    with pytest.raises(LogError, match="the note: it does not end with an empty line"):
        Receipt.parse(b"c2sp.org/tlog-proof@v1\nindex 0\n\n").verify(LEAF, LOG.key)


def test_the_largest_receipts_read_back() -> None:
    """The last entry of the largest log has a proof of 63 hashes."""
    last = Receipt(2**63 - 2, (bytes(32),) * 63, b"a checkpoint")
    assert Receipt.parse(last.encode()) == last
    with pytest.raises(LogError, match="index of the receipt: 9223372036854775807 is no number of an entry"):
        Receipt(2**63 - 1, last.proof, last.checkpoint)
    longest = Receipt(0, (), b"x" * (LARGEST_RECEIPT - len(Receipt(0, (), b"").encode())))
    assert Receipt.parse(longest.encode()) == longest
    with pytest.raises(LogError, match="receipt: it has 2000001 bytes, more than 2000000"):
        Receipt.parse(longest.encode() + b"x")
