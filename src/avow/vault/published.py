"""The versions of the policy on record, each looked at whenever it is read: its text is the one that its digest says.

What people gave under a version stays under it, so whoever could change its text could loosen what holds for them. The
digest stands in the sealed label of each value, and in the ledger.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from avow.errors import StoreError
from avow.store.schema import Schema


def published(connection: Connection, schema: Schema, *where: ColumnElement[bool]) -> list[Row[Any]]:
    """The rows of `avow_policy`, in no order; those for which the conditions hold.

    Raises:
        StoreError: the text of one was changed.
    """
    rows = list(connection.execute(select(schema.policy).where(*where)))
    for row in rows:
        check_text(row.version, row.digest, row.source)
    return rows


def check_text(version: str, digest: str, source: str) -> None:
    """Check that a text is the version of the policy that its digest says; see `Policy.digest`.

    Raises:
        StoreError: it is not.
    """
    if hashlib.sha256(source.encode("utf-8")).hexdigest() != digest:
        raise StoreError(
            f"the text of version {version} of the policy is not the one that its digest says",
            help="it was changed: restore the row of avow_policy from a backup, or have the package made anew",
        )
