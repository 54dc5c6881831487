"""The versions of the policy on record, each looked at whenever it is read: its text is the one that its digest says.

What people gave under a version stays under it, so whoever could change its text could loosen what holds for them. The
digest stands in the sealed label of each value, and in the ledger.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, inspect, select

from avow.engine import Policy
from avow.errors import SetupError, StoreError
from avow.store.schema import Schema


def published(connection: Connection, schema: Schema, *where: ColumnElement[bool]) -> list[Row[Any]]:
    """The rows of `avow_policy`, in no order; those for which the conditions hold.

    Raises:
        StoreError: the text of one was changed.
    """
    rows = list(connection.execute(select(schema.policy).where(*where)))
    for row in rows:
        check_text(row.version, row.digest, row.source)
    return rows


def check_text(version: str, digest: str, source: str) -> None:
    """Check that a text is the version of the policy that its digest says; see `Policy.digest`.

    Raises:
        StoreError: it is not.
    """
    if hashlib.sha256(source.encode("utf-8")).hexdigest() != digest:
        raise StoreError(
            f"the text of version {version} of the policy is not the one that its digest says",
            help="it was changed: restore the row of avow_policy from a backup, or have the package made anew",
        )


def refuse_foreign(connection: Connection, schema: Schema, policy: Policy, formerly: str | None) -> None:
    """Look, before anything is changed, whether a database is that of the site whose policy this is.

    Args:
        formerly: what the site was called before, if it has another name now.

    Raises:
        SetupError: it has only been under policies of another site.
    """
    table = schema.policy
    there = inspect(connection)
    if not there.has_table(table.name) or "brought" not in {each["name"] for each in there.get_columns(table.name)}:
        return  # made before there were people who bring policies along
    own = table.c.brought.is_(None)
    if connection.scalar(select(table.c.digest).where(table.c.digest == policy.digest, own)) is not None:
        return
    last = select(func.max(table.c.since)).where(own).scalar_subquery()
    sources = connection.scalars(select(table.c.source).where(own, table.c.since == last)).all()
    names = sorted({Policy.parse(source, "an earlier version").site for source in sources})
    if names and not {policy.site, formerly} & set(names):
        raise SetupError(
            f"the installation is of the site `{names[0]}`, and this is the policy of `{policy.site}`",
            help=f"name the data folder, or the database, of `{policy.site}`; or if that is the new name of "
            f"`{names[0]}`, start it with --formerly {names[0]}",
        )


def put_in_force(connection: Connection, schema: Schema, policy: Policy, hour: int, *, publishes: bool) -> None:
    """Write down that a version of the policy is in force from an hour on, unless that is known.

    Args:
        publishes: whether it may begin to be now.

    Raises:
        SetupError: it may not.
    """
    table = schema.policy
    mine = table.c.digest == policy.digest
    there = connection.execute(select(table.c.brought).where(mine)).first()
    if there is not None and there.brought is None:
        return
    if not publishes:
        raise SetupError(
            f"version {policy.version} of the policy, as it stands in its file, is not in force here",
            help="a command does not publish it: start the service with it first, or put the text back that it runs on",
        )
    if there is not None:  # people brought it along, and now it is in force
        connection.execute(table.update().where(mine).values(brought=None, since=hour))
    else:
        row = {"version": policy.version, "effective": policy.effective.isoformat(), "source": policy.source}
        connection.execute(table.insert().values(digest=policy.digest, since=hour, **row))


def lost(data: Path) -> StoreError:
    """What is said where a data folder is that of an installation, and the database is empty."""
    return StoreError(
        f"the database is empty, and `{data}` is the data folder of an installation that had one",
        help="name the right database with --store, or the right folder with --data; if the database is lost, put the "
        "newest backup back: avow restore SITE FOLDER",
    )
