"""Correcting: what somebody changes or takes out is changed wherever it was copied to in what is theirs.

A name that stands in an account and in three orders is one thing to the person. After a correction the old value serves
nowhere: not in a queued mail, which is filled in when it leaves, not as a way to find them, not in another record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from avow.vault.keeping import update

if TYPE_CHECKING:
    from avow.vault.record import Record
    from avow.vault.unit import Unit


def correct(unit: Unit, record: Record, /, *, source: str | None = None, **values: Any) -> int:
    """Write new values into a record, and into all of its owner's that hold the same old one; how many records.

    A copy is a value of the same category with the same text. None takes a value out, its copies as well. Each change
    is judged, as by `update`; what a record tells of somebody else (`of`) is theirs and is left alone.

    Raises:
        Refused: one of them may not be changed, collected or kept. Let the unit fail then: nothing is changed.
        SetupError: as `update`; SealedError: a copy cannot be taken out of its record, because that cannot lack it.
    """
    fields = record.__layout__.fields
    before = {
        name: value._reveal() for name in values if name in fields and (value := getattr(record, name)) is not None
    }
    update(unit, record, source=source, **values)
    changed = 1
    for other in _others(unit, record):
        copies = {
            field.name: values[name]
            for name, text in before.items()
            for field in other.__layout__.fields.values()
            if field.category == fields[name].category and not field.of and _holds(other, field.name, text)
        }
        if copies:
            update(unit, other, source=source, **copies)
            changed += 1
    return changed


def _others(unit: Unit, record: Record) -> list[Record]:
    """All other records of its owner."""
    found: list[Record] = []
    for kind in unit.vault.home.records:
        found += unit.db.scalars(select(kind).where(getattr(kind, kind.__layout__.owner) == record.owner_id))
    return [other for other in found if other is not record]


def _holds(record: Record, name: str, text: str) -> bool:
    value = getattr(record, name)
    return value is not None and bool(value._reveal() == text)
