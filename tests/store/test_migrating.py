"""Bringing a database up: what is new and may be empty is added, everything else is named and left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    inspect,
)

from avow.errors import SetupError
from avow.store.connection import Store
from avow.store.migrating import bring_up, differs
from avow.store.schema import declare


def shop(*more: Any, tables: Callable[[MetaData], object] = lambda metadata: None) -> MetaData:
    """Avow's tables, an order with more columns than it had, and more tables."""
    metadata = MetaData()
    declare(metadata)
    Table(
        "shop_order",
        metadata,
        Column("customer", String(32), ForeignKey("avow_person.id"), primary_key=True),
        Column("id", String(32), primary_key=True),
        Column("status", Text, nullable=False),
        *more,
    )
    tables(metadata)
    return metadata


def made(store: Store, metadata: MetaData) -> None:
    with store.writing() as connection:
        metadata.create_all(connection)
        connection.exec_driver_sql("INSERT INTO avow_person (id, epoch, wrapped, policy) VALUES ('a', 1, '', '')")
        connection.exec_driver_sql("INSERT INTO shop_order (customer, id, status) VALUES ('a', '1', 'paid')")


def brought_up(store: Store, metadata: MetaData) -> list[str]:
    with store.writing() as connection:
        return bring_up(connection, metadata)


def is_as_declared(store: Store, metadata: MetaData) -> bool:
    with store.reading() as connection:
        return not differs(connection, metadata)


def test_nothing_is_done_where_nothing_differs(opened: Store) -> None:
    made(opened, shop())
    assert brought_up(opened, shop()) == []


def test_what_is_new_and_may_be_empty_is_added_and_the_rows_stay(opened: Store) -> None:
    made(opened, shop())

    def newsletter(metadata: MetaData) -> None:
        owner = Column("person", String(32), ForeignKey("avow_person.id"), primary_key=True)
        Table("shop_newsletter", metadata, owner, Column("since", Integer, index=True))

    now = shop(
        Column("email_ix", LargeBinary, index=True),
        Column("packer", String(32), ForeignKey("avow_person.id")),
        Index("shop_order_status", "status"),
        tables=newsletter,
    )
    assert not is_as_declared(opened, now)
    assert sorted(brought_up(opened, now)) == [
        "the column `shop_order.email_ix`",
        "the column `shop_order.packer`",
        "the index `ix_shop_order_email_ix`",
        "the index `shop_order_status`",
        "the table `shop_newsletter`",
    ]
    assert is_as_declared(opened, now)
    with opened.reading() as connection:
        rows = connection.execute(now.tables["shop_order"].select()).all()
        assert [tuple(row) for row in rows] == [("a", "1", "paid", None, None)]
        keys = inspect(connection).get_foreign_keys("shop_order")
    assert sorted(key["constrained_columns"][0] for key in keys) == ["customer", "packer"]
    assert brought_up(opened, now) == []


def test_an_index_that_is_missing_beside_one_that_nobody_declares_is_added(opened: Store) -> None:
    made(opened, shop(Index("of_somebody_else", "status")))
    now = shop(Index("shop_order_status", "status"))
    assert brought_up(opened, now) == ["the index `shop_order_status`"]
    assert is_as_declared(opened, now)


def test_a_database_of_the_first_day_gets_every_table_of_ours(opened: Store) -> None:
    """As one that was made before there were tombstones."""
    metadata = MetaData()
    declare(metadata)
    old = MetaData()
    for table in metadata.sorted_tables:
        if table.name not in ("avow_tombstone", "avow_attempt"):
            table.to_metadata(old)
    with opened.writing() as connection:
        old.create_all(connection)
    assert sorted(brought_up(opened, metadata)) == ["the table `avow_attempt`", "the table `avow_tombstone`"]
    assert is_as_declared(opened, metadata)


def other(metadata: MetaData) -> None:
    Table("other", metadata, *(Column(name, String(32), primary_key=True) for name in ("customer", "id")))


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (shop(Column("cents", Integer, nullable=False)), "the column `shop_order.cents` is new and may not be empty"),
        (shop(Column("code", Text, unique=True)), "the column `shop_order.code` is new and unique"),
        (
            shop(
                Column("of", String(32)),
                ForeignKeyConstraint(["of", "id"], ["other.customer", "other.id"]),
                tables=other,
            ),
            "the column `shop_order.of` is new and a part of a key to another table",
        ),
    ],
)
def test_what_could_lose_something_is_named_and_nothing_is_changed(opened: Store, now: MetaData, said: str) -> None:
    before = shop(tables=other) if "other" in now.tables else shop()
    made(opened, before)
    now.tables["shop_order"].append_column(Column("note", Text), replace_existing=True)  # this one could be added
    with pytest.raises(SetupError) as error:
        brought_up(opened, now)
    assert said in str(error.value)
    assert is_as_declared(opened, before)


def test_a_column_that_is_gone_or_may_not_be_empty_any_more_is_named(opened: Store) -> None:
    made(opened, shop(Column("note", Text), Column("cents", Integer)))
    with pytest.raises(SetupError) as error:
        brought_up(opened, shop(Column("cents", Integer, nullable=False)))
    assert "the column `shop_order.note` is not declared any more" in str(error.value)
    assert "the column `shop_order.cents` may not be empty now" in str(error.value)


def test_tables_of_others_are_left_alone(opened: Store) -> None:
    made(opened, shop())
    with opened.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE somebody_elses (id INTEGER PRIMARY KEY)")
    assert brought_up(opened, shop(Column("note", Text))) == ["the column `shop_order.note`"]
