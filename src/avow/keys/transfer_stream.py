r"""A package: lines of text, signed by who sends them and sealed to who receives them, written and read in one go.

    offset  bytes   what
    0       n       "avow-transfer 1" ‖ newline ‖ head: one line of JSON ‖ newline
    n       64      Ed25519 signature of the sender: "avow transfer head 1" ‖ 0 ‖ the n bytes before
    then for each chunk
            4       length of what follows, big-endian
            m + 16  AES-256-GCM of up to 65,536 bytes of the lines, under the package's key
    at the end
            64      Ed25519 signature of the sender: "avow transfer end 1" ‖ 0 ‖ SHA-256 of all before

The package's key is 32 random bytes. It lies in the head, sealed to the receiver by HPKE in base mode (RFC 9180:
DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM) with info = "avow transfer 1" ‖ 0 ‖ the head without it. The head
is signed, so that nothing is even decrypted that somebody else has sealed. The nonce of a chunk is its number from 0
(11 bytes, big-endian) ‖ 1 for the last one, 0 for each before: a package that was cut, or whose chunks were left out,
repeated or put in another order, does not open (this is STREAM: Hoang, Reyhanitabar, Rogaway, Vizár, 2015). Its AAD is
the SHA-256 of the first n + 64 bytes. No line is longer than 16 MiB.
"""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from avow.errors import KeyringError, StoreError
from avow.keys.transfer import Card, TransferKeys

#: Bytes of the lines in one chunk.
CHUNK: Final = 1 << 16

#: Bytes of the longest line: what a package is read into is never larger, whatever its sender writes.
LONGEST: Final = 1 << 24

_MAGIC: Final = b"avow-transfer 1\n"
_LONGEST_HEAD: Final = 4096
_SIGNATURE: Final = 64
_TAG: Final = 16
_KEY: Final = 32
_INFO: Final = b"avow transfer 1\0"
_HEAD: Final = b"avow transfer head 1\0"
_END: Final = b"avow transfer end 1\0"


@dataclass(frozen=True, slots=True)
class Head:
    """What a package says on its outside.

    Attributes:
        id: the package's own, 32 hexadecimal digits.
        serial: rises with each package of a sender.
        sender: the installation it comes from, by its tenant; `site` is how that calls itself.
        receiver: the installation it is for, by its tenant.
        receive: the key it is sealed to, `verify` the one it is signed by: 64 hexadecimal digits each.
    """

    id: str
    serial: int
    sender: str
    site: str
    receiver: str
    receive: str
    verify: str

    def words(self) -> dict[str, Any]:
        """The head as JSON has it, without the package's key."""
        return {name: getattr(self, name) for name in self.__slots__}


