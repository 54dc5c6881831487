"""Whether the records fit the policy, and say of each row whose it is: checked before anything is served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Table

from avow.errors import SetupError
from avow.vault.columns import Field, Owner, Party

if TYPE_CHECKING:
    from avow.vault.record import Home


def check_records(home: Home, categories: frozenset[str]) -> None:
    """Refuse a schema that leaves open what a column holds, or what becomes of a row when somebody is erased.

    Raises:
        SetupError: a column is neither owner, party, personal nor plain; a category is unknown to the policy; two
            fields share a stable id; a column leads to a person and does not say what becomes of the row when they
            are erased. All faults are named at once.
    """
    faults: list[str] = []
    seen: dict[str, str] = {}
    declared = {record.__table__ for record in home.records}
    faults += [
        f"the table `{table.name}` is no record: its columns say neither whose nor what they are"
        for table in home.metadata.sorted_tables
        if table not in declared and not table.name.startswith("avow_")
    ]
    for record in home.records:
        faults += _columns(record.__table__, categories, seen)
        faults += _outcomes(record, home)
    if faults:
        raise SetupError(
            "the records do not fit the policy:\n  - " + "\n  - ".join(faults),
            help="mark each column for what it holds, with a category of the policy and a field id of its own",
        )


def _columns(table: Table, categories: frozenset[str], seen: dict[str, str]) -> Iterator[str]:
    """What is wrong with the columns of a record's table; `seen` gathers the field ids."""
    for column in table.columns:
        where = f"`{table.name}.{column.name}`"
        kind = column.info.get("avow")
        if kind is None:
            yield f"{where} is neither owner(), party(), personal() nor plain()"
        elif isinstance(kind, Field):
            if kind.category not in categories:
                yield f"{where} holds `{kind.category}`, which the policy does not know"
            if kind.id in seen:
                yield f"{where} and {seen[kind.id]} share the field id `{kind.id}`"
            seen[kind.id] = where
        if not isinstance(kind, (Owner, Party)) and any(_names_a_person(key) for key in column.foreign_keys):
            yield f"{where} leads to a person, and does not say whether they own the row: make it owner() or party()"


def _names_a_person(key: ForeignKey) -> bool:
    """Whether a foreign key leads to a person: to their row, or to the owner of a record."""
    target = key.column
    return target.table.name == "avow_person" or isinstance(target.info.get("avow"), (Owner, Party))


def _outcomes(record: type[Any], home: Home) -> Iterator[str]:
    """What is open about the end of a record that several people share."""
    layout, table = record.__layout__, record.__table__
    where = f"`{table.name}.{layout.owner}`"
    yield from _taken_out(record)
    if not layout.parties:
        if layout.erased not in (None, "delete"):
            yield f"{where} keeps the row when its owner is erased, and nobody else is there to keep it for"
        return
    if layout.erased is None:
        yield f"{where} shares the row with others: say what becomes of it when the owner is erased, owner(erased=…)"
    if layout.erased in ("keep", "anonymise"):
        yield from (
            f"`{table.name}` changes hands when its owner is erased, but `{other.__table__.name}` refers to it"
            for other in home.records
            if any(key.column.table is table for key in other.__table__.foreign_keys)
        )


def _taken_out(record: type[Any]) -> Iterator[str]:
    """Values that go with one person while the row stays have to be ones that it may lack."""
    layout, table = record.__layout__, record.__table__
    for field in layout.fields.values():
        where = f"`{table.name}.{field.name}`"
        if field.of and field.of not in layout.parties:
            yield f"{where} is of `{field.of}`, which is no party() of its record"
        whose = "party" if field.of else "owner"
        end = layout.parties.get(field.of) if field.of else layout.erased
        if end == "anonymise" and not field.optional:
            yield f"{where} is taken out when its {whose} is erased: it has to be optional"
