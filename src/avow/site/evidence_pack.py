"""An evidence pack: a folder for an auditor, which needs nothing of Avow to be read and checked.

index.html        the report: for each sentence what it did in the time, with charts
figures.csv       the figures, by day, sentence, event, verb, purpose, recipient and role
signatures.csv    who signed for what, and until when
policies/         every version of the policy that was in force
ledger/           the log, as `avow ledger export` writes it; ledger.key is its verifier key
entries.jsonl     what the entries of the log stand for
pack.json         what the pack is of
check.py          checks all that: python3 check.py
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from sqlalchemy import select

from avow.edge.pages import day as in_words
from avow.errors import StoreError
from avow.ledger import tally
from avow.ledger.entry import read_quickly
from avow.ledger.export import export
from avow.ledger.figures import Cell, cells_of, number_of
from avow.site.evidence_shown import Shown, Tests, shown

if TYPE_CHECKING:
    from avow.site.opened import Opened

#: The columns of figures.csv.
COLUMNS: Final = ("day", "sentence", "event", "verb", "purpose", "recipient", "role", "times")


@dataclass(frozen=True, slots=True)
class Packed:
    """What was packed: entries of the log, those disclosed, figures, and sentences that were never called upon."""

    entries: int
    disclosed: int
    figures: int
    idle: int
    key: str


def pack(opened: Opened, folder: Path, since: date, until: date, *, tests: Tests, everything: bool = True) -> Packed:
    """Write an evidence pack of the days from `since` to before `until` into a new folder.

    Args:
        tests: what the report names as the tests of each sentence.
        everything: whether all entries of the log are disclosed, or only those of the time: who has them all sees by
            himself that none of the time is missing.

    Raises:
        StoreError: the folder has something in it, or cannot be written.
        LedgerError, LogError: the ledger does not verify; nothing is to be believed of it then.
    """
    signer = opened.sequencer.signer
    _empty(folder)
    try:
        log = export(opened.vault.store, opened.vault.home.schema, folder / "ledger", signer, bodies=folder / "all")
        first, count, counted = _disclose(folder, since, until, everything=everything)
        with opened.vault.store.reading() as connection:
            kept = tally.read(connection, opened.vault.home.schema, since=number_of(since), until=number_of(until))
        tally.compare(kept, counted)
        _text(folder / "figures.csv", _figures(counted))
        _text(folder / "signatures.csv", _signatures(opened))
        _text(folder / "ledger.key", f"{signer.key}\n")
        _policies(opened, folder / "policies")
        made = {
            "site": opened.policy.site,
            "from": since.isoformat(),
            "until": until.isoformat(),
            "made": datetime.fromtimestamp(opened.settings.clock(), UTC).date().isoformat(),
            "first": first,
            "entries": count,
        }
        _text(folder / "pack.json", json.dumps(made, indent=2) + "\n")
        _text(folder / "check.py", (files("avow.site") / "pack" / "check.py").read_text(encoding="utf-8"))
        of = shown(opened.evidence, opened.policy.vocabulary, since, until, tests)
        _text(folder / "index.html", _report(opened, of, log.checkpoint.size, count))
    except OSError as error:
        raise StoreError(
            f"the folder `{folder}` cannot be written: {error.strerror}", help="free space, or mend the rights"
        ) from None
    idle = sum(1 for each in of.idle if not each.forbids)
    return Packed(log.checkpoint.size, count, len(counted), idle, str(signer.key))


def _empty(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = next(folder.iterdir(), None)
    except OSError as error:
        raise StoreError(f"the folder `{folder}` cannot be made: {error.strerror}", help="name a new one") from None
    if there is not None:
        raise StoreError(f"the folder `{folder}` is not empty", help="name a new folder for the pack")


def _disclose(folder: Path, since: date, until: date, *, everything: bool) -> tuple[int, int, Counter[Cell]]:
    """Write what is disclosed, from the file with all bodies: the first number, how many, and what they count to."""
    counted: Counter[Cell] = Counter()
    days, total = range(number_of(since), number_of(until)), 0
    first, last = 0, 0
    with (folder / "all").open("rb") as lines:
        for total, line in enumerate(lines, start=1):
            entry = read_quickly(line[:-1])
            if entry.hour // 24 in days:
                counted.update(cells_of(entry))
                first, last = (first if last else total - 1), total
    if everything:
        first, last = 0, total
    with (folder / "all").open("rb") as lines, (folder / "entries.jsonl").open("wb") as told:
        told.writelines(line for number, line in enumerate(lines) if first <= number < last)
    (folder / "all").unlink()
    return first, last - first, counted


def _figures(counted: Counter[Cell]) -> str:
    rows = ((cell.date.isoformat(), *cell[1:], times) for cell, times in sorted(counted.items()))
    return _csv(COLUMNS, rows)


def _signatures(opened: Opened) -> str:
    rows = (
        (each.anchor, each.role, each.name, _hour(each.since), _hour(each.until), each.said)
        for each in opened.vault.attesting.history()
    )
    return _csv(("sentence", "role", "name", "since", "until", "sha256 of the sentence"), rows)


def _csv(columns: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _policies(opened: Opened, folder: Path) -> None:
    """Every version that was in force here, called by its number and its SHA-256."""
    folder.mkdir()
    table = opened.vault.home.schema.policy
    with opened.vault.store.reading() as connection:
        rows = connection.execute(select(table).where(table.c.brought.is_(None))).all()
    for row in rows:
        name = "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in row.version)
        (folder / f"{name}_{row.digest}.md").write_bytes(row.source.encode())


def _report(opened: Opened, of: Shown, entries: int, disclosed: int) -> str:
    templates = Environment(
        loader=ChoiceLoader([PackageLoader("avow.site", "pack"), PackageLoader("avow.edge", "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("report.html").render(
        policy=opened.policy,
        versions=opened.versions.all,
        of=of,
        made=in_words(datetime.fromtimestamp(opened.settings.clock(), UTC).date()),
        entries=entries,
        disclosed=disclosed,
    )


def _hour(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%HZ")


def _text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="")
