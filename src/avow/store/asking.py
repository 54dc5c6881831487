"""One row by a statement that is always the same, asked of the driver itself.

As `avow.store.adding`, for what is read with nearly every unit of work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from avow.store.connection import Store

#: What makes of a value as the driver has it one as SQLAlchemy's type has it; None where that is the same.
_Process = Callable[[Any], Any] | None


class Asking:
    """Asks with one statement. For all threads."""

    def __init__(self, store: Store, statement: Select[Any]) -> None:
        self._store = store
        compiled = statement.compile(dialect=store.engine.dialect)
        self._text = str(compiled)
        self._order: Sequence[str] | None = getattr(compiled, "positiontup", None)
        self._types = [column.type for column in statement.selected_columns]
        self._processes: list[_Process] = []

    def only(self, connection: Connection, values: Mapping[str, object]) -> list[Any] | None:
        """The one row that there is for these values, by the names of parameters; None where there is none.

        In the transaction of `connection`, which has begun.

        Raises:
            DBAPIError: the database does not answer. It shows no value.
        """
        given = values if self._order is None else [values[name] for name in self._order]
        with self._store.as_sqlalchemy_raises(self._text, connection):
            driver: Any = connection.connection.driver_connection
            cursor = driver.execute(self._text, given)
            rows = cursor.fetchall()  # to its end: until then SQLite would hold what it reads
        if not rows:
            return None
        processes = self._processes or self._learn(cursor.description)
        [row] = rows
        return [value if process is None else process(value) for value, process in zip(row, processes, strict=True)]

    def _learn(self, description: Sequence[Sequence[Any]]) -> list[_Process]:
        dialect = self._store.engine.dialect
        self._processes = [
            kind.dialect_impl(dialect).result_processor(dialect, column[1])
            for kind, column in zip(self._types, description, strict=True)
        ]
        return self._processes
