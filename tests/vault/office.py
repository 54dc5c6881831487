"""A village post that can be backed up, lost and put back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avow.site.safekeeping import Restored, backup, restore
from avow.testing.clock import FrozenClock
from tests.noted import logged

from .post import post


def silent(done: int, total: int) -> None:
    """A progress that nobody watches."""


class Kept(ABC):
    """An installation that can be backed up, lost and put back into another database."""

    site: Any
    data: Path
    store: str
    another: Callable[[], str]

    @abstractmethod
    def open(self) -> None:
        """Open it as it is opened each time."""

    def back_up(self, folder: Path) -> Path:
        """Write a backup of what is there now."""
        self.site.opened.sequencer.run()
        self.site.close()
        backup(self.site, self.data, self.store, folder, None, silent)
        self.open()
        return folder

    def put_back(self, folder: Path) -> Restored:
        """Lose the database, and restore into an empty one."""
        self.site.opened.sequencer.run()
        self.site.close()
        self.store = self.another()
        done = restore(self.site, self.data, self.store, folder, silent)
        self.open()
        return done


class Office(Kept):
    """A village post on one store, that can be backed up, lost and put back."""

    def __init__(self, data: Path, store: str, clock: FrozenClock, another: Callable[[], str]) -> None:
        self.site: Any = post()
        self.data = data
        self.store = store
        self.clock = clock
        self.another = another
        self.open()

    def open(self) -> None:
        self.site.open(self.data, store=self.store, background=False, clock=self.clock)

    @property
    def vault(self) -> Any:
        return self.site.opened.vault

    def events(self) -> list[str]:
        return [entry.event for entry in logged(self.site)]
