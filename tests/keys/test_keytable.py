"""The key table: written whole or not at all, and checked before it is believed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from avow.errors import KeyringError
from avow.keys.keytable import WrappedKey, read_key_table, write_key_table

TENANT = "ab" * 16


def keys(count: int) -> Iterator[WrappedKey]:
    return (WrappedKey(f"{number:032x}", number + 1, bytes([number % 256]) * (number % 90)) for number in range(count))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keytable"


@pytest.mark.parametrize("count", [0, 1, 300])
def test_what_was_written_is_read(path: Path, count: int) -> None:
    write_key_table(path, TENANT, keys(count), count)
    assert list(read_key_table(path, TENANT)) == list(keys(count))
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_changed_byte_is_found(path: Path) -> None:
    write_key_table(path, TENANT, keys(5), 5)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(KeyringError, match=r"damaged|another installation"):
            list(read_key_table(path, TENANT))


def test_every_cut_is_found(path: Path) -> None:
    write_key_table(path, TENANT, keys(3), 3)
    for length in reversed(range(path.stat().st_size)):
        os.truncate(path, length)
        with pytest.raises(KeyringError, match="cut off or damaged"):
            list(read_key_table(path, TENANT))


def test_one_of_another_installation_is_refused(path: Path) -> None:
    write_key_table(path, TENANT, keys(1), 1)
    with pytest.raises(KeyringError, match="another installation"):
        list(read_key_table(path, "cd" * 16))


def test_a_missing_one_is_told(path: Path) -> None:
    with pytest.raises(KeyringError, match="there is no key table"):
        list(read_key_table(path, TENANT))


def test_the_old_one_stays_where_the_new_one_does_not_come_about(path: Path) -> None:
    write_key_table(path, TENANT, keys(2), 2)
    with pytest.raises(KeyringError, match="to have 4 keys, and 3 came"):
        write_key_table(path, TENANT, keys(3), 4)
    assert list(read_key_table(path, TENANT)) == list(keys(2))
    (path.parent / "keytable.new").unlink()
    path.parent.chmod(0o500)
    try:
        if os.geteuid():
            with pytest.raises(KeyringError, match="no key was destroyed"):
                write_key_table(path, TENANT, keys(1), 1)
    finally:
        path.parent.chmod(0o700)
    (path.parent / "keytable.new").mkdir()
    with pytest.raises(KeyringError, match="no key was destroyed"):
        write_key_table(path, TENANT, keys(1), 1)
    assert list(read_key_table(path, TENANT)) == list(keys(2))
