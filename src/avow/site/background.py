"""Background work of one process: chaining the ledger, delivering the outbox, settling exchanges.

One thread does all three, wakes at each commit and at least twice a second, and outlives any fault of
a round: what failed is logged and tried again in the next. Several processes may run it at once.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avow.site.opened import Opened

log = logging.getLogger("avow.background")

#: Seconds between two rounds when nothing wakes it.
PAUSE = 0.5

#: Seconds between a commit and the round that it wakes: what is committed meanwhile shares the round, and its fsyncs.
GATHER = 0.05


class Background:
    """The worker of one opened site."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin working in a thread of its own."""
        self._opened.vault.after_commit = self._wake.set
        self._thread = threading.Thread(target=self._run, name="avow-background", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the round that is under way, chain what is left, and end."""
        if self._thread is None:
            return
        self._stop.set()
        self._wake.set()
        self._thread.join()
        self._thread = None

    def round(self) -> int:
        """Do everything that is due now; the number of things done.

        A fault of one kind of work does not keep the others waiting: it is raised after them.
        """
        done, failure = 0, None
        for part in (self._opened.exchanges.settle, self._opened.courier.run, self._opened.sequencer.run):
            try:
                done += part()
            except (Exception, SystemExit) as error:  # noqa: BLE001  # raised below
                failure = failure or error
        if failure is not None:
            raise failure
        return done

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(PAUSE)
            self._stop.wait(GATHER)
            self._wake.clear()
            try:
                self.round()
            except (Exception, SystemExit):  # nothing that a site raises ends the work of all others
                log.exception("a round of background work failed; it will be tried again")
                self._stop.wait(PAUSE)
