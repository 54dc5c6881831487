r"""Checkpoints: what a log says that it holds, as the text of a signed note (C2SP tlog-checkpoint).

    <origin>
    <number of entries>
    <base64 of the root>
    <extension lines, if any>

The origin is the log's name, and that of its key. Who has a checkpoint has the whole log in one line: a log
that later shows another root for that size, or cannot prove that it only grew, has broken its word.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from avow.errors import LogError
from avow.ledger.merkle import EMPTY_ROOT, HASH, LARGEST_SIZE
from avow.ledger.note import Note, Signer, VerifierKey, open_note

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_SHAPE: Final = (
    "a checkpoint is a line with the origin, one with the size, one with the base64 of the root, in a signed note"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log.

    Args:
        origin: the log's name: one line.
        size: how many entries it has.
        root: over these entries, 32 bytes.
        extensions: further lines, which nothing vouches for but the signature; best none.

    Raises:
        LogError: a part is not of its shape, or an empty log has a root that none has.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            if not line or any(letter < " " for letter in line):
                raise LogError("checkpoint", "its origin or an extension is empty or more than one line", help=_SHAPE)
        if not 0 <= self.size <= LARGEST_SIZE:
            raise LogError("size of the checkpoint", f"{self.size} is no number of entries", help=_SHAPE)
        if len(self.root) != HASH:
            raise LogError("root of the checkpoint", f"it has {len(self.root)} bytes, and not {HASH}", help=_SHAPE)
        if not self.size and self.root != EMPTY_ROOT:
            raise LogError("root of the checkpoint", "no log without entries has this root", help=_SHAPE)

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The checkpoint of the text of a note.

        Raises:
            LogError: it is misshapen, or spelled otherwise than `text` does.
        """
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < 3:
            raise LogError("checkpoint", f"it has {len(lines)} of at least three lines", help=_SHAPE)
        origin, size, root, *extensions = lines
        if not _SIZE.fullmatch(size):
            raise LogError("size of the checkpoint", f"{size[:40]!r} is no number of entries", help=_SHAPE)
        try:
            held = base64.b64decode(root, validate=True)
        except ValueError:
            held = b""
        found = cls(origin, int(size), held, tuple(extensions))
        if found.text != text:
            raise LogError("root of the checkpoint", "its base64 is not the one spelling of the root", help=_SHAPE)
        return found

    def sign(self, *signers: Signer) -> bytes:
        """The checkpoint as a signed note."""
        return Note(self.text).signed_by(*signers).encode()


def open_checkpoint(
    data: bytes, key: VerifierKey, *, origin: str | None = None, witnesses: Sequence[VerifierKey] = ()
) -> Checkpoint:
    """The checkpoint of a signed note that the log's key has signed.

    Args:
        data: the note.
        key: of the log.
        origin: of the log, if it is not the name of its key.
        witnesses: keys of others who must have signed it too.

    Raises:
        LogError: it is misshapen, the log's key or that of a witness has not signed it, or it is of another log.
    """
    note, signed = open_note(data, (key, *witnesses))
    for wanted in (key, *witnesses):
        if wanted not in signed:
            raise LogError(
                "checkpoint",
                f"the key {wanted.name}+{wanted.key_id.hex()} has not signed it",
                help="fetch a newer one, which all have signed that you ask for",
            )
    found = Checkpoint.parse(note.text)
    # One key may sign for several logs: a checkpoint of another must not pass for this log's.
    if found.origin != (origin or key.name):
        raise LogError(
            "origin of the checkpoint",
            f"it is of the log {found.origin[:200]!r}, and not of {origin or key.name!r}",
            help="ask the right log, or name the origin that you mean",
        )
    return found
