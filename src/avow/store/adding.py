"""Rows that are added with every unit of work, given to the driver itself.

A statement that goes the whole way through SQLAlchemy takes several times as long as the driver needs for it. For what
accompanies everything, and is always the same, that way is left out. What `avow.store.connection` says of transactions
and of errors holds here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert

from avow.store.connection import Store

#: Rows of one statement.
_MOST = 50

#: Rows, each as its values in the order of the table's columns.
Rows = Sequence[Sequence[Any]]


class Batch(NamedTuple):
    """Rows that are added together: of the table, and of the one beside it."""

    rows: Rows
    beside: Rows = ()


class Adding:
    """Adds rows to one table, and to one beside it. For all threads.

    Args:
        beside: a table whose first column refers to the row of somebody. Where there is nobody of that id any more, or
            somebody is just erasing them, a row for it is left out.
    """

    def __init__(self, store: Store, table: Table, beside: Table | None = None) -> None:
        self._store = store
        self._table = _Into.of(table, store)
        self._beside = None if beside is None else _Into.of(beside, store)
        self._texts: dict[tuple[int, int], str] = {}

    def add(self, connection: Connection, rows: Rows, beside: Rows = ()) -> None:
        """Add rows in the transaction of `connection`.

        Raises:
            DBAPIError: they cannot be added. It shows no value.
        """
        if not connection.in_transaction():
            connection.begin()
        with self._store.as_sqlalchemy_raises(self._table.into, connection):
            self._execute(connection.connection.driver_connection, rows, beside)

    def add_alone(self, batch: Callable[[], Batch]) -> None:
        """Begin a transaction, ask only then for the rows, add them and commit.

        Raises:
            DBAPIError: it came to nothing. It shows no value.
        """
        with self._store.as_sqlalchemy_raises(self._table.into), self._store.driver() as driver:
            self._execute(driver, *batch())

    def _execute(self, driver: Any, rows: Rows, beside: Rows) -> None:
        for some, others in zip_longest(_portions(rows), _portions(beside), fillvalue=()):
            if self._store.dialect == "postgresql" or not (some and others):
                self._send(driver, some, others)
            else:
                self._send(driver, some, ())
                self._send(driver, (), others)

    def _send(self, driver: Any, rows: Rows, beside: Rows) -> None:
        """One statement; of both tables only on PostgreSQL, where each is a journey to the server and back."""
        counts = len(rows), len(beside)
        text = self._texts.get(counts)
        if text is None:
            text = self._texts[counts] = self._text(*counts)
        values = [value for row in rows for value in row]
        if beside and self._store.dialect == "postgresql":
            values += [row[0] for row in beside]
        driver.execute(text, values + [value for row in beside for value in row])

    def _text(self, count: int, beside: int) -> str:
        added = f"{self._table.into} VALUES {self._table.marks(count)}" if count else ""
        if not beside or self._beside is None:
            return added
        names = self._store.engine.dialect.identifier_preparer
        [person] = [key.column for key in next(iter(self._beside.table.columns)).foreign_keys]
        whom, people = names.format_column(person), names.format_table(person.table)
        into, marks = self._beside.into, self._beside.marks(beside)
        if self._store.dialect == "sqlite":
            there = f"EXISTS (SELECT 1 FROM {people} WHERE {people}.{whom} = column1)"  # noqa: S608  # our own names
            return f"{into} SELECT * FROM (VALUES {marks}) WHERE {there}"  # noqa: S608
        # Who is being erased just now counts as gone: to wait would be in vain, and for ever where whoever erases them
        # waits for a row that this transaction holds.
        ids = ", ".join(["%s"] * beside)
        locked = f"SELECT {whom} AS who FROM {people} WHERE {whom} IN ({ids}) FOR KEY SHARE SKIP LOCKED"  # noqa: S608
        first = f"added AS ({added}), " if added else ""
        chosen = f"SELECT given.* FROM (VALUES {marks}) AS given JOIN whose ON whose.who = given.column1"  # noqa: S608
        return f"WITH {first}whose AS ({locked}) {into} {chosen}"


class _Into(NamedTuple):
    """How SQLAlchemy writes into all columns of a table: `into` names them, `row` has a mark for each value of a row.

    A mark is more than a question mark where a type says so: what it is cast to, or a function around it.
    """

    table: Table
    into: str
    row: str

    @classmethod
    def of(cls, table: Table, store: Store) -> _Into:
        of_its_kind: Any = type(store.engine.dialect)
        dialect = of_its_kind(paramstyle="qmark" if store.dialect == "sqlite" else "format")
        into, _, row = str(insert(table).compile(dialect=dialect)).partition(" VALUES ")
        return cls(table, into, row)

    def marks(self, count: int) -> str:
        return ", ".join([self.row] * count)


def _portions(rows: Rows) -> Iterator[Rows]:
    return (rows[start : start + _MOST] for start in range(0, len(rows), _MOST))
