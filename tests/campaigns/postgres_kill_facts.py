"""What a service has been told is done, what its database holds, and where the two disagree.

The database goes on changing while it is looked at. So what was acknowledged is noted before a look and what was begun
after it: of all that lies between, the database may hold some.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

#: What everybody who joins gets, and each once: a kind of send and its name.
SENDS = frozenset({("send", "notice"), ("share", "binder")})

#: What an entry of the ledger is counted by: its event, its verb, and one word of its object.
Line = tuple[str, str, str]

#: What each command leaves in the ledger.
COLLECTED: Line = ("permitted", "collect", "contact.name")
OPENED: Line = ("permitted", "open", "contact.name")
ERASED: Line = ("done", "erase", "customer")


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt at a command: in which thread, from when to when (seconds of `time.monotonic`), the error if any.

    `foreign` says that the error is neither Avow's nor SQLAlchemy's own of a database.
    """

    thread: str
    begin: float
    end: float
    error: str = ""
    foreign: bool = False


@dataclass(slots=True)
class Told:
    """What was begun, and what was acknowledged.

    `joined` gives the person's id by the number of who joined; `joining`, `leaving` and `left` are such numbers: begun,
    and of those who leave begun and acknowledged. `opening` counts attempts to open a value, failed ones included, and
    `opened` those that gave one. `arrived` counts what came to the peers, by kind and name of the send.
    """

    joining: set[int] = field(default_factory=set)
    joined: dict[int, str] = field(default_factory=dict)
    leaving: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    opening: int = 0
    opened: int = 0
    arrived: Counter[tuple[str, str]] = field(default_factory=Counter)

    def copy(self) -> Told:
        """The same, as it is now."""
        return Told(
            set(self.joining),
            dict(self.joined),
            set(self.leaving),
            set(self.left),
            self.opening,
            self.opened,
            Counter(self.arrived),
        )


@dataclass(slots=True)
class Held:
    """What a database holds at one moment: ids of people, of the owners of records (one for each record) and links, the
    sends of each owner, and how many entries of each kind the ledger has, in its log or waiting. `trouble` is what
    verifying it found.
    """

    people: list[str]
    owners: list[str]
    linked: list[str]
    sends: list[tuple[str, str, str]]
    lines: Counter[Line]
    trouble: str = ""


def violations(before: Told, held: Held, after: Told) -> list[str]:
    """What does not hold, in words; empty when everything does. `before` and `after` are about the look."""
    found = [*_kept(before, held, after), *_gone(before, held), *_entered(before, held, after)]
    if held.trouble:
        found.append(f"the ledger does not verify: {held.trouble}")
    return found


def _kept(before: Told, held: Held, after: Told) -> Iterator[str]:
    """A key exactly for who has a record, one record each; who was told to have joined, and does not leave, is there
    with all that was queued for them, once.
    """
    people, owners, sends = set(held.people), Counter(held.owners), Counter(held.sends)
    if people != owners.keys():
        yield f"{len(people ^ owners.keys())} people have either a key or a record, and not both"
    if twice := sum(count != 1 for count in owners.values()):
        yield f"{twice} people have joined twice"
    if twice := sum(count != 1 for count in sends.values()):
        yield f"{twice} sends are queued twice"
    for number, identity in before.joined.items():
        if number in after.leaving:
            continue
        if identity not in people:
            yield f"who joined as {number} is lost"
        elif any((identity, *send) not in sends for send in SENDS):
            yield f"a send for who joined as {number} is lost"


def _gone(before: Told, held: Held) -> Iterator[str]:
    """Nothing is there of who was told to be erased."""
    there = {*held.people, *held.owners, *held.linked, *(owner for owner, _, _ in held.sends)}
    for number in sorted(before.left):
        if before.joined[number] in there:
            yield f"who joined as {number} was erased, and is there"


def _entered(before: Told, held: Held, after: Told) -> Iterator[str]:
    """The ledger has an entry of everything that was acknowledged or arrived, and of nothing that was never begun."""
    for line, least, most in (
        (COLLECTED, len(before.joined), len(after.joining)),
        (OPENED, before.opened, after.opening),
        (ERASED, len(before.left), len(after.leaving)),
    ):
        if not least <= held.lines[line] <= most:
            yield f"of {' '.join(line)} there are {held.lines[line]} entries, and not {least} to {most}"
    for (kind, name), count in before.arrived.items():
        if held.lines["attempted", kind, name] < count:
            yield f"{count} times {kind} {name} arrived, and {held.lines['attempted', kind, name]} attempts are entered"


def failures(tries: Iterable[Try], windows: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Errors of another kind than a caller expects, and attempts that failed while the server was there.

    It was not in `windows`: each from the moment it was killed until it had started.
    """
    for each in tries:
        if each.foreign:
            yield f"an error came out as {each.error}"
        if each.error and not any(each.begin <= end and each.end >= begin for begin, end in windows):
            yield f"`{each.thread}` failed while the server was there: {each.error}"
