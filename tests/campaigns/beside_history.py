"""What several processes did to people's information, and what of it may not have happened.

Every process notes when it began and ended something, on the clock of the whole machine (`time.monotonic_ns`); who
erases notes when an erasure was acknowledged. What began after that must give nothing of that person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

#: What `Operation.outcome` may say: something was given, nobody was found, it failed, somebody else's was given.
VALUE, GONE, FAILED, OTHER = "value", "gone", "failed", "other"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a process did: `kind` (read, export, collect, queue, send) for a person, by their number.

    `begin` and `end` are nanoseconds; `said` is the error in which it ended, empty if none. `send` is the id of a send.
    """

    kind: str
    person: int
    begin: int
    end: int
    outcome: str
    said: str = ""
    send: str = ""


@dataclass(frozen=True, slots=True)
class Erasure:
    """When the erasure of a person was begun, and when it was acknowledged; nanoseconds."""

    begin: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class History:
    """All that was done, the erasures by the number of the person, and the rows in which erased people are left."""

    operations: tuple[Operation, ...]
    erasures: Mapping[int, Erasure]
    left: Mapping[int, int]

    def late(self) -> list[Operation]:
        """What began after the acknowledgement of the person's erasure and gave something nevertheless."""
        return [one for one in self.after() if one.outcome in (VALUE, OTHER)]

    def after(self) -> Iterator[Operation]:
        """What began after the acknowledgement of the person's erasure."""
        for one in self.operations:
            erasure = self.erasures.get(one.person)
            if erasure is not None and one.begin > erasure.acknowledged:
                yield one

    def lost(self) -> list[Operation]:
        """What went wrong for a person whose erasure was never begun, or not before it ended."""
        return [
            one
            for one in self.operations
            if (one.outcome != VALUE or one.said) and not self._touched(one, self.erasures.get(one.person))
        ]

    def violations(self) -> Iterator[str]:
        """What does not hold, in words."""
        for one in self.late():
            since = (one.begin - self.erasures[one.person].acknowledged) / 1e6
            yield f"a {one.kind} of person {one.person} gave a value {since:.3f} ms after they were erased"
        for one in self.lost():
            yield f"a {one.kind} of person {one.person}, who lived, ended as {one.outcome}: {one.said}"
        for person, rows in self.left.items():
            yield f"{rows} rows are left of person {person}, who was erased"

    def figures(self) -> dict[str, Any]:
        """How many operations of each kind there were, how many of them began too late for the person, and so on."""
        kinds = Counter(one.kind for one in self.operations)
        after = Counter(one.kind for one in self.after())
        return {
            "erased": len(self.erasures),
            "operations": dict(sorted(kinds.items())),
            "began_after": dict(sorted(after.items())),
            "across": sum(self._touched(one, self.erasures.get(one.person)) for one in self.operations)
            - sum(after.values()),
            "late": len(self.late()),
            "lost": len(self.lost()),
            "left": sum(self.left.values()),
        }

    def _touched(self, one: Operation, erasure: Erasure | None) -> bool:
        return erasure is not None and one.end >= erasure.begin


def settled(operations: Iterable[Operation], arrivals: Iterable[tuple[str, int]]) -> Iterator[Operation]:
    """The operations, each send as its peer knows it: it gave something if that arrived during the attempt.

    `arrivals` are ids of sends, each with the nanosecond in which it arrived.
    """
    times: dict[str, list[int]] = {}
    for send, at in arrivals:
        times.setdefault(send, []).append(at)
    for one in operations:
        if one.kind != "send":
            yield one
            continue
        arrived = any(one.begin <= at <= one.end for at in times.get(one.send, ()))
        yield replace(one, outcome=VALUE if arrived else FAILED)
