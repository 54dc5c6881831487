"""What every key provider must pass. Derive a class named `Test…` and give it the fixture `provider`."""

from __future__ import annotations

import os

import pytest

from avow.errors import KeyringError
from avow.keys.hierarchy import new_person_key
from avow.keys.provider import KeyProvider

AAD = b"an installation and a person"


class ProviderConformance:
    """The rules of `avow.keys.provider`, as tests."""

    @pytest.fixture
    def provider(self) -> KeyProvider:
        raise LookupError("the derived class gives the provider")

    def test_what_was_wrapped_unwraps(self, provider: KeyProvider) -> None:
        key = new_person_key()
        epoch, wrapped = provider.wrap(key, AAD)
        assert provider.unwrap(epoch, wrapped, AAD) == key

    def test_the_wrapped_bytes_do_not_hold_the_key(self, provider: KeyProvider) -> None:
        key = new_person_key()
        assert key not in provider.wrap(key, AAD)[1]

    def test_wrapping_twice_gives_different_bytes(self, provider: KeyProvider) -> None:
        key = new_person_key()
        assert provider.wrap(key, AAD)[1] != provider.wrap(key, AAD)[1]

    def test_it_wraps_under_the_newest_epoch(self, provider: KeyProvider) -> None:
        first, _ = provider.wrap(new_person_key(), AAD)
        second = provider.create_epoch()
        assert second > first
        assert provider.wrap(new_person_key(), AAD)[0] == second
        assert provider.status().current == second

    @pytest.mark.parametrize("length", [0, 16, 31, 33])
    def test_it_wraps_only_keys_of_32_bytes(self, provider: KeyProvider, length: int) -> None:
        with pytest.raises(KeyringError, match="32 bytes"):
            provider.wrap(os.urandom(length), AAD)

    @pytest.mark.parametrize("aad", [b"", AAD[:-1], AAD + b"\0", b"another installation"])
    def test_another_aad_does_not_unwrap(self, provider: KeyProvider, aad: bytes) -> None:
        epoch, wrapped = provider.wrap(new_person_key(), AAD)
        with pytest.raises(KeyringError, match="does not unwrap"):
            provider.unwrap(epoch, wrapped, aad)

    def test_no_flipped_bit_unwraps(self, provider: KeyProvider) -> None:
        epoch, wrapped = provider.wrap(new_person_key(), AAD)
        for position in range(len(wrapped) * 8):
            changed = bytearray(wrapped)
            changed[position // 8] ^= 1 << position % 8
            with pytest.raises(KeyringError):
                provider.unwrap(epoch, bytes(changed), AAD)

    def test_nothing_cut_off_or_added_unwraps(self, provider: KeyProvider) -> None:
        epoch, wrapped = provider.wrap(new_person_key(), AAD)
        for changed in [*(wrapped[:length] for length in range(len(wrapped))), wrapped + b"\0"]:
            with pytest.raises(KeyringError):
                provider.unwrap(epoch, changed, AAD)

    def test_a_key_does_not_unwrap_under_another_epoch(self, provider: KeyProvider) -> None:
        epoch, wrapped = provider.wrap(new_person_key(), AAD)
        other = provider.create_epoch()
        with pytest.raises(KeyringError, match="does not unwrap"):
            provider.unwrap(other, wrapped, AAD)
        assert provider.unwrap(epoch, wrapped, AAD)

    @pytest.mark.parametrize("epoch", [-1, 0, 1_000_000])
    def test_an_unknown_epoch_is_named(self, provider: KeyProvider, epoch: int) -> None:
        _, wrapped = provider.wrap(new_person_key(), AAD)
        with pytest.raises(KeyringError, match=f"epoch {epoch} "):
            provider.unwrap(epoch, wrapped, AAD)

    def test_erasure_by_epoch_loses_the_erased_and_keeps_every_survivor(self, provider: KeyProvider) -> None:
        erased = provider.wrap(new_person_key(), AAD)
        keys = [new_person_key() for _ in range(20)]
        rows = [provider.wrap(key, AAD) for key in keys]
        provider.create_epoch()
        rows = [provider.wrap(provider.unwrap(*row, AAD), AAD) for row in rows]
        provider.destroy_epoch(erased[0])
        assert [provider.unwrap(*row, AAD) for row in rows] == keys
        with pytest.raises(KeyringError, match=f"epoch {erased[0]} "):
            provider.unwrap(*erased, AAD)
        assert erased[0] not in provider.status().epochs

    def test_destroying_again_changes_nothing(self, provider: KeyProvider) -> None:
        old = provider.status().current
        provider.create_epoch()
        provider.destroy_epoch(old)
        before = provider.status()
        provider.destroy_epoch(old)
        assert provider.status() == before

    def test_the_newest_epoch_cannot_be_destroyed(self, provider: KeyProvider) -> None:
        epoch, wrapped = provider.wrap(new_person_key(), AAD)
        with pytest.raises(KeyringError, match="newest"):
            provider.destroy_epoch(epoch)
        assert provider.unwrap(epoch, wrapped, AAD)

    @pytest.mark.parametrize("epoch", [-1, 0, 1_000_000])
    def test_an_epoch_that_never_was_cannot_be_destroyed(self, provider: KeyProvider, epoch: int) -> None:
        with pytest.raises(KeyringError, match=f"epoch {epoch}"):
            provider.destroy_epoch(epoch)

    def test_a_number_is_never_used_again(self, provider: KeyProvider) -> None:
        seen = [provider.status().current]
        for _ in range(3):
            seen.append(provider.create_epoch())
            provider.destroy_epoch(seen[-2])
        assert seen == sorted(set(seen))
        assert provider.status().epochs == (seen[-1],)
