"""Rows that are added with every unit of work, given to the driver itself.

A statement that goes the whole way through SQLAlchemy takes several times as long as the driver needs for it. For what
accompanies everything, and is always the same, that way is left out. What `avow.store.connection` says of transactions
and of errors holds here too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

from avow.store.connection import Store

#: Rows of one statement.
_MOST = 50

#: Rows, each as its values in the order of the table's columns.
Rows = Sequence[Sequence[Any]]


class Adding:
    """Adds rows to one table. For all threads."""

    def __init__(self, store: Store, table: Table) -> None:
        self._store = store
        self._dialect = store.engine.dialect
        self._error: type[Exception] = self._dialect.loaded_dbapi.Error
        names = self._dialect.identifier_preparer
        columns = ", ".join(names.format_column(column) for column in table.columns)
        self._head = f"INSERT INTO {names.format_table(table)} ({columns}) VALUES "  # noqa: S608  # our own names
        self._row = f"({', '.join(('?' if store.dialect == 'sqlite' else '%s',) * len(table.columns))})"
        self._texts: dict[int, str] = {}

    def add(self, connection: Connection, rows: Rows) -> None:
        """Add rows in the transaction of `connection`.

        Raises:
            DBAPIError: they cannot be added. It shows no value.
        """
        if not connection.in_transaction():
            connection.begin()
        driver = connection.connection.driver_connection
        try:
            self._execute(driver, rows)
        except self._error as error:
            if self._store.is_cut(error, driver):  # as SQLAlchemy does it: a rollback over it would fail, and hide why
                connection.invalidate(error)
            raise self._told(error) from None

    def add_alone(self, rows: Callable[[], Rows]) -> None:
        """Begin a transaction, ask only then for the rows, add them and commit.

        Raises:
            DBAPIError: it came to nothing. It shows no value.
        """
        try:
            with self._store.driver() as driver:
                self._execute(driver, rows())
        except self._error as error:
            raise self._told(error) from None

    def _execute(self, driver: Any, rows: Rows) -> None:
        for start in range(0, len(rows), _MOST):
            portion = rows[start : start + _MOST]
            driver.execute(self._text(len(portion)), [value for row in portion for value in row])

    def _text(self, count: int) -> str:
        text = self._texts.get(count)
        if text is None:
            text = self._texts[count] = self._head + ", ".join([self._row] * count)
        return text

    def _told(self, error: Exception) -> Exception:
        return DBAPIError.instance(self._head, None, error, self._error, hide_parameters=True, dialect=self._dialect)
