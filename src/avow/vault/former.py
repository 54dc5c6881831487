"""What was changed or removed while its owner lives: told outside the database, so that no old backup brings it back.

Each envelope is one of its kind. When a value is replaced, taken out, or removed with its record, a keyed hash of its
envelope is written down beside the keyring, before the change is committed:

    avow-former 1
    +64 hex digits      a value that is gone: HMAC-SHA256(secret "tombstone", "avow former" ‖ 0 ‖ tenant ‖ 0 ‖ envelope)
    -64 hex digits      no, it is still there: the change was rolled back

Where a commit failed, it may have come about all the same: its answer was lost with the connection. Nothing is taken
back then, nor where the process died after it had told; who looks finds what is there (`take_back`): the background
work after a commit that failed, and every backup.

A database that was put back from a backup is searched for them before anything is served. A record of which nothing
else is left is deleted; of others the value is taken out, or emptied where the record cannot lack it: its successor was
lost with the newer database. Erasures of whole people are told by tombstones, and come first.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Table, and_, delete, select, update
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.orm.attributes import get_history

from avow.errors import StoreError
from avow.store.files import locked, write_end
from avow.vault.record import Record
from avow.vault.sealed import Stored

if TYPE_CHECKING:
    from avow.vault.sessions import Sessions
    from avow.vault.vault import Vault

#: The file's name in the data folder.
NAME: Final = "former"

#: The word in the database that says that it came from a backup and has not been searched yet.
UNSEARCHED: Final = "unsearched"

_HEAD: Final = b"avow-former 1\n"
_LINE: Final = re.compile(rb"([+-])([0-9a-f]{64})\n")
_LONGEST: Final = 66  # bytes of a line, and of what a crash may have left of one
_SEEN, _WRITTEN, _COMMITTING = "avow_former", "avow_former_written", "avow_former_committing"


class FormerFile:
    """The hashes of what is gone. Every use reads it anew, as other processes write it too."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> set[bytes]:
        """All of them; none where there is no file yet.

        Raises:
            StoreError: the file cannot be read, or is damaged.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise StoreError(f"`{self.path}` cannot be read: {error.strerror}", help="check its rights") from None
        found: set[bytes] = set()
        end = content.rfind(b"\n") + 1  # what a crash left of a line is no line, and its change was not committed
        for number, line in enumerate(content[:end].splitlines(keepends=True), start=1):
            match = _LINE.fullmatch(line)
            if match is not None and number > 1:
                (found.add if match[1] == b"+" else found.discard)(bytes.fromhex(match[2].decode()))
            elif number > 1 or line != _HEAD:
                raise StoreError(
                    f"`{self.path}` is damaged at line {number}",
                    help="restore the file from its copy; without it a backup could bring back what was removed",
                )
        return found

    def add(self, tokens: Iterable[bytes], sign: str = "+") -> None:
        """Append some, durably; with the sign `-` take them back.

        Raises:
            StoreError: they could not be written: nothing may be told to be gone.
        """
        lines = b"".join(f"{sign}{token.hex()}\n".encode() for token in tokens)
        try:
            with locked(self.path) as file:
                start = max(0, os.fstat(file.fileno()).st_size - 2 * _LONGEST)
                end = start + os.pread(file.fileno(), 2 * _LONGEST, start).rfind(b"\n") + 1
                write_end(self.path, file, end, lines if end else _HEAD + lines)
        except OSError as error:
            raise StoreError(
                f"`{self.path}` cannot be written: {error.strerror}",
                help="free space, or mend the rights; nothing was changed",
            ) from None


def watch(vault: Vault, sessions: Sessions) -> None:
    """Have every session of a vault tell what it changes or removes, before it commits."""
    told = _Telling(vault)
    sessions.listen("before_flush", told.gather)
    sessions.listen("before_commit", told.tell)
    sessions.listen("after_commit", told.done)
    sessions.listen("after_rollback", told.undone)


class _Telling:
    """What is told of as sessions come to their savepoints and ends."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def gather(self, session: Session, *_: Any) -> None:
        seen = _levels(session).setdefault(session.get_nested_transaction(), set())
        for record in (*session.dirty, *session.deleted):
            if isinstance(record, Record):
                whole = record in session.deleted
                seen.update(token_of(self._vault, envelope) for envelope in _gone(record, whole=whole))

    def tell(self, session: Session) -> None:
        session.flush()
        written: set[bytes] = session.info.setdefault(_WRITTEN, set())
        if new := set().union(*_levels(session).values()) - written:
            vault_file(self._vault).add(new)
            written |= new
        if written and session.get_nested_transaction() is None:
            session.info[_COMMITTING] = True

    def done(self, session: Session) -> None:
        savepoint, levels = session.get_nested_transaction(), _levels(session)
        if savepoint is not None:  # what was done in it hangs on what is around it now
            levels.setdefault(_around(savepoint), set()).update(levels.pop(savepoint, set()))
            return
        if any(levels.values()):
            self._vault.store.want_checkpoint()  # a log of the database holds what was there before
        _forget(session)

    def undone(self, session: Session) -> None:
        savepoint, written = session.get_nested_transaction(), session.info.get(_WRITTEN, set())
        if savepoint is not None:
            self._take_back(written, _levels(session).pop(savepoint, set()) & written)
        else:
            if session.info.get(_COMMITTING):
                self._vault.unsure = True
            else:
                self._take_back(written, set(written))
            _forget(session)

    def _take_back(self, written: set[bytes], back: set[bytes]) -> None:
        if back:
            vault_file(self._vault).add(back, "-")
            written -= back


