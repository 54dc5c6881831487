"""The ledger as a log for outsiders: a folder of files that anybody can verify, and receipts for its entries.

An entry of that log is a commitment to an entry of the ledger, and nothing else:

    commitment = SHA-256(body)                  32 bytes

The body has a random nonce of 16 bytes in it, so a commitment tells nothing to whoever guesses at bodies. Bodies are
disclosed apart, to an auditor all of them: who has one finds its commitment in the log, and is sure that it has not
been changed since and that none is missing among them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

from sqlalchemy import Connection, select

from avow.errors import LogError, StoreError
from avow.ledger import bundle, folder
from avow.ledger.checkpoint import open_checkpoint
from avow.ledger.entry import commitment
from avow.ledger.merkle import inclusion_proof, leaf_hash
from avow.ledger.note import Signer, VerifierKey
from avow.ledger.proof import Receipt
from avow.ledger.tiles import ENTRIES, WIDTH, hashes_in, tile_at
from avow.store.connection import Store
from avow.store.files import create_private
from avow.store.schema import Schema

#: Bodies fetched from the database at a time.
_PORTION: Final = 1000


def export(store: Store, schema: Schema, into: Path, signer: Signer, *, bodies: Path | None = None) -> folder.Report:
    """Write the ledger as it is now, and read back what was written.

    Args:
        into: an empty folder, or one that is not there yet.
        bodies: a new file for the bodies, one a line, in the order of the log.

    Raises:
        StoreError: something lies there already, or cannot be written.
        LogError: what was read back is not what was written.
    """
    if bodies is not None and bodies.exists():
        raise StoreError(f"the file `{bodies}` is there already", help="name a new one")
    try:
        if bodies is not None:
            create_private(bodies)
        with (
            store.reading() as connection,
            closing(_bodies(connection, schema)) as found,
            bodies.open("wb") if bodies is not None else nullcontext() as told,
        ):
            folder.write(into, _committed(found, told), signer)
    except OSError as error:
        raise StoreError(
            f"the file `{error.filename}` cannot be written: {error.strerror}", help="free space, or mend the rights"
        ) from None
    return folder.verify(into, signer.key)


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


def _bodies(connection: Connection, schema: Schema) -> Generator[bytes, None, None]:
    entry = schema.entry.c
    statement = select(entry.body).order_by(entry.number).execution_options(yield_per=_PORTION)
    with connection.execute(statement) as rows:
        for row in rows:
            yield bytes(row.body)


def _committed(bodies: Iterator[bytes], told: BinaryIO | None) -> Iterator[bytes]:
    for body in bodies:
        if told is not None:
            told.write(body + b"\n")  # canonical JSON has no line breaks
        yield commitment(body)
