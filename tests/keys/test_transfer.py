"""The keys and cards by which people go from one installation to another."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from avow.errors import KeyringError
from avow.keys.transfer import NAME, Card, TransferKeys

TENANT = "a" * 32
VERSIONS = {"1" * 64: "1", "2" * 64: "2, the second (post)"}
BOUND = frozenset({"3" * 64, "4" * 64})


@pytest.fixture
def keys(tmp_path: Path) -> TransferKeys:
    return TransferKeys.of(tmp_path, TENANT)


@pytest.fixture
def card(tmp_path: Path, keys: TransferKeys) -> Path:
    file = tmp_path / "post.card"
    file.write_bytes(keys.signed(keys.card("post", VERSIONS, BOUND)))
    return file


def test_keys_are_made_once_for_their_owner_alone(tmp_path: Path, keys: TransferKeys) -> None:
    again = TransferKeys.of(tmp_path, TENANT)
    assert again.verify == keys.verify
    assert again.public.public_bytes_raw() == keys.public.public_bytes_raw()
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    assert keys.receive.private_bytes_raw().hex() not in repr(keys)


def test_a_card_says_what_it_was_given_and_holds_no_private_half(card: Path, keys: TransferKeys) -> None:
    read = Card.read(card)
    assert (read.site, read.tenant, read.versions, read.bound) == ("post", TENANT, VERSIONS, BOUND)
    assert (read.receive, read.verify) == (keys.public.public_bytes_raw(), keys.verify)
    assert len(read.fingerprint.split()) == 8
    content = card.read_text()
    assert keys.receive.private_bytes_raw().hex() not in content
    assert keys.signing.private_bytes_raw().hex() not in content


def test_a_card_that_binds_itself_to_nothing_is_one_too(tmp_path: Path, keys: TransferKeys) -> None:
    file = tmp_path / "card"
    file.write_bytes(keys.signed(keys.card("post", {})))
    assert Card.read(file).bound == frozenset()


@pytest.mark.parametrize("word", ["site ", "tenant ", "receive ", "policy ", "bound ", "signature "])
def test_a_changed_card_is_refused(card: Path, word: str) -> None:
    """Also one that somebody has bound to a policy in another's name."""
    content = card.read_text()
    at = content.index(word) + len(word)
    card.write_text(content[:at] + ("b" if content[at] != "b" else "c") + content[at + 1 :])
    with pytest.raises(KeyringError, match="was changed"):
        Card.read(card)


def test_what_is_no_card_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="cannot be read"):
        Card.read(tmp_path / "nothing")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(KeyringError, match="is no card"):
        Card.read(tmp_path / "text")


def test_damaged_keys_and_those_of_another_installation_are_refused(tmp_path: Path, keys: TransferKeys) -> None:
    with pytest.raises(KeyringError, match="belong to another installation"):
        TransferKeys.of(tmp_path, "b" * 32)
    content = (tmp_path / NAME).read_text()
    (tmp_path / NAME).write_text(content.replace("sign ", "sign 0", 1)[:-1])
    with pytest.raises(KeyringError, match="are damaged"):
        TransferKeys.of(tmp_path, TENANT)
    (tmp_path / NAME).write_text(content.replace("check ", "check 0", 1).replace(content[-2:], "\n"))
    with pytest.raises(KeyringError, match="are damaged"):
        TransferKeys.of(tmp_path, TENANT)


def test_keys_are_not_made_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeyringError):
        TransferKeys.of(tmp_path / "nowhere", TENANT)