def _levels(session: Session) -> dict[SessionTransaction | None, set[bytes]]:
    """What is gone by what a session has flushed, by the savepoint within which it was; None is outside of any."""
    levels: dict[SessionTransaction | None, set[bytes]] = session.info.setdefault(_SEEN, {})
    return levels


def _around(savepoint: SessionTransaction) -> SessionTransaction | None:
    """The savepoint within which another is, if it is within one."""
    found = savepoint.parent
    while found is not None and not found.nested:
        found = found.parent
    return found


def _forget(session: Session) -> None:
    for name in (_SEEN, _WRITTEN, _COMMITTING):
        session.info.pop(name, None)


def vault_file(vault: Vault) -> FormerFile:
    """The file of an installation."""
    return FormerFile(vault.data / NAME)


def token_of(vault: Vault, envelope: bytes) -> bytes:
    """What is kept of an envelope that is gone: 32 bytes."""
    return _tokens(vault)(envelope)


def _tokens(vault: Vault) -> Callable[[bytes], bytes]:
    """`token_of`, for many: the secret is asked for once."""
    secret, words = vault.keyring.secret("tombstone"), b"avow former\0" + vault.tenant.encode() + b"\0"
    return lambda envelope: hmac.digest(secret, words + envelope, "sha256")


def take_back(vault: Vault) -> int:
    """Take back what is told to be gone and is there, since a commit failed or was never made; how many values.

    Else they would be taken from somebody who lives when a backup is put back. Every value is looked at.

    Raises:
        StoreError: the file cannot be read or written.
    """
    vault.unsure = False  # before looking: another commit may fail meanwhile
    try:
        return _take_back(vault)
    except BaseException:
        vault.unsure = True
        raise


def _take_back(vault: Vault) -> int:
    gone, token = vault_file(vault).read(), _tokens(vault)
    if not gone:
        return 0
    with vault.store.reading() as connection:
        found = list(_found(vault, connection, gone))
    there: set[bytes] = set()
    if found:
        with vault.store.writing() as connection:
            # Locked: whoever is about to change one and has told of it already comes to an end first.
            for kind, owner, identity, names in found:
                table = kind.__table__
                this = and_(table.c[kind.__layout__.owner] == owner, table.c.id == identity)
                row = connection.execute(select(*(table.c[name] for name in names)).where(this).with_for_update())
                there |= {token(value._envelope) for value in row.first() or () if value is not None} & gone
            if there:
                vault_file(vault).add(there, "-")
    return len(there)


def want_search(connection: Connection, meta: Table) -> None:
    """Say in a database that was put back that it has to be searched; in the transaction that fills it."""
    connection.execute(delete(meta).where(meta.c.name == UNSEARCHED))
    connection.execute(meta.insert().values(name=UNSEARCHED, value="1"))


def clean_if_wanted(vault: Vault) -> int | None:
    """Take out of a database that was put back what had been changed or removed since; how many values. Run first.

    None where it was not put back, or has been searched since.

    Raises:
        StoreError: the file cannot be read.
    """
    meta = vault.home.schema.meta
    unsearched = meta.c.name == UNSEARCHED
    with vault.store.reading() as connection:
        if connection.execute(select(meta.c.name).where(unsearched)).first() is None:
            return None
        gone = vault_file(vault).read()
        found = list(_found(vault, connection, gone)) if gone else []
    with vault.session() as db:
        for kind, owner, identity, names in found:
            _take_out(db, vault, kind, owner, identity, names)
        if found:
            duties = [duty for duty in vault.policy.duties if (duty.verb, duty.object) == ("erase", "former")]
            vault.note(db.connection(), "done", "erase", "former", duties)
        db.execute(delete(meta).where(unsearched))
        db.commit()
    vault.store.want_checkpoint()
    return sum(len(names) for _, _, _, names in found)


def _gone(record: Record, *, whole: bool) -> Iterator[bytes]:
    """The envelopes that a record has in the database and will have no longer."""
    for name in record.__layout__.fields:
        history = get_history(record, name)
        for value in (*history.deleted, *(history.unchanged if whole else ())):
            if isinstance(value, Stored):
                yield value._envelope


def _found(vault: Vault, connection: Connection, gone: set[bytes]) -> Iterator[tuple[type[Any], str, str, list[str]]]:
    """The records that hold something that is gone, with the attributes."""
    token = _tokens(vault)
    for kind in vault.home.records:
        table, layout = kind.__table__, kind.__layout__
        columns = [table.c[layout.owner], table.c.id, *(table.c[name] for name in layout.fields)]
        with connection.execution_options(yield_per=1000).execute(select(*columns)) as rows:
            for owner, identity, *values in rows:
                names = [
                    name
                    for name, value in zip(layout.fields, values, strict=True)
                    if value is not None and token(value._envelope) in gone
                ]
                if names:
                    yield kind, owner, identity, names


def _take_out(db: Session, vault: Vault, kind: type[Any], owner: str, identity: str, names: list[str]) -> None:
    table, fields = kind.__table__, kind.__layout__.fields
    this = and_(table.c[kind.__layout__.owner] == owner, table.c.id == identity)
    row = db.execute(select(table).where(this)).one()._mapping
    if all(row[name] is None for name in fields if name not in names):
        link = vault.home.schema.link
        db.execute(delete(link).where(link.c.record_table == table.name, link.c.record_id == identity))
        db.execute(delete(table).where(this))
        return
    emptied: dict[str, Any] = {}
    for name in names:
        emptied |= dict.fromkeys(fields[name].columns)
        if not fields[name].optional:
            seal = vault.seal_of(db.get_one(vault.person_class, owner), identity)
            label, _ = seal.unseal(fields[name].id, row[name]._envelope)
            emptied[name] = Stored(fields[name], seal.seal(fields[name].id, label, b""))
    db.execute(update(table).where(this).values(emptied))
