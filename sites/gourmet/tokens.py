"""Random numbers by which the shop knows a browser again: 256 bits in a cookie, keyed hashes of them in the database.

A row holds two hashes: `token`, by which it is found, and `bond`, over whose it is as well. Whoever writes into the
database can therefore neither make up a number nor give a row that they know the number of to somebody else.
"""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import Any

from avow import Work


def draw() -> str:
    """A new number, as the cookie carries it."""
    return secrets.token_urlsafe(32)


def columns(work: Work, kind: str, number: str, owner: str) -> dict[str, str]:
    """What the database keeps of a number that was given to `owner`."""
    return {"token": _hash(work, kind, number), "bond": _hash(work, kind, number, owner)}


def holder(work: Work, record: type[Any], kind: str, number: str | None) -> Any | None:
    """The row of a number that a browser sends, or None."""
    if number is None:
        return None
    for row in work.select(record, record.token == _hash(work, kind, number)):
        if compare_digest(row.bond, _hash(work, kind, number, row.customer)):
            return row
    return None


def _hash(work: Work, kind: str, *parts: str) -> str:
    return work.fingerprint("\0".join((kind, *parts)))
