"""Records: ordinary mapped classes whose personal columns are sealed under their owner's key.

`record_base()` makes one declarative base per site. Its `Record` adds to every class

- the primary key (owner, id): the owner leads, the id is made by the client;
- `policy`, the digest of the policy version under which the record was collected (never null);
- the owner's row, joined into every select, so that the key arrives with the record and opening
  a value does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sqlalchemy import ForeignKey, LargeBinary, MetaData, String, event
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column, relationship

from avow.errors import SealedError, SetupError
from avow.store.schema import ID_LENGTH, Schema, declare
from avow.vault.columns import INDEX_SUFFIX, Field, Outcome, Owner, Party
from avow.vault.envelope import Label, RecordSeal
from avow.vault.sealed import Given, Stored

if TYPE_CHECKING:
    from avow.vault.vault import Vault

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a record class is laid out: the attribute that names its owner, its personal fields by attribute,
    the attributes that may be written by name, and those of them that are plain; what becomes of it when its owner
    is erased (None where nobody else is concerned), and when one of its parties is.
    """

    owner: str
    fields: dict[str, Field]
    named: frozenset[str]
    plain: tuple[str, ...]
    erased: Outcome | None
    parties: dict[str, Outcome]


class Person:
    """A person: whose information it is. Mapped once per site; the key comes wrapped."""

    id: str
    epoch: int
    wrapped: bytes
    policy: str

    def __repr__(self) -> str:
        return "<person>"


class Record:
    """What every record of a site has. Subclass `site.Record`, not this."""

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, sort_order=-10, info={"avow": "id"})
    policy: Mapped[str] = mapped_column(
        String(64), ForeignKey("avow_policy.digest"), nullable=False, sort_order=-5, info={"avow": "policy"}
    )

    #: Why records of a class do not go along when people move to another installation; empty where they do.
    __stays__: ClassVar[str] = ""
    #: Whether a class holds what people want and do not want: consents, objections, wishes to be erased.
    __choices__: ClassVar[bool] = False
    __layout__: ClassVar[Layout]
    __home__: ClassVar[Home]
    avow_person: Person

    @property
    def owner_id(self) -> str:
        """The id of the person whose record this is."""
        return str(getattr(self, self.__layout__.owner))

    def _sealed(self, field: Field, text: str, label: Label) -> Stored:
        """Seal `text` for this record under its owner's key, unjudged: who calls it has judged."""
        sealed = self._seal().seal(field.id, label, text.encode())
        return Stored(field, sealed, self)

    def _unsealed(self, field: Field, sealed: bytes) -> str:
        """The text of an envelope of this record, unjudged: who calls it has judged.

        Raises:
            SealedError: the envelope was changed, or belongs to another person, record, field or site.
        """
        _, plaintext = self._seal().unseal(field.id, sealed)
        return plaintext.decode()

    def _collected(self, field: Field, sealed: bytes) -> int:
        """The hour since 1970 in which the value of an envelope of this record was collected.

        Raises:
            SealedError: as `_unsealed`.
        """
        label, _ = self._seal().unseal(field.id, sealed)
        return label.collected

    def _seal(self) -> RecordSeal:
        """What seals under the record's own key, which is derived from its owner's once for as long as it is loaded.

        A record that was given another owner or id in memory does not keep it: its values must not open as theirs.
        """
        owner, identity = self.owner_id, self.id
        known: tuple[str, str, RecordSeal] | None = self.__dict__.get("_avow_seal")
        if known is None or known[0] != owner or known[1] != identity:
            known = owner, identity, self.__home__.vault().seal_of(self.avow_person, identity, owner)
            self.__dict__["_avow_seal"] = known
        return known[2]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id[:8]}>"


class Home:
    """Where the records of one site live: their metadata, and the vault once the site is open."""

    def __init__(self, metadata: MetaData, schema: Schema) -> None:
        self.metadata = metadata
        self.schema = schema
        self.records: list[type[Any]] = []
        self._vault: Vault | None = None
        self._made: dict[Hashable, Any] = {}

    def vault(self) -> Vault:
        """The open vault.

        Raises:
            SetupError: the site has not been opened.
        """
        if self._vault is None:
            raise SetupError("the site is not open", help="call site.open(...) first, or `avow serve`")
        return self._vault

    def once(self, make: Callable[..., _Made], *given: Hashable) -> _Made:
        """What `make` makes of these, such as a statement: made once, and kept as long as this is."""
        key = (make, *given)
        if key not in self._made:
            self._made[key] = make(*given)
        made: _Made = self._made[key]
        return made

    def bind(self, vault: Vault | None) -> None:
        """Attach the vault of an opened site, or detach it."""
        self._vault = vault
        for record in self.records:
            for field in record.__layout__.fields.values():
                field.blind = vault.blind_of(field) if vault is not None and field.lookup else None


