"""The warm process of `sealing`; see `disturbing`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import select

from avow.errors import AvowError
from avow.ledger.verify import verify
from avow.store import residue
from avow.testing.clock import FrozenClock
from tests.campaigns.disturbing import serve
from tests.campaigns.warm import wait_for_tracer
from tests.vault.club import club
from tests.vault.library import Library, declare, take

NOW = 1_795_000_000.0

NUMBERS = range(1, 10)

#: What is in the old tables, by table, row and column; with the second text in its place when it is written again.
WRITTEN = {
    **{f"reader {n} {column}": text.format(n) for n in NUMBERS for column, text in (
        ("name", "Reader-{:03d} Example"), ("email", "reader{:03d}@example.org"), ("address", "{:03d} Lane of Bees"))},
    **{f"order o-{n} name": f"Reader-{n:03d} at work" for n in NUMBERS[::2]},
}  # fmt: skip
WRITTEN_AGAIN = {f"reader {n} email": f"again{n:03d}@example.org" for n in NUMBERS[::3]}


class Deed:
    """One flow on the installation in `folder`: `first` takes everything, `again` what was written after that."""

    def __init__(self, flow: str, folder: Path) -> None:
        self.flow = flow
        self.data = folder / "data"
        self.folder = folder
        self.site: Any = club()
        self.readers, self.orders = declare(self.site)

    @property
    def store(self) -> str:
        return f"sqlite:///{self.data / 'site.db'}"

    def open(self) -> Any:
        return self.site.open(self.data, background=False, clock=FrozenClock(NOW))

    def prepare(self) -> None:
        """The installation as the flow finds it, with the library in its database."""
        self.open()
        library = Library(self.store)
        for number in NUMBERS:
            texts = [WRITTEN[f"reader {number} {column}"] for column in ("name", "email", "address")]
            library.read(number, *texts, None, "A")
        for number in NUMBERS[::2]:
            name = WRITTEN[f"order o-{number} name"]
            library.run('INSERT INTO "order" VALUES (:n, :r, :a, 1)', n=f"o-{number}", r=number, a=name)
        if self.flow == "again":
            take(self.site, batch=50)
            for key, text in WRITTEN_AGAIN.items():
                library.run("UPDATE reader SET email = :t WHERE id = :n", t=text, n=int(key.split()[1]))
        self.site.opened.sequencer.run()
        self.site.close()

    def do(self, *, traced: bool) -> None:
        """The flow itself, as `avow seal` has it."""
        opened = self.open()
        if traced:
            (self.folder / "ready").touch()
            wait_for_tracer()
        take(self.site, batch=4)
        residue.clean(opened.vault.store, ["order", "reader"])
        opened.sequencer.run()
        self.site.close()

    def recover(self) -> None:
        """What the crash left, and what the same command makes of it."""
        facts: dict[str, Any] = {"crash": self.look()}
        self.do(traced=False)
        facts["final"] = self.look()
        texts = {**{text: key for key, text in WRITTEN.items()}, **{t: key for key, t in WRITTEN_AGAIN.items()}}
        there = [path for path in self.data.iterdir() if path.is_file()]  # the database is closed
        facts["found"] = sorted(name for _, name in residue.search(there, residue.needles(texts)))
        (self.folder / "facts").write_text(json.dumps(facts))

    def look(self) -> dict[str, Any]:
        """Where each value is: in the clear, sealed; and whether the ledger verifies."""
        opened = self.open()
        opened.sequencer.run()
        vault, schema = opened.vault, self.site.home.schema
        try:
            verify(vault.store, schema, opened.sequencer.file, opened.sequencer.signer.key)
            trouble = ""
        except AvowError as error:
            trouble = str(error)
        with vault.store.reading() as connection:
            people = sorted(connection.scalars(select(schema.person.c.id)))
            entry = schema.entry.c
            leaves = [bytes(each).hex() for each in connection.scalars(select(entry.commitment).order_by(entry.number))]
        with self.site.acting("desk", "lending") as work:
            owners = sorted({one.owner_id for kind in (self.site.Member, self.site.Loan) for one in work.select(kind)})
            records = len(work.select(self.site.Member)) + len(work.select(self.site.Loan))
            sealed = self._sealed(work)
        found = {
            "trouble": trouble,
            "leaves": leaves,
            "people": people,
            "owners": owners,
            "records": records,
            "named": len({key.rpartition(" ")[0] for key in sealed}),
            "sealed": sealed,
            "clear": self._clear(),
        }
        self.site.close()
        return found

    def _sealed(self, work: Any) -> dict[str, str]:
        rows: list[tuple[str, Any, tuple[str, ...]]]
        rows = [(f"reader {n}", self.readers.find(work, n), ("name", "email", "address")) for n in NUMBERS]
        rows += [(f"order o-{n}", self.orders.find(work, f"o-{n}", person=n), ("name",)) for n in NUMBERS[::2]]
        return {
            f"{row} {name}": value._reveal()
            for row, record, names in rows
            if record is not None
            for name in names
            if (value := getattr(record, name)) is not None
        }

    def _clear(self) -> dict[str, str]:
        library = Library(self.store, make=False)
        found = {
            f"reader {number} {name}": text
            for number, row in library.readers().items()
            for name, text in zip(("name", "email", "address"), row, strict=False)
            if text
        }
        return found | {f"order {number} name": row[1] for number, row in library.orders().items() if row[1]}


if __name__ == "__main__":
    sys.exit(serve(Deed))
