"""The log as it lies in the database: its entries, and the tiles of its tree with the partial ones at the right edge.

    avow_entry (number, body, commitment)     a leaf is the commitment: SHA-256 of the body
    avow_tile (level, number, hashes)         of each tile the widest that there is

Entries and tiles are written in one transaction. A tile of an older size is the beginning of the one that is here, so
the log of then can be shown at any time: its root, proofs, and tiles of any width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, LargeBinary, cast, func, inspect, select

from avow.errors import LedgerError, LogError
from avow.ledger import bundle
from avow.ledger.checkpoint import Checkpoint
from avow.ledger.growing import Edge
from avow.ledger.merkle import HASH, consistency_proof, verify_consistency
from avow.ledger.tiles import ENTRIES, WIDTH, Tile, hashes_in, root
from avow.store.schema import Schema

_VERIFY: Final = "stop the service and run `avow ledger verify`: it names the first entry or tile that does not fit"
_BACK: Final = (
    "if the database was put back from a backup, run `avow restore`; if not, stop the service, run `avow ledger "
    "verify` and restore the database that belongs to the checkpoint"
)


@dataclass(frozen=True, slots=True)
class StoredLog:
    """The log as one connection sees it; give one that sees a single moment where more than one thing is asked."""

    connection: Connection
    schema: Schema

    def size(self) -> int:
        """How many entries it has.

        Raises:
            LedgerError: entries and tiles do not say the same.
        """
        entry, tile = self.schema.entry.c, self.schema.tile.c
        last = self.connection.scalar(select(func.max(entry.number)))
        widest = self.connection.execute(
            select(tile.number, func.length(tile.hashes)).where(tile.level == 0).order_by(tile.number.desc()).limit(1)
        ).first()
        entries = 0 if last is None else last + 1
        leaves = 0 if widest is None else widest[0] * WIDTH + widest[1] // HASH
        if entries != leaves:
            raise LedgerError(
                f"the ledger does not fit itself: its last entry is number {entries - 1}, and its tiles hold the "
                f"hashes of {leaves} entries",
                help=_VERIFY,
            )
        return entries

    def read(self, tile: Tile) -> bytes:
        """The bytes of a tile or of a bundle of commitments, of any width that it has had.

        Raises:
            LogError: it is not there, or not so wide.
        """
        if tile.level == ENTRIES:
            first = tile.number * WIDTH
            found = self.commitments(first, first + tile.width)
            if len(found) != tile.width:
                raise LogError(tile.path, f"the database has {len(found)} of its {tile.width} entries", help=_VERIFY)
            return bundle.encode(found, first=first)
        table = self.schema.tile.c
        hashes = self.connection.scalar(
            select(cast(table.hashes, LargeBinary)).where(table.level == tile.level, table.number == tile.number)
        )
        data = b"" if hashes is None else bytes(hashes)
        if len(data) < tile.length:
            raise LogError(
                tile.path,
                f"the database has {len(data) // HASH} of its {tile.width} hashes",
                help=_VERIFY,
            )
        return data[: tile.length]

    def commitments(self, first: int, end: int) -> list[bytes]:
        """The commitments of the entries from `first` up to `end`, as many of them as there are."""
        entry = self.schema.entry.c
        statement = (
            select(cast(entry.commitment, LargeBinary))
            .where(entry.number >= first, entry.number < end)
            .order_by(entry.number)
        )
        return [bytes(each) for each in self.connection.scalars(statement)]

    def has(self, commitments: Sequence[bytes]) -> set[bytes]:
        """Which of some commitments there are entries of: one look into the index for each, all in one statement."""
        if not commitments:
            return set()
        given: tuple[bytes | list[bytes], ...] = (list(commitments),)
        among = "= ANY(%s::bytea[])"
        if self.connection.dialect.name == "sqlite":
            given = tuple(commitments)
            among = f"IN ({','.join('?' * len(given))})"
        asked = f"SELECT commitment FROM avow_entry WHERE commitment {among}"  # noqa: S608  # marks alone
        return {bytes(row[0]) for row in self.connection.exec_driver_sql(asked, given)}

    def repeated(self) -> tuple[int, int] | None:
        """The numbers of the first entry that comes again, and of where it does; None where none does.

        Worked out along the index of commitments: nothing of them is held.
        """
        entry, first = self.schema.entry.c, func.min(self.schema.entry.c.number)
        twice = select(first, entry.commitment).group_by(entry.commitment).having(func.count() > 1)
        found = self.connection.execute(twice.order_by(first).limit(1)).first()
        if found is None:
            return None
        again = select(first).where(entry.commitment == found[1], entry.number > found[0])
        return found[0], self.connection.scalar(again) or 0

    def unlike(self) -> int | None:
        """The number of an entry whose commitment is none to an index of bytes; on SQLite a column holds anything."""
        entry = self.schema.entry.c
        if self.connection.dialect.name != "sqlite":
            return None
        # There numbers and texts come before all bytes.
        number: int | None = self.connection.scalar(select(func.min(entry.number)).where(entry.commitment < b""))
        return number

    def edge(self, size: int) -> Edge:
        """The right edge of the log of `size` entries, and with it its root.

        Raises:
            LogError: a tile of it is not there.
        """
        return Edge.read(size, self.read)

    def check_holds(self, kept: Checkpoint, size: int) -> Edge:
        """Check that the log of `size` entries goes on from a checkpoint, and return its edge.

        Raises:
            LedgerError: it has become shorter, or it is another log: what was expected, and what was found.
        """
        edge = self.edge(size)
        if kept.size > size:
            raise LedgerError(
                f"the ledger has {size} entries with the root {edge.root.hex()}, and its checkpoint outside the "
                f"database tells of {kept.size} with the root {kept.root.hex()}",
                help=_BACK,
            )
        if not kept.size:
            return edge
        read = hashes_in(size, self.read)
        try:
            verify_consistency(kept.size, size, consistency_proof(kept.size, size, read), kept.root, edge.root)
        except LogError:
            raise LedgerError(
                f"the ledger is not the one that its checkpoint outside the database tells of: the first {kept.size} "
                f"of its {size} entries have the root {root(kept.size, self.read).hex()}, and had "
                f"{kept.root.hex()}; the root of all is {edge.root.hex()}",
                help=_BACK,
            ) from None
        return edge

    def put(self, tiles: Iterable[tuple[Tile, bytes]]) -> None:
        """Write tiles, in place of narrower ones: of a batch (`growing.grow`) the last of each level."""
        rows = [(tile.level, tile.number, data) for tile, data in tiles]
        if not rows:
            return
        mark = "?" if self.connection.dialect.name == "sqlite" else "%s"
        self.connection.exec_driver_sql(
            f"INSERT INTO avow_tile (level, number, hashes) VALUES ({mark}, {mark}, {mark}) "  # noqa: S608  # our own
            "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
            rows,
        )

    def tiles(self, level: int, first: int, end: int) -> dict[int, bytes]:
        """By number, the bytes of the tiles of a level from `first` up to `end`, as many of them as there are."""
        table = self.schema.tile.c
        rows = self.connection.execute(
            select(table.number, cast(table.hashes, LargeBinary)).where(
                table.level == level, table.number >= first, table.number < end
            )
        )
        return {number: bytes(hashes) for number, hashes in rows}


def refuse_chain(connection: Connection, schema: Schema) -> None:
    """Refuse a database whose ledger is of the kind that there was before: entries in a chain, without tiles.

    Raises:
        LedgerError: it is.
    """
    inspector = inspect(connection)
    if not inspector.has_table(schema.entry.name):
        return
    columns: Sequence[str] = [column["name"] for column in inspector.get_columns(schema.entry.name)]
    if "commitment" not in columns:
        raise LedgerError(
            "the ledger in this database is a hash chain, as development versions before 0.1.0 kept it; this version "
            "keeps a Merkle log and does not go on with it",
            help="nothing was changed. Go on with the version that made it, or begin an installation with an empty "
            "data folder and database",
        )
