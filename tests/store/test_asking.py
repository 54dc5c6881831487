"""A row that the driver itself is asked for is the row that SQLAlchemy gives, and fails as by SQLAlchemy."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    bindparam,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError

from avow.store.asking import Asking
from avow.store.connection import Store
from avow.testing.postgres import Server


class Colour(enum.Enum):
    """A type that lies in the database by another name."""

    RED = 1


METADATA = MetaData()
ALL_KINDS = Table(
    "all_kinds",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("count", Integer),
    Column("share", Float),
    Column("paid", Boolean),
    Column("day", Date),
    Column("moment", DateTime(timezone=True)),
    Column("price", Numeric(10, 2)),
    Column("more", JSON),
    Column("bytes", LargeBinary),
    Column("colour", Enum(Colour)),
)
FULL: dict[str, Any] = {
    "name": "full",
    "count": 3,
    "share": 0.25,
    "paid": True,
    "day": date(2026, 11, 23),
    "moment": datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
    "price": Decimal("12.30"),
    "more": {"a": [1, None]},
    "bytes": b"\x00\xff",
    "colour": Colour.RED,
}
BY_NAME = select(ALL_KINDS).where(ALL_KINDS.c.name == bindparam("asked"), ALL_KINDS.c.name != bindparam("other"))


@pytest.fixture
def opened(store: str) -> Iterator[Store]:
    opened = Store.open(store)
    METADATA.create_all(opened.engine)
    with opened.writing() as connection:
        connection.execute(ALL_KINDS.insert(), FULL)
        connection.execute(ALL_KINDS.insert(), {"name": "empty"})
    yield opened
    opened.close()


@pytest.mark.parametrize("name", ["full", "empty", "nobody"])
def test_each_type_comes_as_sqlalchemy_has_it(opened: Store, name: str) -> None:
    asking, values = Asking(opened, BY_NAME), {"other": "x", "asked": name}
    with opened.reading() as connection:
        expected = connection.execute(BY_NAME, values).first()
        for _ in range(2):  # the first time it learns how
            found = asking.only(connection, values)
            assert found == (None if expected is None else list(expected))
            assert [type(value) for value in found or ()] == [type(value) for value in expected or ()]


def test_a_statement_that_fails_does_so_as_by_sqlalchemy_and_shows_no_value(opened: Store) -> None:
    with opened.writing() as connection:
        connection.execute(text("DROP TABLE all_kinds"))
    with pytest.raises(DBAPIError, match="all_kinds") as caught, opened.reading() as connection:
        Asking(opened, BY_NAME).only(connection, {"asked": "a secret", "other": "x"})
    assert "a secret" not in f"{caught.value}{caught.value!r}{caught.value.__cause__!r}"


def test_a_connection_that_is_cut_is_given_to_nobody_again(postgres: Server) -> None:
    opened = Store.open(postgres.fresh_database())
    METADATA.create_all(opened.engine)
    asking, values = Asking(opened, BY_NAME), {"asked": "full", "other": "x"}

    def ask(*, cut: bool) -> list[Any] | None:
        with opened.reading() as connection:
            own = connection.scalar(text("SELECT pg_backend_pid()"))
            if cut:
                with opened.writing() as other:
                    other.execute(text("SELECT pg_terminate_backend(:own, 5000)"), {"own": own})
            return asking.only(connection, values)

    with pytest.raises(OperationalError, match="FROM all_kinds"):
        ask(cut=True)
    assert opened.reader.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert ask(cut=False) is None
    opened.close()
