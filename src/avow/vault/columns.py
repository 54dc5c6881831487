"""The three kinds of column a record may have: whose it is, what is personal, what is plain.

A column that is none of the three is refused when the site is opened. A personal column stores only
envelopes: text assigned to it, compared with it, sorted or grouped by it is an error, in Python and in
SQL expressions alike. Equality on a `lookup` column goes to its blind index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, NoReturn

from sqlalchemy import Float, ForeignKey, LargeBinary, String
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.sql import ColumnElement, operators
from sqlalchemy.types import TypeDecorator

from avow.errors import SealedError
from avow.store.schema import ID_LENGTH
from avow.vault.blind import Kind
from avow.vault.sealed import Stored

#: Suffix of the column that holds the blind index of a lookup column.
INDEX_SUFFIX = "_ix"


#: What becomes of a record of several people when one of them is erased.
Outcome = Literal["delete", "anonymise", "keep"]


class Field:
    """One personal column: its category, and the stable id under which its values are sealed.

    `name` is the attribute in Python and may change; `id` is part of every envelope and may not.
    `of` is the attribute of the party that it tells of, empty for the owner.
    `blind` is bound when the site is opened: it maps a text to its blind index.
    """

    __slots__ = ("blind", "category", "id", "lookup", "name", "of", "optional")

    def __init__(self, category: str, id: str, *, lookup: Kind | None, optional: bool, of: str = "") -> None:
        self.of = of
        self.category = category
        self.id = id
        self.lookup = lookup
        self.optional = optional
        self.name = ""
        self.blind: Callable[[str], bytes] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold it: its own, and that of its blind index."""
        return (self.name, self.name + INDEX_SUFFIX) if self.lookup else (self.name,)

    def __repr__(self) -> str:
        return f"<field {self.id}: {self.category}>"


