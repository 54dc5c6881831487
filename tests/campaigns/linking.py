"""The attacker's game: who has the database, all its copies and the log, and no keys, matches entries to people.

    python -m tests.campaigns.linking [PEOPLE]      1000 people, unless said otherwise

People come to a small service, hour after hour, in an order that nobody writes down; what they give is opened again
later. The database is copied in the middle of each hour and at its end. All of them are erased and shredded. Then the
attacker says of each which entry of the ledger tells of their coming, and which of the opening.

Entries of one kind in one hour are a group, and so are the people whom they are about: both are told in the clear, by
the hours of entries and of the sealed values. In a group the attacker puts the people in some order, the entries in
some order, and matches first with first. Every order that the copies show is tried on both sides. By chance one match
in each group is right, whatever its size, with a variance of one: that is what hits are held against.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from avow.ledger.entry import Entry, commitment
from avow.ledger.verify import verify
from avow.testing.clock import FrozenClock
from avow.vault.shredding import shred
from tests.vault.post import post

NOW: Final = 1_795_000_800.0  # a whole hour
HOUR: Final = 3600.0

#: Somebody's coming, and the opening of what they gave: by the verb of the entry.
VERBS: Final = ("collect", "open")

#: An order: what comes first has the lowest key. Those that say nothing of somebody put them at the end.
Order = Mapping[Any, Any]


@dataclass(slots=True)
class Seen:
    """What the attacker has read from one copy of the database."""

    people: list[str]
    records: list[str]
    traces: list[str]
    trace_keys: list[tuple[str, bytes]]
    pending: list[tuple[str, bytes]]
    entries: list[bytes]


@dataclass(slots=True)
class Group:
    """Entries of one kind in one hour, and whom they are about; `truth` is what only the referee knows."""

    people: list[str]
    entries: list[bytes]
    truth: dict[str, bytes]


@dataclass(slots=True)
class Score:
    """How a way of matching did: right matches, and what chance gives."""

    hits: int = 0
    targets: int = 0
    groups: int = 0

    @property
    def sigma(self) -> float:
        """How many standard deviations the hits are away from chance."""
        return (self.hits - self.groups) / sqrt(self.groups) if self.groups else 0.0


@dataclass(slots=True)
class Game:
    """One game in `folder`. `careless` is given the site after each unit of work: it makes a worse service of it."""

    folder: Path
    people: int
    hours: int
    seed: int
    careless: Callable[[Any], None] = lambda site: None
    random: random.Random = field(init=False)
    site: Any = field(init=False)
    clock: FrozenClock = field(init=False)
    truth: dict[tuple[str, int], dict[str, bytes]] = field(init=False, default_factory=dict)
    copies: list[Seen] = field(init=False, default_factory=list)

    def run(self) -> dict[str, Any]:
        """The figures: the best of all ways of matching, beside chance, and whether the ledger still verifies."""
        self.random, self.clock, self.site = random.Random(self.seed), FrozenClock(NOW), post()
        self.site.open(self.folder / "data", background=False, clock=self.clock)
        try:
            self._play()
            self._know()
            self._erase()
            self.copies.append(self._copy())
            log, vault = self.site.opened.sequencer, self.site.opened.vault
            report = verify(vault.store, self.site.home.schema, log.file, log.signer.key)
        finally:
            self.site.close()
        scores = dict(self._attack())
        best = max(scores, key=lambda name: abs(scores[name].sigma))
        return {
            "people": self.people,
            "entries": report.size,
            "ways": len(scores),
            "targets": scores[best].targets,
            "groups": scores[best].groups,
            "best": best,
            "hits": scores[best].hits,
            "sigma": round(scores[best].sigma, 2),
            "bound": round(bound(len(scores)), 2),
        }

    # -- the service ------------------------------------------------------------------------------

    def _play(self) -> None:
        waiting: list[tuple[str, str]] = []
        each = self.people // self.hours
        for _ in range(self.hours):
            come = each
            again, waiting = waiting, []
            acts: list[tuple[str, str] | None] = [*again, *[None] * come]
            self.random.shuffle(acts)
            for number, act in enumerate(acts):
                if act is None:
                    waiting.append(self._come())
                else:
                    self._open(act)
                self.careless(self.site)
                if number == len(acts) // 2:
                    self.copies.append(self._copy())
            self.clock.advance(HOUR)
            self.site.opened.sequencer.run_due()
            self.copies.append(self._copy())

    def _come(self) -> tuple[str, str]:
        with self.site.acting("desk", "mailing", place="counter") as work:
            person = work.person()
            number = self.random.getrandbits(40)
            record = work.collect(
                self.site.Neighbour, person=person, name=f"Name {number}", email=f"n{number}@example.org"
            )
            return person.id, record.id

    def _open(self, act: tuple[str, str]) -> None:
        with self.site.acting("desk", "mailing") as work:
            work.db.get(self.site.Neighbour, act).name.open()

    def _know(self) -> None:
        """The referee, who has the keys, writes down whose entries are whose."""
        vault, schema = self.site.opened.vault, self.site.home.schema
        with vault.session(reads=True) as session, vault.store.reading() as connection:
            bodies = {commitment(bytes(body)): bytes(body) for body in connection.scalars(select(schema.entry.c.body))}
            for person in session.scalars(select(self.site.person_class)):
                seal = vault.trace_seal(person)
                for row in connection.execute(select(schema.trace).where(schema.trace.c.owner == person.id)):
                    body = bodies[seal.unseal(row.id, bytes(row.sealed)).commitment]
                    entry = Entry.decode(body)
                    self.truth.setdefault((entry.verb, entry.hour), {})[person.id] = body

    def _erase(self) -> None:
        with self.site.opened.vault.store.reading() as connection:
            everybody = list(connection.scalars(select(self.site.home.schema.person.c.id)))
        for identity in everybody:
            with self.site.acting("desk", "mailing") as work:
                work.erase(work.db.get(self.site.person_class, identity))
        shred(self.site.opened.vault)
        self.clock.advance(HOUR)
        self.site.opened.sequencer.run_due()

    # -- the attacker -----------------------------------------------------------------------------

    def _copy(self) -> Seen:
        """What a copy of the database shows to who has no key, in the order in which it lies there."""
        with closing(sqlite3.connect(self.folder / "data" / "site.db")) as db:

            def column(statement: str) -> list[Any]:
                return [row[0] for row in db.execute(statement)]

            return Seen(
                people=column("SELECT id FROM avow_person ORDER BY rowid"),
                records=column("SELECT person FROM post_neighbour ORDER BY rowid"),
                traces=column("SELECT owner FROM avow_trace"),
                trace_keys=[(row[0], bytes(row[1])) for row in db.execute("SELECT owner, sealed FROM avow_trace")],
                pending=[(str(row[0]), bytes(row[1])) for row in db.execute("SELECT id, body FROM avow_pending")],
                entries=[bytes(body) for body in column("SELECT body FROM avow_entry ORDER BY number")],
            )

    def _attack(self) -> Iterator[tuple[str, Score]]:
        groups = [
            Group(sorted(known), sorted(known.values()), known)
            for (verb, _), known in sorted(self.truth.items())
            if verb in VERBS and len(known) > 1
        ]
        for whose, people in self._orders_of_people().items():
            for which, entries in self._orders_of_entries().items():
                for way in ("first with first", "first with last"):
                    score = Score()
                    for group in groups:
                        ranked = _ranked(group.entries, entries)
                        if way == "first with last":
                            ranked.reverse()
                        pairs = zip(_ranked(group.people, people), ranked, strict=True)
                        score.hits += sum(group.truth[person] == entry for person, entry in pairs)
                        score.targets += len(group.people)
                        score.groups += 1
                    yield f"{whose}, {which}, {way}", score

    def _orders_of_people(self) -> Mapping[str, Order]:
        """Each order of people that the copies show, put together over all of them."""
        found: dict[str, dict[str, Any]] = {name: {} for name in ("people", "records", "traces", "sealed", "grown")}
        before: dict[str, int] = {}
        for number, copy in enumerate(self.copies):
            for name, ids in (("people", copy.people), ("records", copy.records), ("traces", copy.traces)):
                for place, identity in enumerate(ids):
                    found[name].setdefault(identity, (number, place))
            for identity, sealed in copy.trace_keys:
                found["sealed"].setdefault(identity, sealed[:13])
            counts = {identity: copy.traces.count(identity) for identity in dict.fromkeys(copy.traces)}
            for identity, count in counts.items():
                if count > before.get(identity, 0):
                    found["grown"][identity] = (number, identity)
            before = counts
        return found

    def _orders_of_entries(self) -> Mapping[str, Order]:
        """Each order of entries that the copies show: where they lie, when they came, how what waited was called."""
        log = self.copies[-1].entries
        found: dict[str, dict[bytes, Any]] = {"log": {body: place for place, body in enumerate(log)}}
        found["commitment"] = {body: commitment(body) for body in log}
        found["first seen"] = {}
        found["waiting"] = {}
        for number, copy in enumerate(self.copies):
            for place, body in enumerate(copy.entries):
                found["first seen"].setdefault(body, (number, place))
            for _, body in copy.pending:  # readable only where it is not sealed
                found["waiting"].setdefault(body, (number, commitment(body)))
        return found


def _ranked(items: Sequence[Any], order: Order) -> list[Any]:
    return sorted(items, key=lambda item: (item not in order, order.get(item, 0) if item in order else 0))


def bound(ways: int) -> float:
    """Standard deviations that the best of so many ways stays below, with 99.9 % confidence, if none is any good.

    The tail of the normal distribution, for each way a share of one in a thousand (Bonferroni), on both sides.
    """
    from statistics import NormalDist

    return NormalDist().inv_cdf(1 - 0.001 / (2 * ways))


def main() -> int:
    """Play once and print the figures; the exit status says whether the attacker did no better than chance."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="avow-linking-") as folder:
        figures = Game(Path(folder), people=people, hours=max(2, people // 20), seed=int(time.time())).run()
    sys.stdout.write(json.dumps(figures) + "\n")
    return 1 if abs(figures["sigma"]) > figures["bound"] else 0


if __name__ == "__main__":
    sys.exit(main())
