"""The sessions of SQLAlchemy by which units of work read and write records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, bindparam, event, inspect, select
from sqlalchemy.orm import Mapper, ORMExecuteState, Session, sessionmaker
from sqlalchemy.orm.attributes import instance_dict, instance_state

from avow.errors import SealedError
from avow.store.asking import Asking
from avow.vault.current import current_unit
from avow.vault.inserting import Inserting
from avow.vault.keeping import inspect_plain
from avow.vault.mapped import columns_of
from avow.vault.record import Record

if TYPE_CHECKING:
    from avow.store.connection import Store

#: The parts of a record's key, as a statement is told them.
_KEY = ("avow_owner", "avow_id")


class RecordSession(Session):
    """A session that finds one record by its key as SQLAlchemy does, in half the time."""

    def __init__(self, *args: Any, finder: Callable[[Any], _Finder], **more: Any) -> None:
        super().__init__(*args, **more)
        self._finder = finder

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """As SQLAlchemy has it."""
        simple = isinstance(entity, type) and issubclass(entity, Record) and _is_key(ident)
        lock = options.get("with_for_update")  # where it is an empty dictionary, it asks for one
        if not simple or lock is not None or any(options.values()) or self._is_heard():
            return super().get(entity, ident, **options)
        finder = self._finder(entity)
        if finder.key(ident) in self.identity_map or self.new or self.dirty or self.deleted:
            return super().get(entity, ident)
        return finder.find(self, ident)

    def _is_heard(self) -> bool:
        """Whether a site listens to what is asked for, which it may narrow, or to what is loaded."""
        heard = self.dispatch
        return bool(heard.loaded_as_persistent) or any(one is not _refuse_bulk for one in heard.do_orm_execute)


class _Finder:
    """Finds records of one class by their keys, each with its owner.

    SQLAlchemy makes what turns rows into objects anew with each statement, which takes longer than to ask the database.
    Here it is made once. A class is one table, since none inherits from another; what else is mapped than its columns,
    SQLAlchemy looks up when it is asked for.
    """

    def __init__(self, store: Store, kind: Any) -> None:
        record, person = inspect(kind), inspect(kind).relationships["avow_person"].mapper
        self._record, self._person = _Made(record), _Made(person)
        self.key = self._record.key
        own = [column == bindparam(name) for column, name in zip(record.primary_key, _KEY, strict=True)]
        both = select(*self._record.columns, *self._person.columns).join_from(
            record.local_table, person.local_table, record.primary_key[0] == person.primary_key[0]
        )
        self._asking = Asking(store, both.where(*own))

    def find(self, session: Session, ident: tuple[Any, ...]) -> Any:
        """The record of a key, of which the session has none yet; None where there is none."""
        row = self._asking.only(session.connection(), dict(zip(_KEY, ident, strict=True)))
        if row is None:
            return None
        width = len(self._record.columns)
        whose = self._person.key(ident[:1])
        person = session.identity_map.get(whose)
        if person is None:
            person = self._person.make(session, whose, row[width:])
        return self._record.make(session, self.key(ident), row[:width], avow_person=person)


class _Made:
    """Makes objects of one mapped class from rows of its `columns`, as SQLAlchemy makes those that it loads."""

    def __init__(self, mapper: Mapper[Any]) -> None:
        self.key = mapper.identity_key_from_primary_key
        found = columns_of(mapper)
        self._names, self.columns = list(found), list(found.values())
        self._more = [each.key for each in mapper.column_attrs if each.key not in found]
        self._manager = mapper.class_manager

    def make(self, session: Session, key: tuple[Any, ...], values: Sequence[Any], **related: Any) -> Any:
        """An object of the session, by a key that it does not know yet; who listens to its class is told."""
        made = self._manager.new_instance()
        instance_dict(made).update(zip(self._names, values, strict=True), **related)
        state = instance_state(made)
        state.key = key
        state.session_id = session.hash_key
        session.identity_map.add(state)
        if self._more:  # worked out by statements of their own, when somebody asks for them
            session.expire(made, self._more)
        self._manager.dispatch.load(state, None)
        return made


class Sessions:
    """Makes the sessions of one vault."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._finders: dict[Any, _Finder] = {}
        self._writing = self._maker(store.engine)
        self._listening: list[tuple[str, Callable[..., None]]] = []
        self.listen("before_flush", _inspect_plain)
        self.listen("before_flush", Inserting(store).take_over)
        # Nothing is looked into before it is written by these: the database lets nothing be written.
        self._reading = self._maker(store.reader)

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

    def _maker(self, engine: Engine) -> sessionmaker[Session]:
        made: sessionmaker[Session] = sessionmaker(
            engine, class_=RecordSession, expire_on_commit=False, finder=self._finder
        )
        event.listen(made, "do_orm_execute", _refuse_bulk)
        return made

    def _finder(self, kind: Any) -> _Finder:
        if kind not in self._finders:
            self._finders[kind] = _Finder(self._store, kind)
        return self._finders[kind]


def _is_key(ident: object) -> bool:
    """Whether something has the shape of a record's key. The database may find what a session knows by another."""
    return isinstance(ident, tuple) and len(ident) == len(_KEY) and all(type(part) is str for part in ident)


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
