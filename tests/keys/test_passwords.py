"""Passwords as they are stored."""

from __future__ import annotations

import pytest

from avow.keys.passwords import MEMORY, hash_password, is_password_hash, password_fits

#: OWASP Password Storage Cheat Sheet.
PARAMETERS = f"$argon2id$v=19$m={MEMORY},t=2,p=1$"


def test_a_hash_fits_its_password_and_no_other() -> None:
    stored = hash_password("grüße aus dem keller")
    assert stored.startswith(PARAMETERS)
    assert is_password_hash(stored)
    assert password_fits("grüße aus dem keller", stored)
    assert password_fits("gru\u0308ße aus dem keller", stored), "as another keyboard composes it"
    for other in ("", "grüße aus dem keller ", "Grüße aus dem keller", stored):
        assert not password_fits(other, stored)


def test_the_same_password_has_another_hash_each_time() -> None:
    assert hash_password("the same") != hash_password("the same")


def test_a_hash_with_other_parameters_still_fits() -> None:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    older = Argon2id(salt=b"sixteen bytes...", length=32, iterations=1, lanes=1, memory_cost=8_192)
    assert password_fits("an old one", older.derive_phc_encoded(b"an old one"))


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "an old one",
        "$argon2i$v=19$m=19456,t=2,p=1$c2l4dGVlbiBieXRlcy4uLg$eGl4dGVlbiBieXRlcy4uLmFuZCBzb21lIG1vcmU",
        "$argon2id$v=19$m=19456000,t=2,p=1$c2l4dGVlbiBieXRlcy4uLg$eGl4dGVlbiBieXRlcy4uLmFuZCBzb21lIG1vcmU",
        "$argon2id$v=19$m=19456,t=99,p=1$c2l4dGVlbiBieXRlcy4uLg$eGl4dGVlbiBieXRlcy4uLmFuZCBzb21lIG1vcmU",
        "$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbiBieXRlcy4uLg$",
    ],
)
def test_what_is_no_hash_fits_nothing(stored: str) -> None:
    assert not is_password_hash(stored)
    assert not password_fits("an old one", stored)
