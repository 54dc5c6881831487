"""Secret links: what leads its holder to one record, for one use.

The secret is derived from the record under a key outside the database, so that a mail that is sent later can carry it
without its lying in a queue. The database keeps a hash of it, as a directory: a row that somebody else writes there
leads nowhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text

if TYPE_CHECKING:
    from avow.site.opened import Opened
    from avow.vault.record import Record
    from avow.vault.unit import Unit


def secret_of(opened: Opened, unit: Unit, record: Record, use: str) -> str:
    """The secret of a record for one use; its hash is entered into the directory."""
    token = opened.secret_of(record, use)
    unit.db.flush()
    unit.db.execute(
        text(
            "INSERT INTO avow_link (token, owner, record_table, record_id) "
            "VALUES (:token, :owner, :record_table, :record_id) ON CONFLICT (token) DO NOTHING"
        ),
        {
            "token": digest_of(token),
            "owner": record.owner_id,
            "record_table": record.__table__.name,  # type: ignore[attr-defined]
            "record_id": record.id,
        },
    )
    return token


def find(opened: Opened, unit: Unit, record: type[Any], token: str, use: str | Callable[[Any], str]) -> Any | None:
    """The record that a secret for this use leads to, or None. The use may be a function of the record."""
    link = unit.vault.home.schema.link
    row = unit.db.execute(
        select(link).where(link.c.token == digest_of(token), link.c.record_table == record.__table__.name)
    ).first()
    found = unit.db.get(record, (row.owner, row.record_id)) if row is not None else None
    if found is None:
        return None
    secret = opened.secret_of(found, use if isinstance(use, str) else use(found))
    return found if compare_digest(secret.encode(), token.encode()) else None


def digest_of(token: str) -> bytes:
    """What the database keeps of a secret: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(b"avow link\0" + token.encode("utf-8", "replace")).digest()
