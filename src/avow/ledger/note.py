r"""Signed notes: a text, an empty line, and a line for each signature (C2SP signed-note).

    text of the note, each line with its newline
    <empty line>
    — <name of the key> <base64 of key id (4 bytes) ‖ signature>

A key is known by its name and its id together; its text form is `name+id in hexadecimal+base64 of type ‖ public key`:

    key id = SHA-256(name ‖ newline ‖ type ‖ public key), the first 4 bytes      type 0x01: Ed25519 (RFC 8032)

A signature by a key that one does not know says nothing, and is passed over; a wrong one by a key that one knows is an
error, even beside a right one: somebody tampered with the note. Believe nothing of a note before it is opened.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from avow.errors import LogError

#: The most signatures that a note has.
MOST_SIGNATURES: Final = 100
#: The most bytes that a note has, signatures included.
LARGEST_NOTE: Final = 1_000_000

_ED25519: Final = b"\x01"
_DASH: Final = "— "
_KEY_HELP: Final = (
    "a verifier key is one word of three parts, NAME+8 hex digits+BASE64, as the log's operator gives it out"
)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key that signs notes.

    Args:
        name: of the key; that of a log's key is the log's origin.
        public: the Ed25519 public key, 32 bytes.

    Raises:
        LogError: the name is empty or has a space, a plus or a control character, or the key is not 32 bytes long.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise LogError(
                f"key {self.name[:200]!r}",
                "this is no name of a key",
                help="take one without spaces, control characters and `+`, such as log.example/2026",
            )
        if len(self.public) != 32:
            raise LogError(f"key {self.name}", f"an Ed25519 public key has 32 bytes, this one {len(self.public)}")

    @property
    def key_id(self) -> bytes:
        """Its id: 4 bytes."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """The key of a text `name+id+base64`.

        Raises:
            LogError: it is misshapen, its id is not its own, or it is a key of another type than Ed25519.
        """
        name, _, rest = text.partition("+")
        digits, _, encoded = rest.partition("+")
        key = _from_base64(encoded)
        if not _is_name(name) or not key:
            raise LogError(f"verifier key {text[:200]!r}", "this is not the text of a key", help=_KEY_HELP)
        if key[:1] != _ED25519:
            raise LogError(
                f"verifier key {name}",
                f"it is of type {key[0]}, and only Ed25519, type 1, is known here",
                help=_KEY_HELP,
            )
        found = cls(name, key[1:])
        if digits != found.key_id.hex():
            raise LogError(
                f"verifier key {name}",
                f"its id is {found.key_id.hex()}, and its text says {digits[:20]!r}",
                help="a character was lost or changed; copy the whole key again",
            )
        return found

    def signed(self, text: bytes, signature: bytes) -> bool:
        """Whether a signature of a text is by this key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs notes: a verifier key, and what makes its signatures (64 bytes for the bytes of a text)."""

    key: VerifierKey
    sign: Callable[[bytes], bytes]

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Signer:
        """A signer whose Ed25519 private key is `seed`, 32 bytes.

        Raises:
            LogError: the name is none, or the seed has another length.
        """
        if len(seed) != 32:
            raise LogError(f"key {name}", f"an Ed25519 private key has 32 bytes, this one {len(seed)}")
        private = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(VerifierKey(name, private.public_key().public_bytes_raw()), private.sign)


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: the name and id (4 bytes) of the key, and the signature, whose shape depends on the key."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures under it, verified or not.

    Args:
        text: ends with a newline; no control characters but newlines.
        signatures: at most 100.

    Raises:
        LogError: the text or a name is not of that shape.
    """

    text: str
    signatures: tuple[Signature, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.endswith("\n") or _has_control(self.text) or not _is_utf8(self.text):
            raise LogError(
                "text of the note",
                "it must end with a newline and have no control character but newlines",
                help="end each line with one newline, and put nothing binary into a note",
            )
        if len(self.signatures) > MOST_SIGNATURES:
            raise LogError("signatures of the note", f"there are {len(self.signatures)}, more than {MOST_SIGNATURES}")
        for number, item in enumerate(self.signatures, start=1):
            if not _is_name(item.name) or len(item.key_id) != 4 or not item.signature:
                raise LogError(
                    f"signature {number} of the note",
                    "it is not a key's name, a space, and the base64 of 4 bytes of an id and the signature",
                    help=_FETCH,
                )

    def encode(self) -> bytes:
        """The note as it is written. One without signatures cannot be read back."""
        lines = [f"{_DASH}{item.name} {_base64(item.key_id + item.signature)}\n" for item in self.signatures]
        return f"{self.text}\n{''.join(lines)}".encode()

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """The note that was written so; its signatures are **not** verified, `open_note` does that.

        Raises:
            LogError: it is misshapen, or spelled otherwise than `encode` does.
        """
        if len(data) > LARGEST_NOTE:
            raise LogError("the note", f"it has {len(data)} bytes, more than {LARGEST_NOTE}", help=_FETCH)
        try:
            whole = data.decode()
        except UnicodeDecodeError as error:
            raise LogError("the note", f"byte {error.start} is not UTF-8", help=_FETCH) from None
        # The text may have empty lines of its own: the last one parts it from the signatures.
        text, gap, lines = whole.rpartition("\n\n")
        if not gap or not lines.endswith("\n"):
            raise LogError(
                "the note", "it does not end with an empty line and whole lines of signatures below it", help=_FETCH
            )
        signatures = []
        for number, line in enumerate(lines[:-1].split("\n"), start=1):
            if number > MOST_SIGNATURES:
                raise LogError("signatures of the note", f"there are more than {MOST_SIGNATURES}", help=_FETCH)
            name, _, encoded = line.removeprefix(_DASH).partition(" ")
            held = _from_base64(encoded)
            if not line.startswith(_DASH):
                raise LogError(
                    f"signature {number} of the note",
                    "its line does not begin with an em dash and a space",
                    help=_FETCH,
                )
            signatures.append(Signature(name, held[:4], held[4:]))
        return cls(text + "\n", tuple(signatures))

    def signed_by(self, *signers: Signer) -> Note:
        """The note with further signatures at its end."""
        body = self.text.encode()
        more = tuple(Signature(signer.key.name, signer.key.key_id, signer.sign(body)) for signer in signers)
        return Note(self.text, self.signatures + more)


_FETCH: Final = "fetch it again, byte for byte as the log serves it"


def open_note(data: bytes, known: Sequence[VerifierKey]) -> tuple[Note, tuple[VerifierKey, ...]]:
    """A note that a known key has signed, and which known keys have.

    Raises:
        LogError: it is misshapen, no known key has signed it, or a signature that names a known key is not by it.
    """
    note = Note.parse(data)
    keys = {(key.name, key.key_id): key for key in known}
    if len(keys) < len(set(known)):  # ids are short: who can choose a key can make it share another's
        raise LogError(
            "known keys", "two of them have one name and id", help="take away the one that nobody vouches for"
        )
    text, found = note.text.encode(), []
    for number, item in enumerate(note.signatures, start=1):
        key = keys.get((item.name, item.key_id))
        if key is None:
            continue
        if not key.signed(text, item.signature):
            raise LogError(
                f"signature {number} of the note",
                f"it is not by the key {item.name}+{item.key_id.hex()} that it names",
                help="the text or the signature was changed: do not believe it, and keep it as evidence",
            )
        if key not in found:
            found.append(key)
    if not found:
        raise LogError(
            "the note",
            f"none of the {len(keys)} known keys has signed it; it is signed by "
            + ", ".join(f"{item.name}+{item.key_id.hex()}" for item in note.signatures[:5]),
            help="compare the verifier key with the one that the log's operator gives out",
        )
    return note, tuple(found)


def _is_name(name: str) -> bool:
    spaced = any(letter.isspace() for letter in name)
    return bool(name) and not spaced and "+" not in name and not _has_control(name) and _is_utf8(name)


def _has_control(text: str) -> bool:
    return any(letter < " " and letter != "\n" for letter in text)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False  # half of a surrogate pair
    return True


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str) -> bytes:
    """The bytes of a base64 text, or none if it is empty or not the one spelling of them."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if _base64(data) == text else b""
