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


def logged(site: Any) -> list[Entry]:
    """The entries of the log, in their order, once what waits has come into it."""
    site.opened.sequencer.run()
    entry = site.home.schema.entry.c
    with site.opened.vault.store.reading() as connection:
        bodies = connection.scalars(select(entry.body).order_by(entry.number))
        return [Entry.decode(bytes(body)) for body in bodies]
