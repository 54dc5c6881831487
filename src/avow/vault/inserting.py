"""New people and records, written by the driver itself when a unit of work commits.

SQLAlchemy sorts what it writes by what hangs on what, anew each time; where all that is new is made of columns alone,
nothing hangs on anything but by the order of tables. What more there may be (another relationship, a default that the
database makes, a hook of the site's) is left to SQLAlchemy, with all that is new beside it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import ClauseElement, inspect
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from avow.store.adding import Adding
from avow.vault.mapped import columns_of, table_of

if TYPE_CHECKING:
    from sqlalchemy import Column
    from sqlalchemy.orm import Mapper, Session

    from avow.store.connection import Store


class Inserting:
    """Writes what is new in sessions of one store. For all threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ways: dict[type[Any], _Way | None] = {}

    def insert(self, session: Session) -> None:
        """Write all that is new in a session, in its transaction, if it is made of columns alone.

        Raises:
            DatabaseError: the database does not take it. Everything is as new as before.
        """
        made: dict[_Way, list[Any]] = defaultdict(list)
        for each in session.new:
            way = self._way(type(each))
            if way is None or not way.takes(each):
                return
            made[way].append(each)
        if not made:
            return
        session.dispatch.before_flush(session, None, None)
        connection = session.connection()
        for way, some in sorted(made.items(), key=lambda item: item[0].place):
            way.adding.add(connection, [way.row(each) for each in some])
        session.dispatch.after_flush(session, None)
        for way in sorted(made, key=lambda way: way.place):
            for each in made[way]:
                session.expunge(each)
                make_transient_to_detached(each)
                session.add(each)

    def _way(self, kind: type[Any]) -> _Way | None:
        if kind not in self._ways:
            mapper = inspect(kind)
            self._ways[kind] = _Way(self._store, mapper) if _is_columns(mapper) else None
        return self._ways[kind]


class _Way:
    """How objects of one class are written. `place` is that of its table among those that refer to each other."""

    def __init__(self, store: Store, mapper: Mapper[Any]) -> None:
        dialect, table = store.engine.dialect, table_of(mapper)
        names = {column: name for name, column in columns_of(mapper).items()}
        self.adding = Adding(store, table)
        self.place = table.metadata.sorted_tables.index(table)
        self._key = [names[column] for column in table.primary_key]
        self._columns = [
            (
                names[column],
                column.type.dialect_impl(dialect).bind_processor(dialect),
                column.default.arg if isinstance(column.default, ScalarElementColumnDefault) else None,
            )
            for column in table.columns
        ]

    def takes(self, made: object) -> bool:
        """Whether an object holds its whole key, that of the owner it has, and nothing for the database to work out."""
        values = instance_dict(made)
        person = values.get("avow_person")
        return (
            all(values.get(name) is not None for name in self._key)
            and (person is None or instance_dict(person).get("id") == values[self._key[0]])
            and not any(isinstance(values.get(name), ClauseElement) for name, _, _ in self._columns)
        )

    def row(self, made: object) -> list[Any]:
        """What goes into the columns, as the driver takes it. The object has the default of what it was not given."""
        values, row = instance_dict(made), []
        for name, process, default in self._columns:
            value = values.get(name)
            if value is None:
                value = values[name] = default
            row.append(value if process is None or value is None else process(value))
        return row


def _is_columns(mapper: Mapper[Any]) -> bool:
    """Whether objects of a class are made of the columns of one table, which all come from them."""
    hooks, columns = mapper.dispatch, table_of(mapper).columns
    return (
        mapper.polymorphic_on is None
        and mapper.version_id_col is None
        and mapper.relationships.keys() in ([], ["avow_person"])
        and not (hooks.before_insert or hooks.after_insert)
        and set(columns) == set(columns_of(mapper).values())
        and all(_is_given(column) for column in columns)
    )


def _is_given(column: Column[Any]) -> bool:
    """Whether a column holds what it is given, or a value that is always the same."""
    made = column.server_default, column.computed, column.identity
    plain = column.default is None or isinstance(column.default, ScalarElementColumnDefault)
    return plain and made == (None, None, None) and not column.type.should_evaluate_none
