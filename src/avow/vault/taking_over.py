"""Taking over what lies in the clear: which old table holds whose plaintext, and as what record it is sealed.

A service that exists keeps its customers in tables of its own, in the same database. A `TakeOver` says of one of them
what its columns hold. `avow seal` then moves the values of its rows into records, batch by batch, while the service
goes on; see `avow.vault.taking_over_rows`.

Who a row is about, and as which record it is sealed, follows from the row itself under a key outside the database:

    person   the first 16 bytes of a blind index of the person's number in the old tables
    record   the same of the record's table, the old table and the row's key

So nothing has to be remembered between two batches, nothing is taken twice, rows of one person in several tables meet
under one key, and whoever was erased is known again by their tombstone when a row of theirs turns up later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import select

from avow.errors import SetupError
from avow.language.suggest import did_you_mean

if TYPE_CHECKING:
    from avow.vault.record import Person
    from avow.vault.unit import Unit
    from avow.vault.vault import Vault


class HasUnit(Protocol):
    """What has a unit of work: `work` in a handler or a job."""

    @property
    def unit(self) -> Unit:
        """The unit."""


@dataclass(frozen=True, eq=False)
class TakeOver:
    """What an old table holds. Made by `Site.take_over`, which says what each of these is."""

    record: type[Any]
    table: str
    key: str
    columns: Mapping[str, str]
    role: str
    purpose: str
    place: str
    person: str | None = None
    people: str = ""
    source: str | None = None
    channel: str | None = None
    facts: Mapping[str, bool | float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layout, name = self.record.__layout__, self.record.__name__
        known = layout.fields.keys() | set(layout.plain)
        for attribute in self.columns:
            if attribute not in known:
                raise SetupError(
                    f"`{name}` cannot take over `{attribute}`: it is neither a personal() nor a plain() column of it",
                    help=did_you_mean(attribute, known) or f"it has {', '.join(sorted(known))}",
                )
        if not self.personal:
            raise SetupError(
                f"nothing personal is taken over from `{self.table}` into `{name}`",
                help='name an attribute and the old column that holds it: columns={"email": "mail"}',
            )
        table = self.record.__table__
        for attribute, f in layout.fields.items():
            if not f.optional and attribute not in self.columns:
                raise self._lacks(attribute)
        for attribute in layout.plain:
            column = table.c[attribute]
            if not (column.nullable or column.default or column.server_default or attribute in self.columns):
                raise self._lacks(attribute)

    @property
    def personal(self) -> dict[str, str]:
        """The old column that holds each personal attribute: it is emptied once its value is sealed."""
        fields = self.record.__layout__.fields
        return {attribute: column for attribute, column in self.columns.items() if attribute in fields}

    @property
    def plain(self) -> dict[str, str]:
        """The old column of each plain attribute: it is copied when the record is made, and stays."""
        return {attribute: column for attribute, column in self.columns.items() if attribute not in self.personal}

    def person_id(self, vault: Vault, number: str | None, key: str) -> str:
        """The id of the person whom a row is about: by their number in the old tables, by the row where it has none."""
        if number is None:
            return _id(vault, "person", self.people, "row", self.table, key)
        return _id(vault, "person", self.people, "number", number)

    def record_id(self, vault: Vault, key: str) -> str:
        """The id of the record that the row with this key becomes."""
        return _id(vault, "row", self.record.__table__.name, self.table, key)

    def find(self, work: HasUnit, key: object, *, person: object = None) -> Any | None:
        """The record that the row with this key was taken over into; None where it has not been, or is gone.

        Args:
            key: what the old table has in its key column.
            person: what it has in its person column, if that is another one.
        """
        unit, column = work.unit, self.record.__table__.c
        number = str(key) if self.person == self.key else None if person is None else str(person)
        owner = self.person_id(unit.vault, number, str(key))
        mine = column[self.record.__layout__.owner] == owner, column.id == self.record_id(unit.vault, str(key))
        return unit.db.scalars(select(self.record).where(*mine)).one_or_none()

    def find_person(self, work: HasUnit, number: object) -> Person | None:
        """The person with this number in the old tables; None where nothing of theirs was taken over, or they are gone.

        What the service collects about them from now on belongs to them: `work.collect(…, person=…)`.
        """
        unit = work.unit
        found: Person | None = unit.db.get(unit.vault.person_class, self.person_id(unit.vault, str(number), ""))
        return found

    def _lacks(self, attribute: str) -> SetupError:
        return SetupError(
            f"`{self.record.__name__}` needs `{attribute}`, and no column of `{self.table}` is named for it",
            help=f'name one, columns={{"{attribute}": "…"}}, or let the record do without',
        )


def _id(vault: Vault, what: str, *parts: str) -> str:
    # In hexadecimal: an index is made of normalised text, and two keys that look alike are two rows.
    return vault.index_of(f"taken over {what}", "\0".join(parts).encode().hex(), "exact")[:16].hex()
