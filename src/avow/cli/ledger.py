"""`avow ledger`: recompute an installation's ledger from its stored bytes, and give it out to be verified by others."""

from __future__ import annotations

import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from avow.cli.installation import database, opened
from avow.errors import SetupError

if TYPE_CHECKING:
    from avow.ledger.checkpoint import Checkpoint


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


def export(
    site: Path, folder: Path, data: Path | None, store: str | None, origin: str | None, bodies: Path | None
) -> int:
    """Write the ledger of a site as a log that outsiders verify, and say by which key.

    Raises:
        LedgerError: the ledger does not verify; nothing was written then. Or what was written does not.
        StoreError, SetupError: there is no installation, or the folder is not empty.
    """
    from avow.ledger.export import export as write
    from avow.ledger.note import Signer
    from avow.ledger.verify import verify as verify_ledger

    with opened(site, data, store) as found:
        found.sequencer.run()
        vault = found.vault
        signer = Signer.from_seed(origin or f"{found.policy.site}/ledger", vault.keyring.secret("log"))
        verify_ledger(vault.store, vault.home.schema, found.sequencer.head_file)
        report = write(vault.store, vault.home.schema, folder, signer, bodies=bodies)
    print(f"{report.checkpoint.size} entries in {folder}, root {_root(report.checkpoint)}")
    if bodies is not None:
        print(f"What they stand for is in {bodies}, an entry a line: for an auditor, not for the public.")
    print(f"Its verifier key, to be given out by another way than the log itself:\n{signer.key}")
    return 0


def check(key: str, folder: Path | None, receipt: Path | None, body: Path | None) -> int:
    """Verify a log in a folder, or that a receipt is for the entry with a body.

    Raises:
        LogError: naming what does not fit, and where.
        SetupError: nothing to check was named, or a file of it is not there.
    """
    from avow.ledger import folder as log
    from avow.ledger.entry import commitment
    from avow.ledger.merkle import leaf_hash
    from avow.ledger.note import VerifierKey
    from avow.ledger.proof import Receipt

    known = VerifierKey.parse(key)
    if (folder is None) == (receipt is None) or (receipt is None) != (body is None):
        raise SetupError(
            "it is not clear what to check", help="name a log's FOLDER, or --receipt FILE and the --body FILE it is for"
        )
    if folder is not None:
        report = log.verify(folder, known)
        print(f"The log verifies: {report.checkpoint.size} entries, root {_root(report.checkpoint)}.")
        for path in report.apart:
            print(f"{path} is no part of it.")
    if receipt is not None and body is not None:
        held = Receipt.parse(_read(receipt))
        found = held.verify(leaf_hash(commitment(_line(body))), known)
        print(f"The receipt verifies: it is entry {held.index} of {found.size} in the log {found.origin}.")
    return 0


def prove(folder: Path, key: str, body: Path) -> int:
    """Write the receipt for the entry with a body to standard output.

    Raises:
        LogError: the log does not have it, or does not verify.
        SetupError: the body cannot be read.
    """
    from avow.ledger.export import receipt
    from avow.ledger.note import VerifierKey

    known = VerifierKey.parse(key)
    sys.stdout.write(receipt(folder, known, _line(body)).encode().decode())
    return 0


def _root(checkpoint: Checkpoint) -> str:
    """As the checkpoint itself has it, and other programs print it."""
    return b64encode(checkpoint.root).decode()


def _line(file: Path) -> bytes:
    """A body, without the end of its line."""
    return _read(file).removesuffix(b"\n")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SetupError(f"`{file}` cannot be read: {error.strerror}", help="name the file that is meant") from None
