"""Erasure against read, export and send: several processes at one installation, and nothing given of who was erased.

    python -m tests.campaigns.beside [PEOPLE] [PROCESSES] [SHRED]     400 people, 4 processes, every 100th; both stores

While this process erases two of three people, one after the other, others (`beside_workers`) open their names, take
along all that is held about them, write about them and send the mails that wait for them to a real SMTP server. Then
the histories of all are judged together (`beside_history`): an operation that began after an erasure had been
acknowledged must not have given anything of that person, and none may have failed for who lived. With every SHREDth
erasure the key epochs are destroyed (0: never).
"""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from avow.errors import LedgerError
from avow.ledger.verify import verify
from avow.testing.certificates import Authority
from avow.testing.clock import FrozenClock
from avow.testing.mailbox import Mail, Mailbox
from avow.testing.postgres import Server
from avow.vault.columns import Owner, Party
from avow.vault.shredding import shred
from tests.campaigns.beside_history import Erasure, History, Operation, settled
from tests.vault.club import club

NOW = 1_795_000_000.0

#: What the processes are, one after the other.
ROLES = ("reader", "courier", "exporter", "writer")

#: Seconds that the processes may take to begin or to end.
PATIENCE = 60.0


class Post(Mailbox):
    """A mailbox that keeps the id of every mail, and the nanosecond in which it came."""

    def __init__(self, authority: Authority) -> None:
        super().__init__(authority)
        self.arrivals: list[tuple[str, int]] = []

    def take(self, arrival: Mail) -> None:
        """Keep one."""
        at = time.monotonic_ns()
        message_id = str(arrival.message["Message-ID"]).strip("<>")
        self.arrivals.append((message_id.partition("@")[0], at))


