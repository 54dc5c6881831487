"""Attempts at something that could be guessed: counted in the database, and slowed down when they go on.

What is counted is a keyed hash of the words typed in, an address for one, whether or not anybody is known by them; so
the answer tells nothing about who is known. No address of a network takes part: one who is attacked from many places is
protected, and nobody behind the same line is locked out.

An attempt is counted before it is looked at, in a transaction of its own, so that many at once do not count as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

#: Attempts that cost no waiting; then seconds to wait, doubled each time up to the longest.
FREE, FIRST_WAIT, LONGEST_WAIT = 5, 30.0, 900.0

#: Seconds after the last attempt, or the last wait, when all of them are forgotten.
FORGOTTEN = 24 * 3600.0

#: Seconds to wait for one of two attempts that come at the same moment.
SAME_MOMENT = 1.0


def begin(db: Session, table: Table, token: bytes, now: float, *, free: int = FREE, steady: float = 0.0) -> float:
    """Count an attempt at `token`; the seconds to wait before the next, or 0.0 when this one may be looked at.

    Fewer than `free` attempts cost no waiting. With `steady` each later wait is that many seconds, not ever more. The
    caller commits at once. An attempt that has to wait is not counted, so that waiting comes to an end.
    """
    db.execute(delete(table).where(table.c.until < now - FORGOTTEN))
    row = db.execute(select(table).where(table.c.token == token)).first()
    tries = 1 if row is None else row.tries + 1
    if row is not None and now < row.until:
        return float(row.until - now)
    longer = min(FIRST_WAIT * 2 ** min(max(tries - free, 0), 16), LONGEST_WAIT)
    until = now if tries < free else now + (steady or longer)
    if row is None:
        try:
            with db.begin_nested():
                db.execute(insert(table).values(token=token, tries=tries, until=until))
        except IntegrityError:
            return SAME_MOMENT
        return 0.0
    same = (table.c.token == token, table.c.tries == row.tries)
    counted = db.execute(update(table).where(*same).values(tries=tries, until=until))
    return 0.0 if counted.rowcount else SAME_MOMENT  # type: ignore[attr-defined]


def succeed(db: Session, table: Table, token: bytes) -> None:
    """Forget the attempts at `token`: the last one was right."""
    db.execute(delete(table).where(table.c.token == token))
