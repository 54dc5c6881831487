"""`avow ledger verify`: recompute an installation's ledger from its stored bytes."""

from __future__ import annotations

from pathlib import Path

from avow.errors import SetupError


def verify(data: Path, store: str | None) -> int:
    """Verify the ledger of the installation in `data` and say what was found; the exit status.

    Raises:
        LedgerError: it does not verify.
        StoreError, SetupError: there is no ledger to verify there.
    """
    from sqlalchemy import MetaData, inspect

    from avow.ledger.verify import verify as verify_ledger
    from avow.store.connection import Store
    from avow.store.schema import declare

    if store is None and not (data / "site.db").is_file():
        raise SetupError(f"there is no database in `{data}`", help="name the data folder with --data, or --store")
    opened = Store.open(store or f"sqlite:///{data / 'site.db'}")
    try:
        schema = declare(MetaData())
        if not inspect(opened.engine).has_table(schema.entry.name):
            raise SetupError("the database holds no ledger", help="name the database of an Avow installation")
        report = verify_ledger(opened, schema, data / "ledger.head")
    finally:
        opened.close()
    vouched = report.kept.size if report.kept else 0
    print(f"The ledger verifies: {report.head.size} entries, root {report.head.root.hex()}.")
    print(f"The head outside the database vouches for the first {vouched}.")
    print(f"{report.pending} more wait to be chained.")
    for found in report.unreadable:
        where = "its bytes lie in avow_aside" if found.kept else "its bytes are gone from avow_aside"
        print(f"Entry {found.number} stands for a row that was no entry, SHA-256 {found.digest}; {where}.")
    return 0
