"""Erasing a person, first stage: their rows, their key and every way to them are gone, and a tombstone says so.

What is left of them afterwards lies under their key, which lay in their row: in free pages, backups and replicas. The
second stage makes an end of that; see `avow.vault.shredding`.

A row that several people share ends as its columns declare: it is deleted, kept for the other, or kept without what
was of the erased one. What is kept for another is sealed anew under their key, with its label as it was.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from avow.values import Duty, Verdict
from avow.vault.columns import Owner
from avow.vault.sealed import Stored
from avow.vault.tombstones import Tombstone, token_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from avow.vault.vault import Vault

log = logging.getLogger("avow.vault")


def erase(vault: Vault, identity: str) -> str:
    """Erase the person of an id with everything that is held about them, in a transaction of its own.

    The tombstone is written to its file before the commit: from then on the erasure is done, if not now then at the
    next start. Erased twice is the same as erased once.

    Returns:
        The receipt: by it, who holds it can ask how far the erasure is.

    Raises:
        StoreError: the tombstone could not be written; nothing was erased.
    """
    receipt = vault.receipt_of(identity)
    tombstone = Tombstone(token_of(receipt), vault.keyring.status().current, vault.hour())
    with vault.session() as db:
        wrapped = remove(db, vault, identity)
        if wrapped is None:
            return receipt
        _bury(db, vault, [tombstone])
        vault.note(db.connection(), "done", "erase", vault.subject, duties_to_erase(vault))
        vault.tombstones.add(tombstone)
        db.commit()
    vault.after_commit()
    vault.forget(wrapped)
    vault.store.want_checkpoint()
    return receipt


@dataclass(frozen=True, slots=True)
class Erased:
    """How far an erasure is: the hour since 1970 in which it was done, and in which no copy could be opened any more.

    The second is None until then.
    """

    hour: int
    shredded: int | None


def stage(vault: Vault, receipt: str) -> Erased | None:
    """How far the erasure of a receipt is; None where nobody has been erased by it."""
    table = vault.home.schema.tombstone
    with vault.store.reading() as connection:
        row = connection.execute(select(table).where(table.c.token == token_of(receipt))).first()
    return None if row is None else Erased(row.hour, row.shredded)


def remove(db: Session, vault: Vault, identity: str) -> bytes | None:
    """Delete the rows of a person, and hand on what others share; their wrapped key, of which nothing is to remember.

    Nothing happens where there are none, or somebody else has just deleted them; then it is None.
    """
    schema, home = vault.home.schema, vault.home
    # Locked first: on PostgreSQL a record that is being collected for them waits, and then finds nobody.
    key = select(schema.person.c.wrapped).where(schema.person.c.id == identity)
    wrapped = db.scalar(key.with_for_update())
    if wrapped is None:
        return None
    for kind in home.records:
        _part(db, kind, identity)
    for table in reversed(home.metadata.sorted_tables):
        for column in table.columns:
            if (column.name == "owner" and table.name.startswith("avow_")) or isinstance(
                column.info.get("avow"), Owner
            ):
                db.execute(delete(table).where(column == identity))
    db.execute(delete(schema.person).where(schema.person.c.id == identity))
    return bytes(wrapped)


def _part(db: Session, kind: type[Any], identity: str) -> None:
    """Bring what others share to the end that it declares."""
    layout, table = kind.__layout__, kind.__table__
    for attribute, outcome in layout.parties.items():
        theirs = table.c[attribute] == identity
        if outcome == "delete":
            db.execute(delete(table).where(theirs))
            continue
        emptied = [attribute]
        if outcome == "anonymise":
            emptied += [name for f in layout.fields.values() if f.of == attribute for name in f.columns]
        db.execute(update(table).where(theirs).values(dict.fromkeys(emptied)))
    if layout.erased in ("keep", "anonymise"):
        for row in db.execute(select(table).where(table.c[layout.owner] == identity)).all():
            _hand_on(db, kind, row)


def _hand_on(db: Session, kind: type[Any], row: Row[Any]) -> None:
    """Give a record whose owner is erased to its first other party, if one is left; it is deleted with the others."""
    layout, table, vault = kind.__layout__, kind.__table__, kind.__home__.vault()
    values = dict(row._mapping)
    person = db.get_one(vault.person_class, values[layout.owner])
    others = {name: db.get_one(vault.person_class, values[name]) for name in layout.parties if values[name] is not None}
    # Without a key is who was put back from a backup after theirs was destroyed. Of the owner, the row was kept for the
    # other then, and cannot be opened now; another one has been erased as well, and inherits nothing.
    heir_column = next((name for name, other in others.items() if other.wrapped), None)
    if heir_column is None or not person.wrapped:
        return
    heir = others[heir_column]
    before, after = vault.seal_of(person, values["id"]), vault.seal_of(heir, values["id"])
    for name, field in layout.fields.items():
        if layout.erased == "anonymise" and not field.of:
            values |= dict.fromkeys(field.columns)
        elif values[name] is not None:
            label, plaintext = before.unseal(field.id, values[name]._envelope)
            values[name] = Stored(field, after.seal(field.id, label, plaintext))
    db.execute(table.insert().values({**values, layout.owner: heir.id, heir_column: None}))


def replay(vault: Vault) -> int:
    """Carry out the erasures that the file tells of and the database does not know; how many people were removed.

    They are left by a crash between the two, or by a database that was put back from a backup. Run before anything is
    served. Of whom the database knows and the file does not, which was lost or shortened, the file is told again.

    Raises:
        StoreError: the tombstones cannot be read.
    """
    told = vault.tombstones.read()
    table, person = vault.home.schema.tombstone, vault.home.schema.person
    with vault.store.reading() as connection:
        rows = connection.execute(select(table.c.token, table.c.epoch, table.c.hour))
        known = {bytes(row.token): Tombstone(bytes(row.token), row.epoch, row.hour) for row in rows}
        if not known.keys() <= told.keys():
            told |= _tell_again(vault, known)
        missing = {token: found for token, found in told.items() if token not in known}
        if not missing:
            return 0
        with connection.scalars(select(person.c.id).execution_options(yield_per=1000)) as ids:
            people = [identity for identity in ids if token_of(vault.receipt_of(identity)) in missing]
    with vault.session() as db:
        keys = [remove(db, vault, identity) for identity in people]
        _bury(db, vault, missing.values())
        vault.note(db.connection(), "done", "erase", vault.subject, duties_to_erase(vault))
        db.commit()
    for wrapped in keys:
        vault.forget(wrapped or b"")  # what was handed on was opened under it
    vault.store.want_checkpoint()
    return len(people)


def _tell_again(vault: Vault, known: dict[bytes, Tombstone]) -> dict[bytes, Tombstone]:
    """Write those into the file whom the database alone knows; all that it holds then."""
    told = vault.tombstones.read()  # anew: another process may have erased somebody since
    lost = [found for token, found in known.items() if token not in told]
    if lost:
        log.warning("the tombstones lacked %d people who were erased; they are written there again", len(lost))
        vault.tombstones.add(*lost)
    return told | {found.token: found for found in lost}


def _bury(db: Session, vault: Vault, tombstones: Iterable[Tombstone]) -> None:
    table = vault.home.schema.tombstone
    for found in tombstones:
        if db.execute(select(table.c.token).where(table.c.token == found.token)).first() is None:
            db.execute(table.insert().values(token=found.token, epoch=found.epoch, hour=found.hour))


def duties_to_erase(vault: Vault) -> list[Duty]:
    """What the policy says must be erased, of whoever's information this is."""
    return [duty for duty in vault.policy.duties if (duty.verb, duty.object) == ("erase", vault.subject)]


def verdict_of(duties: list[Duty]) -> Verdict | None:
    """Duties that were carried out, as the ledger takes them: with their sentences."""
    if not duties:
        return None
    sentences = tuple(dict.fromkeys(duty.sentence for duty in duties))
    return Verdict(True, sentences, tuple(duties), duties[0].text, "carried out")
