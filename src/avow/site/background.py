"""Background work of one process: integrating the ledger, delivering the outbox, settling exchanges.

One thread looks for what is due, at each commit and at least twice a second, and integrates the ledger itself. Whatever
waits for a peer is done by a few others: each recipient, the mails and the settling have one at a time, so that a peer
that hangs holds up nobody else. All outlive any fault: what failed is logged and tried again. Several processes may
run this at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING

from avow.outbox.recalling import recall
from avow.site.safekeeping import copy_kept
from avow.vault.checking import check_if_due
from avow.vault.former import take_back
from avow.vault.retention import carry_out
from avow.vault.shredding import is_due, shred

if TYPE_CHECKING:
    from avow.outbox.queue import Lane
    from avow.site.opened import Opened

log = logging.getLogger("avow.background")

#: Seconds between two rounds when nothing wakes it.
PAUSE = 0.5

#: Seconds between a commit and the round that it wakes: what is committed meanwhile shares the round, and its fsyncs.
GATHER = 0.05

#: Threads that wait for peers. If all of them wait for peers that hang, the others wait for the first timeout.
WORKERS = 8

#: The work that is no lane: asking for the outcomes of exchanges, and bringing to its end what has to end.
SETTLING = "settling"
ENDING = "ending"

#: Seconds between two looks whether something has to end.
LOOK = 60.0

#: Something to do, and what it is, of which there is one at a time.
_Job = tuple[Hashable, Callable[[], object]]


class Background:
    """The workers of one opened site."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._taken: set[Hashable] = set()
        self._look = 0.0
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin working, in threads of its own."""
        self._opened.vault.after_commit = self._wake.set
        self._threads = [threading.Thread(target=self._run, name="avow-background", daemon=True)]
        self._threads += [
            threading.Thread(target=self._work, name=f"avow-sends-{number}", daemon=True) for number in range(WORKERS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is under way, and end. A peer that hangs takes its timeout. The ledger waits for its time."""
        if not self._threads:
            return
        self._stop.set()
        self._wake.set()
        for _ in range(WORKERS):
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def round(self) -> int:
        """Do everything that is due now, and integrate all of the ledger, in this thread; the number of things done.

        A fault of one kind of work does not keep the others waiting: it is raised after them.
        """
        done, failure = 0, None
        opened = self._opened
        for part in (opened.jobs.run, opened.exchanges.settle, opened.courier.run, self._end, opened.sequencer.run):
            try:
                done += part()
            except (Exception, SystemExit) as error:  # noqa: BLE001  # raised below
                failure = failure or error
        opened.vault.store.checkpoint_if_wanted()
        if failure is not None:
            raise failure
        return done

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(PAUSE)
            self._stop.wait(GATHER)
            self._wake.clear()
            try:
                self._give(SETTLING, self._settle)
                if time.monotonic() >= self._look:
                    self._look = time.monotonic() + LOOK
                    self._give(ENDING, self._end)
                for name in self._opened.jobs.due(time.monotonic()):
                    self._give(("job", name), partial(self._do, name))
                for lane in self._opened.courier.lanes():
                    self._give(lane, partial(self._serve, lane))
                self._opened.sequencer.run_due()
                self._opened.vault.store.checkpoint_if_wanted()
            except (Exception, SystemExit):  # nothing that a site raises ends the work of all others
                log.exception("a round of background work failed; it will be tried again")
                self._stop.wait(PAUSE)

    def _give(self, what: Hashable, job: Callable[[], object]) -> None:
        with self._lock:
            if what in self._taken:
                return
            self._taken.add(what)
        self._jobs.put((what, job))

    def _work(self) -> None:
        while (taken := self._jobs.get()) is not None:
            what, job = taken
            try:
                if not self._stop.is_set():
                    job()
            except (Exception, SystemExit):
                log.exception("background work failed; it will be tried again")
                self._stop.wait(PAUSE)
            finally:
                with self._lock:
                    self._taken.discard(what)
            if what not in (SETTLING, ENDING):
                self._wake.set()  # what was committed since the last look has found this lane taken

    def _settle(self) -> None:
        self._opened.exchanges.settle()

    def _end(self) -> int:
        """Take out whose time has come, and put out of reach in every copy who was erased; how many that were."""
        vault, safe = self._opened.vault, self._opened.settings.safe
        if vault.unsure:
            take_back(vault)
        done = recall(vault) + carry_out(vault)
        check_if_due(vault)
        if is_due(vault):
            done += len(shred(vault, copy=lambda: copy_kept(vault.data, safe)))
        return done

    def _do(self, name: str) -> None:
        """Do what is waiting of a job, piece by piece."""
        while not self._stop.is_set() and self._opened.jobs.turn(name):
            pass

    def _serve(self, lane: Lane) -> None:
        """Send what is due in a lane; one send only while others wait for a thread."""
        while not self._stop.is_set() and self._opened.courier.turn(lane) and self._jobs.empty():
            pass
