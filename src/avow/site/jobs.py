"""Jobs: what a site does by itself, a piece at a time, such as queueing an issue of a newsletter.

    @site.job("newsletter", role="storefront", purpose="newsletter_service")
    def send_on(work) -> bool:          # one unit of work; True while more is waiting

Each call is a unit of work of its own. What it has done by its commit stays done: after a crash the next call goes on
from there, so a job finds out from the database what is left to do. Several processes may run the same job at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from avow.errors import SetupError
from avow.site.work import Work

if TYPE_CHECKING:
    from avow.site.opened import Opened

#: Seconds between two looks whether there is something to do, where nobody has said otherwise.
EVERY = 5.0

#: One piece of work; True while more is waiting.
Piece = Callable[[Work], bool]


@dataclass(frozen=True, slots=True)
class Job:
    """A job as declared: its name, in which role and for what purpose it acts, and how often it looks, in seconds."""

    name: str
    role: str
    purpose: str
    every: float
    piece: Piece


class Jobs:
    """The jobs of one opened site."""

    def __init__(self, opened: Opened, jobs: dict[str, Job]) -> None:
        self._opened = opened
        self._jobs = jobs
        self._next = dict.fromkeys(jobs, 0.0)
        words = opened.policy.vocabulary.words
        for job in jobs.values():
            for kind, word in (("role", job.role), ("purpose", job.purpose)):
                if word not in words[kind]:
                    raise SetupError(
                        f"the job `{job.name}` names the {kind} `{word}`, which the policy does not know",
                        help=f"it knows {', '.join(sorted(words[kind]))}",
                    )

    def due(self, now: float) -> list[str]:
        """The jobs whose time to look has come; their next is counted from `now`, in seconds of any steady clock."""
        due = [name for name, at in self._next.items() if at <= now]
        for name in due:
            self._next[name] = now + self._jobs[name].every
        return due

    def turn(self, name: str) -> bool:
        """Do one piece of a job; True while more is waiting."""
        job = self._jobs[name]
        with self._opened.unit(job.role, job.purpose) as unit:
            return job.piece(Work(self._opened, unit))

    def run(self) -> int:
        """Do all that is waiting, in this thread; the number of pieces after which more was waiting."""
        pieces = 0
        for name in self._jobs:
            while self.turn(name):
                pieces += 1
        return pieces
