"""What a log gives out to everybody: its checkpoint, and the tiles and bundles that this checkpoint covers.

    checkpoint                     the newest that was signed
    tile/<level>/<number>[.p/<w>]  C2SP tlog-tiles; a partial one in any width that it has had
    tile/entries/<number>[.p/<w>]  commitments to entries, 256 to a bundle
    key                            the verifier key, to be compared with one that came by another way

What is in the database and not yet under a signature is not given out: nobody could hold the log to it. Nor is what
does not lead to the signature: it was changed.

Who may know what an entry says gets a receipt of it as well: that is for whoever calls to judge, not for everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avow.errors import LedgerError, LogError
from avow.ledger import bundle
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.entry import commitment
from avow.ledger.folder import CHECKPOINT
from avow.ledger.kept import missing, open_kept, read_note
from avow.ledger.merkle import inclusion_proof, leaf_hash, leaf_hashes, node_hash, verify_inclusion
from avow.ledger.note import VerifierKey
from avow.ledger.proof import Receipt
from avow.ledger.stored import StoredLog
from avow.ledger.tiles import ENTRIES, HEIGHT, WIDTH, Tile, TileReader, hashes_in, tile_at
from avow.store.connection import Store
from avow.store.schema import Schema

#: The address of the verifier key.
KEY: Final = "key"

_VERIFY: Final = "run `avow ledger verify`: it names the first entry or tile that does not fit"
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_KEY: Final = """{key}

This is the verifier key of the log {origin}. Whoever can change the log can change this page as well: compare the key
with one that you got by another way, or earlier, before you believe a checkpoint by it. It stays the same for the life
of the log.
"""


@dataclass(frozen=True, slots=True)
class Given:
    """Something that is given out: its bytes, their media type, and whether they will be the same for ever."""

    body: bytes
    kind: str
    lasting: bool


class PublicLog:
    """The public side of one installation's log. For all threads."""

    def __init__(self, store: Store, schema: Schema, file: Path, key: VerifierKey) -> None:
        self._store = store
        self._schema = schema
        self._file = file
        self.key = key
        self._verified: tuple[bytes, Checkpoint] | None = None

    def give(self, path: str) -> Given:
        """What lies at an address below the log's.

        Raises:
            LogError: there is nothing, or not under the checkpoint of now.
            LedgerError: the log cannot be given out as it is: its checkpoint is gone, or tiles that it covers are.
        """
        if path == KEY:
            return Given(_KEY.format(key=self.key, origin=self.key.name).encode(), _TEXT, lasting=False)
        note, checkpoint = self._signed()
        if path == CHECKPOINT:
            return Given(note, _TEXT, lasting=False)
        tile = Tile.parse(path)
        widest = tile_at(tile.level, tile.number, checkpoint.size)
        if tile.width > widest.width:
            raise LogError(path, f"a log of {checkpoint.size} entries has {widest.width} of its {tile.width}")
        try:
            with self._store.one_moment() as connection:
                read = StoredLog(connection, self._schema).read
                body = read(tile)
                _proven(tile, body, checkpoint, read)
        except LogError as error:
            raise _lacking(error) from None
        return Given(body, _BYTES, lasting=tile.width == WIDTH)

    def receipt(self, number: int, body: bytes) -> Receipt:
        """The receipt, under the checkpoint of now, of the entry with that number and body; its extra data is the body.

        It verifies: what is handed out wrong would be believed to show that the log was changed.

        Raises:
            LogError: the checkpoint does not cover that number yet.
            LedgerError: the log lacks what its checkpoint covers, or has another entry there.
        """
        note, checkpoint = self._signed()
        if number >= checkpoint.size:
            raise LogError(
                f"entry {number}",
                f"it is not under a signature yet: the newest checkpoint covers {checkpoint.size} entries",
                help="come back when the next checkpoint is signed; by default that is once an hour",
            )
        try:
            with self._store.one_moment() as connection:
                read = hashes_in(checkpoint.size, StoredLog(connection, self._schema).read)
                made = Receipt(number, inclusion_proof(number, checkpoint.size, read), note, body)
            made.verify(leaf_hash(commitment(body)), self.key)
        except LogError as error:
            raise _lacking(error) from None
        return made

    def _signed(self) -> tuple[bytes, Checkpoint]:
        """The newest note, byte for byte, and the checkpoint in it; other processes write it too."""
        note = read_note(self._file)
        if note is None:
            raise missing(self._file)
        held = self._verified
        if held is None or held[0] != note:
            held = self._verified = note, open_kept(self._file, note, self.key)
        return held


def _proven(tile: Tile, body: bytes, checkpoint: Checkpoint, read: TileReader) -> None:
    """Check that a tile, or a bundle, is the one that the checkpoint is over.

    Whoever asked would keep for ever what is handed out wrong, and take the log for another one. It takes some hundred
    hashes from at most two tiles of each level.

    Raises:
        LogError: it was changed, or a tile on its way to the root was.
    """
    size, level = checkpoint.size, max(tile.level, 0)
    if tile.level == ENTRIES:
        leaves = leaf_hashes(bundle.decode(tile, body))
        if leaves != read(Tile(0, tile.number, tile.width)):
            raise LogError(tile.path, "its commitments are not those that its tile is over", help=_VERIFY)
    node, first = hashes_in(size, read), tile.number * WIDTH
    entry, bit = first << HEIGHT * level, HEIGHT * level
    # All hashes of the tile are on this way but, above the leaves, the first, over the tile that the way begins in.
    verify_inclusion(node(0, entry), entry, size, inclusion_proof(entry, size, node), checkpoint.root)
    if level and node(bit, first) != node_hash(node(bit - 1, 2 * first), node(bit - 1, 2 * first + 1)):
        raise LogError(tile.path, "its first hash is not that of the tile below it", help=_VERIFY)


def _lacking(error: LogError) -> LedgerError:
    return LedgerError(f"the log lacks what its checkpoint covers: {error.args[0]}", help=error.help)
