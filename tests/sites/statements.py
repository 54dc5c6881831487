"""Which statements a service sends to its tables of people, whether each leads with the person, and how it is found.

A statement leads with the person if it names the owner of the rows that it is about: such statements can be sent to
where that person is kept, and take no longer among many people. Others have to be few, and each needs a reason.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, event

_ABOUT = re.compile(r"\b(?:FROM|UPDATE|JOIN)\s+(\w+)")
_GIVEN = re.compile(r"\([^()]*\?[^()]*\)|\?")


@contextmanager
def heard() -> Iterator[set[str]]:
    """Every statement that any engine of SQLite executes meanwhile."""
    found: set[str] = set()

    def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.add(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def asked(statement: str) -> str:
    """What a statement asks for, by its columns: `shop_login.token`; empty where it asks for all or for nobody."""
    where = " ".join(statement.partition("WHERE")[2].partition("ORDER BY")[0].partition("LIMIT")[0].split())
    return " ".join(_GIVEN.sub("", where).split())


def away_from_people(statements: set[str], records: list[Any]) -> dict[str, set[str]]:
    """Those of the statements about tables of people that do not lead with the person, by what they ask for."""
    owners = {record.__table__.name: record.__layout__.owner for record in records}
    found: dict[str, set[str]] = {}
    for statement in statements:
        tables = owners.keys() & set(_ABOUT.findall(statement))
        if len(tables) != 1 or not statement.startswith(("SELECT", "UPDATE", "DELETE")):
            continue
        [table] = tables
        if not re.search(rf"WHERE {table}\.{owners[table]} (=|IN)", " ".join(statement.split())):
            found.setdefault(asked(statement) or table, set()).add(statement)
    return found


def reads_whole_table(statement: str, tables: Mapping[str, Table], folder: Path) -> bool:
    """Whether SQLite goes through a whole table for it, for want of an index."""
    with sqlite3.connect(folder / "site.db") as database:
        plan = database.execute(f"EXPLAIN QUERY PLAN {statement}", [0] * statement.count("?")).fetchall()
    return any(step[3].startswith("SCAN") and step[3].split()[1] in tables for step in plan)
