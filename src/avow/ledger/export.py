"""The ledger as a log for outsiders: a folder of files that anybody can verify, and receipts for its entries.

They are the files that a site serves under `/log`, from the same tiles. An entry of the log is a commitment to an entry
of the ledger, and nothing else:

    commitment = SHA-256(body)                  32 bytes

The body has a random nonce of 16 bytes in it, so a commitment tells nothing to whoever guesses at bodies. Bodies are
disclosed apart, to an auditor all of them: who has one finds its commitment in the log, and is sure that it has not
been changed since and that none is missing among them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import LargeBinary, cast, select

from avow.errors import LogError, StoreError
from avow.ledger import bundle, folder
from avow.ledger.checkpoint import Checkpoint, open_checkpoint
from avow.ledger.entry import commitment, read_quickly
from avow.ledger.merkle import inclusion_proof, leaf_hash
from avow.ledger.note import Signer, VerifierKey
from avow.ledger.proof import Receipt
from avow.ledger.stored import StoredLog
from avow.ledger.tiles import ENTRIES, WIDTH, hashes_in, tile_at
from avow.store.connection import Store
from avow.store.files import create_private
from avow.store.schema import Schema

#: Bodies fetched from the database at a time.
_PORTION: Final = 1000


def export(
    store: Store,
    schema: Schema,
    into: Path,
    signer: Signer,
    *,
    bodies: Path | None = None,
    size: int | None = None,
) -> folder.Report:
    """Write the ledger's log as it is now, or as it was when it had `size` entries, and read back what was written.

    Args:
        into: an empty folder, or one that is not there yet.
        signer: of the checkpoint; verify the ledger first.
        bodies: a new file for the bodies, one a line, in the order of the log.

    Raises:
        StoreError: something lies there already, or cannot be written.
        LedgerError: the ledger does not have so many entries, or lacks a tile.
        LogError: what was read back is not what was written.
    """
    if bodies is not None and bodies.exists():
        raise StoreError(f"the file `{bodies}` is there already", help="name a new one")
    with store.one_moment() as connection:
        log = StoredLog(connection, schema)
        there = log.size()
        count = there if size is None else size
        if not 0 <= count <= there:
            raise LogError(f"log of {count} entries", f"the ledger has {there}", help="name a size that it has had")
        folder.copy(into, Checkpoint(signer.key.name, count, log.edge(count).root), log.read, signer)
        if bodies is not None:
            with closing(disclosed(log, end=count)) as found:
                _write_bodies(bodies, (body for _, body in found))
    return folder.verify(into, signer.key)


def disclosed(
    log: StoredLog, *, first: int = 0, end: int | None = None, of_hour: Callable[[int], bool] | None = None
) -> Generator[tuple[int, bytes], None, None]:
    """Number and body of the entries of a log, in order. Close it (`contextlib.closing`) where it is not gone through.

    Args:
        first, end: from which number up to which; without an end, to the last.
        of_hour: which unix hours; without it, all.

    Raises:
        LedgerError: what is stored is no entry, where hours are asked about.
    """
    entry = log.schema.entry.c
    statement = select(entry.number, cast(entry.body, LargeBinary)).where(entry.number >= first).order_by(entry.number)
    if end is not None:
        statement = statement.where(entry.number < end)
    with log.connection.execute(statement.execution_options(yield_per=_PORTION)) as rows:
        for number, body in rows:
            if of_hour is None or of_hour(read_quickly(bytes(body)).hour):
                yield number, bytes(body)


def receipt(log: Path, key: VerifierKey, body: bytes) -> Receipt:
    """The receipt that a log in a folder has the entry with this body.

    Raises:
        LogError: the log does not have it, or does not verify where it was looked at.
    """
    note, read, wanted = folder.read_checkpoint(log), folder.reader(log), commitment(body)
    checkpoint = open_checkpoint(note, key)
    for number in range(-(-checkpoint.size // WIDTH)):
        tile = tile_at(ENTRIES, number, checkpoint.size)
        here = bundle.decode(tile, read(tile))
        if wanted in here:
            index = number * WIDTH + here.index(wanted)
            proof = inclusion_proof(index, checkpoint.size, hashes_in(checkpoint.size, read))
            made = Receipt(index, proof, note)
            made.verify(leaf_hash(wanted), key)
            return made
    raise LogError(
        f"log in `{log}`",
        f"it has no entry with the SHA-256 {wanted.hex()}",
        help="take the body byte for byte, without the end of its line; or it was written after this log was",
    )


def _write_bodies(file: Path, bodies: Iterator[bytes]) -> None:
    try:
        create_private(file)
        with file.open("wb") as opened:
            for body in bodies:
                opened.write(body + b"\n")  # canonical JSON has no line breaks
    except OSError as error:
        raise StoreError(
            f"the file `{file}` cannot be written: {error.strerror}", help="free space, or mend the rights"
        ) from None