def record_base() -> tuple[Home, type[Any], type[Any]]:
    """Make the declarative base of one site: its home, its `Record` class and its `Person` class."""

    class Base(DeclarativeBase):
        metadata = MetaData()

    schema = declare(Base.metadata)
    home = Home(Base.metadata, schema)

    class SitePerson(Person, Base):
        __table__ = schema.person

    class SiteRecord(Record, Base):
        __abstract__ = True
        __home__ = home

        def __init_subclass__(cls, **kwargs: Any) -> None:
            cls.__layout__ = _lay_out(cls)
            cls.avow_person = relationship(  # type: ignore[assignment]
                SitePerson, lazy="joined", innerjoin=True, foreign_keys=lambda: [getattr(cls, cls.__layout__.owner)]
            )
            super().__init_subclass__(**kwargs)
            _guard_attributes(cls)
            home.records.append(cls)

    return home, SiteRecord, SitePerson


def _lay_out(cls: type[Any]) -> Layout:
    """Read the columns of a class body, and add the blind indexes of its lookup columns."""
    owner, erased, fields, parties = "", None, {}, {}
    for name, column in list(vars(cls).items()):
        if not isinstance(column, MappedColumn):
            continue
        kind = column.column.info.get("avow")
        if isinstance(kind, Owner):
            if owner:
                raise SetupError(
                    f"`{cls.__name__}` has two owners, `{owner}` and `{name}`",
                    help="one record belongs to one person; declare whom else it concerns with party(), or give the "
                    "other a record of their own",
                )
            owner, erased = name, kind.erased
        elif isinstance(kind, Party):
            parties[name] = kind.erased
        elif isinstance(kind, Field):
            kind.name = name
            fields[name] = kind
            if kind.lookup:
                index = mapped_column(LargeBinary, nullable=True, index=True, info={"avow": "index"})
                setattr(cls, name + INDEX_SUFFIX, index)
                cls.__annotations__[name + INDEX_SUFFIX] = Mapped[bytes | None]
    if not owner:
        raise SetupError(
            f"`{cls.__name__}` does not say whose it is", help="add a column: `customer: Mapped[str] = owner()`"
        )
    plain = tuple(
        name
        for name, column in vars(cls).items()
        if isinstance(column, MappedColumn) and column.column.info.get("avow") == "plain"
    )
    return Layout(owner, fields, frozenset((*fields, *plain, *parties)), plain, erased, parties)


def _guard_attributes(cls: type[Any]) -> None:
    for name, field in cls.__layout__.fields.items():
        event.listen(getattr(cls, name), "set", _setter(field), retval=True)
    event.listen(cls, "load", _on_load)
    event.listen(cls, "refresh", _on_refresh)


def _setter(field: Field) -> Any:
    def check(target: Record, value: Any, _old: Any, _initiator: Any) -> Any:
        if value is None and field.optional:
            if field.lookup:
                setattr(target, field.name + INDEX_SUFFIX, None)  # an index without its value would still answer
            return None
        if not isinstance(value, Stored):
            what = repr(value) if isinstance(value, Given) else f"a {type(value).__name__}"
            raise SealedError(
                f"`{type(target).__name__}.{field.name}` takes sealed values only, not {what}",
                help="write it through work.collect or work.update: that is judged and sealed",
            )
        if value._record is not target or value._field is not field:
            # A ciphertext copied elsewhere would not open: its owner, record and field are authenticated.
            raise SealedError(
                f"{value!r} belongs to another record or field",
                help="collect it into this one: that is a verdict and a new seal",
            )
        return value

    return check


def _on_load(record: Record, _context: Any) -> None:
    attributes = record.__dict__
    for name in record.__layout__.fields:
        value = attributes.get(name)
        if value is not None:
            value._record = record


def _on_refresh(record: Record, context: Any, _names: Any) -> None:
    _on_load(record, context)
