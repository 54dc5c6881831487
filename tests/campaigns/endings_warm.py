"""The warm process of `endings`; see `disturbing`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from avow.errors import AvowError, KeyringError
from avow.keys.hierarchy import unwrap_person
from avow.ledger.verify import verify
from avow.site.safekeeping import backup, restore
from avow.testing.clock import FrozenClock
from avow.vault.retention import carry_out
from avow.vault.shredding import shred
from tests.campaigns.disturbing import serve
from tests.campaigns.warm import wait_for_tracer
from tests.vault.post import post

NOW = 1_795_000_000.0


class Deed:
    """One flow on the installation in `folder`: data in `data`, a backup in `backup`."""

    def __init__(self, flow: str, folder: Path) -> None:
        self.flow = flow
        self.folder = folder
        self.data = folder / "data"
        self.site: Any = post()
        self.clock = FrozenClock(NOW)

    def open(self) -> Any:
        return self.site.open(self.data, background=False, clock=self.clock)

    def prepare(self) -> None:
        """The installation as the flow finds it."""
        site, opened = self.site, self.open()
        with site.acting("desk", "mailing", place="counter") as work:
            people = [work.person() for _ in range(6)]
            for number, person in enumerate(people):
                name, email = f"Name {number} Example", f"n{number}@example.org"
                work.collect(site.Neighbour, person=person, name=name, email=email)
                work.collect(site.Card, person=person, words=f"card {number}", arrived=NOW)
            work.collect(site.Letter, person=people[0], reader=people[1].id, words="dear neighbour")
            first = people[0]
            known = {"id": first.id, "epoch": first.epoch, "wrapped": first.wrapped.hex()}
        (self.folder / "first").write_text(json.dumps(known))
        opened.sequencer.run()
        if self.flow == "restore":
            site.close()
            backup(site, self.data, None, self.folder / "backup", None, lambda done, total: None)
            self.open()
        if self.flow in ("shred", "restore"):
            self.erase()
        if self.flow == "restore":
            shred(site.opened.vault)
            site.opened.sequencer.run()
            site.close()
            for name in ("site.db", "site.db-wal", "site.db-shm"):
                (self.data / name).unlink(missing_ok=True)
        site.close()

    def erase(self) -> str:
        first = json.loads((self.folder / "first").read_text())["id"]
        with self.site.acting("desk", "mailing") as work:
            person = work.db.get(self.site.person_class, first)
            return work.erase(person) if person is not None else ""

    def do(self, *, traced: bool) -> None:
        """The flow itself; `ready` is made before, `told` after what was acknowledged."""
        if self.flow not in ("backup", "restore"):
            self.open()
        if self.flow == "retention":
            self.clock.advance(90 * 86_400)
        if traced:
            (self.folder / "ready").touch()
            wait_for_tracer()
        if self.flow == "erase":
            (self.folder / "told").write_text(self.erase())
        elif self.flow == "shred":
            shred(self.site.opened.vault)
        elif self.flow == "retention":
            carry_out(self.site.opened.vault)
        elif self.flow == "backup":
            backup(self.site, self.data, None, self.folder / "backup", self.folder / "safe", lambda done, total: None)
        else:
            self.restore()
        if self.flow not in ("backup", "restore"):
            self.site.opened.sequencer.run()
            self.site.close()

    def restore(self) -> None:
        """Put the backup into the database; if that has been done already, see it to its end."""
        try:
            restore(self.site, self.data, None, self.folder / "backup", lambda done, total: None)
        except AvowError as error:
            if "already" not in str(error):
                raise
            restore(self.site, self.data, None, None, lambda done, total: None)

    def recover(self) -> None:
        """What the crash left, and what the same command makes of it."""
        facts: dict[str, Any] = {"told": (self.folder / "told").exists(), "crash": None}
        if self.flow != "restore":
            facts["crash"] = self.look()
        if self.flow == "backup" and (self.folder / "backup").exists():
            facts["crash"]["from_backup"] = self.from_backup()
            shutil.rmtree(self.folder / "backup")
        self.do(traced=False)
        facts["final"] = self.look()
        if self.flow == "backup":
            facts["final"]["from_backup"] = self.from_backup()
        (self.folder / "facts").write_text(json.dumps(facts))

    def look(self) -> dict[str, Any]:
        """What an installation holds, as it is served."""
        opened = self.open()
        first = json.loads((self.folder / "first").read_text())
        vault, schema = opened.vault, self.site.home.schema
        opened.sequencer.run()
        try:
            verify(vault.store, schema, opened.sequencer.file, opened.sequencer.signer.key)
            trouble = ""
        except AvowError as error:
            trouble = str(error)
        with self.site.acting("desk", "mailing") as work:
            neighbours = work.select(self.site.Neighbour)
            names = sorted(neighbour.name.open() for neighbour in neighbours)
            letters = [letter.words.open() for letter in work.select(self.site.Letter)]
            cards = len(work.select(self.site.Card))
        status = vault.keyring.status()
        entry = schema.entry.c
        with vault.store.reading() as connection:
            key = connection.scalar(select(func.count()).where(schema.person.c.id == first["id"]))
            people = set(connection.scalars(select(schema.person.c.id)))
            shredded = connection.scalar(select(schema.tombstone.c.shredded))
            leaves = [bytes(each).hex() for each in connection.scalars(select(entry.commitment).order_by(entry.number))]
        found = {
            "trouble": trouble,
            "names": names,
            "letters": letters,
            "cards": cards,
            "first": "Name 0 Example" in names,
            "key": bool(key),
            "buried": vault.receipt_of(first["id"]) and bool(vault.tombstones.read()),
            "ownerless": sum(neighbour.owner_id not in people for neighbour in neighbours),
            "epochs": list(status.epochs),
            "newest": status.current,
            "shredded": shredded,
            "unwraps": self._unwraps(vault, first),
            "leaves": leaves,
            "kept": opened.sequencer.file.read_text(),
        }
        self.site.close()
        return found

    def _unwraps(self, vault: Any, first: dict[str, Any]) -> bool:
        """Whether a copy of the first neighbour's key that somebody kept is of any use."""
        try:
            unwrap_person(vault.keyring, vault.tenant, first["id"], first["epoch"], bytes.fromhex(first["wrapped"]))
        except KeyringError:
            return False
        return True

    def from_backup(self) -> list[str]:
        """The names in an installation made from the backup and the copy of the keys."""
        other = Deed("restore", self.folder / "elsewhere")
        shutil.rmtree(other.folder, ignore_errors=True)
        shutil.copytree(self.data, other.data, ignore=shutil.ignore_patterns("site.db*"))
        shutil.copytree(self.folder / "backup", other.folder / "backup")
        other.restore()
        opened = other.open()
        with other.site.acting("desk", "mailing") as work:
            names = sorted(neighbour.name.open() for neighbour in work.select(other.site.Neighbour))
        opened.sequencer.run()
        other.site.close()
        return names


if __name__ == "__main__":
    sys.exit(serve(Deed))
