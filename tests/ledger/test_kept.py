"""The checkpoint outside the database: it never goes back, and no two are signed that contradict each other."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Thread

import pytest

from avow.errors import LedgerError, StoreError
from avow.keys.installed import create_keys
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.kept import NAME, keep, log_signer, read_kept
from avow.ledger.merkle import EMPTY_ROOT

from .pending import SIGNER

NAMED = SIGNER.key.name


def checkpoint(size: int) -> Checkpoint:
    return Checkpoint(NAMED, size, hashlib.sha256(b"%d" % size).digest())


def anything(kept: Checkpoint) -> None:
    pass


def test_what_was_kept_is_read_and_is_a_signed_note(tmp_path: Path) -> None:
    assert read_kept(tmp_path / NAME, SIGNER.key) is None
    keep(tmp_path / NAME, checkpoint(7), SIGNER, anything)
    assert read_kept(tmp_path / NAME, SIGNER.key) == checkpoint(7)
    assert (tmp_path / NAME).read_bytes() == checkpoint(7).sign(SIGNER)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_an_older_one_never_takes_its_place(tmp_path: Path) -> None:
    keep(tmp_path / NAME, checkpoint(7), SIGNER, anything)
    keep(tmp_path / NAME, checkpoint(6), SIGNER, anything)
    assert read_kept(tmp_path / NAME, SIGNER.key) == checkpoint(7)


def test_nothing_is_signed_that_does_not_go_on_from_it(tmp_path: Path) -> None:
    asked = []

    def refuse(kept: Checkpoint) -> None:
        asked.append(kept)
        raise LedgerError("another log")

    keep(tmp_path / NAME, checkpoint(7), SIGNER, anything)
    for other in (checkpoint(8), Checkpoint(NAMED, 7, bytes(32))):
        with pytest.raises(LedgerError, match="another log"):
            keep(tmp_path / NAME, other, SIGNER, refuse)
    assert asked == [checkpoint(7)] * 2
    assert read_kept(tmp_path / NAME, SIGNER.key) == checkpoint(7)
    keep(tmp_path / NAME, checkpoint(7), SIGNER, refuse)  # nothing new is signed


def test_one_that_cannot_be_written_or_read_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(LedgerError, match="cannot be read"):
        read_kept(tmp_path / NAME, SIGNER.key)
    with pytest.raises(StoreError, match="cannot be written"):
        keep(tmp_path / "nowhere" / NAME, checkpoint(1), SIGNER, anything)


def test_who_keeps_one_at_once_with_others_succeeds_and_it_never_goes_back(tmp_path: Path) -> None:
    """As processes do that are started at the same time, or integrate one after the other and are quick."""
    failures, seen = [], []

    def run() -> None:
        try:
            for size in range(1, 51):
                keep(tmp_path / NAME, checkpoint(size), SIGNER, anything)
                kept = read_kept(tmp_path / NAME, SIGNER.key)
                seen.append(kept is not None and kept.size >= size)
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert seen == [True] * 200
    assert read_kept(tmp_path / NAME, SIGNER.key) == checkpoint(50)


def test_the_signer_is_of_the_keyring_and_has_the_name_that_the_log_began_with(tmp_path: Path) -> None:
    keys = create_keys(tmp_path / "keyring", None)
    with pytest.raises(LedgerError, match="is missing"):
        log_signer(tmp_path, keys)
    begun = log_signer(tmp_path, keys, "shop/ledger")
    assert begun.key.name == "shop/ledger"
    keep(tmp_path / NAME, Checkpoint("shop/ledger", 0, EMPTY_ROOT), begun, anything)
    for origin in (None, "shop/ledger", "renamed/ledger"):
        assert log_signer(tmp_path, keys, origin).key == begun.key
    other = create_keys(tmp_path / "other", None)
    assert log_signer(tmp_path, other).key != begun.key
    with pytest.raises(LedgerError, match="is not to be believed"):
        read_kept(tmp_path / NAME, log_signer(tmp_path, other).key)


@pytest.mark.parametrize("content", [b"", b"garbage", b"two words\n0\nx\n\n\xe2\x80\x94 a b\n", bytes(40)])
def test_a_checkpoint_that_is_none_gives_no_signer(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(LedgerError, match="is not to be believed"):
        log_signer(tmp_path, create_keys(tmp_path / "keyring", None), "shop/ledger")


def test_the_head_of_a_chain_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.head").write_text("avow-ledger-head 1\n")
    with pytest.raises(LedgerError, match="is the head of a hash chain"):
        log_signer(tmp_path, create_keys(tmp_path / "keyring", None), "shop/ledger")
