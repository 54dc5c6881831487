"""The sessions of SQLAlchemy by which units of work read and write records."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Select, bindparam, event, inspect, select
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker

from avow.errors import SealedError
from avow.vault.current import current_unit
from avow.vault.keeping import inspect_plain
from avow.vault.record import Record

if TYPE_CHECKING:
    from avow.store.connection import Store

#: The parts of a record's key, as a statement is told them.
_KEY = ("avow_owner", "avow_id")


class RecordSession(Session):
    """A session that finds one record by its key with a statement that was made once: to make it takes a while."""

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """As SQLAlchemy has it."""
        simple = isinstance(entity, type) and issubclass(entity, Record) and not any(options.values())
        if not simple or not isinstance(ident, tuple) or len(ident) != len(_KEY) or self._has(entity, ident):
            return super().get(entity, ident, **options)
        return self.scalars(entity.__home__.once(_by_key, entity), dict(zip(_KEY, ident, strict=True))).one_or_none()

    def _has(self, kind: Any, ident: tuple[Any, ...]) -> bool:
        return inspect(kind).identity_key_from_primary_key(ident) in self.identity_map


class Sessions:
    """Makes the sessions of one vault."""

    def __init__(self, store: Store) -> None:
        self._writing = _sessions(store.engine)
        self._listening: list[tuple[str, Callable[..., None]]] = []
        self.listen("before_flush", _inspect_plain)
        # Nothing is looked into before it is written by these: the database lets nothing be written.
        self._reading = _sessions(store.reader)

    def open(self, *, reads: bool = False, on: Connection | None = None) -> Session:
        """A session; one that only `reads` cannot write, and keeps nobody from writing.

        Args:
            on: the connection that it is to go over, instead of one of its own.
        """
        if on is not None:
            return self._writing(bind=on)
        return self._reading() if reads else self._writing()

    def listen(self, moment: str, hears: Callable[..., None]) -> None:
        """Have `hears` called at a moment of each session that may write, as SQLAlchemy names it, until `close`."""
        event.listen(self._writing, moment, hears)
        self._listening.append((moment, hears))

    def close(self) -> None:
        """Let go of who listens. SQLAlchemy keeps them for ever where they lead back to what they listen to."""
        for moment, hears in self._listening:
            event.remove(self._writing, moment, hears)
        self._listening.clear()


def _sessions(engine: Engine) -> sessionmaker[Session]:
    made: sessionmaker[Session] = sessionmaker(engine, class_=RecordSession, expire_on_commit=False)
    event.listen(made, "do_orm_execute", _refuse_bulk)
    return made


def _by_key(kind: Any) -> Select[Any]:
    """The record of a class with some key."""
    columns = zip(inspect(kind).primary_key, _KEY, strict=True)
    return select(kind).where(*(column == bindparam(name) for column, name in columns))


def _inspect_plain(session: Session, _context: Any, _instances: Any) -> None:
    """Whatever way a plain column was written, it is looked through before it is stored."""
    for record in (*session.new, *session.dirty):
        if isinstance(record, Record):
            for name in record.__layout__.plain:
                inspect_plain(current_unit(), record.__dict__.get(name))


def _refuse_bulk(state: ORMExecuteState) -> None:
    """A statement over many rows would pass by the seal, the judgement and the look into plain columns.

    One that deletes would not tell which values are gone, so that an old backup brings them back: see
    `avow.vault.former`. Records without personal values have none to tell of.
    """
    if state.is_orm_statement and (state.is_insert or state.is_update):
        raise SealedError(
            "records are not written by bulk statements", help="write them through work.collect and work.update"
        )
    kind = state.bind_mapper.class_ if state.is_orm_statement and state.is_delete and state.bind_mapper else None
    if kind is not None and issubclass(kind, Record) and kind.__layout__.fields:
        raise SealedError(
            f"records of `{kind.__name__}` hold personal values and are not deleted by bulk statements",
            help="select them, and remove each with work.remove or work.db.delete",
        )
