"""`avow ledger verify`: recompute an installation's ledger from its stored bytes."""

from __future__ import annotations

from pathlib import Path

from avow.cli.installation import database


def verify(data: Path, store: str | None) -> int:
    """Verify the ledger of the installation in `data` and say what was found; the exit status.

    Raises:
        LedgerError: it does not verify.
        StoreError, SetupError: there is no ledger to verify there.
    """
    from avow.ledger.verify import verify as verify_ledger

    with database(data, store, "ledger") as (found, schema):
        report = verify_ledger(found, schema, data / "ledger.head")
    vouched = report.kept.size if report.kept else 0
    print(f"The ledger verifies: {report.head.size} entries, root {report.head.root.hex()}.")
    print(f"The head outside the database vouches for the first {vouched}.")
    print(f"{report.pending} more wait to be chained.")
    for each in report.unreadable:
        where = "its bytes lie in avow_aside" if each.kept else "its bytes are gone from avow_aside"
        print(f"Entry {each.number} stands for a row that was no entry, SHA-256 {each.digest}; {where}.")
    return 0
