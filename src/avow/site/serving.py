"""Who serves an installation and who puts its database back: never both at once.

A service that goes on beside a restore would write into a database that nobody looks at any more, and what it answers
would be lost. Whoever serves shares the lock of a file in the data folder; who restores has it alone. So it is noticed
on one machine; services on other machines have to be stopped by whoever restores.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from avow.errors import StoreError
from avow.store.files import locked

#: The file's name in the data folder. It is always empty.
NAME: Final = "serving"


@contextmanager
def serving(data: Path) -> Iterator[None]:
    """Serve the installation in `data` for as long as the block lasts, together with others.

    Raises:
        StoreError: it is being restored, or the folder cannot be used.
    """
    refusal = StoreError(
        f"the installation in `{data}` is being restored", help="start the service when that has ended"
    )
    with _held(data, refusal, shared=True):
        yield


@contextmanager
def restoring(data: Path) -> Iterator[None]:
    """Put back the database of the installation in `data`: nobody serves it for as long as the block lasts.

    Raises:
        StoreError: it is served, or restored by somebody else, or the folder cannot be used.
    """
    refusal = StoreError(
        f"the service of `{data}` is running, or is being restored already: nothing was changed",
        help="stop it first: what it answers meanwhile would be in no database",
    )
    with _held(data, refusal, shared=False):
        yield


@contextmanager
def _held(data: Path, refusal: StoreError, *, shared: bool) -> Iterator[None]:
    path = data / NAME
    with ExitStack() as held:
        try:
            held.enter_context(locked(path, shared=shared, wait=False))
        except BlockingIOError:
            raise refusal from None
        except OSError as error:
            raise StoreError(
                f"`{path}` cannot be made: {error.strerror}", help="free space, or run this as the user of the service"
            ) from None
        yield
