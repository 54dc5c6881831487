"""Passwords of customers: what may be one, and how one is stored and compared. Nothing of it is ever shown."""

from __future__ import annotations

import secrets
from functools import cache

from avow import Sealed, Work, hash_is_dated, hash_password, password_fits
from avow.edge import form as ask
from avow.edge.form import FormField

#: The commonest of twelve characters and more, without spaces and in lower case. Shorter ones are too short anyway.
_WORDS = """
    123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 0123456789012 012345678910
    1234567890ab 1234567890abc 1234567891011 123456789abc 1q2w3e4r5t6y 1q2w3e4r5t6y7u8i 1qaz2wsx3edc
    1qaz2wsx3edc4rfv 1qazxsw23edc q1w2e3r4t5y6 qwertyuiop12 qwertyuiop123 qwertyuiop[] qwertyuiopasdf
    qwertyuiopasdfghjklzxcvbnm qwerty123456 qwerty1234567 qwertyasdfgh asdfghjkl123 asdfghjkl1234
    zaq12wsxcde3 zxcvbnm12345 abcdefghijkl abcdefghijklm abcdefghijklmnopqrstuvwxyz abcdef123456 abcd12345678
    abc123456789 a1b2c3d4e5f6 password1234 password12345 password123456 password1234567 password12345678
    password123! passwordpassword password2024 password2025 password2026 mypassword12 mypassword123 mypassword1234
    thisismypassword changemeplease changeme1234 letmein12345 letmeinplease iloveyou1234 iloveyou12345
    iloveyouforever ilovechocolate administrator administrator1 welcome12345 welcome123456 sunshine1234
    football1234 baseball1234 princess1234 superman1234 computer1234 internet1234 trustno1trustno1
    correcthorsebatterystaple quinceandbarrel quince&barrel quinceandbarrel1
"""
_COMMONEST = frozenset(_WORDS.split())


def _problem(text: str, now: float) -> str | None:
    plain = "".join(text.lower().split())
    again_and_again = any(plain == (plain[:size] * len(plain))[: len(plain)] for size in range(1, 5))
    if plain in _COMMONEST or again_and_again:
        return (
            "This is one of those that are guessed first. Please take another: a few words that do not belong together."
        )
    return None


def new_password(label: str = "Password", *, required: bool = True, hint: str = "") -> FormField:
    """The field in which somebody makes up a password."""
    hint = hint or "12 to 128 characters of any kind. A few words that do not belong together are a good one."
    return ask.password(
        "account.password", label, required=required, hint=hint, autocomplete="new-password", check=_problem
    )


def own_password(label: str = "Password", *, required: bool = True) -> FormField:
    """The field in which somebody proves to know theirs."""
    return ask.password("account.password", label, required=required, check=_problem)


def hashed(work: Work, given: Sealed) -> Sealed:
    """What is kept of a password."""
    return work.derive("account.password_hash", [given], hash_password)


def fits(work: Work, given: Sealed, kept: Sealed | None) -> bool:
    """Whether a password is the one whose hash is kept. Where none is, it takes as long, and it is not."""
    stored = _nobodys() if kept is None else kept.open()
    found: list[bool] = []

    def compare(text: str) -> str:
        found.append(password_fits(text, stored))
        return stored

    work.derive("account.password_hash", [given], compare)
    return found == [True] and kept is not None


def dated(kept: Sealed) -> bool:
    """Whether a hash was made with less than passwords take today."""
    return hash_is_dated(kept.open())


@cache
def _nobodys() -> str:
    return hash_password(secrets.token_urlsafe(32))
