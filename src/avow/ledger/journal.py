r"""The journal: a copy of the log's entries outside the database, appended to by the sequencer.

A database that is put back from a backup has lost the entries since. With the journal it gets them back, byte for byte,
before it is served; without it, a ledger that has become shorter than its kept checkpoint is refused.

    avow-ledger-journal 2\n
    then for each entry:
        number (8, from 0) ‖ length of the body (4) ‖ body ‖ commitment (32) ‖ length of the body (4)     big-endian

What a crash left of an entry at the end is cut off by the next append. Entries are appended after they are committed,
and before the checkpoint is signed: no checkpoint tells of an entry that the journal lacks.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from avow.errors import LedgerError, StoreError
from avow.ledger.entry import LARGEST
from avow.store.files import locked, write_end

#: The file's name in the data folder.
NAME: Final = "ledger.journal"

_HEAD: Final = b"avow-ledger-journal 2\n"
_START: Final = struct.Struct(">QI")
_END: Final = struct.Struct(">32sI")


_ANEW: Final = (
    "all else of the ledger verifies. Put the file aside, if there is one, and start the service: it is written anew "
    "from the database. Until then a restored backup would lack its newest entries"
)


class Logged(NamedTuple):
    """One entry as the log has it: its number from 0, its body, and the commitment to it (32 bytes)."""

    number: int
    body: bytes
    commitment: bytes


class Journal:
    """The journal at one path. Every use looks at the file anew, as other processes append to it too."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def size(self) -> int:
        """How many entries it has; 0 where there is none yet.

        Raises:
            LedgerError: it is damaged, or cannot be read.
        """
        last = self.last()
        return 0 if last is None else last.number + 1

    def last(self) -> Logged | None:
        """Its last whole entry, or None where it has none.

        Raises:
            LedgerError: it is damaged, or cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                return self._end(file)[1]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerError(f"the ledger's journal `{self.path}` cannot be read: {error.strerror}") from None

    def append(self, entries: Iterable[Logged]) -> None:
        """Append entries, durably; those that it has already are left out.

        Raises:
            LedgerError: there would be a gap, or it is damaged.
            StoreError: it cannot be written.
        """
        try:
            with locked(self.path) as file:
                end, last = self._end(file)
                size = 0 if last is None else last.number + 1
                parts = []
                for entry in entries:
                    if entry.number > size:
                        raise LedgerError(
                            f"the ledger's journal `{self.path}` has {size} entries, and entry {entry.number} came",
                            help="restart the service: what is missing is taken from the database",
                        )
                    if entry.number == size:
                        parts.append(_encode(entry))
                        size += 1
                if parts or not end:
                    write_end(self.path, file, end, (b"" if end else _HEAD) + b"".join(parts))
        except OSError as error:
            raise StoreError(
                f"the ledger's journal `{self.path}` cannot be written: {error.strerror}",
                help="free space, or mend the rights; the entries are in the database and will be copied again",
            ) from None

    def read(self, start: int) -> Iterator[Logged]:
        """The entries from number `start` on.

        Raises:
            LedgerError: it is damaged, or cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                yield from (entry for entry, _ in self._entries(file) if entry.number >= start)
        except FileNotFoundError:
            return
        except OSError as error:
            raise LedgerError(f"the ledger's journal `{self.path}` cannot be read: {error.strerror}") from None

    def _entries(self, file: BinaryIO) -> Iterator[tuple[Logged, int]]:
        """Each whole entry from the beginning, and where it ends."""
        if not self._begun(file):
            return
        number = 0
        while entry := _read(file):
            if entry.number != number:
                self._damaged(number)
            number += 1
            yield entry, file.tell()

    def _end(self, file: BinaryIO) -> tuple[int, Logged | None]:
        """Where the last whole entry ends, and that entry."""
        size = os.fstat(file.fileno()).st_size
        if not self._begun(file):
            return 0, None
        if size == len(_HEAD):
            return size, None
        # The last entry says how long it is; only if a crash cut one off, all have to be gone through.
        file.seek(size - min(size, _END.size))
        tail = file.read(_END.size)
        if len(tail) == _END.size:
            start = size - _END.size - _END.unpack(tail)[1] - _START.size
            if start >= len(_HEAD):
                file.seek(start)
                entry = _read(file)
                if entry is not None and file.tell() == size:
                    return size, entry
        end, last = len(_HEAD), None
        for last, end in self._entries(file):  # noqa: B007 - the last one is what is asked for
            pass
        return end, last

    def _begun(self, file: BinaryIO) -> bool:
        file.seek(0)
        head = file.read(len(_HEAD))
        if head == _HEAD:
            return True
        if _HEAD.startswith(head):
            return False  # nothing, or what a crash left of the first line
        self._damaged(0)
        return False

    def _damaged(self, number: int) -> None:
        raise LedgerError(
            f"the ledger's journal `{self.path}` is damaged at entry {number}",
            help="if the database is whole, put the file aside: it is written anew at the next start",
        )


