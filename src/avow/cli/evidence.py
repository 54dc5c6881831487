"""`avow evidence`: what became of each sentence of a policy, as a folder for an auditor."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from avow.cli.installation import opened, tell_waiting
from avow.errors import SetupError
from avow.values import Sentence


def evidence(
    site: Path, folder: Path, data: Path | None, store: str | None, first: str | None, last: str | None, part: bool
) -> int:
    """Write an evidence pack of the days from `first` to `last`, both included, and say how it is checked.

    Raises:
        SetupError: a day is none, or there is no installation.
        LedgerError, StoreError: the ledger does not verify, or the folder is not empty.
    """
    from avow.ledger.verify import verify
    from avow.site.evidence_pack import pack

    with opened(site, data, store) as found:
        found.sequencer.run_due()
        log = found.sequencer
        waiting = verify(found.vault.store, found.vault.home.schema, log.file, log.signer.key).pending
        begun = datetime.fromtimestamp(0, UTC) + timedelta(hours=found.versions.all[-1].since)
        since = _day(first, begun.date())
        today = datetime.fromtimestamp(found.settings.clock(), UTC).date()
        end = _day(last, today)
        if end < since:
            raise SetupError(f"the time ends on {end}, before it begins on {since}")
        if end > today:
            raise SetupError(
                f"the time ends on {end}, and today is {today} (UTC)",
                help="nothing is known of days to come; leave out --to, or name a day until today",
            )
        until = end + timedelta(days=1)
        made = pack(found, folder, since, until, tests=_tests(site, found.policy.sentences), everything=not part)
    print(f"The evidence of {since} to {end} is in {folder}: open {folder / 'index.html'}")
    print(f"{made.figures} figures from {made.disclosed} of the {made.entries} entries of the log.")
    tell_waiting(waiting)
    if made.idle:
        print(f"{made.idle} sentences were never called upon in this time.")
    print("Whoever gets it takes check.py from a release of Avow, not from the pack, and runs it outside of the pack:")
    print(f"python3 -I check.py --pack {folder.name} '{made.key}'")
    print(f"The SHA-256 of this release's check.py is {made.script}. Give them the key by another way than the pack.")
    return 0


def _day(text: str | None, otherwise: date) -> date:
    if text is None:
        return otherwise
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SetupError(f"`{text}` is no day", help="write it as 2026-03-31") from None


def _tests(site: Path, sentences: tuple[Sentence, ...]) -> dict[str, tuple[str, ...]]:
    """The tests of each sentence, where the site lies in a tree with a promise table; see `avow trace`."""
    from avow.cli.trace import read_promises, read_tests

    root = next((each for each in site.resolve().parents if (each / "sites" / "promises.yaml").is_file()), None)
    if root is None:
        return {}
    tests = read_tests(root, frozenset(promise.row for promise in read_promises(root)))
    found = {}
    for sentence in sentences:
        named = dict.fromkeys(test for (row, _), of in tests.items() if row in sentence.rows for test in of)
        found[sentence.anchor] = tuple(sorted(named))
    return found
