"""What every key provider must pass. Derive a class named `Test…` and give it the fixture `provider`.

The provider's keys are those that the file of the fixture `path` holds or speaks of: another process opens them by it.
"""

from __future__ import annotations

import copy
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pytest

from avow.errors import KeyringError
from avow.keys.hierarchy import new_person_key
from avow.keys.installed import open_keys
from avow.keys.provider import KeyProvider, SecretName

from .softhsm import create_together, elsewhere

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

    def test_an_epoch_that_another_process_created_is_used_at_once(self, provider: KeyProvider, path: Path) -> None:
        """A person wrapped under an epoch that is about to be destroyed would be lost."""
        before = provider.status().current
        assert provider.wrap(new_person_key(), AAD)[0] == before
        assert elsewhere(path, "create_epoch") == ""
        assert provider.wrap(new_person_key(), AAD)[0] == before + 1

    def test_an_epoch_that_another_process_destroyed_unwraps_nothing_here(
        self, provider: KeyProvider, path: Path
    ) -> None:
        row = provider.wrap(new_person_key(), AAD)
        assert provider.unwrap(*row, AAD)
        provider.create_epoch()
        assert elsewhere(path, "destroy_epoch", row[0]) == ""
        with pytest.raises(KeyringError, match=f"epoch {row[0]} is not in"):
            provider.unwrap(*row, AAD)
        assert row[0] not in provider.status().epochs

    def test_opened_again_it_holds_the_same(self, provider: KeyProvider, path: Path) -> None:
        key = new_person_key()
        row = provider.wrap(key, AAD)
        provider.create_epoch()
        opened = open_keys(path)
        assert (opened.tenant, opened.status()) == (provider.tenant, provider.status())
        assert opened.unwrap(*row, AAD) == key
        assert all(opened.secret(name) == provider.secret(name) for name in get_args(SecretName))

    def test_epochs_that_threads_create_at_once_are_all_kept(self, provider: KeyProvider, path: Path) -> None:
        first = provider.status().current
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: open_keys(path).create_epoch(), range(8)))
        assert sorted(made) == list(range(first + 1, first + 9))
        assert provider.status().epochs == tuple(range(first, first + 9))

    def test_epochs_that_processes_create_at_once_are_all_kept(self, provider: KeyProvider, path: Path) -> None:
        first = provider.status().current
        assert create_together(path, 3, 5) == ""
        assert provider.status().epochs == tuple(range(first, first + 16))

    def test_many_threads_wrap_and_unwrap_at_once(self, provider: KeyProvider) -> None:
        def once(number: int) -> bool:
            key, aad = new_person_key(), str(number).encode()
            return provider.unwrap(*provider.wrap(key, aad), aad) == key

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(once, range(200)))

    def test_the_tenant_is_a_random_id(self, provider: KeyProvider) -> None:
        assert len(bytes.fromhex(provider.tenant)) == 16
        assert len(set(provider.tenant)) > 2

    def test_secrets_are_32_bytes_and_differ_and_outlast_the_epochs(self, provider: KeyProvider) -> None:
        before = {name: provider.secret(name) for name in get_args(SecretName)}
        assert len(set(before.values())) == len(before) == 6
        assert {len(secret) for secret in before.values()} == {32}
        provider.destroy_epoch(provider.create_epoch() - 1)
        assert {name: provider.secret(name) for name in get_args(SecretName)} == before

    def test_an_unknown_secret_is_refused(self, provider: KeyProvider) -> None:
        name: Any = "blnd"
        with pytest.raises(KeyringError, match=r"no secret `blnd`\n  help: the secrets are blind"):
            provider.secret(name)

    def test_it_shows_no_key_and_is_not_copied(self, provider: KeyProvider) -> None:
        shown = repr(provider) + repr(provider.status())
        assert not any(provider.secret(name).hex() in shown for name in get_args(SecretName))
        for copied in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(KeyringError, match="cannot be pickled or copied"):
                copied(provider)
