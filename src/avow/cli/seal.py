"""`avow seal`: take over what lies in the clear in old tables, clean what is left of it, and search for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from avow.cli.installation import opened
from avow.cli.progress import bar

if TYPE_CHECKING:
    from avow.store.residue import Cleaned
    from avow.vault.taking_over_rows import Taken
    from avow.vault.vault import Vault

#: The status where something is left in the clear.
LEFT = 3

WAL = """\
Outside the database there may be more: backups, replicas, archived logs, the server's own log, blocks of the disk that
the file system has given back. Delete the old ones; see docs/taking-over.md."""


def seal(site: Path, data: Path | None, store: str | None, *, batch: int, clean: bool, drop: bool) -> int:
    """Take over the site's old tables; the status is 3 if something was left in the clear, or is still found, else 0.

    Raises:
        AvowError: it could not be done; what was taken over by then stays taken over.
    """
    from avow.store import residue
    from avow.vault.taking_over_rows import take_over
    from avow.vault.taking_over_tables import old_tables

    with opened(site, data, store) as found:
        vault, where = found.vault, found.settings.data
        olds = old_tables(vault, found.site.taking_over)
        with bar("rows") as progress:
            taken = take_over(vault, olds, batch=batch, progress=progress)
        for each in taken:
            _tell(each)
        cleaned = residue.clean(vault.store, sorted({old.of.table for old in olds})) if clean else None
        sought = _sought(vault, taken) if cleaned else {}
        files = residue.files_of(vault.store)
    clear = not any(each.left for each in taken)
    if cleaned is None:
        print("What is left of it in free pages and logs was not cleaned: run this again without --no-clean.")
    else:
        # Only now that the database is closed: to close its file a second time would give back SQLite's locks on it.
        clear = _tell_residue(cleaned, sought, files, where) and clear
    if drop:
        _tell_columns(taken)
    return 0 if clear else LEFT


def _tell(taken: Taken) -> None:
    of = taken.old.of
    print(f"{of.table} → {of.record.__name__}: {taken.rows:,} rows were taken over.")
    if taken.erased:
        print(f"  {taken.erased:,} rows of people who have been erased were emptied.")
    for (attribute, why), count in sorted(taken.left.items()):
        column = of.columns.get(attribute, attribute)
        print(f"  left in the clear: {count:,} × {of.table}.{column}: {why}")
        keys = [key for key, *about in taken.keys if about == [attribute, why]]
        if keys:
            print(f"    {of.key} {', '.join(keys)}{' …' if len(keys) < count else ''}")
    if taken.left and not taken.old.shows_keys:
        print(f"    The keys in {of.table}.{of.key} are texts, and not shown: the rows whose columns are not empty.")


def _sought(vault: Vault, taken: Sequence[Taken]) -> Mapping[bytes, str]:
    """What is searched for: in SQLite's files only, as those of a server are not this program's."""
    from avow.store.residue import encoding_of, needles
    from avow.vault.taking_over_sample import sample

    if vault.store.dialect != "sqlite":
        return {}
    texts: dict[str, str] = {}
    for each in taken:
        texts.update(sample(vault, each.old.of))
    return needles(texts, encoding_of(vault.store))


def _tell_residue(cleaned: Cleaned, sought: Mapping[bytes, str], files: Sequence[Path], data: Path) -> bool:
    """Say what was cleaned and what is still found; whether nothing is."""
    from avow.store.residue import search

    for line in cleaned.done:
        print(f"Cleaned: {line}.")
    for line in cleaned.left:
        print(f"NOT cleaned: {line}.")
    for line in cleaned.beyond:
        print(f"Out of reach: {line}.")
    clear = not cleaned.left
    if files:
        there = sorted({path.resolve() for path in (*files, *data.iterdir()) if path.is_file()})
        with bar("bytes") as progress:
            hits = search(there, sought, progress)
        if hits:
            _tell_hits(hits)
            clear = False
        else:
            print(f"Searched {len(there)} files for {len(set(sought)):,} pieces of what was taken over: none is found.")
    print(WAL)
    return clear


def _tell_hits(hits: Counter[tuple[Path, str]]) -> None:
    for (path, name), count in sorted(hits.items()):
        print(f"STILL FOUND: texts of {name}, {count:,} times, in {path}")
    print("Another table or column may hold a copy, or a row that was left: look there, and run this again.")


def _tell_columns(taken: Sequence[Taken]) -> None:
    """Print the statements that drop the old columns of what was taken over to the last row."""
    for each in taken:
        if each.left:
            print(f"-- {each.old.of.table} still holds values: its columns stay")
            continue
        for column in each.old.of.personal.values():
            print(f"ALTER TABLE {_quoted(each.old.of.table)} DROP COLUMN {_quoted(column)};")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
