"""The checkpoint that is kept outside the database: how far the ledger was, and its root, under the log's signature.

A ledger that has become shorter than that, or has another root at that size, was cut, put back or written anew. The
file is replaced whole and never by an older one, and the log keeps the name that it began with, whatever the policy
comes to call the site: the verifier key that outsiders have must stay the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from avow.errors import LedgerError, LogError, StoreError
from avow.ledger.checkpoint import Checkpoint, open_checkpoint
from avow.ledger.note import LARGEST_NOTE, Note, Signer, VerifierKey
from avow.store.files import alone_in, replace_durably

if TYPE_CHECKING:
    from avow.keys.provider import KeyProvider

#: The file's name in the data folder.
NAME: Final = "ledger.checkpoint"

#: The copy that was kept of a chain's head, before there was a log.
_OLD: Final = "ledger.head"


def log_signer(data: Path, keys: KeyProvider, origin: str | None = None) -> Signer:
    """Who signs the log of the installation in `data`: under the log's name, by the key derived from the keyring.

    Args:
        origin: the name of a log that begins now.

    Raises:
        LedgerError: there is no checkpoint, and no name was given; or the one there cannot be read.
        KeyringError: the keys cannot be reached.
    """
    refuse_head(data)
    file = data / NAME
    found = read_note(file)
    name = origin if found is None else _origin(file, found)
    if name is None:
        raise missing(file)
    try:
        return Signer.from_seed(name, keys.secret("log"))
    except LogError as error:
        raise _damaged(file, error) from None


def read_kept(file: Path, key: VerifierKey) -> Checkpoint | None:
    """The checkpoint that is kept, or None where none was written yet.

    Raises:
        LedgerError: it is damaged, or the log's key has not signed it.
    """
    found = read_note(file)
    return None if found is None else open_kept(file, found, key)


def open_kept(file: Path, note: bytes, key: VerifierKey) -> Checkpoint:
    """The checkpoint in the note that was in a file.

    Raises:
        LedgerError: it is damaged, or the log's key has not signed it.
    """
    try:
        return open_checkpoint(note, key)
    except LogError as error:
        raise _damaged(file, error) from None


def keep(file: Path, found: Checkpoint, signer: Signer, goes_on_from: Callable[[Checkpoint], object]) -> None:
    """Sign a checkpoint and put it in place of the older one, durably; one that is newer stays.

    Args:
        goes_on_from: raises if what is to be signed does not go on from a checkpoint. It is asked about the one that
            is being replaced while nobody else replaces it: no two that contradict each other are ever signed.

    Raises:
        LedgerError: the one there is damaged, or what `goes_on_from` raised.
        StoreError: it cannot be written.
    """
    try:
        with alone_in(file.parent):  # two at once would write into the same scratch file
            kept = read_kept(file, signer.key)
            if kept is not None and kept.size > found.size:
                return  # another process was quicker: it never goes back
            if kept is not None:
                if kept == found:
                    return
                goes_on_from(kept)
            replace_durably(file, found.sign(signer))
    except OSError as error:
        raise StoreError(
            f"the ledger's checkpoint `{file}` cannot be written: {error.strerror}",
            help="free space, or mend the rights",
        ) from None


def missing(file: Path) -> LedgerError:
    """What is said where a ledger has entries and there is no checkpoint."""
    return LedgerError(
        f"the ledger's checkpoint `{file}` is missing, so nothing vouches for its entries",
        help="put it back from where it is kept; without it a shortened ledger cannot be told, and none is continued",
    )


def refuse_head(data: Path) -> None:
    """Refuse a data folder whose ledger was kept as a chain.

    Raises:
        LedgerError: it is one.
    """
    if (data / _OLD).exists() and not (data / NAME).exists():
        raise LedgerError(
            f"`{data / _OLD}` is the head of a hash chain, as development versions before 0.1.0 kept their ledger; "
            "this version keeps a Merkle log and does not go on with it",
            help="nothing was changed. Go on with the version that made it, or begin with an empty data folder",
        )


def read_note(file: Path) -> bytes | None:
    """The bytes of the checkpoint that is kept, **not** verified; None where none was written yet.

    Raises:
        LedgerError: it cannot be read.
    """
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST_NOTE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerError(f"the ledger's checkpoint `{file}` cannot be read: {error.strerror}") from None


def _origin(file: Path, note: bytes) -> str:
    """The name in a checkpoint that nobody has verified yet: who then asks for the key of that name does."""
    try:
        return Checkpoint.parse(Note.parse(note).text).origin
    except LogError as error:
        raise _damaged(file, error) from None


def _damaged(file: Path, error: LogError) -> LedgerError:
    return LedgerError(
        f"the ledger's checkpoint `{file}` is not to be believed: {error.args[0]}",
        help="it was cut off, changed or exchanged, or the keyring is another one's; put back the newest copy of it: "
        "without it, a ledger that was cut off or exchanged cannot be told",
    )
