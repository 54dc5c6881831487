"""Many people, many old backups, erasures between: no erased value comes back, and every living person opens.

    python -m tests.campaigns.backups [PEOPLE] [BACKUPS]      1000 people and 10 backups, unless said otherwise

On SQLite, and again on PostgreSQL. After each backup some people are erased and the key epochs are destroyed. Then each
backup is put back into an empty database, with the newest keys. Last, every file that is left (database, its log,
backups, data folder) is searched for the wrapped keys of the erased; not the files of PostgreSQL's server, which
cleans them when it comes to it: there the epoch's end alone makes the keys worthless.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from avow.site.safekeeping import backup, copy_kept, restore
from avow.testing.clock import FrozenClock
from avow.testing.postgres import Server
from avow.vault.shredding import shred
from tests.vault.post import post

NOW = 1_795_000_000.0


def _silent(done: int, total: int) -> None:
    pass


class Trial:
    """One installation with its backups, in `folder`. `stores` makes addresses of empty databases; None is SQLite's."""

    def __init__(
        self, folder: Path, people: int, backups: int, seed: int, stores: Callable[[], str | None] = lambda: None
    ) -> None:
        self.folder = folder
        self.stores = stores
        self.store = stores()
        self.people = people
        self.backups = backups
        self.random = random.Random(seed)
        self.data = folder / "data"
        self.site: Any = post()
        self.living: dict[str, str] = {}
        self.wrapped: list[bytes] = []
        self.figures: dict[str, Any] = {"people": people, "backups": backups, "returned": 0, "lost": 0, "keys_found": 0}

    def run(self) -> dict[str, Any]:
        """The figures: how many erased people came back, living ones were lost, keys of erased ones were found."""
        start = time.monotonic()
        self._open()
        self._settle()
        for number in range(self.backups):
            self._close()
            backup(self.site, self.data, self.store, self.folder / f"backup-{number}", self.folder / "safe", _silent)
            self._open()
            for identity in self.random.sample(sorted(self.living), self.people // (2 * self.backups)):
                self._erase(identity)
            shred(self.site.opened.vault)
            copy_kept(self.data, self.folder / "safe")
        self._close()
        for number in range(self.backups):
            self._put_back(self.folder / f"backup-{number}", self.folder / f"restored-{number}")
        self._search()
        self.figures |= {"erased": len(self.wrapped), "seconds": round(time.monotonic() - start, 1)}
        return self.figures

    def _open(self) -> None:
        self.site.open(self.data, store=self.store, background=False, clock=FrozenClock(NOW))

    def _close(self) -> None:
        self.site.opened.sequencer.run()
        self.site.close()

    def _settle(self) -> None:
        with self.site.acting("desk", "mailing", place="counter") as work:
            for number in range(self.people):
                person = work.person()
                name = f"Name {number} Example"
                work.collect(self.site.Neighbour, person=person, name=name, email=f"n{number}@example.org")
                self.living[person.id] = name

    def _erase(self, identity: str) -> None:
        table = self.site.home.schema.person
        with self.site.opened.vault.store.reading() as connection:
            self.wrapped.append(bytes(connection.scalar(select(table.c.wrapped).where(table.c.id == identity))))
        with self.site.acting("desk", "mailing") as work:
            work.erase(work.db.get(self.site.person_class, identity))
        del self.living[identity]

    def _put_back(self, folder: Path, into: Path) -> None:
        """Restore an old backup with the newest keys, as on another machine."""
        shutil.copytree(self.data, into, ignore=shutil.ignore_patterns("site.db*"))
        store = self.stores()
        restore(self.site, into, store, folder, _silent)
        self.site.open(into, store=store, background=False, clock=FrozenClock(NOW))
        with self.site.acting("desk", "mailing") as work:
            found = {one.person: one.name.open() for one in work.select(self.site.Neighbour)}
        self._close()
        self.figures["returned"] += len(found.keys() - self.living.keys())
        self.figures["lost"] += sum(found.get(identity) != name for identity, name in self.living.items())

    def _search(self) -> None:
        held = [path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()]
        for key in self.wrapped:
            spelled = (key, b64encode(key), key.hex().encode())
            self.figures["keys_found"] += any(needle in content for needle in spelled for content in held)


def main() -> int:
    """Run the trial and print its figures; the exit status says whether all of them are as they should be."""
    people, backups = (int(sys.argv[n]) if len(sys.argv) > n else default for n, default in ((1, 1000), (2, 10)))
    harm = 0
    with Server() as server:
        for store, stores in (("SQLite", lambda: None), ("PostgreSQL", server.fresh_database)):
            with tempfile.TemporaryDirectory(prefix="avow-backups-") as folder:
                figures = Trial(Path(folder), people, backups, int(time.time()), stores).run()
            sys.stdout.write(json.dumps({"store": store, **figures}) + "\n")
            harm += figures["returned"] + figures["lost"] + figures["keys_found"]
    return 1 if harm else 0


if __name__ == "__main__":
    sys.exit(main())
