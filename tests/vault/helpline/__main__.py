"""Publishes the second version of the helpline and is killed within a batch: `python -m tests.vault.helpline …`.

DATA STORE SECONDS BATCHES: the installation, its database, what the clock says, and how many batches are committed
before the one within which the process ends itself, with everything queued and nothing committed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import event
from sqlalchemy.orm import Session

from avow.site.announcing import JOB
from avow.testing.clock import FrozenClock
from avow.vault import publishing

from . import HELPLINE, Versions, helpline, newer


def main(data: str, store: str, seconds: str, batches: str) -> NoReturn:
    """Publish, and die."""
    publishing.BATCH = 3  # type: ignore[misc]  # so that eleven people are several batches
    nowhere = {"endpoints": {"mail": "smtps://127.0.0.1:1"}}
    versions = Versions(helpline, Path(data), FrozenClock(float(seconds)), store=store, **nowhere)
    site: Any = versions.under(newer(HELPLINE))
    for _ in range(int(batches)):
        assert site.opened.jobs.turn(JOB)
    event.listen(Session, "before_commit", lambda session: os.kill(os.getpid(), signal.SIGKILL))
    site.opened.jobs.turn(JOB)
    raise AssertionError("nothing was about to be committed")


main(*sys.argv[1:])
