"""Keeping what people gave: judged field by field, sealed at once, all or nothing.

The way into records for a unit of work. Personal values are collected and kept under their sentences;
plain ones are looked through for what nobody declared (a card number in a note, an opened text).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from avow.errors import SealedError, SetupError
from avow.vault.columns import INDEX_SUFFIX, Field
from avow.vault.derived import Derived
from avow.vault.envelope import Label
from avow.vault.sealed import Given, Sealed, Stored

if TYPE_CHECKING:
    from avow.vault.record import Person, Record
    from avow.vault.unit import Unit


def collect(
    unit: Unit,
    record: type[Any],
    person: Person,
    identity: str | None = None,
    /,
    *,
    source: str | None = None,
    at: str | None = None,
    **values: Any,
) -> Any:
    """Make a record of `person` from what they gave.

    Args:
        identity: the id of the record, where it is not to be a random one.
        source: who gave it, if not the person.
        at: where, if not at the unit's place.
        values: by attribute; personal ones as `str`, as given in a form or as derived, plain ones as they are.

    Raises:
        Refused: a field may not be collected or kept. Nothing is stored then.
        SetupError: an attribute that the record does not have, or a personal one missing.
    """
    layout = record.__layout__
    _check_names(record, values, "collected")
    missing = [name for name, f in layout.fields.items() if not f.optional and values.get(name) is None]
    if missing:
        raise SetupError(f"`{record.__name__}` needs `{missing[0]}`", help="pass it to collect()")
    plain = {name: value for name, value in values.items() if name not in layout.fields}
    for value in plain.values():
        inspect_plain(unit, value)
    made = record(
        id=identity or secrets.token_hex(16),
        policy=unit.vault.policy.digest,
        avow_person=person,
        **{layout.owner: person.id},
        **plain,
    )
    given = {n: v for n, v in values.items() if n in layout.fields and v is not None}
    _write(unit, made, given, source, at or unit.place)
    unit.db.add(made)
    _given(unit, made, given, source)
    return made


def update(unit: Unit, record: Record, /, *, source: str | None = None, at: str | None = None, **values: Any) -> None:
    """Write new values into a record; None takes an optional one out, its index with it. See `collect`.

    What takes the place of something, or takes it out, is judged as a change of it. What is derived is not: it only
    follows from what has changed.

    Raises:
        Refused: a field may not be changed, collected or kept. Nothing is changed then.
        SetupError: an attribute that the record does not have, or that says whose it is.
    """
    fields = record.__layout__.fields
    _check_names(type(record), values, "updated")
    plain = {name: value for name, value in values.items() if name not in fields}
    for value in plain.values():
        inspect_plain(unit, value)
    for name, value in values.items():
        if name in fields and getattr(record, name) is not None and not isinstance(value, Derived):
            before, facts = getattr(record, name), unit.known(record.owner_id)
            category, where = fields[name].category, at or unit.place
            unit.judge("change", category, value=before, facts=facts, place=where, role=unit.role)
    given = {n: v for n, v in values.items() if n in fields and v is not None}
    _write(unit, record, given, source, at or unit.place)
    for name, value in values.items():
        if name in plain or value is None:
            setattr(record, name, value)
    _given(unit, record, given, source)


def inspect_plain(unit: Unit, value: object) -> None:
    """Look at what is to lie in a plain column: nothing sealed, nothing opened, nothing that is no plain matter.

    Raises:
        Refused: something is in it that no sentence permits to keep.
        SealedError: it is a sealed value, or the text of one that was opened in this unit.
    """
    if isinstance(value, Sealed):
        raise SealedError(f"{value!r} cannot go into a plain column", help="declare the column personal()")
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
    elif isinstance(value, (str, int)):
        text = str(value)
    else:
        return
    inspect_text(unit, text)
    opened = unit.guard.search(text.encode("utf-8", "replace")) if unit.guard is not None else set()
    if opened:
        raise SealedError(
            f"an opened `{min(opened)}` cannot go into a plain column",
            help="collect it into a personal column: that is a verdict and a new seal",
        )


def _check_names(record: type[Any], values: dict[str, Any], done: str) -> None:
    layout = record.__layout__
    for name in values:
        if not hasattr(record, name) or name in ("id", "policy", layout.owner) or name not in layout.named:
            raise SetupError(
                f"`{record.__name__}` cannot be {done} with `{name}`",
                help=f"it takes {', '.join(sorted(layout.named - {'id', 'policy', layout.owner}))}",
            )


def _write(unit: Unit, record: Record, values: dict[str, Any], source: str | None, place: str | None) -> None:
    whose = unit.vault.subject
    texts: list[tuple[Field, str]] = []
    for name, value in values.items():
        field = record.__layout__.fields[name]
        text = value if isinstance(value, str) else _text_of(unit, value, record, field)
        if not isinstance(value, Derived):  # that was judged as derived
            unit.judge(
                "collect",
                field.category,
                about=record,
                source=source or whose,
                subject=whose,
                place=place,
                role=unit.role,
                channel=unit.channel,
            )
        unit.judge("keep", field.category, about=record, subject=whose)
        inspect_text(unit, text)
        texts.append((field, text))
    hour = unit.vault.hour()
    for field, text in texts:  # only after every field was permitted: all or nothing
        label = Label(field.category, unit.vault.policy.digest[:16], place or "", hour)
        setattr(record, field.name, record._sealed(field, text, label))
        if field.blind is not None:
            setattr(record, field.name + INDEX_SUFFIX, field.blind(text))


def _given(unit: Unit, record: Record, values: dict[str, Any], source: str | None) -> None:
    """Something was given: where it was by the owner themselves, that may be what the policy waits for."""
    if source in (None, unit.vault.subject) and any(not isinstance(value, Derived) for value in values.values()):
        unit.vault.standing.gave(unit, record.avow_person)


def _text_of(unit: Unit, value: Any, record: Record, field: Field) -> str:
    if isinstance(value, Stored):
        return unit.open(value)  # copying from another record is a flow of its own
    if isinstance(value, Derived) and value.owner not in (None, record.owner_id):
        raise SealedError(f"{value!r} was derived from what is somebody else's")
    if isinstance(value, (Given, Derived)) and value.category == field.category:
        return value._reveal()
    if isinstance(value, Given):
        unit.judge("keep", value.category, subject=unit.vault.subject)  # a card in a note is refused as a card
        raise SealedError(
            f"{value!r} cannot be kept as `{field.category}`", help="give each field of a form its own category"
        )
    raise SealedError(f"`{field.id}` takes text, not a {type(value).__name__}")


def inspect_text(unit: Unit, text: str) -> None:
    """Look for what nobody declared, such as a card number in a free-text note.

    Raises:
        Refused: something is in it that no sentence permits to keep.
    """
    for inspector in unit.vault.inspectors:
        for category in inspector(text):
            unit.judge("keep", category, subject=unit.vault.subject)
