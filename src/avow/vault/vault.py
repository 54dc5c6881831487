"""The vault of one open installation: its store, its keys, its policy, and what they need of the world.

Everything that a unit of work needs is held here once: time and randomness included, so that a test
can freeze the one and nothing below the vault knows either.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from avow.engine import Policy
from avow.errors import KeyringError, StoreError
from avow.keys.hierarchy import PersonKeys, record_subkey, wrap_person
from avow.keys.provider import KeyProvider
from avow.ledger.kept import NAME as CHECKPOINT
from avow.ledger.waiting import WaitingSeal
from avow.store.adding import Adding
from avow.store.connection import Store
from avow.store.migrating import bring_up
from avow.store.together import Together
from avow.values import NO_FACTS, Duty, Facts
from avow.vault import former
from avow.vault.applying import check_supplied
from avow.vault.attesting import Attesting
from avow.vault.blind import BlindIndex, Kind
from avow.vault.columns import Field, refuse_sorting
from avow.vault.envelope import RecordSeal
from avow.vault.erasure import replay, verdict_of
from avow.vault.fitting import check_records
from avow.vault.lines import Line, Lines
from avow.vault.older import Older
from avow.vault.published import lost, published, put_in_force, refuse_foreign
from avow.vault.record import Home, Person, Record
from avow.vault.retention import Task, earlier_tasks, tasks
from avow.vault.sessions import Sessions
from avow.vault.shredding import note_shredded
from avow.vault.standing import Standing
from avow.vault.tombstones import NAME as TOMBSTONES
from avow.vault.tombstones import TombstoneFile, receipt_of
from avow.vault.traces import TraceSeal

if TYPE_CHECKING:
    from avow.vault.unit import Unit

log = logging.getLogger("avow.vault")

#: No people.
NOBODY: Mapping[str, tuple[int, bytes]] = MappingProxyType({})


class Guard(Protocol):
    """Watches what was opened; see `avow.edge.guard`."""

    def watch(self, category: str, value: str) -> None:
        """Search for `value` at every exit from now on."""

    def search(self, data: bytes) -> set[str]:
        """The categories whose watched values are in `data`."""


#: Finds personal information where none was declared: text to the categories seen in it.
Inspector = Callable[[str], Iterable[str]]


def new_id() -> str:
    """A record's id: 128 random bits in hexadecimal, made by the client."""
    return secrets.token_hex(16)


