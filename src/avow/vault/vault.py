"""The vault of one open installation: its store, its keys, its policy, and what they need of the world.

Everything that a unit of work needs is held here once: time and randomness included, so that a test
can freeze the one and nothing below the vault knows either.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session, sessionmaker

from avow.engine import Policy
from avow.errors import KeyringError, StoreError
from avow.keys.hierarchy import PersonKeys
from avow.keys.keyring import FileKeyring
from avow.store.connection import Store
from avow.vault.blind import BlindIndex
from avow.vault.columns import Field, refuse_sorting
from avow.vault.lines import Lines
from avow.vault.record import Home, Person, check_records


class Guard(Protocol):
    """Watches what was opened; see `avow.edge.guard`."""

    def watch(self, category: str, value: str) -> None:
        """Search for `value` at every exit from now on."""


#: Finds personal information where none was declared: text to the categories seen in it.
Inspector = Callable[[str], Iterable[str]]


def new_id() -> str:
    """A record's id: 128 random bits in hexadecimal, made by the client."""
    return secrets.token_hex(16)


@dataclass(eq=False)
class Vault:
    """What one open installation holds. Made by `Site.open`; units of work are opened on it.

    `subject` and its visitor counterpart are the policy's names for whose information it is;
    `clock` gives unix seconds; `inspectors` look into free text; `new_guard` makes what watches opened values.
    """

    store: Store
    policy: Policy
    keyring: FileKeyring
    home: Home
    person_class: type[Any]
    clock: Callable[[], float]
    subject: str
    new_guard: Callable[[], Guard]
    inspectors: tuple[Inspector, ...] = ()
    after_commit: Callable[[], None] = lambda: None
    tenant: str = field(init=False)
    _keys: PersonKeys = field(init=False)
    _sessions: sessionmaker[Session] = field(init=False)

    def __post_init__(self) -> None:
        self.tenant = self.keyring.tenant
        self._keys = PersonKeys(self.keyring, self.tenant)
        self._blind = BlindIndex(self.keyring.secret("blind"))
        refuse_sorting(self.store.engine)
        self._pending = self.home.schema.pending.insert()
        self._sessions = sessionmaker(self.store.engine, expire_on_commit=False)

    def prepare(self) -> None:
        """Create what is missing in the database, and check that it and the keyring belong together.

        Raises:
            SetupError: a record does not fit the policy.
            KeyringError: the database was sealed with other keys.
            StoreError: the database cannot be written.
        """
        check_records(self.home, frozenset(self.policy.vocabulary.words["category"]))
        schema = self.home.schema
        try:
            fresh = not inspect(self.store.engine).has_table(schema.meta.name)
            schema.metadata.create_all(self.store.engine)
            with self.store.writing() as connection:
                known = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == "tenant"))
                if known is None:
                    if not fresh:
                        raise StoreError("the database does not say which installation it belongs to")
                    connection.execute(schema.meta.insert().values(name="tenant", value=self.tenant))
                elif known != self.tenant:
                    raise KeyringError(
                        "the database was sealed with the keys of another installation",
                        help="put back the keyring that belongs to it; without that, nothing in it can be opened",
                    )
                digest = schema.policy.c.digest
                if connection.scalar(select(digest).where(digest == self.policy.digest)) is None:
                    connection.execute(
                        schema.policy.insert().values(
                            digest=self.policy.digest,
                            version=self.policy.version,
                            effective=self.policy.effective.isoformat(),
                            source=self.policy.source,
                            since=self.hour(),
                        )
                    )
        except DatabaseError as error:
            raise StoreError(
                f"the database cannot be prepared: {type(error.orig).__name__}",
                help="check that it is Avow's own, undamaged, and that this user may write it",
            ) from None
        self.home.bind(self)

    def close(self) -> None:
        """Detach the records and give back the connections."""
        self.home.bind(None)
        self.store.close()

    def session(self) -> Session:
        """A session of SQLAlchemy."""
        return self._sessions()

    def hour(self) -> int:
        """The present time in whole hours since 1970: as coarse as the ledger knows it."""
        return int(self.clock() // 3600)

    def new_person(self) -> Person:
        """A person with a random id and a key of their own, not yet written."""
        identity = new_id()
        epoch, wrapped = self._keys.new(identity)
        person: Person = self.person_class(id=identity, epoch=epoch, wrapped=wrapped, policy=self.policy.digest)
        return person

    def write_down(self, lines: Lines, connection: Connection) -> None:
        """Write the lines of a unit as pending ledger entries, in the transaction of `connection`."""
        rows = lines.rows(self.policy.digest, self.hour())
        # One row not as a batch of one: PostgreSQL's driver would open a pipeline for it.
        connection.execute(self._pending, rows if len(rows) > 1 else rows[0])

    def key_of(self, person: Person) -> bytes:
        """The key of a person, unwrapped from the bytes that came with the row."""
        return self._keys.get(person.id, person.epoch, person.wrapped)

    def blind_of(self, field: Field) -> Callable[[str], bytes]:
        """The function that maps a text of `field` to its blind index."""
        return lambda text: self._blind.of(field.id, text, kind=field.lookup or "exact")
