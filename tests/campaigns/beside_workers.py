"""The processes of the campaign `beside`: each opens the same installation and works on the same people.

    python -m tests.campaigns.beside_workers CONFIG

It imports everything once and forks one process for each entry of `roles`. Each says that it is ready by a file, works
until the file `erased` is there and for LAST operations more, and writes what it did, one operation a line, as JSON.
The end of standard input ends it at once, so that none outlives who started them.
"""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from select import select
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from avow.edge.pages import fill_answer
from avow.errors import AvowError, first_line
from avow.outbox.queue import Lane
from avow.site.site import Acting
from avow.testing.clock import FrozenClock
from tests.campaigns.beside_history import FAILED, GONE, OTHER, VALUE, Operation
from tests.campaigns.forks import fork
from tests.vault.club import club

#: Of ten operations, how many are about somebody close to who is being erased; the others are about anybody.
NEAR = 7

#: How far away the closest are.
REACH = 3

#: Operations that each process does when everybody has been erased who is to be.
LAST = 30

#: Seconds after each operation, so that the others have their turns too; and what who writes waits besides, so that the
#: courier keeps up.
PAUSE, WRITERS_PAUSE = 0.002, 0.02


class Worker:
    """One process: a `role` of `reader`, `exporter`, `writer` (collects and queues), `courier`."""

    def __init__(self, config: dict[str, Any], role: str, number: int) -> None:
        self.folder = Path(config["folder"])
        self.config = config
        self.role = role
        self.number = number
        self.people: list[dict[str, str]] = config["people"]
        self.random = random.Random(config["seed"] * 1000 + number)
        self.operations: list[Operation] = []
        self.kept: dict[int, str] = {}
        self.site: Any = club()

    def work(self) -> None:
        """Open, do one thing after another until all is done, close, and write down what was done."""
        self._open()
        do = {"reader": self._read, "exporter": self._export, "writer": self._write, "courier": self._send}[self.role]
        (self.folder / f"ready-{self.number}").touch()
        with (self.folder / "at").open("rb", buffering=0) as at:
            left = LAST
            while left and not select([0], [], [], 0)[0]:
                left -= (self.folder / "erased").exists()
                do(self._somebody(at.fileno()))
                time.sleep(PAUSE)
        self.site.close()
        lines = "".join(json.dumps(asdict(one)) + "\n" for one in self.operations)
        (self.folder / f"done-{self.number}").write_text(lines)

    def _open(self) -> None:
        self.site.open(
            self.folder / "data",
            store=self.config["store"],
            endpoints=self.config["endpoints"],
            ca=Path(self.config["ca"]),
            background=False,
            clock=FrozenClock(self.config["now"]),
        )
        self.owners = {one["id"]: number for number, one in enumerate(self.people)}

    def _somebody(self, at: int) -> int:
        """The number of somebody, mostly of one close to who is being erased."""
        if self.random.randrange(10) >= NEAR:
            return self.random.randrange(len(self.people))
        place = int.from_bytes(os.pread(at, 8, 0), "little") + self.random.randint(-REACH, REACH)
        return place % len(self.people)

    def _noted(self, kind: str, person: int, do: Callable[[], str]) -> None:
        """Do something and note it. What was given before it failed was given."""
        begin, outcome, said = time.monotonic_ns(), FAILED, ""
        try:
            outcome = do()
        except (AvowError, SQLAlchemyError) as error:
            said = f"{type(error).__name__}: {first_line(error) if isinstance(error, AvowError) else error}"
        self.operations.append(Operation(kind, person, begin, time.monotonic_ns(), outcome, said))

    # -- what is done ---------------------------------------------------------------------------------

    def _read(self, person: int) -> None:
        """Open a name, as a page does that only reads, or as one that may write."""
        reads = self.random.random() < 0.5

        def read() -> str:
            unit = self.site.opened.unit("desk", "lending", place="hall", channel="https", reads=reads)
            with Acting(self.site.opened, unit) as work:
                found = work.select(self.site.Member, self.site.Member.person == self.people[person]["id"])
                text = found[0].name.open() if found else ""
            if self.config["keeps"]:  # what no service may do: the checker has to see it
                text = self.kept.setdefault(person, text)
            return self._is(text, person)

        self._noted("read", person, read)

    def _export(self, person: int) -> None:
        """All that is held about somebody who comes with their link, as the page of access does it."""

        def export() -> str:
            with self.site.acting("desk", "lending", place="hall", channel="https") as work:
                member = work.presented(self.site.Member, self.people[person]["secret"])
                if member is None:
                    return GONE
                answer = work.export(work.holdings(member, fact="presented(link)"), "held.json")
                held = json.loads(fill_answer(work.unit, "application/json", answer.body))
            texts = [value["text"] for record in held["records"] for value in record["values"]]
            return self._is(texts[0] if texts else "", person)

        self._noted("export", person, export)

    def _write(self, person: int) -> None:
        """Something new about somebody: a loan, or a mail to them that is to be sent."""
        kind = self.random.choice(["collect", "queue"])

        def write() -> str:
            with self.site.acting("desk", "lending", place="hall", channel="https") as work:
                found = work.select(self.site.Member, self.site.Member.person == self.people[person]["id"])
                if not found:
                    return GONE
                if kind == "queue":
                    work.send("notice", found[0])
                else:
                    work.collect(self.site.Loan, person=found[0].avow_person, name=self.people[person]["name"])
            return VALUE

        self._noted(kind, person, write)
        time.sleep(WRITERS_PAUSE)

    def _send(self, _: int) -> None:
        """Make one attempt at the mail that waits longest, whosever it is."""
        courier, noted = self.site.opened.courier, Noted(self.site.opened.letters)
        courier.door_of = lambda kind, name: noted
        begin, said = time.monotonic_ns(), ""
        try:
            courier.turn(Lane("send", ""))
        except (AvowError, SQLAlchemyError) as error:
            said = f"{type(error).__name__}: {error}"
        end = time.monotonic_ns()
        if noted.owner:
            self.operations.append(Operation("send", self.owners[noted.owner], begin, end, GONE, said, noted.send))

    def _is(self, text: str, person: int) -> str:
        if not text:
            return GONE
        return VALUE if text == self.people[person]["name"] else OTHER


class Noted:
    """A door that notes whose send comes to it, and lets it through."""

    def __init__(self, door: Any) -> None:
        self._door = door
        self.channel: str = door.channel
        self.owner = self.send = ""

    def pack(self, unit: Any, send: Any, record: Any) -> Any:
        """As the door itself."""
        self.owner, self.send = send.owner, send.id
        return self._door.pack(unit, send, record)


def main() -> int:
    """Fork the processes and wait for them; how many of them failed."""
    logging.getLogger("avow").setLevel(logging.CRITICAL)  # refusals are what is looked for
    config = json.loads(Path(sys.argv[1]).read_text())
    started = []
    for number, role in enumerate(config["roles"]):
        started.append(fork(Worker(config, role, number).work))
    return sum(os.waitpid(pid, 0)[1] != 0 for pid in started)


if __name__ == "__main__":
    sys.exit(main())
