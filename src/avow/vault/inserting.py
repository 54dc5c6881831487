"""New people and records, written by the driver itself.

SQLAlchemy sorts what it writes by what hangs on what, anew each time; where all that is new is made of columns alone,
nothing hangs on anything but by the order of tables. So of a flush only the writing is done here, and all else is
SQLAlchemy's: its hooks, its transaction, and what becomes of the objects, also where the database does not take them.
It writes, too, whatever is more than new rows of columns: see `docs/adr/0030-past-sqlalchemy.md`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import ClauseElement
from sqlalchemy.orm.attributes import instance_dict
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from avow.store.adding import Adding
from avow.vault.mapped import columns_of, table_of

if TYPE_CHECKING:
    from sqlalchemy import Column
    from sqlalchemy.orm import InstanceState, Mapper, Session, UOWTransaction

    from avow.store.connection import Store


class Inserting:
    """Writes what is new in sessions of one store. For all threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ways: dict[Mapper[Any], _Way | None] = {}

    def take_over(self, _session: Session, flush: UOWTransaction, _objects: Any) -> None:
        """Be who writes in a flush that is about to begin: a listener to `before_flush`."""
        flush.execute = partial(self._execute, flush)  # type: ignore[method-assign]

    def _execute(self, flush: UOWTransaction) -> None:
        del flush.execute  # from here on it is SQLAlchemy's own again
        rows = self._rows(flush)
        if rows is None:
            flush.execute()
            return
        connection = flush.session.connection()
        for way in sorted(rows, key=lambda way: way.place):
            way.adding.add(connection, rows[way])

    def _rows(self, flush: UOWTransaction) -> dict[_Way, list[list[Any]]] | None:
        """All that there is to write in a flush; None if it is not new and made of columns alone."""
        made: dict[_Way, list[InstanceState[Any]]] = defaultdict(list)
        for state, (deleted, _) in flush.states.items():
            way = None if deleted or state.key is not None else self._way(state.mapper)
            if way is None or not way.takes(state.dict) or way.key(state.dict) in flush.session.identity_map:
                return None
            made[way].append(state)
        try:
            return {way: way.rows(states) for way, states in made.items()}
        except Exception:  # noqa: BLE001  # whatever a type raises: SQLAlchemy says which value it does not take
            return None

    def _way(self, mapper: Mapper[Any]) -> _Way | None:
        if mapper not in self._ways:
            self._ways[mapper] = _Way(self._store, mapper) if _is_columns(mapper) else None
        return self._ways[mapper]


class _Way:
    """How objects of one class are written. `place` is that of its table among those that refer to each other."""

    def __init__(self, store: Store, mapper: Mapper[Any]) -> None:
        dialect, table = store.engine.dialect, table_of(mapper)
        names = {column: name for name, column in columns_of(mapper).items()}
        self.adding = Adding(store, table)
        self.place = table.metadata.sorted_tables.index(table)
        self._mapper = mapper
        self._key = [names[column] for column in table.primary_key]
        self._columns = [
            (
                names[column],
                column.type.dialect_impl(dialect).bind_processor(dialect),
                column.default.arg if isinstance(column.default, ScalarElementColumnDefault) else None,
            )
            for column in table.columns
        ]

    def takes(self, values: Mapping[str, Any]) -> bool:
        """Whether an object has its whole key, the owner in it, nothing to be worked out, and nobody to be told."""
        owner = values.get("avow_person", self)
        hooks = self._mapper.dispatch
        return (
            not (hooks.before_insert or hooks.after_insert or self._mapper.class_manager.dispatch.refresh_flush)
            and all(values.get(name) is not None for name in self._key)
            and (owner is self or (owner is not None and instance_dict(owner).get("id") == values[self._key[0]]))
            and not any(isinstance(values.get(name), ClauseElement) for name, _, _ in self._columns)
        )

    def key(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """By what a session knows an object."""
        return self._mapper.identity_key_from_primary_key(tuple(values[name] for name in self._key))

    def rows(self, states: list[InstanceState[Any]]) -> list[list[Any]]:
        """What goes into the columns, in the order in which the objects were made."""
        return [self._row(state.dict) for state in sorted(states, key=lambda state: state.insert_order or 0)]

    def _row(self, values: dict[str, Any]) -> list[Any]:
        """What goes into the columns, as the driver takes it. The object has the default of what it was not given."""
        row = []
        for name, process, default in self._columns:
            value = values.get(name)
            if value is None:
                value = values[name] = default
            row.append(value if process is None or value is None else process(value))
        return row


def _is_columns(mapper: Mapper[Any]) -> bool:
    """Whether objects of a class are made of the columns of one table, each given by them, and of nothing else."""
    columns = table_of(mapper).columns
    return (
        mapper.polymorphic_on is None
        and mapper.version_id_col is None
        and mapper.relationships.keys() in ([], ["avow_person"])
        and set(columns) == set(columns_of(mapper).values())
        and len(columns) == len(mapper.column_attrs)
        and all(_is_given(column) for column in columns)
    )


def _is_given(column: Column[Any]) -> bool:
    """Whether a column holds what it is given, or a value that is always the same."""
    made = column.server_default, column.computed, column.identity
    plain = column.default is None or isinstance(column.default, ScalarElementColumnDefault)
    return plain and made == (None, None, None) and not column.type.should_evaluate_none
