"""The courier: delivers what is due, each send in three steps that a crash may fall between.

1. claim, judge again, write the attempt into the ledger, commit;
2. open the socket: nothing has left before the attempt was durable;
3. write how it ended, with what the reply changes in the service's records, in one transaction.

A crash after the second step leaves the attempt's lease to run out; the same send goes out again under
the same id, by which the peer knows it (idempotency key, Message-ID). Each attempt has two entries in the
ledger: `attempted`, and how it ended (`done`, `failed` when nothing left, else `unknown`); of one whose worker
died, whoever takes up the send next says `unknown`.

Sends go by lanes: one for each recipient, and one for the mails. Within a lane a process sends one at a time, in the
order in which they are due; lanes do not wait for each other, so that a peer that hangs holds up its own sends only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from avow.errors import AvowError, DeliveryError, OutcomeUnknown, Refused, Rejected, first_line
from avow.outbox.queue import MOST_ATTEMPTS, Lane, Send, claim, close, due_lanes, retry
from avow.vault.lines import Whom
from avow.vault.unit import Unit

if TYPE_CHECKING:
    from avow.vault.vault import Vault

log = logging.getLogger("avow.outbox")

#: What a parcel does when it is sent: opens the socket and gives the peer's reply.
Parcel = Callable[[], Mapping[str, Any]]


class Door(Protocol):
    """A way out. `pack` judges what is to leave, now, and returns what sends it."""

    channel: str

    def pack(self, unit: Unit, send: Send, record: Any) -> Parcel:
        """Judge and open what leaves; no socket yet. There is no record where something is called back.

        Raises:
            Refused: it may not leave (any more).
        """
        ...


#: Called after a delivery, in the transaction that records it: the unit, the record, the peer's reply.
Delivered = Callable[[Unit, Any, Mapping[str, Any]], None]


class Courier:
    """Delivers the outbox of one installation through its doors (by kind, then by name)."""

    def __init__(
        self,
        vault: Vault,
        door_of: Callable[[str, str], Door],
        delivered: Callable[[str, str], Delivered | None],
    ) -> None:
        self.vault = vault
        self.door_of = door_of
        self.delivered = delivered
        self._lock = Lock()
        self._busy: set[Lane] = set()

    def run(self) -> int:
        """Deliver everything that is due now, lane by lane; the number of attempts made.

        A fault in one lane does not keep the others waiting: it is raised after them.
        """
        attempts, failure = 0, None
        broken: set[Lane] = set()
        while lanes := [lane for lane in self.lanes() if lane not in broken]:
            made = 0
            for lane in lanes:
                try:
                    made += self.turn(lane)
                except Exception as error:  # noqa: BLE001  # raised below
                    failure = failure or error
                    broken.add(lane)
            attempts += made
            if not made:  # another process is at what is left
                break
        if failure is not None:
            raise failure
        return attempts

    def lanes(self) -> list[Lane]:
        """The lanes in which something is due and this process sends nothing now; the longest waiting first."""
        with self.vault.store.reading() as connection:
            due = due_lanes(connection, self.vault.home.schema, self.vault.clock())
        with self._lock:
            return [lane for lane in due if lane not in self._busy]

    def turn(self, lane: Lane) -> bool:
        """Make one attempt in `lane`; False when nothing is due there, or somebody is at it."""
        with self._lock:
            if lane in self._busy:
                return False
            self._busy.add(lane)
        try:
            return self._one(lane)
        finally:
            with self._lock:
                self._busy.discard(lane)

    def _one(self, lane: Lane) -> bool:
        schema = self.vault.home.schema
        unit = Unit(self.vault, "", "")
        send: Send | None = None
        try:
            with unit:
                send = claim(unit.db, schema, self.vault.clock(), lane)
                if send is None:
                    return False
                if send.abandoned:
                    _note(unit, "unknown", send)
                if send.attempts > MOST_ATTEMPTS:
                    close(unit.db, schema, send, "failed", "given up: no attempt came to an end")
                    return True
                unit.role, unit.purpose = send.role, send.purpose
                door = self.door_of(send.kind, send.name)
                unit.channel = door.channel
                record = None
                if not send.calls_back:
                    record = unit.find(send.record_table, send.owner, send.record_id)
                    unit.regard(record, send.name if send.kind == "share" else None)
                parcel = door.pack(unit, send, record)
                _note(unit, "attempted", send)
        except Exception as error:
            if send is None:
                raise
            self._unpacked(send, error)
            return True
        self._deliver(send, parcel)
        return True

    def _unpacked(self, send: Send, error: Exception) -> None:
        """A send that could not be packed: refused for good, or put back; it holds up nobody behind it."""
        schema = self.vault.home.schema
        with Unit(self.vault, send.role, send.purpose) as unit:
            if isinstance(error, Refused):
                log.warning("send %s was refused when it was about to leave: %s", send.id, first_line(error))
                close(unit.db, schema, send, "refused", first_line(error))
            else:
                log.error("send %s could not be packed and will be tried again", send.id, exc_info=error)
                why = first_line(error) if isinstance(error, AvowError) else type(error).__name__
                retry(unit.db, schema, send, self.vault.clock(), why)
            if send.abandoned:  # the note of the attempt before this one was rolled back
                _note(unit, "unknown", send)

    def _deliver(self, send: Send, parcel: Parcel) -> None:
        schema = self.vault.home.schema
        event, state, note = "done", "done", ""
        reply: Mapping[str, Any] = {}
        try:
            reply = parcel()
        except DeliveryError as error:
            event = "unknown" if isinstance(error, OutcomeUnknown) else "failed"
            state, note = "failed" if isinstance(error, Rejected) else "retry", first_line(error)
        with Unit(self.vault, send.role, send.purpose, channel=self.door_of(send.kind, send.name).channel) as unit:
            _note(unit, event, send)
            news = False
            if state != "retry":
                news = close(unit.db, schema, send, state, note)
                if note:
                    log.error("send %s to %s failed for good: %s", send.id, send.name, note)
            elif retry(unit.db, schema, send, self.vault.clock(), note):
                log.warning("send %s to %s will be tried again: %s", send.id, send.name, note)
            else:
                log.error("send %s to %s is given up after %d attempts: %s", send.id, send.name, send.attempts, note)
            hook = self.delivered(send.kind, send.name)
            if news and event == "done" and hook is not None:
                hook(unit, unit.find(send.record_table, send.owner, send.record_id), reply)


def _note(unit: Unit, event: str, send: Send) -> None:
    whom = Whom(send.owner, send.record_table, send.record_id)
    unit.note(event, send.kind, send.word, whom=whom, purpose=send.purpose, recipient=send.word)