class Compared:
    """The journal beside the entries of a log, both gone through once, as far as it went when this was made.

    What a crash left of an entry at the end is no fault. `held` is how many entries it has that are the log's.

    Raises:
        LedgerError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held = self._left = 0
        try:
            self._file: BinaryIO = path.open("rb")
            self._left = os.fstat(self._file.fileno()).st_size
        except FileNotFoundError:
            self._file = BytesIO()  # told in the end: what is wrong with the log itself comes first
        except OSError as error:
            raise LedgerError(f"the ledger's journal `{path}` cannot be read: {error.strerror}") from None
        #: What is there instead of the log's next entry, or of the first line; None while all was the same.
        self._parted: bytes | None = None
        head = self._take(len(_HEAD))
        if head != _HEAD:
            self._parted = head

    def follow(self, entries: Iterable[Logged]) -> None:
        """Compare the next entries of the log."""
        if self._parted is not None:
            return
        expected = [_encode(entry) for entry in entries]
        whole = b"".join(expected)
        there = self._take(len(whole))
        if there == whole:
            self.held += len(expected)
            return
        at = 0
        for each in expected:
            if there[at : at + len(each)] != each:
                break
            at += len(each)
            self.held += 1
        self._parted = there[at:]

    def finish(self, size: int, vouched: int) -> None:
        """Say where it parts from the log, if it does.

        Args:
            size: how many entries of the log were compared.
            vouched: of how many the checkpoint tells: so many it must have.

        Raises:
            LedgerError: naming the first entry that is missing or is not the log's.
        """
        there = (self._parted or b"") + self._take(_START.size + LARGEST + _END.size)
        whole = _read(BytesIO(there)) is not None
        if self.held < size and whole:
            raise LedgerError(f"entry {self.held} in the ledger's journal `{self.path}` was changed", help=_ANEW)
        if whole:
            raise LedgerError(
                f"the ledger has {size} entries, and its journal `{self.path}` goes on",
                help="if the database was put back from a backup, run `avow restore`; if not, it was cut: restore the "
                "newest one",
            )
        if self.held < vouched:
            raise LedgerError(
                f"the ledger's journal `{self.path}` is missing, ends or is damaged at entry {self.held}, and the "
                f"checkpoint tells of {vouched}",
                help=_ANEW,
            )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _take(self, count: int) -> bytes:
        found = self._file.read(min(count, self._left))
        self._left -= len(found)
        return found


def _encode(entry: Logged) -> bytes:
    length = len(entry.body)
    return _START.pack(entry.number, length) + entry.body + _END.pack(entry.commitment, length)


def _read(file: BinaryIO) -> Logged | None:
    """The next entry, or None where no whole one follows."""
    start = file.read(_START.size)
    if len(start) < _START.size:
        return None
    number, length = _START.unpack(start)
    if length > LARGEST:
        return None
    body, end = file.read(length), file.read(_END.size)
    if len(body) < length or len(end) < _END.size or _END.unpack(end)[1] != length:
        return None
    return Logged(number, body, _END.unpack(end)[0])
