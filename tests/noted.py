"""What an installation has noted for its ledger."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from avow.ledger.entry import Entry


def waiting(site: Any) -> list[bytes]:
    """The bodies of the entries that wait, in no order."""
    pending, vault = site.home.schema.pending.c, site.opened.vault
    with vault.store.reading() as connection:
        rows = connection.execute(select(pending.id, pending.body)).all()
    return [vault.waiting.unseal(row.id, bytes(row.body)) for row in rows]


def entries(site: Any) -> list[Entry]:
    """The entries that wait."""
    return [Entry.decode(body) for body in waiting(site)]
