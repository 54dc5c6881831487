"""What a unit of work has to tell the ledger, gathered until it is written.

Flows of one verb, purpose and recipient share a line: an order that was collected makes one entry that
names its fields, not one for each. A line holds words of the policy and verdicts, never a value.

Beside each line goes whom it is about, as far as that is known: it becomes no part of the entry, but leads each of them
to it; see `avow.vault.traces`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from avow.ledger.entry import around_nonce, commitment
from avow.values import Duty, Verdict
from avow.vault.traces import OBJECTS, Trace

#: Event, verb, purpose, recipient, role of a member of staff, and the version of the policy where it is an earlier one.
_Line = tuple[str, str, str | None, str | None, str | None, str]


class Whom(NamedTuple):
    """Whom a flow is about, and which record of theirs: its table and id, both empty where it is none."""

    owner: str
    table: str = ""
    record: str = ""


class About(NamedTuple):
    """A flow is about somebody: where it was, by its name in the policy, and whether they themselves were looking."""

    whom: Whom
    place: str | None
    own: bool


class Line(NamedTuple):
    """A pending entry, its id and its body, and what is to lead whom it is about to it: by their ids."""

    id: str
    body: bytes
    traces: dict[str, Trace]


_Gathered = tuple[str, Verdict | None, About | None]


class Lines:
    """The lines of one unit. Falsy while there are none."""

    __slots__ = ("_duties", "_lines")

    def __init__(self) -> None:
        self._lines: dict[_Line, set[_Gathered]] = {}
        self._duties: dict[_Line, set[str]] = {}

    def add(
        self,
        event: str,
        verb: str,
        object: str,
        purpose: str | None,
        recipient: str | None,
        verdict: Verdict | None,
        role: str | None = None,
        about: About | None = None,
        duties: Iterable[Duty] = (),
        under: str = "",
    ) -> None:
        """Gather one flow with its verdict, or an event that is no verdict; `role` if a member of staff was at it.

        `duties` have been carried out before it, or will have been when the lines are written: their sentences count.
        `under` is the digest of the earlier version of the policy whose sentences they all are, if they are of one.
        """
        line = (event, verb, purpose, recipient, role, under)
        self._lines.setdefault(line, set()).add((object, verdict, about))
        if duties:
            self._duties.setdefault(line, set()).update(duty.sentence.anchor for duty in duties)

    def lines(self, policy: str, hour: int) -> Iterator[Line]:
        """One pending entry a line; more than one where it names more objects than a trace can tell apart.

        Args:
            policy: the digest of the policy in force.
            hour: counted from 1970.
        """
        for line, gathered in self._lines.items():
            event, verb, purpose, recipient, role, under = line
            kept = self._duties.get(line, ())
            every = sorted({object for object, _, _ in gathered})
            for start in range(0, len(every), OBJECTS):
                objects = every[start : start + OBJECTS]
                own = gathered if len(objects) == len(every) else {each for each in gathered if each[0] in objects}
                sentences = _anchors((verdict for _, verdict, _ in own), kept)
                before, after = around_nonce(
                    event, verb, ", ".join(objects), purpose, recipient, role, sentences, under or policy, hour
                )
                drawn = secrets.token_hex(32)  # one call to the system for both, half each
                body = b"%b%b%b" % (before, drawn[32:].encode(), after)
                yield Line(drawn[:32], body, _traces(own, objects, hour, body, drawn[:32]))

    def clear(self) -> None:
        """Forget them: they were written, or what they tell of was undone."""
        self._lines.clear()
        self._duties.clear()

    def __bool__(self) -> bool:
        return bool(self._lines)


def _traces(
    gathered: Iterable[_Gathered], objects: list[str], hour: int, body: bytes, pending: str
) -> dict[str, Trace]:
    """What leads each person whom an entry is about to it."""
    found: dict[str, list[tuple[str, About]]] = {}
    for object, _, about in gathered:
        if about is not None:
            found.setdefault(about.whom.owner, []).append((object, about))
    if not found:
        return {}
    bits = {object: 1 << number for number, object in enumerate(objects)}
    leaf = commitment(body)
    traces = {}
    for owner, flows in found.items():
        theirs = 0
        for object, _ in flows:
            theirs |= bits[object]
        places = {about.place or "" for _, about in flows}
        records = {about.whom for _, about in flows if about.whom.table}
        whom = records.pop() if len(records) == 1 else None
        traces[owner] = Trace(
            own=all(about.own for _, about in flows),
            hour=hour,
            commitment=leaf,
            pending=pending,
            objects=theirs,
            place=places.pop() if len(places) == 1 else "",
            record=(whom.table, whom.record) if whom else None,
        )
    return traces


def _anchors(verdicts: Iterable[Verdict | None], kept: Iterable[str]) -> tuple[str, ...]:
    """The anchors of all sentences that the verdicts rest on, and of those that were kept with them, in their order."""
    found = {sentence.anchor for verdict in verdicts if verdict for sentence in verdict.sentences}
    return tuple(sorted(found.union(kept)))
