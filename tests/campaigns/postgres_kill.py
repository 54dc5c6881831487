"""PostgreSQL killed under load, again and again: the service goes on, loses nothing, and does nothing twice.

    python -m tests.campaigns.postgres_kill [CYCLES] [EACH]     100 cycles, 10 at each installation, unless told so

While people join, are opened and are erased (`postgres_kill_load`) and the service delivers what that queues, to a real
mail server and a real recipient over HTTPS, the database server is ended as by a crash and started again. After each
start the database is compared with what was acknowledged (`postgres_kill_facts`), without a pause in the load; the
process of the service lives through all of it.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import select

from avow.errors import LedgerError
from avow.ledger.entry import Entry
from avow.ledger.stored import StoredLog
from avow.ledger.verify import verify
from avow.testing.carrier import Carrier, Label
from avow.testing.certificates import Authority
from avow.testing.clock import FrozenClock
from avow.testing.mailbox import Mail, Mailbox
from avow.testing.postgres import Server
from tests.campaigns.postgres_kill_facts import Held, Line, failures, violations
from tests.campaigns.postgres_kill_load import Load, name_of
from tests.vault.club import club

#: Seconds after which whoever worked for an attempt counts as dead, and the attempt is made again.
LEASE = 61.0

#: Seconds that anything may take that has to come: a thread that goes on, a send that is delivered.
PATIENCE = 60.0


class Post(Mailbox):
    """A mail server that keeps the id of every mail."""

    def __init__(self, authority: Authority) -> None:
        super().__init__(authority)
        self.ids: list[str] = []

    def take(self, arrival: Mail) -> None:
        """Keep one."""
        self.ids.append(str(arrival.message["Message-ID"]).strip("<>").partition("@")[0])


class Binder(Carrier):
    """A recipient that keeps the reference of all that is stored."""

    def __init__(self, authority: Authority) -> None:
        super().__init__(authority)
        self.ids: list[str] = []

    def take(self, arrival: Label) -> None:
        """Keep one."""
        self.ids.append(arrival.reference)


class Trial:
    """One installation on a database of `server`, in `folder`; the server is killed `cycles` times."""

    def __init__(self, folder: Path, server: Server, cycles: int, seed: int) -> None:
        self.folder = folder
        self.server = server
        self.cycles = cycles
        self.random = random.Random(seed)
        self.clock = FrozenClock()
        self.site: Any = club()
        self.load = Load(self.site, seed)
        self.windows: list[tuple[float, float]] = []
        self.checkpoints: list[tuple[int, bytes]] = []
        self.found: list[str] = []

    def run(self) -> dict[str, Any]:
        """The figures; `violations` is what does not hold, in words."""
        start = time.monotonic()
        authority = Authority.create(self.folder / "ca")
        with Post(authority) as self.post, Binder(authority) as self.binder:
            self.site.open(
                self.folder / "data",
                store=self.server.fresh_database(),
                endpoints={"mail": self.post.url, "binder": self.binder.url, "bank": "https://127.0.0.1:1"},
                ca=authority.ca,
                clock=self.clock,
                ledger_every=LEASE - 1,  # in each cycle once, beside the thread of the load that always does it
            )
            try:
                self.load.start()
                try:
                    for number in range(self.cycles):
                        self._cycle(number)
                finally:
                    self.load.stop()
                self._in_the_end()
            finally:
                self.site.close()
        self.found += [*self.load.wrong, *failures(self.load.tries, self.windows)]
        told, failed = self.load.told, [each for each in self.load.tries if each.error]
        return {
            "cycles": self.cycles,
            "joined": len(told.joined),
            "opened": told.opened,
            "erased": len(told.left),
            "mails": len(self.post.ids),
            "shares": len(self.binder.ids),
            "tries": len(self.load.tries),
            "tries_failed": len(failed),
            "entries": self.checkpoints[-1][0],
            "violations": self.found,
            "seconds": round(time.monotonic() - start, 1),
        }

    def _cycle(self, number: int) -> None:
        """Let them work, kill the server, start it, and look."""
        time.sleep(self.random.uniform(0.05, 0.6))
        killed = time.monotonic()
        self.server.kill()
        time.sleep(self.random.uniform(0.0, 0.15))
        self.server.start()
        self.windows.append((killed, time.monotonic()))
        self._wait_for_all(number)
        self.found += [f"after kill {number + 1}: {each}" for each in self._look()]
        self.clock.advance(LEASE)

    def _wait_for_all(self, number: int) -> None:
        """Wait until each thread has succeeded with something that it began after the start."""
        started, end = self.windows[-1][1], time.monotonic() + PATIENCE
        waiting = set(self.load.names)
        while waiting and time.monotonic() < end:
            with self.load.lock:
                waiting -= {each.thread for each in self.load.tries if each.begin > started and not each.error}
            time.sleep(0.005)
        self.found += [f"after kill {number + 1}: the thread `{name}` does not go on" for name in sorted(waiting)]

    def _look(self) -> list[str]:
        """What does not hold now."""
        before = self.load.now()
        before.arrived = Counter({("send", "notice"): len(self.post.ids), ("share", "binder"): len(self.binder.ids)})
        held = self._held()
        return violations(before, held, self.load.now())

    def _held(self) -> Held:
        schema = self.site.home.schema
        member = self.site.Member.__table__
        with self.site.opened.vault.store.one_moment() as connection:
            lines: Counter[Line] = Counter()
            seal, pending = self.site.opened.vault.waiting, schema.pending.c
            bodies = [bytes(body) for body in connection.scalars(select(schema.entry.c.body))]
            waiting = connection.execute(select(pending.id, pending.body)).all()
            bodies += [seal.unseal(row.id, bytes(row.body)) for row in waiting]
            for entry in map(Entry.decode, bodies):
                lines.update((entry.event, entry.verb, word) for word in entry.object.split(", "))
            outbox = schema.outbox.c
            held = Held(
                people=list(connection.scalars(select(schema.person.c.id))),
                owners=list(connection.scalars(select(member.c.person))),
                linked=list(connection.scalars(select(schema.link.c.owner))),
                sends=[tuple(row) for row in connection.execute(select(outbox.owner, outbox.kind, outbox.name))],
                lines=lines,
            )
        held.trouble = self._verified()
        return held

    def _verified(self) -> str:
        """What is wrong with the ledger: by itself, beside its checkpoint, and beside each that there was before."""
        schema, store = self.site.home.schema, self.site.opened.vault.store
        sequencer = self.site.opened.sequencer
        try:
            kept = verify(store, schema, sequencer.file, sequencer.signer.key).kept
            assert kept is not None
            with store.one_moment() as connection:
                log = StoredLog(connection, schema)
                for size, root in self.checkpoints:
                    if log.edge(size).root != root:
                        return f"the checkpoint of {size} entries is none of its own any more"
        except LedgerError as error:
            return str(error)
        if self.checkpoints and kept.size < self.checkpoints[-1][0]:
            return f"the checkpoint went back to {kept.size} entries"
        self.checkpoints.append((kept.size, kept.root))
        return ""

    def _in_the_end(self) -> None:
        """Everything is delivered and in the log, each thing once, and everybody opens who is there."""
        end = time.monotonic() + PATIENCE
        while (waiting := self._waiting()) and time.monotonic() < end:
            self.clock.advance(LEASE)
            time.sleep(0.3)
        if waiting:
            self.found.append(f"in the end {waiting} sends or entries still wait")
        self.found += [f"in the end: {each}" for each in self._look()]
        told, outbox = self.load.told, self.site.home.schema.outbox
        with self.site.opened.vault.store.reading() as connection:
            sends = connection.execute(select(outbox.c.id, outbox.c.kind, outbox.c.state)).all()
        if len(set(self.binder.ids)) != len(self.binder.ids):
            self.found.append("the recipient has stored something twice")
        for row in sends:
            ids = self.post.ids if row.kind == "send" else self.binder.ids
            if row.state != "done" or row.id not in ids:
                self.found.append(f"in the end a {row.kind} is {row.state}, and its peer has {ids.count(row.id)} of it")
        with self.site.acting("desk", "lending", place="hall") as work:
            names = {one.person: one.name.open() for one in work.select(self.site.Member)}
        there = {told.joined[number]: name_of(number) for number in told.joined if number not in told.left}
        if names != there:
            self.found.append(f"in the end {len(names)} people open, and {len(there)} should")

    def _waiting(self) -> int:
        schema = self.site.home.schema
        open_states = schema.outbox.c.state.in_(("ready", "attempted"))
        with self.site.opened.vault.store.reading() as connection:
            sends = len(connection.execute(select(schema.outbox.c.id).where(open_states)).all())
            return sends + len(connection.execute(select(schema.pending.c.id)).all())


def main() -> int:
    """Run the trials and print their figures together; the exit status says whether all holds."""
    logging.getLogger("avow").setLevel(logging.CRITICAL + 1)  # that work fails is what is tried
    cycles, each = (int(sys.argv[n]) if len(sys.argv) > n else default for n, default in ((1, 100), (2, 10)))
    figures: Counter[str] = Counter()
    found: list[str] = []
    with ExitStack() as stack:
        server = stack.enter_context(Server())
        while figures["cycles"] < cycles:
            with tempfile.TemporaryDirectory(prefix="avow-postgres-kill-") as folder:
                many = min(each, cycles - figures["cycles"])
                trial = Trial(Path(folder), server, many, seed=time.time_ns()).run()
            found += trial.pop("violations")
            figures.update(trial)
    sys.stdout.write(json.dumps({**figures, "violations": len(found), "seconds": round(figures["seconds"], 1)}) + "\n")
    sys.stderr.writelines(f"{each}\n" for each in found[:20])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
