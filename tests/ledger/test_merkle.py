"""The tree: as RFC 6962 defines it, and no proof of what is not so."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.errors import LedgerError, LogError
from avow.ledger import merkle
from tests.ledger.trees import growth, leaves, path, reading, sha256, tree

VECTORS = Path(__file__).parent / "vectors"
INCLUSION = sorted((VECTORS / "inclusion").rglob("*.json"))
CONSISTENCY = sorted((VECTORS / "consistency").rglob("*.json"))
SMALL = range(1, 34)


def name(file: Path) -> str:
    return file.relative_to(VECTORS).as_posix()


def read(file: Path) -> dict[str, Any]:
    """A vector, its hashes decoded."""
    held = json.loads(file.read_text())
    for key in held.keys() & {"root", "root1", "root2", "leafHash"}:
        held[key] = base64.b64decode(held[key] or "")
    return {**held, "proof": [base64.b64decode(item) for item in held["proof"] or ()]}


def agrees(vector: dict[str, Any], verify: Any, *arguments: object) -> None:
    if vector["wantErr"]:
        with pytest.raises(LogError):
            verify(*arguments)
    else:
        verify(*arguments)


def test_there_are_196_vectors_right_and_wrong_ones() -> None:
    assert len(INCLUSION) == len(CONSISTENCY) == 98
    for files in (INCLUSION, CONSISTENCY):
        assert {read(file)["wantErr"] for file in files} == {True, False}


@pytest.mark.parametrize("file", INCLUSION, ids=name)
def test_inclusion_is_judged_as_others_judge_it(file: Path) -> None:
    each = read(file)
    arguments = each["leafHash"], each["leafIdx"], each["treeSize"], each["proof"], each["root"]
    agrees(each, merkle.verify_inclusion, *arguments)


@pytest.mark.parametrize("file", CONSISTENCY, ids=name)
def test_consistency_is_judged_as_others_judge_it(file: Path) -> None:
    each = read(file)
    arguments = each["size1"], each["size2"], each["proof"], each["root1"], each["root2"]
    agrees(each, merkle.verify_consistency, *arguments)


def test_the_hashes_are_those_of_the_rfc() -> None:
    assert merkle.leaf_hash(b"entry") == sha256(b"\x00entry")
    assert merkle.node_hash(bytes(32), b"\x01" * 32) == sha256(b"\x01" + bytes(32) + b"\x01" * 32)
    assert merkle.leaf_hashes([b"", b"entry"]) == sha256(b"\x00") + sha256(b"\x00entry")
    # The leaf and the root of no data that RFC 9162's predecessor publishes for its logs.
    assert merkle.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_the_root_is_that_of_the_definition(hashes: list[bytes]) -> None:
    assert merkle.root_of_hashes(b"".join(hashes)) == tree(hashes)
    assert merkle.root(len(hashes), reading(hashes)) == tree(hashes)


@pytest.mark.parametrize("size", SMALL)
def test_each_proof_is_that_of_the_definition_and_verifies(size: int) -> None:
    hashes = leaves(size)
    root = tree(hashes)
    for index, leaf in enumerate(hashes):
        proof = merkle.inclusion_proof(index, size, reading(hashes))
        assert list(proof) == path(index, hashes)
        merkle.verify_inclusion(leaf, index, size, proof, root)
    for old in range(1, size + 1):
        proof = merkle.consistency_proof(old, size, reading(hashes))
        assert list(proof) == growth(old, hashes)
        merkle.verify_consistency(old, size, proof, tree(hashes[:old]), root)


@pytest.mark.parametrize("size", SMALL)
def test_no_proof_is_good_for_another_entry_or_a_log_of_another_size(size: int) -> None:
    hashes = leaves(size + 1)
    for index in range(size):
        proof = path(index, hashes[:size])
        for other in range(size):
            if other != index:
                with pytest.raises(LogError):
                    merkle.verify_inclusion(hashes[index], other, size, proof, tree(hashes[:size]))
                with pytest.raises(LogError):
                    merkle.verify_inclusion(hashes[other], index, size, proof, tree(hashes[:size]))
        for others in {size - 1, size + 1} - {0}:
            with pytest.raises(LogError):
                merkle.verify_inclusion(hashes[index], index, others, proof, tree(hashes[:others]))


@pytest.mark.parametrize("size", SMALL)
def test_no_proof_joins_logs_of_other_sizes_or_a_fork(size: int) -> None:
    hashes = leaves(size + 1)
    new = tree(hashes[:size])
    for old in range(1, size):
        proof = growth(old, hashes[:size])
        for before, after in {(old - 1, size), (old + 1, size), (old, size - 1), (old, size + 1)}:
            with pytest.raises(LogError):
                merkle.verify_consistency(before, after, proof, tree(hashes[:before]), tree(hashes[:after]))
        for changed in range(old):
            forked = tree([*hashes[:changed], sha256(b"forked"), *hashes[changed + 1 : old]])
            with pytest.raises(LogError, match=f"consistency of size {old} with size {size}: the "):
                merkle.verify_consistency(old, size, proof, forked, new)


@given(st.data())
def test_no_changed_bit_verifies(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 300), "size")
    hashes, index = leaves(size), data.draw(st.integers(0, size - 1), "index")
    old = data.draw(st.integers(1, size - 1), "old")
    parts = [hashes[index], tree(hashes), *path(index, hashes)]
    merkle.verify_inclusion(parts[0], index, size, parts[2:], parts[1])
    leaf, root, *proof = flipped(parts, data)
    with pytest.raises(LogError):
        merkle.verify_inclusion(leaf, index, size, proof, root)
    parts = [tree(hashes[:old]), tree(hashes), *growth(old, hashes)]
    merkle.verify_consistency(old, size, parts[2:], parts[0], parts[1])
    before, after, *proof = flipped(parts, data)
    with pytest.raises(LogError):
        merkle.verify_consistency(old, size, proof, before, after)


def flipped(parts: list[bytes], data: st.DataObject) -> list[bytes]:
    """The hashes with one bit of one of them changed."""
    which, bit = data.draw(st.integers(0, len(parts) - 1), "which"), data.draw(st.integers(0, 255), "bit")
    changed = bytearray(parts[which])
    changed[bit // 8] ^= 1 << bit % 8
    return [*parts[:which], bytes(changed), *parts[which + 1 :]]


@given(st.data())
def test_no_shortened_lengthened_or_reordered_proof_verifies(data: st.DataObject) -> None:
    size = data.draw(st.integers(3, 300), "size")
    hashes, index = leaves(size), data.draw(st.integers(0, size - 1), "index")
    proof = path(index, hashes)
    at = data.draw(st.integers(0, len(proof) - 1), "at")
    changed = [
        proof[:at] + proof[at + 1 :],
        [*proof[:at], bytes(32), *proof[at:]],
    ]
    if len(proof) > 1:
        changed.append([*proof[1:], proof[0]])
    for each in changed:
        with pytest.raises(LogError):
            merkle.verify_inclusion(hashes[index], index, size, each, tree(hashes))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3), (4, 3), (0, -1), (0, 2**63), (2**64 - 1, 1)])
def test_what_is_not_in_the_log_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(LogError, match=f"entry {index}: it is not in a log of {size} entries\n  help: entries are"):
        merkle.inclusion_proof(index, size, reading(leaves(4)))
    with pytest.raises(LogError, match="no such entry"):
        merkle.verify_inclusion(bytes(32), index, size, [], bytes(32))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 3), (-1, 3), (4, 3), (1, 2**63)])
def test_an_empty_or_a_larger_log_is_no_beginning(old: int, new: int) -> None:
    with pytest.raises(LogError, match="there is no such proof"):
        merkle.consistency_proof(old, new, reading(leaves(4)))
    with pytest.raises(LogError, match="there is no such proof"):
        merkle.verify_consistency(old, new, [], merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)


def test_the_hash_of_an_entry_has_its_length() -> None:
    """Where one entry is the log, its hash is the root: nothing else would notice."""
    with pytest.raises(LogError, match="the hash of an entry has 32 bytes, this one 31"):
        merkle.verify_inclusion(bytes(31), 0, 1, [], bytes(31))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_the_hashes_of_a_proof_have_their_length(length: int) -> None:
    hashes = leaves(5)
    for index, number in ((0, 2), (3, 1)):
        proof = path(index, hashes)
        proof[number - 1] = bytes(length)
        with pytest.raises(LogError, match=f"hash {number} of the proof has {length} bytes, and not 32"):
            merkle.verify_inclusion(hashes[index], index, 5, proof, tree(hashes))
    with pytest.raises(LogError, match=f"hash 1 of the proof has {length} bytes, and not 32"):
        merkle.verify_consistency(3, 5, [bytes(length), *growth(3, hashes)[1:]], tree(hashes[:3]), tree(hashes))


def test_a_message_says_where_what_was_expected_and_found() -> None:
    hashes = leaves(5)
    with pytest.raises(LedgerError) as caught:
        merkle.verify_inclusion(hashes[3], 2, 5, path(2, hashes), tree(hashes))
    assert isinstance(caught.value, LogError)
    assert caught.value.where == "inclusion of entry 2 in size 5"
    assert str(caught.value).startswith(
        f"inclusion of entry 2 in size 5: the root is {tree(hashes).hex()}, and the proof"
    )
    assert "\n  help: the entry, the proof or the log was changed" in str(caught.value)
