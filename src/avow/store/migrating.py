"""Bringing a database up to the tables that are declared, as far as that takes nothing away.

A database keeps what it was made with; a service goes on and declares a new table, a new column that may be empty, a
new index. Those are added when the service is started, within one transaction: all of them or none. Whatever else
differs (a column that must not be empty, another type, a column that is gone) is not done by itself, since it could
lose something: it is named, and the service does not start.

The difference is worked out by Alembic, which is loaded only where a quick look finds one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, Index, MetaData, Table, inspect
from sqlalchemy.schema import CreateColumn

from avow.errors import SetupError

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext


#: What differs, in words, and what to add for it; None where nothing can be.
_Change = tuple[str, Table | Column[Any] | Index | None]


def bring_up(connection: Connection, metadata: MetaData) -> list[str]:
    """Add what the database lacks of `metadata`; what was added, in words.

    Raises:
        SetupError: something differs that is not added by itself. Nothing was changed.
    """
    if not differs(connection, metadata):
        return []
    found = list(_differences(connection, metadata))
    stuck = [words for words, change in found if change is None]
    if stuck:
        raise SetupError(
            "the database is not as the records are declared, and this is not mended by itself:\n  - "
            + "\n  - ".join(stuck),
            help="a new column has to be optional; for anything else take a backup, bring the table into the declared "
            "shape by hand, and start again",
        )
    added = []
    for words, change in found:
        if isinstance(change, Table):
            change.create(connection)
        elif isinstance(change, Column):
            _add(connection, change)
        elif isinstance(change, Index):
            change.create(connection)
        added.append(words)
    return added


def differs(connection: Connection, metadata: MetaData) -> bool:
    """Whether tables, columns or indexes by their names, or which columns may be empty, are not as declared.

    A quick look, as every start takes it: a type that was changed in place is not seen.
    """
    inspector = inspect(connection)
    # All tables at once: PostgreSQL answers that in a few statements, and not in some for each.
    columns, indexes = inspector.get_multi_columns(), inspector.get_multi_indexes()
    for table in metadata.sorted_tables:
        there = {column["name"]: column["nullable"] for column in columns.get((None, table.name), ())}
        if there != {column.name: bool(column.nullable) for column in table.columns}:
            return True
        known = {index["name"] for index in indexes.get((None, table.name), ())}
        if not {index.name for index in table.indexes} <= known:  # a unique column may bring others of its own
            return True
    return False


def _differences(connection: Connection, metadata: MetaData) -> Iterator[_Change]:
    """What differs, in words, and what to add for it; None where nothing can be."""
    from alembic.autogenerate import compare_metadata

    new: set[str] = set()
    for change in _flat(compare_metadata(_context(connection, metadata), metadata)):
        kind = change[0]
        if kind == "add_table":
            new.add(change[1].name)
            yield f"the table `{change[1].name}`", metadata.tables[change[1].name]
        elif kind == "add_column":
            column = metadata.tables[change[2]].c[change[3].name]
            where = f"the column `{column.table.name}.{column.name}`"
            fault = _cannot_be_added(column)
            yield (where, column) if fault is None else (f"{where} {fault}", None)
        elif kind == "add_index":
            table = change[1].table.name
            if table not in new:  # a new table comes with its own
                yield f"the index `{change[1].name}`", change[1]
        elif kind in ("add_fk", "remove_fk", "add_constraint", "remove_constraint", "remove_index"):
            continue  # names differ between the two kinds of store; what they guard is looked at with the columns
        else:
            yield _in_words(change), None


def _cannot_be_added(column: Column[Any]) -> str | None:
    if not column.nullable:
        return "is new and may not be empty"
    if column.unique:
        return "is new and unique"
    if any(len(key.constraint.columns) > 1 for key in column.foreign_keys if key.constraint is not None):
        return "is new and a part of a key to another table"
    return None


def _flat(changes: Iterable[Any]) -> Iterator[Any]:
    for change in changes:
        if isinstance(change, list):
            yield from change
        else:
            yield change


def _in_words(change: Any) -> str:
    kind = change[0]
    if kind == "remove_table":
        return f"the table `{change[1].name}` is not declared any more"
    if kind == "remove_column":
        return f"the column `{change[2]}.{change[3].name}` is not declared any more"
    if kind == "modify_nullable":
        return f"the column `{change[2]}.{change[3]}` may {'not ' if change[6] is False else ''}be empty now"
    if kind == "modify_type":
        return f"the column `{change[2]}.{change[3]}` is of type {change[6]!s} now, and was {change[5]!s}"
    return f"{kind.replace('_', ' ')} {change[2] if len(change) > 2 else ''}".strip()


def _context(connection: Connection, metadata: MetaData) -> MigrationContext:
    from alembic.runtime.migration import MigrationContext

    def ours(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        """Tables of others may lie in the same database; what was ours and is declared no more counts."""
        return not (kind == "table" and reflected and other is None)

    return MigrationContext.configure(connection, opts={"compare_type": False, "include_object": ours})


def _add(connection: Connection, column: Column[Any]) -> None:
    # By hand, because SQLite adds a foreign key with its column or not at all.
    quoted = connection.dialect.identifier_preparer.quote
    clause = str(CreateColumn(column).compile(dialect=connection.dialect))
    references = "".join(
        f" REFERENCES {quoted(key.column.table.name)} ({quoted(key.column.name)})" for key in column.foreign_keys
    )
    connection.exec_driver_sql(f"ALTER TABLE {quoted(column.table.name)} ADD COLUMN {clause}{references}")
