"""Person keys: bound to person and installation, derived per record, and remembered within bounds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from avow.errors import KeyringError
from avow.keys.hierarchy import (
    PersonKeys,
    derive,
    new_person_key,
    record_subkey,
    unwrap_person,
    wrap_person,
)
from avow.keys.keyring import FileKeyring

TENANT, ANN, BOB = "7e" * 16, "aa" * 16, "bb" * 16


class Counting(FileKeyring):
    """A keyring that counts what it unwraps."""

    unwrapped = 0

    def unwrap(self, epoch: int, wrapped: bytes, aad: bytes) -> bytes:
        self.unwrapped += 1
        return super().unwrap(epoch, wrapped, aad)


@pytest.fixture
def ring(tmp_path: Path) -> Counting:
    return Counting.create(tmp_path / "keyring")


def test_a_persons_key_unwraps_for_that_person_in_that_installation_only(ring: Counting) -> None:
    key = new_person_key()
    epoch, wrapped = wrap_person(ring, TENANT, ANN, key)
    assert unwrap_person(ring, TENANT, ANN, epoch, wrapped) == key
    for tenant, person in ((TENANT, BOB), ("00" * 16, ANN), (TENANT + ANN[:2], ANN[2:]), (ANN, TENANT)):
        with pytest.raises(KeyringError, match="does not unwrap"):
            unwrap_person(ring, tenant, person, epoch, wrapped)


def test_a_new_epoch_wraps_again_and_keeps_the_key(ring: Counting) -> None:
    key = new_person_key()
    old = wrap_person(ring, TENANT, ANN, key)
    ring.create_epoch()
    new = wrap_person(ring, TENANT, ANN, unwrap_person(ring, TENANT, ANN, *old))
    ring.destroy_epoch(old[0])
    assert unwrap_person(ring, TENANT, ANN, *new) == key


@given(key=st.binary(min_size=32, max_size=32), record=st.text(max_size=40))
def test_subkeys_are_those_of_hkdf(key: bytes, record: str) -> None:
    """Against the implementation of the cryptography package (RFC 5869)."""
    name = record.encode()
    assert record_subkey(key, record) == HKDFExpand(SHA256(), 32, b"avow record\0" + name).derive(key)
    assert derive(key, "secret", record) == HKDFExpand(SHA256(), 32, b"avow secret\0" + name).derive(key)


def test_records_and_people_have_subkeys_of_their_own() -> None:
    keys = [new_person_key() for _ in range(4)]
    subkeys = {record_subkey(key, f"record {number}") for key in keys for number in range(25)}
    assert len(subkeys) == 100


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_short_key_derives_nothing(length: int) -> None:
    with pytest.raises(KeyringError, match="32 bytes long"):
        record_subkey(bytes(length), "record")


def test_person_keys_are_unwrapped_once(ring: Counting) -> None:
    key = new_person_key()
    row = wrap_person(ring, TENANT, ANN, key)
    held = PersonKeys(ring, TENANT)
    assert [held.get(ANN, *row) for _ in range(3)] == [key] * 3
    assert ring.unwrapped == 1


def test_a_new_persons_key_is_held_as_their_row_has_it(ring: Counting) -> None:
    held = PersonKeys(ring, TENANT, limit=2)
    row = held.new(ANN)
    assert held.get(ANN, *row) == unwrap_person(ring, TENANT, ANN, *row)
    assert ring.unwrapped == 1  # by the line above, not by `get`
    with pytest.raises(KeyringError, match="does not unwrap"):
        held.get(BOB, *row)
    others = [held.new(person) for person in (BOB, "carol", "dave")]
    assert len({*others, row}) == 4
    assert len(held) == 2


def test_a_key_seen_before_does_not_open_in_another_persons_row(ring: Counting) -> None:
    """Whoever can write the database could otherwise put Ann's wrapped key into Bob's row."""
    epoch, wrapped = wrap_person(ring, TENANT, ANN, new_person_key())
    held = PersonKeys(ring, TENANT)
    held.get(ANN, epoch, wrapped)
    with pytest.raises(KeyringError, match="does not unwrap"):
        held.get(BOB, epoch, wrapped)
    with pytest.raises(KeyringError, match="epoch 2 "):
        held.get(ANN, epoch + 1, wrapped)


def test_the_least_recently_used_key_goes_first(ring: Counting) -> None:
    rows = {person: wrap_person(ring, TENANT, person, new_person_key()) for person in ("a", "b", "c")}
    held = PersonKeys(ring, TENANT, limit=2)
    for person in ("a", "b", "a", "c"):  # b is the one not used lately
        held.get(person, *rows[person])
    assert (len(held), ring.unwrapped) == (2, 3)
    held.get("a", *rows["a"])
    assert ring.unwrapped == 3
    held.get("b", *rows["b"])
    assert ring.unwrapped == 4


def test_what_is_forgotten_is_unwrapped_anew(ring: Counting) -> None:
    row = wrap_person(ring, TENANT, ANN, new_person_key())
    held = PersonKeys(ring, TENANT)
    held.get(ANN, *row)
    held.forget(row[1])
    held.forget(b"never seen")
    assert len(held) == 0
    held.get(ANN, *row)
    assert ring.unwrapped == 2


def test_a_person_erased_while_being_unwrapped_is_not_remembered(tmp_path: Path) -> None:
    class Erasing(FileKeyring):
        def unwrap(self, epoch: int, wrapped: bytes, aad: bytes) -> bytes:
            held.forget(wrapped)
            return super().unwrap(epoch, wrapped, aad)

    ring = Erasing.create(tmp_path / "keyring")
    held = PersonKeys(ring, TENANT)
    held.get(ANN, *wrap_person(ring, TENANT, ANN, new_person_key()))
    assert len(held) == 0


def test_many_threads_share_the_memory(ring: Counting) -> None:
    keys = {f"person {number}": new_person_key() for number in range(40)}
    rows = {person: wrap_person(ring, TENANT, person, key) for person, key in keys.items()}
    held = PersonKeys(ring, TENANT, limit=10)

    def read(person: str) -> bool:
        key = held.get(person, *rows[person])
        if person.endswith("7"):
            held.forget(rows[person][1])
        return key == keys[person]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, list(keys) * 20))
    assert len(held) <= 10


def test_it_shows_no_key(ring: Counting) -> None:
    held = PersonKeys(ring, TENANT)
    held.get(ANN, *wrap_person(ring, TENANT, ANN, new_person_key()))
    assert repr(held) == "<1 person keys>"
