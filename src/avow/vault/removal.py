"""Removing one record for good, with every way to it and what waits to be sent of it.

To who asks for it, taking something out is changing what is held about them: it is judged as a change of each value.
What copies hold of it lies under its owner's key, until that is destroyed with all else of theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from avow.errors import SetupError

if TYPE_CHECKING:
    from avow.vault.record import Record
    from avow.vault.unit import Unit

#: States of a conversation whose outcome is still to come, and will be written into its record.
_OPEN = ("attempted", "unknown")


def remove(unit: Unit, record: Record) -> None:
    """Delete a record with its secret links and its sends. Commits.

    Raises:
        Refused: a value of it may not be changed here. Nothing is removed then.
        SetupError: the record concerns another person too, or the outcome of an exchange about it is still to come.
    """
    layout, schema = record.__layout__, unit.vault.home.schema
    if layout.parties:
        raise SetupError(
            f"a `{type(record).__name__}` is somebody else's too and cannot be removed for one of them",
            help="take values out with work.update; what becomes of it when one of them is erased, it declares",
        )
    for name, field in layout.fields.items():
        if (value := getattr(record, name)) is not None:
            facts = unit.known(record.owner_id)
            unit.judge("change", field.category, value=value, facts=facts, place=unit.place, role=unit.role)
    owner, identity = record.owner_id, record.id
    table = record.__table__.name  # type: ignore[attr-defined]
    about = {"owner": owner, "record_table": table, "record_id": identity}
    exchange = schema.exchange.c
    talks = select(exchange.id).filter_by(**about).where(exchange.state.in_(_OPEN))
    if unit.db.execute(talks).first() is not None:
        raise SetupError(
            f"a `{type(record).__name__}` cannot be removed while an exchange about it is open",
            help="wait until its outcome is known",
        )
    for found in (schema.outbox, schema.exchange, schema.link):
        unit.db.execute(delete(found).filter_by(**about))
    unit.db.delete(record)
    unit.commit()
    unit.vault.store.want_checkpoint()  # what a log of the database holds of it goes too
