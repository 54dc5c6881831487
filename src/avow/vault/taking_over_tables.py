"""The old tables as the database has them, checked against what is declared of them before a row is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Inspector,
    Integer,
    LargeBinary,
    String,
    TableClause,
    Text,
    Uuid,
    and_,
    cast,
    inspect,
    or_,
)
from sqlalchemy import column as named
from sqlalchemy import table as table_named

from avow.errors import SetupError
from avow.language.suggest import did_you_mean

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ReflectedColumn

    from avow.vault.taking_over import TakeOver
    from avow.vault.vault import Vault


@dataclass(frozen=True, eq=False)
class OldTable:
    """An old table that fits what is declared of it.

    `nothing` is what stands in each of its personal columns once the value is gone: None, or '' where it may not be
    null. `texts` are those of them in which '' means that there is nothing. `shows_keys` says whether a row may be
    named by its key where people read it: a number or a UUID, never a text.
    """

    of: TakeOver
    table: TableClause
    nothing: Mapping[str, str | None]
    texts: frozenset[str]
    shows_keys: bool

    @property
    def key(self) -> ColumnElement[Any]:
        """The column that tells its rows apart."""
        return self.table.c[self.of.key]

    def holds(self) -> ColumnElement[bool]:
        """The condition of a row in which something lies in the clear."""
        return or_(*(self._filled(name) for name in self.of.personal.values()))

    def text_of(self, name: str, dialect: str) -> ColumnElement[Any]:
        """A column as text, whatever its type: bytes of UTF-8 in SQLite, where a text may be none."""
        return cast(self.table.c[name], LargeBinary if dialect == "sqlite" else Text)

    def _filled(self, name: str) -> ColumnElement[bool]:
        one = self.table.c[name]
        return and_(one.is_not(None), one != "") if name in self.texts else one.is_not(None)


def old_tables(vault: Vault, declared: Sequence[TakeOver]) -> list[OldTable]:
    """The tables that are declared, as the database has them.

    Raises:
        SetupError: nothing is declared, or it does not fit the database. All faults are named at once.
    """
    if not declared:
        raise SetupError("the site declares no old table", help="say what one holds: site.take_over(Customer, …)")
    inspector = inspect(vault.store.engine)
    ours = {table.name for table in vault.home.metadata.sorted_tables}
    tables = sorted(set(inspector.get_table_names()) - ours)
    faults = list(_taken_twice(declared))
    found = []
    for each in declared:
        where = f"`{each.table}`"
        if each.table in ours:
            faults.append(f"{where} is a table of Avow or of a record: the old one needs a name of its own")
        elif each.table not in tables:
            hint = did_you_mean(each.table, tables)
            faults.append(f"there is no table {where} in the database" + (f"; {hint}" if hint else ""))
        else:
            columns = {column["name"]: column for column in inspector.get_columns(each.table)}
            primary = inspector.get_pk_constraint(each.table)["constrained_columns"]
            wrong = list(_faults(each, columns, _alone(inspector, each.table, primary), primary))
            faults += wrong
            if not wrong:
                found.append(_old_table(each, columns))
    if faults:
        raise SetupError(
            "what is declared of the old tables does not fit:\n  - " + "\n  - ".join(faults),
            help="mend site.take_over(…), or the old table; nothing was touched",
        )
    return found


def _taken_twice(declared: Sequence[TakeOver]) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    for each in declared:
        for attribute, column in each.personal.items():
            what = f"`{each.record.__name__}.{attribute}`"
            if other := seen.get((each.table, column)):
                yield f"`{each.table}.{column}` is taken over twice, into {other} and into {what}"
            seen[each.table, column] = what


def _alone(inspector: Inspector, table: str, primary: list[str]) -> set[str]:
    """The columns of a table that are unique each by itself."""
    keys = [primary]
    keys += [each["column_names"] for each in inspector.get_unique_constraints(table)]
    for index in inspector.get_indexes(table):
        partial = any(option.endswith("_where") for option in index.get("dialect_options", {}))
        if index["unique"] and not partial:
            keys.append([name for name in index["column_names"] if name is not None])
    return {names[0] for names in keys if len(names) == 1}


def _faults(
    each: TakeOver, columns: Mapping[str, ReflectedColumn], alone: set[str], primary: list[str]
) -> Iterator[str]:
    """What is wrong with the columns of one table."""
    named_as = [(each.key, "key"), *([(each.person, "person")] if each.person else [])]
    named_as += [(column, f"{each.record.__name__}.{attribute}") for attribute, column in each.columns.items()]
    for name, what in named_as:
        if name not in columns:
            hint = did_you_mean(name, columns)
            yield f"`{each.table}` has no column `{name}` for `{what}`" + (f"; {hint}" if hint else "")
    key = columns.get(each.key)
    if key is not None:
        where = f"`{each.table}.{each.key}`"
        if each.key not in alone:
            yield f"{where} does not tell its rows apart: it is neither the primary key nor unique by itself"
        if not isinstance(key["type"], (Integer, String, Uuid)):
            yield f"{where} is no key that can be taken: it has to be a whole number, a text or a UUID"
        if key["nullable"] and each.key not in primary:
            yield f"{where} may be empty, and then names no row: make it NOT NULL"
    for column in each.personal.values():
        if column in (each.key, each.person):
            yield f"`{each.table}.{column}` says which row or whose it is, and cannot be emptied"
        elif column in columns:
            yield from _not_emptied(f"`{each.table}.{column}`", columns[column], column in alone)


def _not_emptied(where: str, column: ReflectedColumn, alone: bool) -> Iterator[str]:
    if isinstance(column["type"], LargeBinary):
        yield f"{where} holds bytes, and only text is sealed"
    if column.get("computed"):
        yield f"{where} is computed from other columns, and cannot be emptied"
    if not column["nullable"] and (alone or not _is_text(column)):
        why = "no two rows may have the same" if alone else "an empty text is nothing that it takes"
        yield f"{where} cannot be emptied: it is NOT NULL, and {why}; let it be NULL"


def _is_text(column: ReflectedColumn) -> bool:
    return isinstance(column["type"], String) and not getattr(column["type"], "enums", None)


def _old_table(each: TakeOver, columns: Mapping[str, ReflectedColumn]) -> OldTable:
    kept = each.record.__table__.c
    typed = {old: kept[attribute].type for attribute, old in each.plain.items()}  # as the record is to hold it
    typed[each.key] = columns[each.key]["type"]
    names = dict.fromkeys([each.key, *each.columns.values(), *([each.person] if each.person else [])])
    personal = each.personal.values()
    return OldTable(
        each,
        table_named(each.table, *(named(name, typed.get(name)) for name in names)),
        {name: None if columns[name]["nullable"] else "" for name in personal},
        frozenset(name for name in personal if _is_text(columns[name])),
        isinstance(columns[each.key]["type"], (Integer, Uuid)),
    )
