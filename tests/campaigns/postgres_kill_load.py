"""What works at a service while its database is killed: threads that join people, open their names and erase them,
and one that integrates the ledger.

Each command is repeated until it succeeds, as whoever gave it would do: joining is known by the mail address, erasing
by the person. Beside them goes the background work of the service itself, which delivers what joining queues.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import DBAPIError

from avow.errors import AvowError, first_line
from avow.site.site import Acting
from avow.vault.erasure import erase
from tests.campaigns.postgres_kill_facts import Told, Try

#: Seconds after a command, so that people do not join faster than they can be looked at, and after one that failed.
PAUSE, FAILED_PAUSE = 0.01, 0.02

#: How often a command is repeated that fails when all is to end.
LAST = 250


class Load:
    """The threads at work on an opened club. `told` is what they began and what they were told."""

    def __init__(self, site: Any, seed: int) -> None:
        self.site = site
        self.told = Told()
        self.lock = threading.Lock()
        self.tries: list[Try] = []
        self.wrong: list[str] = []
        self._stop = threading.Event()
        roles = {"join 0": self._join, "join 1": self._join, "open 0": self._open, "open 1": self._open}
        roles |= {"erase": self._erase, "integrate": self._integrate}
        self._threads = [
            threading.Thread(target=self._run, args=(name, do, random.Random(f"{seed} {name}")), name=name)
            for name, do in roles.items()
        ]

    @property
    def names(self) -> list[str]:
        """The names of the threads."""
        return [thread.name for thread in self._threads]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each thread bring its command to an end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def now(self) -> Told:
        """What was begun and told up to now."""
        with self.lock:
            return self.told.copy()

    def _run(self, name: str, do: Callable[[random.Random], Callable[[], None] | None], chance: random.Random) -> None:
        while not self._stop.is_set():
            command, left = do(chance), LAST
            while command is not None and left and not self._tried(name, command):
                left -= self._stop.is_set()
                time.sleep(FAILED_PAUSE)
            time.sleep(PAUSE)

    def _tried(self, name: str, command: Callable[[], None]) -> bool:
        begin, error, foreign = time.monotonic(), "", False
        try:
            command()
        except (AvowError, DBAPIError) as failed:
            error = f"{type(failed).__name__}: {first_line(failed) if isinstance(failed, AvowError) else failed.orig}"
        except Exception as failed:  # noqa: BLE001 - it is counted: nothing else may come out
            error, foreign = f"{type(failed).__module__}.{type(failed).__name__}: {failed}", True
        with self.lock:
            self.tries.append(Try(name, begin, time.monotonic(), error, foreign))
        return not error

    # -- the commands ---------------------------------------------------------------------------------

    def _join(self, chance: random.Random) -> Callable[[], None]:
        """Join somebody new, and queue a mail to them and a message to the bookbinder."""
        with self.lock:
            number = len(self.told.joining)
            self.told.joining.add(number)
        email = f"n{number}@example.org"

        def join() -> None:
            member = self.site.Member
            with self.site.acting("desk", "lending", place="hall", channel="https") as work:
                there = work.select(member, member.email == email)
                if there:
                    identity = there[0].person
                else:
                    values = {"name": name_of(number), "email": email, "address": f"{number} Lane"}
                    made = work.collect(member, person=work.person(), **values)
                    work.send("notice", made)
                    work.share(made, "binder")
                    identity = made.person
            with self.lock:
                self.told.joined[number] = identity

        return join

    def _open(self, chance: random.Random) -> Callable[[], None] | None:
        """Open the name of somebody who does not leave: in a unit that only reads, or in one that may write."""
        with self.lock:
            there = [number for number in self.told.joined if number not in self.told.leaving]
            if not there:
                return None
            number = chance.choice(there)
            identity = self.told.joined[number]
        reads = chance.random() < 0.5

        def open_name() -> None:
            with self.lock:
                self.told.opening += 1
            unit = self.site.opened.unit("desk", "lending", place="hall", channel="https", reads=reads)
            with Acting(self.site.opened, unit) as work:
                found = work.select(self.site.Member, self.site.Member.person == identity)
                text = found[0].name.open() if found else ""
            with self.lock:
                self.told.opened += bool(text)
                if text != name_of(number) and number not in self.told.leaving:
                    self.wrong.append(f"who joined as {number} opens as {'another' if text else 'nobody'}")

        return open_name

    def _erase(self, chance: random.Random) -> Callable[[], None] | None:
        """Erase somebody, where more than ten are there."""
        with self.lock:
            there = [number for number in self.told.joined if number not in self.told.leaving]
            if len(there) <= 10:
                return None
            number = chance.choice(there)
            identity = self.told.joined[number]
            self.told.leaving.add(number)

        def leave() -> None:
            erase(self.site.opened.vault, identity)
            with self.lock:
                self.told.left.add(number)

        return leave

    def _integrate(self, chance: random.Random) -> Callable[[], None]:
        """Integrate what is pending, as a command does beside the service."""

        def integrate() -> None:
            self.site.opened.sequencer.run()

        return integrate


def name_of(number: int) -> str:
    """The name of who joins as `number`."""
    return f"Name {number} Example"
