"""Connections to SQLite and PostgreSQL, set up so that a commit is durable and an error shows no value.

Rules kept here:

- a commit that returned is on the disk (SQLite: WAL with synchronous=FULL; PostgreSQL: its default);
- deleted bytes are overwritten (SQLite: secure_delete), foreign keys hold;
- no statement parameter appears in an error or a log (`hide_parameters`), and statements are not echoed;
- a transaction that may write takes SQLite's write lock when it begins: one that reads first and
  writes later could not be upgraded once somebody else has committed in between;
- one that is begun to read only cannot write: the database itself refuses it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError

from avow.errors import OnlyReads, SetupError, StoreError
from avow.store.files import create_private

#: Seconds that a writer waits for SQLite's lock before it gives up.
LOCK_TIMEOUT = 15.0

#: What a driver says when a connection writes that can only read: SQLite's code, PostgreSQL's state.
_SQLITE_READONLY, _READ_ONLY_TRANSACTION = 8, "25006"

#: How PostgreSQL's states begin where a row is not taken: for a value in it, or for what is there already.
_ABOUT_VALUES = ("22", "23")

#: Milliseconds for which a checkpoint of SQLite waits for who is reading or writing.
CHECKPOINT_PATIENCE = 50


class Store:
    """One database. `engine` is an ordinary SQLAlchemy engine; `dialect` is `sqlite` or `postgresql`.

    `reader` is another engine for the same database, whose connections can only read.
    """

    def __init__(self, engine: Engine, reader: Engine) -> None:
        self.engine = engine
        self.reader = reader
        self.dialect = engine.dialect.name
        self._turns = _Turns(engine) if self.dialect == "sqlite" else None
        self._wanted = False

    @classmethod
    def open(cls, address: str) -> Store:
        """Connect to a database by its SQLAlchemy URL and check that it answers.

        Raises:
            SetupError: the URL is not one, or names a kind of database that Avow does not run on.
            StoreError: the folder cannot be written, the file is damaged, or the server does not answer.
        """
        url = _checked(address)
        if url.get_backend_name() == "sqlite":
            create_private(Path(str(url.database)))  # its WAL takes over the mode
        engine = create_engine(url, hide_parameters=True, **_options(url))
        reader = create_engine(url, hide_parameters=True, **_options(url, reads=True))
        event.listen(reader, "handle_error", _say_only_reads)
        for each in (engine, reader):
            event.listen(each, "handle_error", _leave_the_row_out)
            event.listen(each, "handle_error", _close_what_was_cut)
        if url.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(reader, "connect", _prepare_sqlite_reader)
            event.listen(reader, "begin", _begin_reading)
        store = cls(engine, reader)
        try:
            with store.engine.connect() as connection:  # the first, which makes the file what it is to be
                if store.dialect == "sqlite":
                    connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
        except DatabaseError as error:
            store.close()
            raise _unusable(url, error) from None
        return store

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that only reads: it takes no write lock.

        Raises:
            OnlyReads: something was to be written by it.
        """
        with self.reader.connect() as connection:
            yield connection

    @contextmanager
    def one_moment(self) -> Iterator[Connection]:
        """A connection that only reads, and sees one moment, whatever is committed meanwhile.

        Raises:
            OnlyReads: something was to be written by it.
        """
        # In SQLite's WAL every transaction does, from its first statement on.
        options = {"isolation_level": "REPEATABLE READ"} if self.dialect == "postgresql" else {}
        with self.reader.connect() as connection:
            yield connection.execution_options(**options)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block, rolled back by an exception."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def driver(self) -> Iterator[Any]:
        """One transaction as `writing`, on the driver's own connection; what it raises are the driver's own errors."""
        connection = self.engine.raw_connection()
        try:
            if self._turns is not None:
                self._turns.begin(connection.info, connection.driver_connection)
            yield connection.driver_connection
            connection.commit()
        except Exception as error:
            if self._is_cut(error, connection.driver_connection):
                connection.invalidate(error)  # nobody is given it again, and nothing is rolled back over it
            raise
        finally:
            connection.close()  # which rolls back what was not committed

    @contextmanager
    def as_sqlalchemy_raises(self, text: str, connection: Connection | None = None) -> Iterator[None]:
        """What goes to the driver itself here fails as it would by SQLAlchemy.

        Args:
            text: of the statement, for the error.
            connection: whose driver it is; it is given up where it is gone.

        Raises:
            DBAPIError: instead of what the driver raised. It shows no value.
        """
        dialect = self.engine.dialect
        error_class: type[Exception] = dialect.loaded_dbapi.Error
        try:
            yield
        except error_class as error:
            cut = connection is not None and self._is_cut(error, connection.connection.driver_connection)
            if connection is not None and cut:
                connection.invalidate(error)  # a rollback over it would fail, and hide why
            _say_what_is_wrong_alone(error)
            raise DBAPIError.instance(
                text, None, error, error_class, hide_parameters=True, connection_invalidated=cut, dialect=dialect
            ) from None

    def _is_cut(self, error: Exception, driver: Any) -> bool:
        """Whether an error of the driver means that its connection is gone."""
        dialect = self.engine.dialect
        return isinstance(error, dialect.loaded_dbapi.Error) and dialect.is_disconnect(error, driver, None)

    def want_checkpoint(self) -> None:
        """Have a checkpoint made soon, by `checkpoint_if_wanted`: it takes longer than who deletes wants to wait."""
        self._wanted = True

    def checkpoint_if_wanted(self) -> None:
        """Make the checkpoint that somebody wants, if somebody does."""
        if self._wanted:
            self._wanted = False
            self.checkpoint()

    def checkpoint(self) -> None:
        """Let no deleted bytes stay in SQLite's WAL, as far as nobody is reading from it just now.

        With `secure_delete` the database file holds none of them either. PostgreSQL keeps its own log.
        """
        if self.dialect == "sqlite":
            connection = self.engine.raw_connection()
            try:
                connection.cursor().execute(f"PRAGMA busy_timeout={CHECKPOINT_PATIENCE}")
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.cursor().execute(f"PRAGMA busy_timeout={int(LOCK_TIMEOUT * 1000)}")
            finally:
                connection.close()

    def close(self) -> None:
        """Give back every connection."""
        self.checkpoint_if_wanted()
        self.reader.dispose()
        self.engine.dispose()