def write_package(keys: TransferKeys, to: Card, head: Head, lines: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a package, a piece at a time: each of `lines` ends in a newline, and is held for a moment only.

    Raises:
        StoreError: a line is longer than `LONGEST`.
    """
    secret = os.urandom(_KEY)
    sealed = _suite().encrypt(secret, X25519PublicKey.from_public_bytes(to.receive), _info(head.words()))
    outside = _MAGIC + _canonical({**head.words(), "key": b64encode(sealed).decode()}) + b"\n"
    outside += keys.signing.sign(_HEAD + outside)
    digest, bound, cipher = hashlib.sha256(outside), hashlib.sha256(outside).digest(), AESGCM(secret)
    yield outside
    for number, (part, last) in enumerate(_chunks(lines)):
        chunk = cipher.encrypt(_nonce(number, last), part, bound)
        piece = len(chunk).to_bytes(4, "big") + chunk
        digest.update(piece)
        yield piece
    yield keys.signing.sign(_END + digest.digest())


class Package:
    """A package in a file, as far as its outside: it is for this installation, and from who it should be from.

    Raises:
        StoreError: it cannot be read, or is no package.
        KeyringError: it is for another installation, or was not signed by `sender`.
    """

    def __init__(self, path: Path, keys: TransferKeys, sender: Card) -> None:
        self.path = path
        self._verify = Ed25519PublicKey.from_public_bytes(sender.verify)
        try:
            with path.open("rb") as file:
                outside, words = self._outside(file)
        except OSError as error:
            raise StoreError(f"the package `{path}` cannot be read: {error.strerror}") from None
        if (words["sender"], words["verify"]) != (sender.tenant, sender.verify.hex()):
            raise KeyringError(
                f"the package `{path}` is not from `{sender.site}`, whose card was named",
                help="name the card of who packed it; if it should be from them, do not open it",
            )
        self._check(self._verify, outside[-_SIGNATURE:], _HEAD + outside[:-_SIGNATURE])
        if (words["receiver"], words["receive"]) != (keys.tenant, keys.public.public_bytes_raw().hex()):
            raise KeyringError(
                f"the package `{path}` is sealed for another installation, or for keys that this one no longer has",
                help="open it where its card came from, or have it packed again with a card of this installation",
            )
        self._bound = hashlib.sha256(outside).digest()
        self._size = len(outside)
        sealed = b64decode(words.pop("key"))
        self.head = Head(**words)
        try:
            self._cipher = AESGCM(_suite().decrypt(sealed, keys.receive, _info(words)))
        except (InvalidTag, ValueError):
            self._damaged("its key does not open")

    def lines(self) -> Iterator[bytes]:
        """The lines, each with its newline. Nothing of them counts before the last one has come.

        Raises:
            StoreError: the package was changed, cut off, or goes on behind its end.
        """
        rest = bytearray()
        with self.path.open("rb") as file:
            for part in self._parts(file):
                *ends, tail = part.split(b"\n")
                for end in ends:
                    yield bytes(rest + end) + b"\n"
                    rest.clear()
                rest += tail
                if len(rest) > LONGEST:
                    self._damaged("a line has no end")
        if rest:
            self._damaged("its last line has no end")

    def _parts(self, file: BinaryIO) -> Iterator[bytes]:
        outside = file.read(self._size)
        digest, number, last = hashlib.sha256(outside), 0, False
        while not last:
            length = file.read(4)
            chunk = file.read(int.from_bytes(length, "big")) if int.from_bytes(length, "big") <= CHUNK + _TAG else b""
            digest.update(length + chunk)
            part, last = self._part(number, chunk)
            number += 1
            if last:
                self._check(self._verify, file.read(_SIGNATURE), _END + digest.digest())
                if file.read(1):
                    self._damaged("it goes on behind its end")
            yield part

    def _part(self, number: int, chunk: bytes) -> tuple[bytes, bool]:
        for last in (False, True):
            try:
                return self._cipher.decrypt(_nonce(number, last), chunk, self._bound), last
            except InvalidTag:
                continue
        return self._damaged(f"part {number + 1} is missing, changed, or in another's place")

    def _outside(self, file: BinaryIO) -> tuple[bytes, dict[str, Any]]:
        magic, line = file.read(len(_MAGIC)), file.readline(_LONGEST_HEAD)
        try:
            words = json.loads(line)
            Head(**{name: value for name, value in words.items() if name != "key"})
            whole = all(type(words[name]) is (int if name == "serial" else str) for name in (*Head.__slots__, "key"))
        except (ValueError, KeyError, TypeError, AttributeError):
            whole = False
        if magic != _MAGIC or not whole:
            self._damaged("it does not begin as one")
        return magic + line + file.read(_SIGNATURE), words

    def _check(self, verify: Ed25519PublicKey, signature: bytes, signed: bytes) -> None:
        try:
            verify.verify(signature, signed)
        except InvalidSignature:
            self._damaged("its signature does not fit")

    def _damaged(self, how: str) -> NoReturn:
        raise StoreError(
            f"the package `{self.path}` is damaged, or no package: {how}",
            help="nothing was taken from it; ask the other side for it again",
        )


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _canonical(words: dict[str, Any]) -> bytes:
    return json.dumps(words, sort_keys=True, separators=(",", ":")).encode()


def _info(words: dict[str, Any]) -> bytes:
    return _INFO + _canonical({name: value for name, value in words.items() if name != "key"})


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _chunks(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The lines cut into chunks, and whether each is the last."""
    gathered = bytearray()
    for line in lines:
        if len(line) > LONGEST:
            raise StoreError(
                f"a record of {len(line)} bytes is too large for a package, which takes {LONGEST}",
                help="leave its table out, and hand over what it holds by another way",
            )
        gathered += line
        while len(gathered) > CHUNK:
            yield bytes(gathered[:CHUNK]), False
            del gathered[:CHUNK]
    yield bytes(gathered), True
