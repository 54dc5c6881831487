"""An evidence pack: a folder for an auditor, which needs nothing of Avow to be read and checked.

index.html        the report: for each sentence what it did in the time, with charts
figures.csv       the figures, by day, sentence, event, verb, purpose, recipient and role
signatures.csv    who signed for what, and until when
policies/         every version of the policy that was in force, or that people brought along
ledger/           the log, as `avow ledger export` writes it; ledger.key is its verifier key
entries.jsonl     what the entries of the log stand for
pack.json         what the pack is of, and the SHA-256 of each other file
check.py          checks the pack; an auditor takes it from a release of Avow instead

All of it is read in one moment, whatever is integrated meanwhile, and written into a scratch folder that takes the
pack's name at the end.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from sqlalchemy import Connection

from avow.edge.pages import day as in_words
from avow.errors import StoreError
from avow.ledger import folder as log_folder
from avow.ledger import tally
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.entry import read_quickly
from avow.ledger.export import disclosed
from avow.ledger.figures import Cell, by_sentence, cells_of, number_of
from avow.ledger.stored import StoredLog
from avow.site.evidence_shown import Shown, Tests, reworded
from avow.vault.published import published

if TYPE_CHECKING:
    from avow.site.opened import Opened
    from avow.store.schema import Schema
    from avow.vault.attesting import Signature

#: The columns of figures.csv.
COLUMNS: Final = ("day", "sentence", "event", "verb", "purpose", "recipient", "role", "times")


@dataclass(frozen=True, slots=True)
class Packed:
    """What was packed: entries of the log, those disclosed, figures, and sentences that were never called upon.

    `key` is the log's verifier key, `script` the SHA-256 of check.py.
    """

    entries: int
    disclosed: int
    figures: int
    idle: int
    key: str
    script: str


def pack(opened: Opened, folder: Path, since: date, until: date, *, tests: Tests, everything: bool = True) -> Packed:
    """Write an evidence pack of the days from `since` to before `until` into a new folder.

    Args:
        tests: what the report names as the tests of each sentence.
        everything: whether all entries of the log are disclosed, or only those of the time: who has them all sees by
            himself that none of the time is missing.

    Raises:
        StoreError: the folder has something in it, lies in the data folder, or cannot be written; nothing is left then.
        LedgerError, LogError: the ledger does not verify; nothing is to be believed of it then.
    """
    folder = folder.resolve()
    scratch = None
    try:
        _check_place(folder, opened.settings.data.resolve())
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(mkdtemp(prefix=f"{folder.name}.new-", dir=folder.parent))  # for this user alone
        with opened.vault.store.one_moment() as connection:
            packed = _write(opened, connection, scratch, since, until, tests, everything=everything)
        scratch.rename(folder)
    except OSError as error:
        raise StoreError(
            f"the folder `{folder}` cannot be written: {error.strerror}", help="free space, or mend the rights"
        ) from None
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)  # it is gone where all went well
    return packed


def _check_place(folder: Path, data: Path) -> None:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir():
        raise StoreError(f"`{there}` is no folder", help="name a new folder for the pack")
    if there == folder and any(folder.iterdir()):
        raise StoreError(f"the folder `{folder}` is not empty", help="name a new folder for the pack")
    if folder.is_relative_to(data):
        raise StoreError(
            f"the folder `{folder}` lies in the data folder `{data}`",
            help="name one elsewhere: what is given away must not lie among the keys",
        )


def _write(
    opened: Opened, connection: Connection, folder: Path, since: date, until: date, tests: Tests, *, everything: bool
) -> Packed:
    """Write everything from what one connection sees."""
    schema, signer = opened.vault.home.schema, opened.sequencer.signer
    log = StoredLog(connection, schema)
    size = log.size()
    log_folder.copy(folder / "ledger", Checkpoint(signer.key.name, size, log.edge(size).root), log.read, signer)
    log_folder.verify(folder / "ledger", signer.key)
    first, count, counted = _disclose(log, folder / "entries.jsonl", since, until, size, everything=everything)
    tally.compare(tally.read(connection, schema, since=number_of(since), until=number_of(until)), counted)
    _text(folder / "figures.csv", _figures(counted))
    _text(folder / "ledger.key", f"{signer.key}\n")
    _policies(connection, schema, folder / "policies")
    script = (files("avow.site") / "pack" / "check.py").read_bytes()
    (folder / "check.py").write_bytes(script)
    signatures = opened.vault.attesting.history(connection)
    _text(folder / "signatures.csv", _signatures(signatures))
    told, earlier = opened.evidence.whole(by_sentence(sorted(counted.items())), signatures)
    changed = reworded(opened.versions.all, since, until)
    of = Shown(since, until, told, earlier, opened.policy.vocabulary, tests, changed)
    _text(folder / "index.html", _report(opened, of, size, count))
    made = {
        "site": opened.policy.site,
        "from": since.isoformat(),
        "until": until.isoformat(),
        "made": datetime.fromtimestamp(opened.settings.clock(), UTC).date().isoformat(),
        "first": first,
        "entries": count,
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in _names(folder)},
    }
    _text(folder / "pack.json", json.dumps(made, indent=2) + "\n")
    idle = sum(1 for each in of.idle if not each.forbids)
    return Packed(size, count, len(counted), idle, str(signer.key), hashlib.sha256(script).hexdigest())


def _names(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def _disclose(
    log: StoredLog, file: Path, since: date, until: date, size: int, *, everything: bool
) -> tuple[int, int, Counter[Cell]]:
    """Write the bodies that are disclosed: the number of the first, how many, and what those of the time count to."""
    counted: Counter[Cell] = Counter()
    days = range(number_of(since), number_of(until))
    first, end = 0, 0
    with closing(disclosed(log, end=size)) as found:
        for number, body in found:
            entry = read_quickly(body)
            if entry.hour // 24 in days:
                counted.update(cells_of(entry))
                first, end = (first if end else number), number + 1
    if everything:
        first, end = 0, size
    with file.open("wb") as told, closing(disclosed(log, first=first, end=end)) as found:
        told.writelines(body + b"\n" for _, body in found)  # canonical JSON has no line breaks
    return first, end - first, counted


def _figures(counted: Counter[Cell]) -> str:
    rows = ((cell.date.isoformat(), *cell[1:], times) for cell, times in sorted(counted.items()))
    return _csv(COLUMNS, rows)


def _signatures(signatures: Iterable[Signature]) -> str:
    rows = ((each.anchor, each.role, each.name, _hour(each.since), _hour(each.until), each.said) for each in signatures)
    return _csv(("sentence", "role", "name", "since", "until", "sha256 of the sentence"), rows)


def _csv(columns: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _policies(connection: Connection, schema: Schema, folder: Path) -> None:
    """Every version that was in force here or that people brought along, called by its number and its SHA-256."""
    folder.mkdir()
    for row in published(connection, schema):
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
        in_words=in_words,
        of=of,
        made=in_words(datetime.fromtimestamp(opened.settings.clock(), UTC).date()),
        entries=entries,
        disclosed=disclosed,
    )


def _hour(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%HZ")


def _text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="")