class Trial:
    """One installation on `store`, its people and the processes at work on it, in `folder`.

    `processes` work beside this one. `keeps` makes the readers give out again what they have read, which is what the
    checker must notice.
    """

    def __init__(
        self, folder: Path, store: str, people: int, processes: int, *, seed: int, shreds: int = 0, keeps: bool = False
    ) -> None:
        self.folder = folder
        self.store = store
        self.people = people
        self.shreds = shreds
        self.random = random.Random(seed)
        self.site: Any = club()
        self.members: list[dict[str, str]] = []
        self.erasures: dict[int, Erasure] = {}
        self.trouble: list[str] = []
        roles = [ROLES[number % len(ROLES)] for number in range(processes)]
        self.config: dict[str, Any] = {"roles": roles, "keeps": keeps, "seed": seed, "now": NOW, "store": store}

    def run(self) -> dict[str, Any]:
        """The figures; `violations` is what does not hold, in words."""
        start = time.monotonic()
        authority = Authority.create(self.folder / "ca")
        nowhere = "https://127.0.0.1:1"
        with Post(authority) as post:
            endpoints = {"mail": post.url, "bank": nowhere, "binder": nowhere}
            self.site.open(
                self.folder / "data",
                store=self.store,
                background=False,
                clock=FrozenClock(NOW),
                endpoints=endpoints,
                ca=authority.ca,
            )
            try:
                self._settle()
                self.config |= {"endpoints": endpoints, "ca": str(authority.ca), "people": self.members}
                self.config["folder"] = str(self.folder)
                operations = self._beside()
                history = History(tuple(settled(operations, post.arrivals)), self.erasures, self._left())
                self._look()
            finally:
                self.site.close()
        found = [*history.violations(), *self.trouble]
        return {
            "store": self.store.partition(":")[0],
            "people": self.people,
            "processes": len(self.config["roles"]),
            **history.figures(),
            "epochs_destroyed": self._shredded(),
            "violations": found,
            "seconds": round(time.monotonic() - start, 1),
        }

    def _settle(self) -> None:
        """Everybody joins, has a link, and a mail that waits."""
        with self.site.acting("desk", "lending", place="hall", channel="https") as work:
            for number in range(self.people):
                name, email = f"Name {number} Example", f"n{number}@example.org"
                member = work.collect(self.site.Member, person=work.person(), name=name, email=email)
                work.send("notice", member)
                self.members.append({"id": member.person, "name": name, "secret": work.secret(member)})

    def _lives(self, number: int) -> bool:
        return number % 3 == 2

    def _beside(self) -> list[Operation]:
        """Erase while the others work; what they did."""
        self._publish(0)
        file = self.folder / "config"
        file.write_text(json.dumps(self.config))
        command = [sys.executable, "-m", "tests.campaigns.beside_workers", str(file)]
        with (self.folder / "said").open("w+") as said:
            workers = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said, stdout=said)
            try:
                self._wait_until_ready(workers)
                self._erase_all()
                (self.folder / "erased").touch()  # they go on for a while
                failed = workers.wait(PATIENCE)
            finally:
                workers.communicate(timeout=PATIENCE)  # closes what they wait for
            if failed:
                said.seek(0)
                raise AssertionError(f"{failed} processes failed: {said.read()[-4000:]}")
        lines = [line for file in self.folder.glob("done-*") for line in file.read_text().splitlines()]
        return [Operation(**json.loads(line)) for line in lines]

    def _wait_until_ready(self, workers: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + PATIENCE
        while len(list(self.folder.glob("ready-*"))) < len(self.config["roles"]):
            if workers.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the processes do not begin: {(self.folder / 'said').read_text()[-4000:]}")
            time.sleep(0.01)

    def _erase_all(self) -> None:
        opened = self.site.opened
        for number in range(self.people):
            self._publish(number)
            time.sleep(self.random.random() * 0.03)  # so that somebody is being read
            if self._lives(number):
                continue
            begin = time.monotonic_ns()
            acknowledged = self._erase(self.members[number]["id"])
            self.erasures[number] = Erasure(begin, acknowledged)
            opened.vault.store.checkpoint_if_wanted()
            if len(self.erasures) % 10 == 0:
                opened.sequencer.run()
            if self.shreds and len(self.erasures) % self.shreds == 0:
                shred(opened.vault)

    def _erase(self, identity: str) -> int:
        """Erase somebody; the nanosecond in which that was acknowledged."""
        with self.site.acting("desk", "lending") as work:
            work.erase(work.db.get(self.site.person_class, identity))
            return time.monotonic_ns()

    def _publish(self, number: int) -> None:
        """Tell the others who is the next to be erased."""
        descriptor = os.open(self.folder / "at", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, number.to_bytes(8, "little"), 0)
        finally:
            os.close(descriptor)

    def _left(self) -> dict[int, int]:
        """In how many rows who was erased is left, over all columns that say whose a row is; nobody who is in none."""
        person = self.site.home.schema.person
        columns = [person.c.id]
        for table in self.site.home.metadata.sorted_tables:
            owners = [c for c in table.columns if isinstance(c.info.get("avow"), (Owner, Party))]
            columns += owners or ([table.c.owner] if "owner" in table.columns else [])
        left = {}
        with self.site.opened.vault.store.reading() as connection:
            for number in self.erasures:
                whose = self.members[number]["id"]
                queries = (select(func.count()).select_from(c.table).where(c == whose) for c in columns)
                if rows := sum(connection.scalar(query) or 0 for query in queries):
                    left[number] = rows
        return left

    def _look(self) -> None:
        """In the end the ledger verifies, and everybody opens who lives."""
        opened = self.site.opened
        opened.sequencer.run()
        try:
            verify(opened.vault.store, self.site.home.schema, opened.sequencer.file, opened.sequencer.signer.key)
        except LedgerError as error:
            self.trouble.append(f"the ledger does not verify: {error}")
        with self.site.acting("desk", "lending", place="hall") as work:
            names = {one.person: one.name.open() for one in work.select(self.site.Member)}
        self.trouble += [
            f"in the end person {number}, who lives, does not open"
            for number, member in enumerate(self.members)
            if number not in self.erasures and names.get(member["id"]) != member["name"]
        ]

    def _shredded(self) -> int:
        return len(self.erasures) // self.shreds if self.shreds else 0


def main() -> int:
    """Run the trial on each kind of store and print its figures; the exit status says whether all holds."""
    logging.getLogger("avow").setLevel(logging.CRITICAL)
    people, processes, shreds = (
        int(sys.argv[n]) if len(sys.argv) > n else default for n, default in ((1, 400), (2, 4), (3, 100))
    )
    failed = False
    with ExitStack() as stack:
        server = stack.enter_context(Server())
        for kind in ("sqlite", "postgresql"):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="avow-beside-")))
            store = server.fresh_database() if kind == "postgresql" else f"sqlite:///{folder / 'site.db'}"
            figures = Trial(folder, store, people, processes, seed=int(time.time()), shreds=shreds).run()
            figures["violations"], found = len(figures["violations"]), figures["violations"]
            sys.stdout.write(json.dumps(figures) + "\n")
            sys.stderr.writelines(f"{each}\n" for each in found[:20])
            failed = failed or bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
