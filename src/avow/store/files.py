"""Files that must be whole or not there: written beside, synced, renamed, their folder synced. And files that grow.

A crash leaves the old file or the new one, never half of one. The scratch file is created anew and for
this user alone: one that was planted there, a link to elsewhere perhaps, is removed and not written into.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def replace_durably(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Put `data`, whole or in pieces, in place of the file at `path`, readable by this user only.

    Raises:
        OSError: it could not be done; the file is as it was, or as it was to be.
    """
    scratch = path.with_name(path.name + ".new")
    with suppress(FileNotFoundError):
        scratch.unlink()
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, 0o600)  # whatever the umask
        file.writelines((data,) if isinstance(data, bytes) else data)
        file.flush()
        os.fsync(descriptor)
    scratch.replace(path)
    sync_folder(path.parent)


@contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = True) -> Iterator[BinaryIO]:
    """The file at `path`, for whoever appends to it: made if it is not there, one writer at a time over processes.

    It is read by the file and written by its descriptor.

    Args:
        shared: together with others who share it, beside nobody who has it alone.
        wait: for who has it now, instead of raising BlockingIOError.

    Raises:
        OSError: it cannot be opened or locked.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "rb") as file:  # closing it gives back the lock
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | _unless(wait))
        yield file


@contextmanager
def alone_in(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold `folder`, for whoever replaces a file in it after a look at it: one at a time over threads and processes.

    Args:
        wait: as `locked`.

    Raises:
        OSError: it is not there, or cannot be locked.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | _unless(wait))
        yield
    finally:
        os.close(descriptor)  # and with it the lock


def _unless(wait: bool) -> int:
    return 0 if wait else fcntl.LOCK_NB


def write_end(path: Path, file: BinaryIO, end: int, data: bytes) -> None:
    """Let the `locked` file at `path` end with `data` from `end` on, durably; what a crash left there goes.

    Raises:
        OSError: it could not be done.
    """
    os.pwrite(file.fileno(), data, end)
    os.ftruncate(file.fileno(), end + len(data))
    os.fsync(file.fileno())
    if not end:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename or creation in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_private(path: Path) -> None:
    """Create an empty file for this user alone, unless it is there."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        sync_folder(path.parent)
