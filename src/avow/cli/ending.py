"""How a command ends that could not do its work: in words, where it is nothing to trace in the code."""

from __future__ import annotations

import sys
from typing import Final

from avow.errors import AvowError, StoreError, first_line

#: The exit status of a command that somebody has interrupted, as shells have it.
INTERRUPTED: Final = 130


def in_words(error: Exception) -> str | None:
    """What to tell who called the command: of Avow's errors and the database's; None of any other.

    Of what a database says only that is repeated which concerns no value: a full disk, a lock, a server that is gone.
    """
    if isinstance(error, AvowError):
        return str(error)
    known = sys.modules.get("sqlalchemy.exc")  # not imported for this: most commands know no database
    if known is None or not isinstance(error, known.DBAPIError):
        return None
    said = first_line(error.orig) if isinstance(error, known.OperationalError) else type(error.orig).__name__
    return str(
        StoreError(
            f"the database failed: {said}",
            help="nothing is left half done; free space, mend the rights or start its server, and run it again",
        )
    )
