"""Conversations that must not happen twice and whose answer counts: a payment.

    attempt committed → socket → outcome committed

What the unit has flushed before becomes durable together with the attempt, in one transaction: a record that says
"the outcome is not known" never exists without an attempt that will be asked about.

The attempt's id is the idempotency key. What becomes of an attempt is written in one transaction with
what it changes in the service's records (the `settled` hook), whether the answer came at once or was
asked for later. An attempt is never made again by the software: the values were used up by it.

Protocol of the peer (JSON over HTTPS): POST to the endpoint `{"attempt", …, name: {…}}`, answered by
`{"status": "authorised" | "declined", …}`; GET endpoint/attempt gives the same answer, 404 for an
attempt that it has never seen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from avow.errors import DeliveryError, OutcomeUnknown, Refused, SetupError, first_line
from avow.outbound.https import HttpsChannel
from avow.vault.once import Once, already_used
from avow.vault.unit import Unit
from avow.vault.vault import new_id

if TYPE_CHECKING:
    from sqlalchemy import Row

    from avow.vault.record import Record
    from avow.vault.vault import Vault

log = logging.getLogger("avow.exchange")

#: Seconds after an attempt before its outcome is asked for, and between two such questions.
ASK_AFTER = 5.0

#: Seconds after which an attempt that the peer has never seen counts as failed. Longer than any
#: request may take, so that a slow one cannot arrive after it was given up.
NEVER_SEEN_AFTER = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """How an exchange stands: `done`, `declined`, `failed` (nothing happened) or `unknown` (not yet told)."""

    status: str
    attempt: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return str(self.values[name])

    def __repr__(self) -> str:
        return f"<reply {self.status}>"


#: Called in the transaction that records the outcome: the unit, the record, the reply.
Settled = Callable[[Unit, Any, Reply], None]


class Exchanges:
    """The exchanges of one installation."""

    def __init__(
        self, vault: Vault, channel_of: Callable[[str], HttpsChannel], settled: Callable[[str], Settled | None]
    ) -> None:
        self.vault = vault
        self.channel_of = channel_of
        self.settled = settled
        self._live: set[str] = set()

    def exchange(
        self, unit: Unit, values: Once, recipient: str, *, about: Record, purpose: str, data: Mapping[str, str]
    ) -> Reply:
        """Hand `values` over, once, and commit what the peer says.

        Raises:
            Refused: a field may not go to this recipient, or the values were used already. Nothing left.
            SetupError: the unit has unwritten changes: commit them first, or flush them so that they are committed
                with the attempt; they must not depend on the answer.
        """
        if unit.has_unwritten_changes:
            raise SetupError(
                "an exchange needs a unit without unwritten changes", help="call work.commit() before work.exchange()"
            )
        self._judge(unit, values, recipient, about, purpose)
        channel = self.channel_of(recipient)
        attempt = new_id()
        body: dict[str, Any] = {"attempt": attempt, **data}
        body[values.name] = {category.rpartition(".")[2]: given._reveal() for category, given in values._take().items()}
        self._live.add(attempt)  # not asked for while the answer may still come, whatever the clock says
        self._write_attempt(unit, attempt, recipient, about, purpose)
        try:
            reply = _reply(attempt, channel.post(body, idempotency=attempt))
        except OutcomeUnknown as error:
            log.warning("attempt %s: outcome unknown: %s", attempt, first_line(error))
            reply = Reply("unknown", attempt)
        except DeliveryError as error:
            log.warning("attempt %s: nothing happened: %s", attempt, first_line(error))
            reply = Reply("failed", attempt)
        finally:
            body.clear()
            self._live.discard(attempt)
        try:
            self._write_outcome(unit, recipient, about, purpose, reply)
        except Exception:
            # The payment has happened or not, whatever the service makes of it: its outcome is asked for again.
            log.exception("attempt %s: its outcome could not be written; it will be asked for", attempt)
            unit.rollback()
            return Reply("unknown", attempt)
        return reply

    def settle(self) -> int:
        """Ask for the outcome of every attempt that has none and is due; the number that were settled."""
        exchange = self.vault.home.schema.exchange
        now = self.vault.clock()
        with self.vault.store.reading() as connection:
            due = connection.execute(
                select(exchange).where(
                    exchange.c.due <= now, or_(exchange.c.state == "attempted", exchange.c.state == "unknown")
                )
            ).all()
        return sum(self._asked(row, now) for row in due if row.id not in self._live)

    def _asked(self, row: Row[Any], now: float) -> bool:
        """As `_ask`; an answer that cannot be written, or whose hook fails, is asked for later and holds up nobody."""
        try:
            return self._ask(row, now)
        except Exception:
            log.exception("attempt %s: its outcome could not be written; it will be asked for again", row.id)
        return self._later(row, now)

    def _ask(self, row: Row[Any], now: float) -> bool:
        try:
            answer = self.channel_of(row.recipient).get(row.id)
        except DeliveryError as error:
            log.warning("attempt %s: its outcome cannot be asked for yet: %s", row.id, first_line(error))
            answer = {}
        if answer is None:
            reply = Reply("failed" if now - row.begun >= NEVER_SEEN_AFTER else "unknown", row.id)
        else:
            reply = _reply(row.id, answer)
        if reply.status == row.state:  # still unknown: nothing to tell, neither the ledger nor the service
            return self._later(row, now)
        with Unit(self.vault, row.role, row.purpose, channel="https") as unit:
            record = unit.find(row.record_table, row.owner, row.record_id)
            self._write_outcome(unit, row.recipient, record, row.purpose, reply)
        return reply.status != "unknown"

    def _later(self, row: Row[Any], now: float) -> bool:
        """Ask again after a pause that grows with the age of the attempt; False: it is not settled."""
        pause = max(ASK_AFTER, (now - row.begun) / 4)
        exchange = self.vault.home.schema.exchange
        with self.vault.store.writing() as connection:
            connection.execute(exchange.update().where(exchange.c.id == row.id).values(due=now + pause))
        return False

    def _judge(self, unit: Unit, values: Once, recipient: str, about: Record, purpose: str) -> None:
        policy = self.vault.policy
        for category in values.categories:
            verdict = unit.judge(
                "share", category, about=about, recipient=recipient, purpose=purpose, channel="https", role=unit.role
            )
            if values.used:
                raise already_used(values.name, verdict)
            fields = policy.recipients[recipient].fields
            if not any(policy.vocabulary.covers("category", wide, category) for wide in fields):
                raise Refused(f"`{category}` is not among the fields that the policy lists for `{recipient}`")

    def _write_attempt(self, unit: Unit, attempt: str, recipient: str, about: Record, purpose: str) -> None:
        now = self.vault.clock()
        unit.db.execute(
            self.vault.home.schema.exchange.insert().values(
                id=attempt,
                owner=about.owner_id,
                recipient=recipient,
                record_table=about.__table__.name,  # type: ignore[attr-defined]
                record_id=about.id,
                role=unit.role,
                purpose=purpose,
                state="attempted",
                begun=now,
                due=now + ASK_AFTER + self.channel_of(recipient).timeout,
            )
        )
        unit.note("attempted", "share", recipient, whom=unit.whom(about), purpose=purpose, recipient=recipient)
        unit.commit()

    def _write_outcome(self, unit: Unit, recipient: str, about: Record, purpose: str, reply: Reply) -> None:
        exchange = self.vault.home.schema.exchange
        # A late yes overrides "never seen": money that has moved is never left untold.
        open_states = ("attempted", "unknown", "failed") if reply.status == "done" else ("attempted", "unknown")
        told = unit.db.connection().execute(
            exchange.update()
            .where(exchange.c.id == reply.attempt, exchange.c.state.in_(open_states))
            .values(state=reply.status, due=self.vault.clock() + ASK_AFTER)
        )
        if told.rowcount == 0:  # another worker has asked too, and was first: the hook must not run twice
            unit.commit()
            return
        unit.note(reply.status, "share", recipient, whom=unit.whom(about), purpose=purpose, recipient=recipient)
        hook = self.settled(recipient)
        if hook is not None:
            hook(unit, about, reply)
        unit.commit()


def _reply(attempt: str, answer: Mapping[str, Any]) -> Reply:
    """Read the peer's answer; anything that is not understood leaves the outcome unknown."""
    status = {"authorised": "done", "declined": "declined"}.get(str(answer.get("status")))
    if status is None or answer.get("attempt") != attempt:
        return Reply("unknown", attempt)
    return Reply(status, attempt, {k: v for k, v in answer.items() if k not in ("status", "attempt")})
