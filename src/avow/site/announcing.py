"""Announcing a version by mail, where the policy says so: to each person whom it concerns, and to nobody else.

    site.announces("announcement", Customer, role="website", purpose="announcement")

says by which mail, to the address in which record. The mails are queued by a job of its own, a batch of people at a
time; each is judged when it is queued and again when it leaves. One person gets one mail about a version, whatever
dies in between: its id follows from the two.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from avow.errors import Refused, SetupError
from avow.language.suggest import did_you_mean
from avow.outbound.letter import address_field, message_of, named
from avow.outbox.queue import put_once
from avow.vault.applying import Applying
from avow.vault.publishing import next_batch
from avow.vault.standing import DIGITS

if TYPE_CHECKING:
    from avow.site.opened import Opened
    from avow.site.work import Work
    from avow.vault.record import Record
    from avow.vault.unit import Unit

#: The name of the job that queues the mails.
JOB = "announcing a version"


@dataclass(frozen=True, slots=True)
class Announcing:
    """By which mail a version is announced, and in which record the address is."""

    message: str
    record: type[Any]

    def is_about(self, name: str) -> str | None:
        """Which version a mail of this name announces, by the first digits of its digest; None for any other mail."""
        message, _, edition = name.partition("/")
        return edition if message == self.message and edition else None


def check_announcing(opened: Opened) -> None:
    """See that a version can be announced by mail where the policy demands that.

    Raises:
        SetupError: the site does not say how, or names a mail or record with which it cannot be done.
    """
    site, policy = opened.site, opened.policy
    announcing = site.announcing
    if announcing is None:
        if Applying(policy, site.subject).by_mail:
            raise SetupError(
                "the policy says that a new version is announced to people before it holds for what they gave, and the "
                "site does not say by which mail",
                help='declare it: site.announces("announcement", Customer, role=…, purpose=…)',
            )
        return
    if announcing.message not in policy.messages:
        raise SetupError(
            f"a new version is to be announced by `{announcing.message}`, which is no message of the policy",
            help=did_you_mean(announcing.message, policy.messages) or "declare it under `messages:`",
        )
    address_field(announcing.record, site.address)


def announce(work: Work, announcing: Announcing) -> bool:
    """Queue the announcement of the version in force to the next batch of people; True while more are left."""
    opened = work._opened
    if not opened.vault.older.applying.by_mail:
        return False
    people = next_batch(work.unit)
    if people is None:
        return False
    for person in people:
        record = _record_of(work, announcing, person, opened.site.address)
        if record is not None:
            _queue(work.unit, opened, announcing, record)
    return True


def check_current(opened: Opened, name: str) -> None:
    """Refuse a mail that announces another version than the one in force: it would tell of the wrong one.

    Raises:
        Refused: it was overtaken.
    """
    announcing = opened.site.announcing
    version = announcing.is_about(name) if announcing is not None else None
    if version is not None and not opened.policy.digest.startswith(version):
        raise Refused(f"`{message_of(name)}` announces a version that was overtaken by version {opened.policy.version}")


def _record_of(work: Work, announcing: Announcing, person: str, address: str) -> Record | None:
    """The first record of a person in which there is an address."""
    kind = announcing.record
    owner, to = getattr(kind, kind.__layout__.owner), kind.__table__.c[address_field(kind, address)]
    found: Record | None = work.db.scalars(
        select(kind).where(owner == person, to.is_not(None)).order_by(kind.id).limit(1)
    ).first()
    return found


def _queue(unit: Unit, opened: Opened, announcing: Announcing, record: Record) -> None:
    """Queue one mail, unless there is one; one that was held back by the policy may leave now."""
    name = named(announcing.message, opened.policy.digest[:DIGITS])
    unit.regard(record)
    try:
        opened.letters.judge(unit, name, record, unit.purpose, leaving=False)
    except Refused:
        return  # it is noted; what they gave stays under the earlier version
    drawn = opened.fingerprint(f"announced\0{record.owner_id}\0{opened.policy.digest}")
    put_once(unit, "send", name, record, identity=hashlib.sha256(drawn.encode()).hexdigest()[:32])