@dataclass(eq=False)
class Vault:
    """What one open installation holds. Made by `Site.open`; units of work are opened on it.

    `data` is the folder of what is kept outside the database.
    `subject` and its visitor counterpart are the policy's names for whose information it is, `acceptance` that of the
    category that acceptances of it are kept as;
    `publishes` says whether its policy may come into force by this, and a database be begun; `formerly` is what the
    site was called before; `announces` tells whether a new version of the policy is being announced,
    `facts_of` tells what the site knows of a record and its owner, for a unit that deals with it;
    `clock` gives unix seconds; `inspectors` look into text that comes in, `exit_inspectors`
    into what goes out; `new_guard` makes what watches opened values.
    `unsure` is whether a commit failed whose changes were told of: what is there has to be looked at (`former`).
    """

    store: Store
    data: Path
    policy: Policy
    keyring: KeyProvider
    home: Home
    person_class: type[Any]
    clock: Callable[[], float]
    subject: str
    new_guard: Callable[[], Guard]
    acceptance: str = "acceptance"
    publishes: bool = True
    formerly: str | None = None
    inspectors: tuple[Inspector, ...] = ()
    exit_inspectors: tuple[Inspector, ...] = ()
    after_commit: Callable[[], None] = lambda: None
    announces: Callable[[], bool] = lambda: False
    facts_of: Callable[[Any, Record, str | None], Facts] = lambda unit, record, recipient: NO_FACTS
    tenant: str = field(init=False)
    tombstones: TombstoneFile = field(init=False)
    tasks: list[Task] = field(init=False, default_factory=list)
    unsure: bool = field(init=False, default=False)
    older: Older = field(init=False)
    standing: Standing = field(init=False)
    attesting: Attesting = field(init=False)
    pending: Adding = field(init=False)
    waiting: WaitingSeal = field(init=False)
    _keys: PersonKeys = field(init=False)
    _together: Together = field(init=False)
    _sessions: Sessions = field(init=False)

    def __post_init__(self) -> None:
        self.tenant = self.keyring.tenant
        self.tombstones = TombstoneFile(self.data / TOMBSTONES)
        self._keys = PersonKeys(self.keyring, self.tenant)
        self.older = Older(self)
        self.standing = Standing(self)
        self.attesting = Attesting(self)
        self._blind = BlindIndex(self.keyring.secret("blind"))
        refuse_sorting(self.store.engine)
        refuse_sorting(self.store.reader)
        self.waiting = WaitingSeal(self.keyring.secret("log"))
        self.pending = Adding(self.store, self.home.schema.pending, self.home.schema.trace)
        self._together = Together(self.pending)
        self._sessions = Sessions(self.store)
        self._sessions.listen("after_flush", self._check_epochs)
        former.watch(self, self._sessions)

    def prepare(self) -> None:
        """Create what is missing in the database, and check that it and the keyring belong together.

        Raises:
            SetupError: a record does not fit the policy, or the database the records; or what the policy says must be
                gone cannot be; or the database is another site's, or under another version that is not to be replaced.
            KeyringError: the database was sealed with other keys.
            StoreError: the database cannot be written, or is empty where it was not.
        """
        check_records(self.home, frozenset(self.policy.vocabulary.words["category"]))
        self.tasks = tasks(self.home, self.policy)
        schema = self.home.schema
        try:
            fresh = not inspect(self.store.engine).has_table(schema.meta.name)
            if fresh and (not self.publishes or (self.data / CHECKPOINT).exists()):
                raise lost(self.data)  # nothing is begun anew over what people have given
            with self.store.writing() as connection:
                if fresh:
                    schema.metadata.create_all(connection)
                else:
                    refuse_foreign(connection, schema, self.policy, self.formerly)
                    for added in bring_up(connection, schema.metadata):
                        log.warning("%s was added to the database", added)
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
                put_in_force(connection, schema, self.policy, self.hour(), publishes=self.publishes)
                published(connection, schema)  # nobody has loosened what earlier versions say
        except DatabaseError as error:
            raise StoreError(
                f"the database cannot be prepared: {type(error.orig).__name__}",
                help="check that it is Avow's own, undamaged, and that this user may write it",
            ) from None
        self.home.bind(self)

    def resume(self) -> bool:
        """Bring to its end what a crash or a restore has left open: nobody who was erased is served.

        Whether the database was put back: then something may be in it whose time has come since.

        Raises:
            StoreError: the tombstones cannot be read.
            SetupError: what an earlier version of the policy has destroyed cannot be, as the records are now.
        """
        self.tasks += earlier_tasks(self.home, self.older)
        replay(self)
        put_back = former.clean_if_wanted(self) is not None
        note_shredded(self)
        return put_back

    def close(self) -> None:
        """Detach the records and give back the connections."""
        self.home.bind(None)
        self._sessions.close()
        self.store.close()

    def learn(self, unit: Unit, record: Record, recipient: str | None) -> Facts:
        """What is known of a record and its owner: by the site, and by the vault itself.

        Raises:
            SetupError: the site tells what the vault knows by itself.
        """
        told = self.facts_of(unit, record, recipient)
        check_supplied(told)
        return {**told, **self.standing.known(unit, record)}

    def session(self, *, reads: bool = False, on: Connection | None = None) -> Session:
        """A session of SQLAlchemy; see `avow.vault.sessions`."""
        return self._sessions.open(reads=reads, on=on)

    def hour(self) -> int:
        """The present time in whole hours since 1970: as coarse as the ledger knows it."""
        return int(self.clock() // 3600)

    def new_person(self, identity: str | None = None, policy: str | None = None) -> Person:
        """A person with a key of their own, not yet written: with a random id and under the version in force.

        Who comes from another installation keeps their id, and the version that they are under.
        """
        identity = identity or new_id()
        epoch, wrapped = self._keys.new(identity)
        person: Person = self.person_class(
            id=identity, epoch=epoch, wrapped=wrapped, policy=policy or self.policy.digest
        )
        return person

    def _check_epochs(self, session: Session, _context: Any) -> None:
        """Nobody stays under an epoch that is about to be destroyed.

        Looked at when they have been inserted and not yet committed: who destroys it waits for that first. See
        `avow.vault.shredding`.
        """
        made = [person for person in session.new if isinstance(person, Person)]
        newest = self.keyring.status().current if made else 0
        table = self.home.schema.person
        for person in made:
            if person.epoch != newest:
                key = self.key_of(person)
                self.forget(person.wrapped)
                epoch, wrapped = wrap_person(self.keyring, self.tenant, person.id, key)
                values = {"epoch": epoch, "wrapped": wrapped}
                session.connection().execute(table.update().where(table.c.id == person.id).values(values))
                for name, value in values.items():
                    set_committed_value(person, name, value)

    def write_down(
        self, gathered: list[Lines], connection: Connection | None, people: Mapping[str, tuple[int, bytes]] = NOBODY
    ) -> None:
        """Write the lines of a unit as pending ledger entries, if there are any, in the transaction of `connection`.

        Without one it is a transaction that holds nothing else, and that other units share. With each entry goes what
        leads those whom it is about to it, as far as they are among `people`: the epochs and wrapped keys of some.

        Raises:
            StoreError: nothing of it was written.
            DatabaseError: the same.
            KeyringError: the same; a key of somebody cannot be unwrapped.
        """
        if not any(gathered):
            return
        lines = [line for each in gathered for line in each.lines(self.policy.digest, self.hour())]
        rows, traces = self.sealed_rows(lines), list(self._traces(lines, people))
        if connection is None:
            self._together.write(rows, traces)
        else:
            self.pending.add(connection, rows, traces)

    def _traces(self, lines: list[Line], people: Mapping[str, tuple[int, bytes]]) -> Iterator[tuple[str, str, bytes]]:
        """The rows that lead people to entries about them."""
        seals: dict[str, TraceSeal] = {}
        for line in lines:
            for owner, trace in line.traces.items():
                if owner in people:
                    if owner not in seals:
                        seals[owner] = TraceSeal(self._keys.get(owner, *people[owner]), self.tenant, owner)
                    identity = new_id()
                    yield owner, identity, seals[owner].seal(identity, trace)

    def trace_seal(self, person: Person) -> TraceSeal:
        """What opens the traces of a person."""
        return TraceSeal(self.key_of(person), self.tenant, person.id)

    def sealed_rows(self, lines: Iterable[Line]) -> list[tuple[str, bytes]]:
        """The rows that lines become, as they wait for the ledger."""
        return [(line.id, self.waiting.seal(line.id, line.body)) for line in lines]

    def written(self, gathered: list[Lines]) -> None:
        """Say that the transaction with these lines in it is over: they are forgotten, and the ledger goes on."""
        if any(gathered):
            self.after_commit()
        for lines in gathered:
            lines.clear()

    def note(
        self, connection: Connection, event: str, verb: str, object: str, duties: list[Duty], under: str | None = None
    ) -> None:
        """Note for the ledger, outside any unit, what came of duties that are carried out.

        `under` is the digest of the earlier version of the policy that they are of, if they are of one.
        """
        lines = Lines()
        lines.add(event, verb, object, None, None, verdict_of(duties), under=under or "")
        self.write_down([lines], connection)

    def receipt_of(self, person: str) -> str:
        """The receipt of the erasure of the person of an id, whether they have been erased or not."""
        return receipt_of(self.keyring.secret("tombstone"), self.tenant, person)

    def forget(self, wrapped: bytes) -> None:
        """Drop the key of a person from memory: they were erased, or it was wrapped again."""
        self._keys.forget(wrapped)

    def key_of(self, person: Person) -> bytes:
        """The key of a person, unwrapped from the bytes that came with the row."""
        return self._keys.get(person.id, person.epoch, person.wrapped)

    def seal_of(self, person: Person, record: str, owner: str | None = None) -> RecordSeal:
        """What seals and opens the values of one record of a person, under a key of its own.

        `owner` is whose the record says it is, where that is to be checked against the person: it is authenticated.
        """
        subkey = record_subkey(self.key_of(person), record)
        return RecordSeal(subkey, tenant=self.tenant, person=owner or person.id, record=record)

    def index_of(self, name: str, text: str, kind: Kind = "email") -> bytes:
        """The blind index of a text under a name of its own: it is recognised there and matches no column's."""
        return self._blind.of(f"avow:{name}", text, kind=kind)

    def blind_of(self, field: Field) -> Callable[[str], bytes]:
        """The function that maps a text of `field` to its blind index."""
        return lambda text: self._blind.of(field.id, text, kind=field.lookup or "exact")