def _checked(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        raise SetupError(
            "the store's address is not a database URL",
            help="write it like `sqlite:///shop.db` or `postgresql+psycopg://user@host/name`",
        ) from None
    backend = url.get_backend_name()
    if backend == "postgresql" and url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if backend not in ("sqlite", "postgresql"):
        raise SetupError(
            f"`{backend}` is not a database that Avow runs on",
            help="use SQLite (`sqlite:///shop.db`) or PostgreSQL (`postgresql+psycopg://…`)",
        )
    if backend == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise SetupError("a store in memory keeps nothing", help="name a file, for example `sqlite:///shop.db`")
        _writable(Path(str(url.database)))
    return url


def _writable(file: Path) -> None:
    folder = file.absolute().parent
    if not folder.is_dir():
        raise StoreError(f"the folder `{folder}` of the database does not exist", help="create it, or name another")
    if not os.access(folder, os.W_OK):
        raise StoreError(
            f"the folder `{folder}` of the database cannot be written",
            help="give this user the right to write there, or name another folder",
        )


def _options(url: URL, *, reads: bool = False) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": LOCK_TIMEOUT}}
    options: dict[str, Any] = {"pool_size": 10, "max_overflow": 10, "pool_pre_ping": True}
    if reads:
        given = str(url.query.get("options", ""))
        options["connect_args"] = {"options": f"{given} -c default_transaction_read_only=on".strip()}
    return options


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not guessed by the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_sqlite_reader(connection: Any, record: Any) -> None:
    _prepare_sqlite(connection, record)
    connection.execute("PRAGMA query_only=ON")


def _begin_reading(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN")  # straight to the driver: it locks nothing yet, so nothing can fail


class _Turns:
    """Writers of one process take turns at SQLite's write lock.

    SQLite itself makes them ask for it again and again, with growing pauses: among a few writers somebody waits for a
    second while the lock is free. Other processes still wait that way, as does who gets no turn in time.
    """

    def __init__(self, engine: Engine) -> None:
        """Let the transactions of `engine` take turns: each, until its connection is given back."""
        self._turn = Lock()
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "checkin", self._end)

    def begin(self, info: dict[Any, Any], driver: Any) -> None:
        """Begin a transaction on a connection of the driver, with the notes that its pool keeps of it."""
        self._take(info)
        driver.execute("BEGIN IMMEDIATE")

    def _begin(self, connection: Connection) -> None:
        self._take(connection.info)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _take(self, info: dict[Any, Any]) -> None:
        if not info.get("avow_turn"):
            info["avow_turn"] = self._turn.acquire(timeout=LOCK_TIMEOUT)

    def _end(self, _connection: Any, record: Any) -> None:
        if record.info.pop("avow_turn", False):
            self._turn.release()


def _say_only_reads(context: ExceptionContext) -> None:
    error = context.original_exception
    code, state = getattr(error, "sqlite_errorcode", None), getattr(error, "sqlstate", None)
    if code == _SQLITE_READONLY or state == _READ_ONLY_TRANSACTION:
        raise OnlyReads("a transaction that only reads was to write", help="begin one that may write") from None


def _leave_the_row_out(context: ExceptionContext) -> None:
    """As `_say_what_is_wrong_alone`, with what SQLAlchemy has taken over from it already."""
    error, taken = context.original_exception, context.sqlalchemy_exception
    long = str(error)
    if _say_what_is_wrong_alone(error) and taken is not None:
        taken.args = tuple(str(each).replace(long, str(error)) for each in taken.args)


def _say_what_is_wrong_alone(error: Any) -> bool:
    """PostgreSQL adds a detail where it does not take a row: all that is in it, or what is there already.

    Whether it was left out.
    """
    if not str(getattr(error, "sqlstate", "")).startswith(_ABOUT_VALUES):
        return False
    error.args = (error.diag.message_primary,)
    return True


def _close_what_was_cut(context: ExceptionContext) -> None:
    """Close the cursor of a connection that is gone: SQLAlchemy leaves it, and psycopg warns of it when it is freed."""
    if context.is_disconnect and context.execution_context is not None:
        with suppress(Exception):
            context.execution_context.cursor.close()


def _unusable(url: URL, error: DatabaseError) -> StoreError:
    where = f"`{url.database}`" if url.get_backend_name() == "sqlite" else f"`{url.render_as_string()}`"
    if isinstance(error, OperationalError):
        return StoreError(
            f"the database {where} does not answer: {_first_line(error)}",
            help="check that it exists, that this user may use it and that the server runs",
        )
    return StoreError(
        f"the database {where} is damaged or is no database: {_first_line(error)}",
        help="restore it from a backup; nothing was changed in it",
    )


def _first_line(error: DatabaseError) -> str:
    return str(error.orig).strip().splitlines()[0] if error.orig is not None else type(error).__name__
