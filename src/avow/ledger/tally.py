"""The tally: the cells of `avow.ledger.figures`, kept beside the ledger and added to whenever entries are integrated.

It can be counted anew from the entries at any time, and `avow ledger verify` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from avow.errors import LedgerError
from avow.ledger.figures import Cell, Cells
from avow.store.schema import Schema


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


def read(connection: Connection, schema: Schema, *, since: int = 0, until: int = 2**31 - 1) -> list[tuple[Cell, int]]:
    """The cells of the days from `since` to before `until`, counted from 1970-01-01, in the order of `Cell`."""
    table = schema.tally
    wanted = select(table).where(table.c.day >= since, table.c.day < until).order_by(*table.primary_key)
    return [(Cell(*row[:-1]), row.times) for row in connection.execute(wanted)]


def compare(kept: Iterable[tuple[Cell, int]], counted: Counter[Cell]) -> None:
    """That the tally is what the entries say.

    Raises:
        LedgerError: naming the first cell that is not.
    """
    found = dict(kept)
    for cell in sorted({*found, *counted}):
        if found.get(cell, 0) != counted[cell]:
            raise LedgerError(
                f"the tally of `{cell.anchor}` on {cell.date} ({cell.event} {cell.verb}) is {found.get(cell, 0)}, and "
                f"the entries say {counted[cell]}",
                help="the entries are right: it was changed by somebody who can write the database; find out who",
            )
