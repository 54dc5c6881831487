r"""Receipts: that one entry is in a log, to be checked without asking anybody (C2SP tlog-proof).

    c2sp.org/tlog-proof@v1
    extra <base64>                       only where there is something
    index <number of the entry, from 0>
    <base64 of a hash>                   each hash of the inclusion proof, from the leaf up
    <empty line>
    <the checkpoint, a signed note>

Who holds a receipt, the entry and the log's verifier key can show that the log has the entry, whatever becomes of the
log. The extra data is not signed: believe nothing that it says by itself.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final

from avow.errors import LogError
from avow.ledger.checkpoint import Checkpoint, open_checkpoint
from avow.ledger.merkle import HASH, LARGEST_SIZE, verify_inclusion
from avow.ledger.note import VerifierKey

_HEAD: Final = "c2sp.org/tlog-proof@v1"
#: No proof is longer: a hash for each level of the largest log.
_LONGEST: Final = LARGEST_SIZE.bit_length()
#: The most bytes that a receipt has.
LARGEST_RECEIPT: Final = 2_000_000
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")
_HELP: Final = "ask for the receipt again, byte for byte as the log gives it out"


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry's number, its inclusion proof and the checkpoint that the proof leads to.

    Args:
        index: the number of the entry, from 0.
        proof: hashes of 32 bytes, from the leaf up (`merkle.inclusion_proof`).
        checkpoint: the signed note, byte for byte.
        extra: bytes of any meaning; empty for none.

    Raises:
        LogError: a part is not of its shape.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.index < LARGEST_SIZE:
            raise LogError("index of the receipt", f"{self.index} is no number of an entry", help=_HELP)
        if len(self.proof) > _LONGEST or any(len(item) != HASH for item in self.proof):
            raise LogError("proof of the receipt", f"it is not at most {_LONGEST} hashes of {HASH} bytes", help=_HELP)

    def encode(self) -> bytes:
        """The receipt as it is kept, in a file `*.tlog-proof`."""
        lines = [_HEAD, f"index {self.index}", *(base64.b64encode(item).decode() for item in self.proof), ""]
        if self.extra:
            lines.insert(1, f"extra {base64.b64encode(self.extra).decode()}")
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Receipt:
        """The receipt that was written so; it is **not** verified.

        Raises:
            LogError: it is misshapen, or spelled otherwise than `encode` does.
        """
        if len(data) > LARGEST_RECEIPT:
            raise LogError("receipt", f"it has {len(data)} bytes, more than {LARGEST_RECEIPT}", help=_HELP)
        head, gap, checkpoint = data.partition(b"\n\n")
        if not gap or not head.isascii():
            raise LogError("receipt", "it has no ASCII lines, an empty line and a checkpoint below it", help=_HELP)
        lines = head.decode().split("\n")
        if lines.pop(0) != _HEAD:
            raise LogError("line 1 of the receipt", f"it is not {_HEAD!r}", help=_HELP)
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = _decode("extra data of the receipt", lines.pop(0).removeprefix("extra "))
        match = _INDEX.fullmatch(lines.pop(0)) if lines else None
        if match is None:
            raise LogError(
                "index of the receipt", "there is no line with `index` and the number of an entry", help=_HELP
            )
        proof = tuple(_decode(f"hash {number} of the receipt", line) for number, line in enumerate(lines, start=1))
        return cls(int(match[1]), proof, checkpoint, extra)

    def verify(self, leaf: bytes, key: VerifierKey, *, origin: str | None = None) -> Checkpoint:
        """Check that the log of a key holds an entry, and return the checkpoint that says so.

        Args:
            leaf: the hash of the entry (`merkle.leaf_hash`).
            key: of the log.
            origin: of the log, if it is not the name of its key.

        Raises:
            LogError: the checkpoint is not that log's, or the entry is not in it under that number.
        """
        checkpoint = open_checkpoint(self.checkpoint, key, origin=origin)
        verify_inclusion(leaf, self.index, checkpoint.size, self.proof, checkpoint.root)
        return checkpoint


def _decode(where: str, text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    if not data or base64.b64encode(data).decode() != text:
        raise LogError(where, "it is not the base64 of anything, or not in its one spelling", help=_HELP)
    return data
