"""The daily check: whether every stored value opens as what was sealed there, and every index is that of its value.

Who writes the database without the keys can change, move or swap what is sealed, and cannot make it open. That shows
when a value is used; what is seldom used would show late. Where the policy says that it is checked
(`must verify personal every 1 day`), all of it is opened in memory by itself that often, and the ledger tells the
result. A row that is missing altogether leaves nothing to open, and is not found by this.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select

from avow.errors import KeyringError, SealedError
from avow.vault.columns import INDEX_SUFFIX

if TYPE_CHECKING:
    from avow.values import Duty
    from avow.vault.vault import Vault

log = logging.getLogger("avow.vault")

#: A duty that is due less often than this is a look that people take, and not this one.
OFTEN: Final = 7 * 86_400.0

#: The word in the database for the hour of the last check.
CHECKED: Final = "checked"

_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Altered:
    """A value that does not open as what it was, or an index that is not that of its value; `record` is a random id."""

    table: str
    column: str
    record: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} of record {self.record}"


def check(vault: Vault) -> list[Altered]:
    """Open every stored value in memory, and tell which were altered. Nothing is judged: nobody gets to see any."""
    return [found for kind in vault.home.records for found in _of_kind(vault, kind)]


def check_if_due(vault: Vault) -> int:
    """Check everything if the policy says so and it is time; how many values were altered.

    What was found is logged as an error, and the ledger says `done` or `failed`.
    """
    duties = [(duty, every) for duty, every in _duties(vault) if every <= OFTEN]
    if not duties:
        return 0
    meta = vault.home.schema.meta
    with vault.store.reading() as connection:
        last = connection.scalar(select(meta.c.value).where(meta.c.name == CHECKED))
    if last is not None and (vault.hour() - int(last)) * _HOUR < min(every for _, every in duties):
        return 0
    altered = check(vault)
    for found in altered:
        log.error("%s was altered: it does not open as what was sealed there; restore it from a backup", found)
    with vault.store.writing() as connection:
        for duty, _ in duties:
            vault.note(connection, "failed" if altered else "done", "verify", duty.object or "", [duty])
        connection.execute(delete(meta).where(meta.c.name == CHECKED))
        connection.execute(meta.insert().values(name=CHECKED, value=str(vault.hour())))
    vault.after_commit()
    return len(altered)


def _duties(vault: Vault) -> Iterator[tuple[Duty, float]]:
    """What is to be verified how often, in seconds."""
    for rule in vault.policy.rules:
        if rule.modal == "must" and rule.verb == "verify":
            spans = [phrase.span.seconds for phrase in rule.phrases if phrase.preposition == "every" and phrase.span]
            every = min((span for span in spans if span is not None), default=None)
            if every is not None:
                yield from ((duty, every) for duty in vault.policy.duties if duty.text == rule.text)


def _of_kind(vault: Vault, kind: type[Any]) -> Iterator[Altered]:
    table, layout, person = kind.__table__, kind.__layout__, vault.home.schema.person
    whose = table.c[layout.owner]
    rows = (
        select(table, person.c.epoch.label("_epoch"), person.c.wrapped.label("_wrapped"))
        .select_from(table)
        .outerjoin(person, person.c.id == whose)
    )
    with vault.store.reading() as connection, connection.execution_options(yield_per=1000).execute(rows) as found:
        for row in found:
            yield from (Altered(table.name, name, row._mapping["id"]) for name in _altered(vault, kind, row._mapping))


def _altered(vault: Vault, kind: type[Any], row: Any) -> Iterator[str]:
    layout = kind.__layout__
    owner = row[layout.owner]
    try:
        person = vault.person_class(id=owner, epoch=row["_epoch"], wrapped=row["_wrapped"], policy="")
        seal = vault.seal_of(person, row["id"]) if row["_wrapped"] else None
    except (KeyringError, SealedError):
        seal = None
    for name, field in layout.fields.items():
        if row[name] is None:
            continue
        try:
            text = None if seal is None else seal.unseal(field.id, row[name]._envelope)[1].decode()
        except SealedError:
            text = None
        if text is None:
            yield name
        elif field.blind is not None and row[name + INDEX_SUFFIX] not in (None, field.blind(text)):
            yield name + INDEX_SUFFIX
