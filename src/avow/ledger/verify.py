"""Verifying a ledger from its stored bytes: bodies, commitments, tiles, root, and the checkpoint kept outside.

Found: a flipped bit in any of them, a dropped, doubled, swapped or inserted entry or tile, an entry that came into the
log a second time, and a ledger cut short or exchanged since its checkpoint was signed. Not found: entries that were
dropped before they were integrated, or after that and before the checkpoint that tells of them was signed.

So is a tally of the sentences that is not what the entries say, and a journal outside the database that is not the
log's.

Also told: what lay among the pending entries and was none, by the entries that took its place.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final, NoReturn

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, cast, func, select

from avow.errors import LedgerError, LogError
from avow.ledger import tally
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.entry import Entry, read_quickly
from avow.ledger.figures import Cell, count
from avow.ledger.growing import EMPTY, Edge, grow
from avow.ledger.journal import NAME as JOURNAL
from avow.ledger.journal import Compared, Logged
from avow.ledger.kept import missing, read_kept
from avow.ledger.merkle import HASH, leaf_hash, leaf_hashes
from avow.ledger.note import VerifierKey
from avow.ledger.sequencer import DIGEST, UNREADABLE, pending_count
from avow.ledger.stored import StoredLog, refuse_chain
from avow.ledger.tiles import HEIGHT, WIDTH, Tile, leads, tile_at, widths
from avow.store.connection import Store
from avow.store.schema import Schema

#: Entries held in memory at a time: whole tiles.
_PORTION: Final = 32 * WIDTH

_WHO: Final = "restore the ledger from a backup, and find out who could write the database"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that was no entry: the number of the entry that stands for it, from 0, and its SHA-256 in hexadecimal.

    `kept` says whether the bytes of that digest still lie where they were put aside.
    """

    number: int
    digest: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Report:
    """A ledger that verifies.

    Args:
        size: how many entries the log has.
        root: over them, 32 bytes.
        pending: how many more wait to be integrated.
        kept: the checkpoint that vouches for the first of them; None for an empty ledger that has none yet.
        unreadable: entries that stand for what was none, or came before.
        counted: the cells of the tally that the entries make.
    """

    size: int
    root: bytes
    pending: int
    kept: Checkpoint | None
    unreadable: tuple[Unreadable, ...] = ()
    counted: Counter[Cell] = field(default_factory=Counter)


def verify(store: Store, schema: Schema, file: Path, key: VerifierKey, *, tallied: bool = True) -> Report:
    """Read the whole ledger and recompute it.

    Args:
        file: the checkpoint outside the database.
        key: of the log.
        tallied: whether the tally has to be what the entries say; not where it is counted anew.

    Raises:
        LedgerError: naming the first entry or tile that does not fit, what was expected and what was found.
    """
    kept = read_kept(file, key)  # before the moment that is looked at, in which the log is at least as long
    with closing(Compared(file.with_name(JOURNAL))) as journal, store.one_moment() as connection:
        refuse_chain(connection, schema)
        found = _Verifying(StoredLog(connection, schema), kept, journal)
        edge = found.entries()
        found.end(edge)
        found.once()
        if tallied:
            tally.check(connection, schema, found.counted)
        journal.finish(edge.size, kept.size if kept else 0)
        waiting = pending_count(connection, schema)
        unreadable = tuple(
            Unreadable(number, digest, _lies_aside(connection, schema, digest))
            for number, digest in found.unreadable.items()
        )
    if kept is None and edge.size:
        raise missing(file)
    return Report(edge.size, edge.root, waiting, kept, unreadable, found.counted)


