"""Some of the texts that were taken over, to be searched for where they must not be any more.

They come from the sealed records themselves and not from memory: so a run that goes on from where another died searches
too, and that they open is seen on the way.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import select

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from avow.vault.taking_over import TakeOver
    from avow.vault.vault import Vault

#: Records of each old table that are looked at.
SAMPLE = 2000


def sample(vault: Vault, declared: TakeOver, count: int = SAMPLE) -> dict[str, str]:
    """Texts of at most `count` records, chosen by chance, each with the old column it came from.

    A text that several people share (a town, a greeting) is left out: it may be elsewhere for good reasons. This is no
    flow: the texts are compared with bytes of the database and shown to nobody.

    Raises:
        SealedError: a value does not open.
    """
    found: dict[str, str] = {}
    shared: set[str] = set()
    with vault.session() as db:
        for name, given in _texts(db, declared, count):
            if given in found:
                shared.add(given)
            found[given] = f"{declared.table}.{name}"
    return {given: name for given, name in found.items() if given not in shared}


def _texts(db: Session, declared: TakeOver, count: int) -> Iterator[tuple[str, str]]:
    """The old column and the text of each value of the sample."""
    kind = declared.record
    owner = kind.__table__.c[kind.__layout__.owner]
    start = secrets.token_hex(16)  # ids of owners are evenly spread: from anywhere on is by chance
    for where in (owner >= start, owner < start):
        for record in db.scalars(select(kind).where(where).order_by(owner, kind.id).limit(count)):
            count -= 1
            for attribute, old in declared.personal.items():
                if (value := getattr(record, attribute)) is not None:
                    yield old, value._reveal()
