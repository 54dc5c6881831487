"""What a unit of work has to tell the ledger, gathered until it is written.

Flows of one verb, purpose and recipient share a line: an order that was collected makes one entry that
names its fields, not one for each. A line holds words of the policy and verdicts, never a value.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from avow.ledger.entry import around_nonce
from avow.values import Verdict

#: Event, verb, purpose, recipient, role of a member of staff.
_Line = tuple[str, str, str | None, str | None, str | None]


class Lines:
    """The lines of one unit. Falsy while there are none."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: dict[_Line, set[tuple[str, Verdict | None]]] = {}

    def add(
        self,
        event: str,
        verb: str,
        object: str,
        purpose: str | None,
        recipient: str | None,
        verdict: Verdict | None,
        role: str | None = None,
    ) -> None:
        """Gather one flow with its verdict, or an event that is no verdict; `role` if a member of staff was at it."""
        self._lines.setdefault((event, verb, purpose, recipient, role), set()).add((object, verdict))

    def rows(self, policy: str, hour: int) -> list[tuple[str, bytes]]:
        """One pending row a line: its id and its body.

        Args:
            policy: the digest of the policy in force.
            hour: counted from 1970.
        """
        rows: list[tuple[str, bytes]] = []
        for (event, verb, purpose, recipient, role), gathered in self._lines.items():
            objects = ", ".join(sorted({object for object, _ in gathered}))
            sentences = _anchors(verdict for _, verdict in gathered)
            before, after = around_nonce(event, verb, objects, purpose, recipient, role, sentences, policy, hour)
            drawn = secrets.token_hex(32)  # one call to the system for both, half each
            rows.append((drawn[:32], b"%b%b%b" % (before, drawn[32:].encode(), after)))
        return rows

    def clear(self) -> None:
        """Forget them: they were written, or what they tell of was undone."""
        self._lines.clear()

    def __bool__(self) -> bool:
        return bool(self._lines)


def _anchors(verdicts: Iterable[Verdict | None]) -> tuple[str, ...]:
    """The anchors of all sentences that the verdicts rest on, in their order."""
    return tuple(sorted({sentence.anchor for verdict in verdicts if verdict for sentence in verdict.sentences}))