class SealedColumn(TypeDecorator[Any]):
    """The SQL type of a personal column: envelopes in, `Stored` values out."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """The envelope as it is stored; anything but a sealed value is refused."""
        if value is None:
            return None
        if not isinstance(value, Stored):
            raise SealedError(
                f"`{self.field.id}` takes sealed values only", help="write it through work.collect or work.update"
            )
        return value._envelope

    def process_result_value(self, value: Any, dialect: Dialect) -> Stored | None:
        """A sealed value around the envelope; its record is bound when the record is loaded."""
        return None if value is None else Stored(self.field, bytes(value))

    def stored(self, envelope: bytes) -> Stored:
        """An envelope as a value of this column; it opens once it is in the record that it was sealed for."""
        return Stored(self.field, envelope)

    def compare_values(self, x: Any, y: Any) -> bool:
        """Whether an update may be left out: only for the very same value, as envelopes never repeat."""
        return x is y

    def process_literal_param(self, value: Any, dialect: Dialect) -> NoReturn:
        """A statement's text is logged and cached: nothing sealed is written into it."""
        raise SealedError(f"`{self.field.id}` cannot be written into a statement's text")

    class Comparator(TypeDecorator.Comparator[Any]):
        """Equality by blind index; whether there is a value at all; nothing else."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
            """The expression for `op`, or the refusal of it."""
            if op in (operators.is_, operators.is_not) and other == (None,):
                return super().operate(op, *other, **kwargs)
            column: Any = self.expr
            field: Field = column.type.field
            if field.lookup is not None and op in (operators.eq, operators.in_op) and field.blind is not None:
                index: ColumnElement[Any] = column.table.c[column.name + INDEX_SUFFIX]
                wanted = other[0] if op is operators.in_op else [other[0]]
                return index.in_([field.blind(_text(value)) for value in wanted])
            raise SealedError(
                f"`{field.id}` is sealed: it cannot be compared, searched, sorted or grouped",
                help="declare it with lookup= for equality; everything else happens outside the database",
            )

        def reverse_operate(self, op: Any, other: Any, **kwargs: Any) -> ColumnElement[Any]:
            """The same with the operands the other way round."""
            return self.operate(op, other, **kwargs)

    comparator_factory = Comparator


def _text(value: Any) -> str:
    return value if isinstance(value, str) else value._reveal()


@dataclass(frozen=True, slots=True)
class Owner:
    """The column that says whose record it is; `erased` is what becomes of the record when they are erased."""

    erased: Outcome | None


@dataclass(frozen=True, slots=True)
class Party:
    """A column that names another person whom the record concerns; `erased` as in `Owner`."""

    erased: Outcome


def owner(*, erased: Outcome | None = None) -> MappedColumn[str]:
    """The column that says whose record it is: the first part of its primary key.

    Args:
        erased: what becomes of a record that concerns others too (`party`) when its owner is erased: `delete` it;
            `keep` it, as the other's from then on; `anonymise`: the other keeps it without the owner's values. A
            record of one person alone is deleted, and nothing is said here.
    """
    return mapped_column(
        String(ID_LENGTH),
        ForeignKey("avow_person.id"),
        primary_key=True,
        sort_order=-20,  # the owner leads the key, so that a distributed store keeps a person in one place
        info={"avow": Owner(erased)},
    )


def party(*, erased: Outcome) -> MappedColumn[Any]:
    """A column that names another person whom a record concerns: who a message was for, who filled an order.

    Args:
        erased: what becomes of the record when they are erased: `delete` it; `keep` it, without their name;
            `anonymise`: also without the values that are `of` them.
    """
    return mapped_column(
        String(ID_LENGTH), ForeignKey("avow_person.id"), nullable=True, index=True, info={"avow": Party(erased)}
    )


def personal(
    category: str, *, field: str, lookup: Kind | None = None, optional: bool = False, of: str = ""
) -> MappedColumn[Any]:
    """A column of personal information.

    Args:
        category: the kind of information, by its name in the policy.
        field: the stable id of this field, unique in the site. A rename of the attribute keeps it.
        lookup: `exact` or `email`: keep a blind index, so that equality can be asked.
            Not for values that somebody could guess by trying them all.
        optional: whether a record may lack it.
        of: the attribute of the party that it tells of, where it is not about the owner.
    """
    spec = Field(category, field, lookup=lookup, optional=optional, of=of)
    return mapped_column(SealedColumn(spec), nullable=optional, info={"avow": spec})


def plain(why: str, **options: Any) -> MappedColumn[Any]:
    """A column that holds no personal information; `why` says what it holds instead."""
    if not why.strip():
        raise SealedError("a plain column needs its reason", help='write it: plain("workflow state")')
    return mapped_column(info={"avow": "plain", "why": why}, **options)


@dataclass(frozen=True, slots=True)
class Moment:
    """The event of a `moment` column, and after how many seconds what it sets going is carried out, if that is said."""

    event: str
    after: float | None


def moment(event: str, why: str, *, after: timedelta | None = None) -> MappedColumn[float | None]:
    """A plain column of unix seconds: when an event of the policy happened to this record, None if it has not.

    What the policy says must be destroyed or erased within some time after `event` is carried out by itself.

    Args:
        event: by its name in the policy, with its arguments: `erasure_asked`, `discovered(age)`.
        why: as in `plain`.
        after: how long to wait, where that is not up to the last day of the time: to let somebody think it over.
    """
    if not why.strip():
        raise SealedError("a plain column needs its reason", help='write it: moment("arrived", "when it came")')
    kept = Moment(event, None if after is None else after.total_seconds())
    return mapped_column(Float, nullable=True, index=True, info={"avow": "plain", "why": why, "moment": kept})


def refuse_sorting(engine: Engine) -> None:
    """Let no statement of `engine` sort or group by a sealed column.

    It means nothing, and its order would say something. Looked at when a statement is compiled, which SQLAlchemy does
    once for statements of one shape.
    """
    dialect = engine.dialect
    dialect.statement_compiler = type("Compiler", (_NoSorting, dialect.statement_compiler), {})


class _NoSorting:
    """Goes before a dialect's compiler of SQL: tells each column below a sorting clause that it is sorted by.

    So a column is found under any name, also where the clause is the text of a label.
    """

    def order_by_clause(self, select: Any, **options: Any) -> Any:
        return super().order_by_clause(select, **{**options, "sorting": True})  # type: ignore[misc]

    def group_by_clause(self, select: Any, **options: Any) -> Any:
        return super().group_by_clause(select, **{**options, "sorting": True})  # type: ignore[misc]

    def visit_over(self, over: Any, **options: Any) -> Any:
        return super().visit_over(over, **{**options, "sorting": True})  # type: ignore[misc]

    def visit_column(self, column: Any, *, sorting: bool = False, **options: Any) -> Any:
        if sorting and isinstance(column.type, SealedColumn):
            raise SealedError(
                f"`{column.type.field.id}` is sealed: nothing can be sorted or grouped by it",
                help="sort by a plain column, or open the values and sort them in the unit",
            )
        return super().visit_column(column, **options)  # type: ignore[misc]

    def visit_label(self, label: Any, *, sorting: bool = False, **options: Any) -> Any:
        if sorting and isinstance(label.type, SealedColumn):
            self.visit_column(label, sorting=True)  # where only the label's name is written, its column is not visited
        return super().visit_label(label, **options, sorting=sorting)  # type: ignore[misc]
