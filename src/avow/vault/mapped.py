"""What SQLAlchemy has mapped a class to, as far as it takes to read and write its rows by the driver itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Table

if TYPE_CHECKING:
    from sqlalchemy.orm import Mapper


def table_of(mapper: Mapper[Any]) -> Table:
    """The one table of a class: none of ours inherits from another."""
    table = mapper.local_table
    assert isinstance(table, Table)
    return table


def columns_of(mapper: Mapper[Any]) -> dict[str, Column[Any]]:
    """The columns of a class by its attributes, without those that are worked out by a statement."""
    found = {each.key: each.columns[0] for each in mapper.column_attrs}
    return {name: column for name, column in found.items() if isinstance(column, Column)}
