"""Publishing a version: who has to be told of it, found person by person, once, however often the process dies.

When an installation is opened under another version than before, everybody who came about under an earlier one is
looked at, in the order of their ids, a batch in each transaction. How far that is stands in the database and moves on
in the transaction in which the batch is told, so that what was committed is not done again, and the rest is not left
out. `begin_again` has everybody looked at once more, as after people were taken over from elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from avow.vault.standing import DIGITS

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from avow.vault.unit import Unit
    from avow.vault.vault import Vault

#: People who are looked at in one transaction.
BATCH: Final = 200

#: The name in avow_meta of how far it is: the first digits of the version's digest, and the last id that was looked at.
_FAR: Final = "publishing"
_OVER: Final = "over"


def next_batch(unit: Unit) -> list[str] | None:
    """Whom of the next batch of people the version in force concerns, by their ids; None when all were looked at.

    Whoever is told of them does it in this unit. Several processes may ask at once: they take turns.
    """
    vault = unit.vault
    meta, person = vault.home.schema.meta, vault.home.schema.person.c
    version = vault.policy.digest[:DIGITS]
    stood = _far(unit.db, vault)
    told, _, last = (stood or "").partition(" ")
    if told != version:
        last = ""
    if last == _OVER:
        return None
    earlier = person.policy != vault.policy.digest
    found = list(unit.db.scalars(select(person.id).where(earlier, person.id > last).order_by(person.id).limit(BATCH)))
    now = f"{version} {found[-1] if found else _OVER}"
    if stood is None:
        unit.db.execute(meta.insert().values(name=_FAR, value=now))
    else:
        unit.db.execute(meta.update().where(meta.c.name == _FAR).values(value=now))
    return sorted(vault.older.concerned(unit, found)) if found else None


def begin_again(connection: Connection, vault: Vault) -> None:
    """Have everybody looked at again: there are people now who were not here when the version was published."""
    meta = vault.home.schema.meta
    connection.execute(meta.delete().where(meta.c.name == _FAR))


def _far(db: Session, vault: Vault) -> str | None:
    # Locked: on PostgreSQL another process waits here, and then goes on from where this one has come to.
    meta = vault.home.schema.meta.c
    found: str | None = db.scalar(select(meta.value).where(meta.name == _FAR).with_for_update())
    return found
