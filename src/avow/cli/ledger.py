"""`avow ledger`: recompute an installation's ledger from its stored bytes, and give it out to be verified by others."""

from __future__ import annotations

import sys
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from avow.cli.installation import database, opened, tell_waiting
from avow.errors import SetupError

if TYPE_CHECKING:
    from avow.ledger.checkpoint import Checkpoint
    from avow.ledger.entry import Entry


def verify(data: Path, store: str | None, key: str | None) -> int:
    """Verify the ledger of the installation in `data` and say what was found; the exit status.

    Args:
        key: the log's verifier key; by default it is derived from the keyring there.

    Raises:
        LedgerError: it does not verify.
        KeyringError: no key was given, and the keys cannot be reached.
        StoreError, SetupError: there is no ledger to verify there.
    """
    from avow.keys.installed import open_keys
    from avow.ledger.kept import NAME, log_signer
    from avow.ledger.note import VerifierKey
    from avow.ledger.stored import refuse_chain
    from avow.ledger.verify import verify as verify_ledger

    with database(data, store, "ledger") as (found, schema):
        with found.reading() as connection:
            refuse_chain(connection, schema)
        known = VerifierKey.parse(key) if key else log_signer(data, open_keys(data / "keyring")).key
        report = verify_ledger(found, schema, data / NAME, known)
    vouched = report.kept.size if report.kept else 0
    print(f"The ledger verifies: {report.size} entries, root {b64encode(report.root).decode()}.")
    print(f"The checkpoint outside the database vouches for the first {vouched}; it is signed by {known}.")
    print(f"{report.pending} more wait to be integrated.")
    for each in report.unreadable:
        where = "its bytes lie in avow_aside" if each.kept else "its bytes are gone from avow_aside"
        print(
            f"Entry {each.number} stands for a row that was no entry or repeated one, SHA-256 {each.digest}; {where}."
        )
    return 0


def recount(site: Path, data: Path | None, store: str | None) -> int:
    """Verify the log of a site and count its tally anew from the entries; the exit status.

    Raises:
        LedgerError: the log does not verify, or whatever else it is than its tally; nothing was changed.
        StoreError, SetupError: there is no installation.
    """
    from avow.ledger.checkpoint import Checkpoint
    from avow.ledger.verify import verify as verify_ledger

    with opened(site, data, store) as found:
        sequencer, vault = found.sequencer, found.vault
        key = sequencer.signer.key
        report = verify_ledger(vault.store, vault.home.schema, sequencer.file, key, tallied=False)
        sequencer.recount(Checkpoint(key.name, report.size, report.root), report.counted)
    print(f"The tally was counted anew from {report.size} entries, which verify; the ledger gets an entry of that.")
    return 0


def export(
    site: Path, folder: Path, data: Path | None, store: str | None, origin: str | None, bodies: Path | None
) -> int:
    """Write the ledger of a site as a log that outsiders verify, and say by which key.

    Raises:
        LedgerError: the ledger does not verify; nothing was written then. Or what was written does not.
        StoreError, SetupError: there is no installation, the folder is not empty, or the bodies would lie in it.
    """
    from avow.ledger.export import export as write
    from avow.ledger.note import Signer
    from avow.ledger.verify import verify as verify_ledger

    if bodies is not None and bodies.resolve().is_relative_to(folder.resolve()):
        raise SetupError(
            f"the bodies would lie in `{folder}`, which is to be published",
            help="name a file elsewhere: they are for an auditor, not for the public",
        )
    with opened(site, data, store) as found:
        found.sequencer.run_due()
        vault = found.vault
        signer = found.sequencer.signer
        waiting = verify_ledger(vault.store, vault.home.schema, found.sequencer.file, signer.key).pending
        if origin is not None:
            signer = Signer.from_seed(origin, vault.keyring.secret("log"))
        report = write(vault.store, vault.home.schema, folder, signer, bodies=bodies)
    print(f"{report.checkpoint.size} entries in {folder}, root {_root(report.checkpoint)}")
    tell_waiting(waiting)
    if bodies is not None:
        print(f"What they stand for is in {bodies}, an entry a line: for an auditor, not for the public.")
    print(f"Its verifier key, to be given out by another way than the log itself:\n{signer.key}")
    return 0


def check(key: str, folder: Path | None, receipt: Path | None, body: Path | None) -> int:
    """Verify a log in a folder, or that a receipt is for the entry with a body; without one, for the one that it has.

    Raises:
        LogError: naming what does not fit, and where.
        LedgerError: what a receipt has in it is not an entry.
        SetupError: nothing to check was named, or a file of it is not there.
    """
    from avow.ledger import folder as log
    from avow.ledger.entry import Entry, commitment
    from avow.ledger.merkle import leaf_hash
    from avow.ledger.note import VerifierKey
    from avow.ledger.proof import Receipt

    known = VerifierKey.parse(key)
    if (folder is None) == (receipt is None) or (receipt is None and body is not None):
        raise SetupError(
            "it is not clear what to check",
            help="name a log's FOLDER, or --receipt FILE; and the --body FILE it is for, if that is not in it",
        )
    if folder is not None:
        report = log.verify(folder, known)
        print(f"The log verifies: {report.checkpoint.size} entries, root {_root(report.checkpoint)}.")
        for path in report.apart:
            print(f"{path} is no part of it.")
    if receipt is not None:
        held = Receipt.parse(_read(receipt))
        if body is None and not held.extra:
            raise SetupError(
                f"the receipt `{receipt}` does not have the entry that it is for in it",
                help="name that too: --body FILE",
            )
        shown = held.extra if body is None else _line(body)
        found = held.verify(leaf_hash(commitment(shown)), known)
        said = None if body is not None else Entry.decode(shown)  # before anything is told of it: it may be anything
        print(f"The receipt verifies: it is entry {held.index} of {found.size} in the log {found.origin}.")
        if said is not None:
            print("The entry says:")
            _tell(said)
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


def _tell(entry: Entry) -> None:
    """Print what an entry says, a line for each part of it; the nonce says nothing."""
    told = {
        "event": entry.event,
        "verb": entry.verb,
        "object": entry.object,
        "purpose": entry.purpose,
        "recipient": entry.recipient,
        "role": entry.role,
        "sentences": ", ".join(entry.sentences),
        "policy": entry.policy,
        "hour": _moment(entry.hour),
    }
    for name, value in told.items():
        if value:
            print(f"  {name:<10} {value}")


def _moment(hour: int) -> str:
    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour):%Y-%m-%d %H} h UTC"
    except OverflowError:  # a log may say what it likes
        return f"{hour} after 1970 began, UTC"


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
