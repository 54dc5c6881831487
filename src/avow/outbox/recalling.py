"""Recalling: telling a recipient to erase what it got, where the policy says so.

`must notify helpers within 1 day after discovered(age)` is carried out by itself. As soon as a record says that the
event happened (`moment("discovered(age)", …)`), each share of its owner with one of these recipients is called back:
over the same channel the recipient is given {"erase": REFERENCE}, where the reference is that of the share.

A recall names no person and refers to no record. It belongs to nobody (a person without anything), so that it outlives
the erasure of whom it is about: a recipient that cannot be reached today is told when it can.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, union_all

from avow.engine.schedule import deadlines
from avow.outbox.queue import RECALL

if TYPE_CHECKING:
    from avow.engine.schedule import Deadline
    from avow.vault.vault import Vault

#: How a share or a conversation stands of which nothing can have arrived.
_NOTHING_LEFT = ("ready", "refused")


def recall(vault: Vault, person: str | None = None) -> int:
    """Queue what has to be called back, or that of one person; how many recalls that were. Each share is so once.

    A share that is under way counts: it may have arrived.
    """
    found = [(deadline, owner) for deadline in _deadlines(vault) for owner in _owners(vault, deadline, person)]
    return sum(_call_back(vault, deadline, owner) for deadline, owner in found)


def _deadlines(vault: Vault) -> list[Deadline]:
    recipients = vault.policy.vocabulary.words["recipient"]
    return [one for one in deadlines(vault.policy, verbs=("notify",)) if one.object in recipients]


def _owners(vault: Vault, deadline: Deadline, person: str | None) -> list[str]:
    """To whom the event has happened; if it is to be one `person`, to them."""
    people: list[str] = []
    with vault.store.reading() as connection:
        for record in vault.home.records:
            for column in record.__table__.columns:
                moment = column.info.get("moment")
                if moment is not None and moment.event == deadline.event:
                    owner = record.__table__.c[record.__layout__.owner]
                    happened = select(owner).where(column <= vault.clock()).distinct()
                    people += connection.scalars(happened if person is None else happened.where(owner == person))
    return list(dict.fromkeys(people))


def _call_back(vault: Vault, deadline: Deadline, owner: str) -> int:
    outbox = vault.home.schema.outbox
    with vault.session() as db:
        left = [
            (recipient, reference, purpose)
            for recipient, reference, purpose in _left(vault, db.connection(), owner)
            if vault.policy.vocabulary.covers("recipient", deadline.object, recipient)
            and db.scalar(select(outbox.c.id).where(outbox.c.id == _id_of(reference))) is None
        ]
        if not left:
            return 0
        nobody = vault.new_person()
        db.add(nobody)
        db.flush()
        for recipient, reference, purpose in left:
            db.execute(
                outbox.insert().values(
                    id=_id_of(reference),
                    owner=nobody.id,
                    kind=RECALL,
                    name=recipient,
                    record_table="",
                    record_id=reference,
                    role="",
                    purpose=purpose,
                    state="ready",
                    attempts=0,
                    due=vault.clock(),
                    note="",
                )
            )
        vault.note(db.connection(), "done", "notify", deadline.object, [deadline.duty])
        db.commit()
    vault.after_commit()
    return len(left)


def _left(vault: Vault, connection: Connection, owner: str) -> Iterator[tuple[str, str, str]]:
    """Recipient, reference and purpose of what may have arrived somewhere of what is theirs."""
    shared, talked = vault.home.schema.outbox.c, vault.home.schema.exchange.c
    rows = connection.execute(
        union_all(
            select(shared.name, shared.id, shared.purpose).where(
                shared.owner == owner, shared.kind == "share", shared.state.not_in(_NOTHING_LEFT)
            ),
            select(talked.recipient, talked.id, talked.purpose).where(talked.owner == owner),
        )
    )
    yield from ((recipient, reference, purpose) for recipient, reference, purpose in rows.all())


def _id_of(reference: str) -> str:
    """The id of the recall of a share follows from that of the share: there is one, whoever asks for it."""
    return hashlib.sha256(f"avow recall\0{reference}".encode()).hexdigest()[:32]
