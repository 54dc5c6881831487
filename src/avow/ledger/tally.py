"""The tally: the cells of `avow.ledger.figures`, kept beside the ledger and added to whenever entries are integrated.

It can be counted anew from the entries at any time, and `avow ledger verify` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Final

from sqlalchemy import Connection, Text, delete, func, inspect, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from avow.errors import LedgerError
from avow.ledger.figures import Cell, Cells, date_of, number_of
from avow.store.schema import Schema

_ANEW: Final = (
    "the entries are right. Somebody who can write the database changed it: find out who; or it came to the "
    "installation later than the ledger. `avow ledger recount SITE` counts it anew"
)


def add(connection: Connection, schema: Schema, cells: Cells) -> None:
    """Add the cells of a batch of entries, in the transaction that integrates them."""
    if not cells:
        return
    table = schema.tally
    insert = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    # Sorted: two that add the same cells at once take PostgreSQL's locks on them in the same order.
    rows = [{**cell._asdict(), "times": times} for cell, times in sorted(cells.items())]
    more = {"times": table.c.times + insert.excluded.times}
    connection.execute(insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=more), rows)


def renew(connection: Connection, schema: Schema, cells: Cells) -> None:
    """Put other cells in place of all that are there."""
    connection.execute(delete(schema.tally))
    add(connection, schema, cells)


def read(connection: Connection, schema: Schema, *, since: int = 0, until: int = 2**31 - 1) -> list[tuple[Cell, int]]:
    """The cells of the days from `since` to before `until`, counted from 1970-01-01, in the order of `Cell`."""
    table = schema.tally
    wanted = select(table).where(table.c.day >= since, table.c.day < until).order_by(*table.primary_key)
    return [(Cell(*row[:-1]), row.times) for row in connection.execute(wanted)]


def check(connection: Connection, schema: Schema, counted: Counter[Cell]) -> None:
    """That the tally is what the entries say: every row of it, also one that no day shows.

    Raises:
        LedgerError: it is missing, or naming the first row that is not what the entries say.
    """
    table = schema.tally
    if not inspect(connection).has_table(table.name):
        raise LedgerError(f"the tally of the ledger is missing: there is no table `{table.name}`", help=_ANEW)
    try:
        if connection.dialect.name == "sqlite":  # which keeps whatever is put into a column
            kinds = {column.name: "text" if isinstance(column.type, Text) else "integer" for column in table.columns}
            odd = or_(*(func.typeof(table.c[name]) != kind for name, kind in kinds.items()))
            if connection.scalar(select(func.count()).select_from(table).where(odd)):
                raise LedgerError(
                    "the tally of the ledger has rows that are none: a day, a word or a number is of another kind",
                    help=_ANEW,
                )
        rows = connection.execute(select(table)).all()
    except DBAPIError as error:
        raise LedgerError(f"the tally of the ledger cannot be read: {error.orig}", help=_ANEW) from None
    compare(((Cell(*row[:-1]), row.times) for row in rows), counted)


def compare(kept: Iterable[tuple[Cell, int]], counted: Counter[Cell]) -> None:
    """That rows of the tally are what entries say.

    Raises:
        LedgerError: naming the first cell that is not.
    """
    found = dict(kept)
    for cell in sorted({*found, *counted}):
        there, said = found.get(cell), counted.get(cell)
        if there != said:
            also = ", in a row that was put in" if there == 0 and not said else ""
            raise LedgerError(
                f"the tally of `{cell.anchor}` on {_named(cell.day)} ({cell.event} {cell.verb}) is {there or 0}{also}, "
                f"and the entries say {said or 0}",
                help=_ANEW,
            )


def _named(day: int) -> str:
    """A day by its date, if it has one."""
    return str(date_of(day)) if 0 <= day <= number_of(date.max) else f"day {day}"
