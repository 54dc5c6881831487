"""What goes along when people move to another installation, and whether the other one can take it.

A record class goes along unless it says why it stays (`__stays__ = "a browser that is logged in here"`). One that holds
what people want and do not want says so (`__choices__ = True`): a package without it is refused by who gets it.

Avow's own tables go along or stay as `GO` and `STAY` say, by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from avow.errors import SetupError
from avow.vault.backup import kind_of

if TYPE_CHECKING:
    from avow.vault.record import Home

#: Avow's tables whose rows go along as far as they concern who does.
GO: Final[dict[str, str]] = {
    "avow_person": "who goes, by the same random id, under a new key; which version they are under",
    "avow_policy": "every version that something may be under",
    "avow_standing": "what somebody agreed to and what they were told; it counts for those versions, and for none here",
}

#: Avow's tables that stay, with the reason.
STAY: Final[dict[str, str]] = {
    "avow_outbox": "what waits leaves from where it was asked for: twice would be once too often",
    "avow_exchange": "talks with the recipients of this installation, which have its numbers",
    "avow_link": "secret links are derived under keys that stay, and lead to the pages of this installation",
    "avow_attempt": "attempts at the pages of this installation, under a keyed hash",
    "avow_pending": "the ledger is this installation's evidence, and names nobody",
    "avow_entry": "as avow_pending",
    "avow_tile": "as avow_pending",
    "avow_trace": "they lead into this installation's ledger; where somebody goes, a log of its own begins",
    "avow_aside": "as avow_pending",
    "avow_tally": "as avow_pending",
    "avow_attestation": "what was signed for here is true here",
    "avow_tombstone": "who was erased does not travel, not even as a hash",
    "avow_transfer": "which packages went and came, here",
    "avow_meta": "facts about this installation",
}


def going(home: Home, without: Iterable[str] = ()) -> list[type[Any]]:
    """The record classes that go along, without those of some tables.

    Raises:
        SetupError: a table to be left out is none that goes.
    """
    kinds = {kind.__table__.name: kind for kind in home.records if not kind.__stays__}
    for name in without:
        if name not in kinds:
            raise SetupError(
                f"`{name}` is no table whose records go along", help=f"these do: {', '.join(sorted(kinds))}"
            )
    return [kind for name, kind in kinds.items() if name not in frozenset(without)]


def choices(home: Home) -> list[str]:
    """The tables of the record classes that hold what people want and do not want."""
    return [kind.__table__.name for kind in home.records if kind.__choices__]


def shape_of(kind: type[Any]) -> dict[str, Any]:
    """What a record class holds, as a package says it: fields by their stable ids, the other columns by their names."""
    layout, columns = kind.__layout__, kind.__table__.columns
    return {
        "choices": kind.__choices__,
        "fields": {f.id: [f.category, f.of, f.optional] for f in layout.fields.values()},
        "plain": {name: [kind_of(columns[name]).__name__, bool(columns[name].nullable)] for name in layout.plain},
        "parties": sorted(layout.parties),
    }


def check_shapes(home: Home, shapes: Mapping[str, Mapping[str, Any]]) -> None:
    """Whether the records of a package fit those of this installation; all faults are named at once.

    Raises:
        SetupError: a table, field or column is missing here or is another one, what must not be empty here is not in
            the package, or the package leaves out a class that holds choices.
    """
    kinds = {kind.__table__.name: kind for kind in home.records if not kind.__stays__}
    faults = [
        f"the package has no `{name}`, which holds what people want and do not want"
        for name in choices(home)
        if name not in shapes
    ]
    for name, shape in shapes.items():
        if name not in kinds:
            faults.append(f"`{name}` of the package is no record here")
        else:
            faults += _differences(name, shape, shape_of(kinds[name]))
    if faults:
        raise SetupError(
            "the package does not fit the records of this installation:\n  - " + "\n  - ".join(faults),
            help="nothing was taken from it; both sides need the same records",
        )


def _differences(table: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """What differs between a class of the package and the one of this installation."""
    if there["choices"] != here["choices"]:
        yield f"`{table}` holds choices on one side and not on the other"
    if there["parties"] != here["parties"]:
        yield f"`{table}` concerns other parties here"
    yield from _other_fields(table, there["fields"], here["fields"])
    yield from _other_columns(table, there["plain"], here["plain"])


def _other_fields(table: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    for name, (category, of, optional) in there.items():
        mine = here.get(name)
        if mine is None:
            yield f"`{table}` has no field `{name}` here"
        elif mine[:2] != [category, of]:
            yield f"`{name}` holds `{category}`{_of(of)} in the package, and `{mine[0]}`{_of(mine[1])} here"
        elif optional and not mine[2]:
            yield f"`{name}` may be missing in the package, and may not here"
    for name, (_, _, optional) in here.items():
        if name not in there and not optional:
            yield f"the package has no field `{name}`, which `{table}` needs"


def _other_columns(table: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    for name, (kind, nullable) in there.items():
        mine = here.get(name)
        if mine is None:
            yield f"`{table}` has no column `{name}` here"
        elif mine[0] != kind:
            yield f"`{table}.{name}` is {kind} in the package, and {mine[0]} here"
        elif nullable and not mine[1]:
            yield f"`{table}.{name}` may be empty in the package, and may not here"
    for name, (_, nullable) in here.items():
        if name not in there and not nullable:
            yield f"the package has no column `{table}.{name}`, which must not be empty"


def _of(party: str) -> str:
    return f" of `{party}`" if party else ""
