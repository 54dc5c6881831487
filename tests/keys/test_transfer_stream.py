"""Packages as files: what is written is read, in portions, and another program can read it from the format alone."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from avow.errors import StoreError
from avow.keys.transfer import Card, TransferKeys
from avow.keys.transfer_stream import CHUNK, LONGEST, Head, Package, write_package


class Pair:
    """A sender and a receiver."""

    def __init__(self, folder: Path) -> None:
        (folder / "sender").mkdir()
        (folder / "receiver").mkdir()
        self.sender = TransferKeys.of(folder / "sender", "a" * 32)
        self.receiver = TransferKeys.of(folder / "receiver", "b" * 32)
        self.card = self.sender.card("post", {})
        self.file = folder / "package"

    @property
    def to(self) -> Card:
        return self.receiver.card("depot", {})

    @property
    def head(self) -> Head:
        words = (self.sender.tenant, "post", self.receiver.tenant, self.to.receive.hex(), self.sender.verify.hex())
        return Head("c" * 32, 7, *words)

    def write(self, lines: list[bytes]) -> None:
        self.file.write_bytes(b"".join(write_package(self.sender, self.to, self.head, lines)))

    def read(self) -> list[bytes]:
        return list(Package(self.file, self.receiver, self.card).lines())


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5])
def test_what_is_written_is_read(pair: Pair, size: int) -> None:
    for lines in ([b"x" * (size - 1) + b"\n"], [b"\n"] * size if size < 10 else [b"x" * 99 + b"\n"] * (size // 100)):
        pair.write(lines)
        assert pair.read() == lines
    assert Package(pair.file, pair.receiver, pair.card).head == pair.head


def test_a_package_without_lines_is_one(pair: Pair) -> None:
    pair.write([])
    assert pair.read() == []


def test_lines_are_asked_for_as_they_are_written(pair: Pair) -> None:
    """A package is never in memory as a whole, neither where it is written nor where it is read."""
    asked = 0

    def lines() -> Iterator[bytes]:
        nonlocal asked
        for _ in range(400):
            asked += 1
            yield b"x" * 999 + b"\n"

    pieces = write_package(pair.sender, pair.to, pair.head, lines())
    next(pieces)
    assert asked == 0
    next(pieces)
    assert asked == CHUNK // 1000 + 1
    assert len(list(pieces)) == 400_000 // CHUNK + 1
    pair.write(list(lines()))
    reading = Package(pair.file, pair.receiver, pair.card).lines()
    next(reading)
    with pair.file.open("r+b") as file:  # what is not read yet is not checked yet, and is before it counts
        file.seek(-1, 2)
        last = file.read(1)[0]
        file.seek(-1, 2)
        file.write(bytes([last ^ 1]))
    with pytest.raises(StoreError, match="its signature does not fit"):
        list(reading)


def test_a_line_without_an_end_is_no_line(pair: Pair) -> None:
    pair.write([b"one\n", b"two"])
    with pytest.raises(StoreError, match="its last line has no end"):
        pair.read()
    pair.write([b"x" * LONGEST] + [b"x" * CHUNK] * 3)
    with pytest.raises(StoreError, match="a line has no end"):
        pair.read()
    with pytest.raises(StoreError, match="is too large for a package"):
        pair.write([b"x" * LONGEST + b"\n"])


def test_another_program_reads_it_from_the_format_alone(pair: Pair) -> None:
    lines = [b"x" * 40_000 + b"\n", b"y" * 40_000 + b"\n"]
    pair.write(lines)
    content = pair.file.read_bytes()
    magic, line, rest = content.split(b"\n", 2)
    assert magic == b"avow-transfer 1"
    outside, verify = magic + b"\n" + line + b"\n", Ed25519PublicKey.from_public_bytes(pair.sender.verify)
    verify.verify(rest[:64], b"avow transfer head 1\0" + outside)
    head = json.loads(line)
    sealed = b64decode(head.pop("key"))
    info = b"avow transfer 1\0" + json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    cipher = AESGCM(suite.decrypt(sealed, pair.receiver.receive, info))
    bound, at, number, plain = hashlib.sha256(outside + rest[:64]).digest(), 64, 0, b""
    while at < len(rest) - 64:
        end = at + 4 + int.from_bytes(rest[at : at + 4], "big")
        nonce = number.to_bytes(11, "big") + (b"\1" if end == len(rest) - 64 else b"\0")
        plain += cipher.decrypt(nonce, rest[at + 4 : end], bound)
        at, number = end, number + 1
    assert (plain, number) == (b"".join(lines), 2)
    verify.verify(content[-64:], b"avow transfer end 1\0" + hashlib.sha256(content[:-64]).digest())


@pytest.mark.parametrize(
    "text", [b"", b"hello\n", b"avow-transfer 1\n", b"avow-transfer 1\n{}\n", b"avow-transfer 1\n[]\n"]
)
def test_what_is_no_package_is_told(pair: Pair, text: bytes) -> None:
    pair.file.write_bytes(text)
    with pytest.raises(StoreError, match="it does not begin as one"):
        pair.read()
    pair.file.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        pair.read()


def test_a_key_that_was_sealed_for_other_words_does_not_open(pair: Pair) -> None:
    """The sealed key belongs to this head: taken from another package of the sender, it opens nothing."""
    pair.write([b"one\n"])
    magic, line, _ = pair.file.read_bytes().split(b"\n", 2)
    head = {**json.loads(line), "serial": 8}
    outside = magic + b"\n" + json.dumps(head, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    pair.file.write_bytes(outside + pair.sender.signing.sign(b"avow transfer head 1\0" + outside))
    with pytest.raises(StoreError, match="its key does not open"):
        pair.read()