class _Verifying:
    """One pass over a log. `unreadable` are, by number, the digests that entries tell of; `counted` is their tally."""

    def __init__(self, log: StoredLog, kept: Checkpoint | None, journal: Compared) -> None:
        self.log = log
        self.journal = journal
        self.kept = kept
        self.unreadable: dict[int, str] = {}
        self.counted: Counter[Cell] = Counter()

    def entries(self) -> Edge:
        """Go through the entries in order and compare each full tile as it comes; the edge of the log that they make.

        Raises:
            LedgerError: an entry or a full tile does not fit.
        """
        edge = EMPTY
        with closing(self._portions()) as portions:
            for commitments in portions:
                edge, tiles = grow(edge, leaf_hashes(commitments))
                self._compare([(tile, data) for tile, data in tiles if tile.width == WIDTH])
                if self.kept is not None and edge.size == self.kept.size:
                    self._compare(_partial(edge), older=True)
                    self._compare_root(edge.root)
        return edge

    def end(self, edge: Edge) -> None:
        """Compare what is at the right edge, and look whether anything is left over.

        Raises:
            LedgerError: a partial tile does not fit, there are tiles too many, or entries too few.
        """
        self._compare(_partial(edge))
        if self.kept is not None and edge.size < self.kept.size:
            raise LedgerError(
                f"the ledger is smaller than its kept checkpoint: expected at least {self.kept.size} entries with the "
                f"root {self.kept.root.hex()}, found {edge.size} with the root {edge.root.hex()}",
                help="an older database was restored, or the end was cut off; restore the newest backup",
            )
        self._nothing_over(edge.size)

    def once(self) -> None:
        """That no entry comes twice. Nonces are random: one that does is a copy of a row that had been integrated.

        Raises:
            LedgerError: one does.
        """
        unlike = self.log.unlike()
        if unlike is not None:
            raise LedgerError(f"the commitment of entry {unlike} of the ledger is not kept as bytes", help=_WHO)
        twice = self.log.repeated()
        if twice is not None:
            raise LedgerError(
                f"entry {twice[1]} of the ledger repeats entry {twice[0]}: both have the same commitment",
                help="it happened once and is counted twice: somebody who can write the database put its waiting row "
                "back; find out who",
            )

    def _portions(self) -> Generator[list[bytes], None, None]:
        """The commitments, recomputed from the bodies; one portion ends where the checkpoint does."""
        entry, connection = self.log.schema.entry.c, self.log.connection
        # Cast, since SQLite keeps whatever is put into a column.
        columns = (entry.number, cast(entry.body, LargeBinary), cast(entry.commitment, LargeBinary))
        statement = select(*columns).order_by(entry.number).execution_options(yield_per=WIDTH * 4)
        sha256, quick, number = hashlib.sha256, read_quickly, 0
        commitments: list[bytes] = []
        kinds: list[Entry] = []
        logged: list[Logged] = []
        border = self.kept.size if self.kept is not None else 0
        with connection.execute(statement) as rows:
            for found, body, told in rows:
                if found != number:
                    raise LedgerError(
                        f"entry {number} of the ledger is missing: entry {found} follows instead", help=_WHO
                    )
                computed = sha256(body).digest()
                if computed != told:
                    self._blame(number, computed, told)
                try:
                    kind = quick(body)
                except LedgerError as error:
                    raise LedgerError(f"entry {number} of the ledger is none: {error.args[0]}", help=_WHO) from None
                if kind.event == UNREADABLE:
                    self.unreadable[number] = kind.object.removeprefix(DIGEST)
                commitments.append(computed)
                kinds.append(kind)
                logged.append(Logged(number, body, computed))
                number += 1
                if number == border or len(commitments) == _PORTION:
                    self.counted += count(kinds)
                    self.journal.follow(logged)
                    yield commitments
                    commitments, kinds, logged = [], [], []
        self.counted += count(kinds)
        self.journal.follow(logged)
        yield commitments

    def _compare(self, tiles: Sequence[tuple[Tile, bytes]], *, older: bool = False) -> None:
        """That tiles are stored as the entries make them; of an `older` size, that the stored ones begin with them."""
        for level, group in groupby(tiles, key=lambda each: each[0].level):
            expected = list(group)
            stored = self.log.tiles(level, expected[0][0].number, expected[-1][0].number + 1)
            for tile, data in expected:
                found = stored.get(tile.number, b"")
                if (found[: len(data)] if older else found) != data:
                    self._blame_tile(tile, data, found)

    def _compare_root(self, root: bytes) -> None:
        assert self.kept is not None
        if root != self.kept.root:
            raise LedgerError(
                f"the ledger is not the one that its checkpoint tells of: of its first {self.kept.size} entries the "
                f"root {self.kept.root.hex()} was expected, and they have {root.hex()}",
                help="entries and tiles fit each other: the ledger was written anew or belongs to another "
                "installation; restore the one that the checkpoint is of",
            )

    def _nothing_over(self, size: int) -> None:
        """That there are no more tiles than those that have been compared."""
        table, connection = self.log.schema.tile.c, self.log.connection
        count = sum(full + (width > 0) for _, full, width in widths(size))
        if (connection.scalar(select(func.count(table.level))) or 0) == count:
            return
        for level, number in connection.execute(select(cast(table.level, Integer), cast(table.number, BigInteger))):
            try:
                tile_at(level, number, size)
            except LogError:
                raise LedgerError(
                    f"the ledger has a tile {number} of level {level}, and no log of {size} entries has",
                    help=f"entries were dropped, or the tile was put in; {_WHO}",
                ) from None
        raise LedgerError(f"the ledger has tiles that no log of {size} entries has", help=_WHO)

    def _blame(self, number: int, computed: bytes, told: bytes) -> NoReturn:
        """Say which of a body and its commitment was changed: the tile knows."""
        leaf = self._leaf(number)
        what = {leaf_hash(told): "its body", leaf_hash(computed): "its commitment"}.get(leaf, "more than one of them")
        raise LedgerError(
            f"entry {number} of the ledger does not verify: its body has the SHA-256 {computed.hex()}, its commitment "
            f"is {told.hex()}, and its tile has the leaf {leaf.hex() or 'of none'}",
            help=f"{what} was changed; {_WHO}",
        )

    def _leaf(self, number: int) -> bytes:
        at = number % WIDTH * HASH
        return self.log.tiles(0, number // WIDTH, number // WIDTH + 1).get(number // WIDTH, b"")[at : at + HASH]

    def _blame_tile(self, tile: Tile, expected: bytes, found: bytes) -> NoReturn:
        """Say where a tile differs, and whether it was changed or the entries were."""
        if not found:
            raise LedgerError(f"{tile.path} of the ledger is missing", help=_WHO)
        if found.startswith(expected) or expected.startswith(found):
            raise LedgerError(
                f"{tile.path} of the ledger has {len(found)} bytes, and the entries make {len(expected)}", help=_WHO
            )
        at = next(at for at in range(0, len(expected), HASH) if found[at : at + HASH] != expected[at : at + HASH])
        old, new = found[at : at + HASH], expected[at : at + HASH]
        index = tile.number * WIDTH + at // HASH
        if tile.level:
            first = index << HEIGHT * tile.level
            raise LedgerError(
                f"{tile.path} of the ledger was changed: its hash {at // HASH}, over the entries {first} to "
                f"{(index + 1 << HEIGHT * tile.level) - 1}, is {old.hex()}, and these have {new.hex()}",
                help=_WHO,
            )
        told = f"its tile {tile.path} has the leaf {old.hex()}, and it hashes to {new.hex()}"
        if self._signed(new, index):
            raise LedgerError(f"the tile of entry {index} of the ledger was changed: {told}", help=_WHO)
        if self._signed(old, index):
            told += "; the checkpoint is over the one in the tile"
        raise LedgerError(f"entry {index} of the ledger does not verify: {told}", help=f"it was exchanged; {_WHO}")

    def _signed(self, leaf: bytes, index: int) -> bool:
        """Whether an entry with this hash, at its place, leads to the checkpoint."""
        kept = self.kept
        return kept is not None and leads(leaf, index, kept.size, kept.root, self.log.read)


def _partial(edge: Edge) -> list[tuple[Tile, bytes]]:
    """The partial tiles at the edge of a log."""
    levels = zip(widths(edge.size), edge.partials, strict=True)
    return [(Tile(level, number, width), data) for (level, number, width), data in levels if width]


def _lies_aside(connection: Connection, schema: Schema, digest: str) -> bool:
    column = cast(schema.aside.c.body, LargeBinary)
    body = connection.scalar(select(column).where(schema.aside.c.digest == digest))
    return body is not None and hashlib.sha256(bytes(body)).hexdigest() == digest
