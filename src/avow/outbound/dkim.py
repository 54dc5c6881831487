"""DKIM: each mail is signed with keys of this installation, so that nobody changes it or writes in its name.

    signer = Signer(folder, "shop.example")
    content = signer.sign(content) + content      # before dots are doubled, see smtp
    signer.records()                              # what to publish in the DNS, once

Two signatures are made, one with Ed25519 (RFC 8463) and one with RSA (RFC 6376), because some receivers know only the
older. Header and body are made canonical as `relaxed/relaxed`. The keys lie in files of the data folder, made when
they are first needed. Signing is done here, by OpenSSL: the library that the tests verify with reads keys with a
parser of its own and computes RSA in Python, in a time that depends on the key.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from avow.errors import SetupError
from avow.outbound.address import read_owned

#: The header fields that are signed. Each is named once more than it occurs, absent ones too, so that one that is
#: added on the way (a second From, another link to unsubscribe by) breaks the signature. RFC 6376 5.4.2 and 8.15.
SIGNED = (
    "From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version",
    "Content-Type", "Content-Transfer-Encoding", "List-Id", "List-Help", "List-Owner", "List-Unsubscribe",
    "List-Unsubscribe-Post", "Auto-Submitted", "Precedence",
)  # fmt: skip

#: Bits of the RSA key: RFC 8301 asks for 1,024 at least and 2,048 rather.
RSA_BITS = 2048

#: The longest string in a TXT record, in bytes: RFC 1035 3.3.14.
_LONGEST_STRING = 255

_Private = Ed25519PrivateKey | RSAPrivateKey
_Kind = type[Ed25519PrivateKey] | type[RSAPrivateKey]

_SPACES = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class Record:
    """A record for the DNS: the name that it stands under, and its text."""

    name: str
    text: str

    def __str__(self) -> str:
        """The record as a line of a zone file; a text longer than one string may be is cut into several."""
        cut = range(0, len(self.text), _LONGEST_STRING)
        strings = " ".join(f'"{self.text[start : start + _LONGEST_STRING]}"' for start in cut)
        return f"{self.name}. TXT {strings}"


@dataclass(frozen=True)
class _Key:
    algorithm: str
    selector: str
    private: _Private

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(hashlib.sha256(data).digest())  # RFC 8463 3: of the digest, not of the data

    def published(self) -> str:
        """The text of the key's record, RFC 6376 3.6.1."""
        form, kind = serialization.PublicFormat, "rsa"
        encoding, shape = serialization.Encoding.DER, form.SubjectPublicKeyInfo
        if not isinstance(self.private, RSAPrivateKey):
            encoding, shape, kind = serialization.Encoding.Raw, form.Raw, "ed25519"
        public = self.private.public_key().public_bytes(encoding, shape)
        return f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}"


class Signer:
    """Signs the mails of `domain` with the keys in `folder`. For all threads.

    Raises SetupError, when a key is first needed, for one that cannot be read or made, or that is open to others.
    """

    def __init__(self, folder: Path, domain: str) -> None:
        self._folder = folder
        self.domain = domain

    @cached_property
    def _keys(self) -> tuple[_Key, ...]:
        """The keys, read once; made when they are not there."""
        return (
            _Key("rsa-sha256", "avow-rsa", self._key("rsa", RSAPrivateKey)),
            _Key("ed25519-sha256", "avow-ed25519", self._key("ed25519", Ed25519PrivateKey)),
        )

    def check(self) -> None:
        """Read the keys that are there already: one that cannot be used is told before there is a mail to sign.

        Raises:
            SetupError: see the class.
        """
        for kind, wanted in (("rsa", RSAPrivateKey), ("ed25519", Ed25519PrivateKey)):
            if self._file(kind).exists():
                self._read(kind, wanted)

    def records(self) -> tuple[Record, ...]:
        """What the DNS of the domain must say for the signatures to hold; one record for each key."""
        return tuple(Record(f"{key.selector}._domainkey.{self.domain}", key.published()) for key in self._keys)

    def sign(self, content: bytes) -> bytes:
        """The header fields to put in front of `content`, a whole message with CRLF at the end of each line."""
        head, _, body = content.partition(b"\r\n\r\n")
        fields = _fields(head)
        names = [name for name in SIGNED for _ in range(len(fields.get(name.lower(), ())) + 1)]
        digest = base64.b64encode(hashlib.sha256(_canonical_body(body)).digest()).decode()
        signed = b"".join(_chosen(fields, names))
        made = b""
        for key in self._keys:
            tags = [
                f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={self.domain}; s={key.selector};",
                *_folded(f"h={':'.join(names)};", ":"),
                f"bh={digest};",
            ]
            text = "\r\n ".join(tags) + "\r\n b="
            signature = key.sign(signed + _canonical_field("dkim-signature", text.encode()))
            lines = "\r\n ".join(_folded(base64.b64encode(signature).decode()))
            made += f"DKIM-Signature: {text}{lines}\r\n".encode()
        return made

    def _file(self, kind: str) -> Path:
        return self._folder / f"dkim-{kind}.pem"

    def _key(self, kind: str, wanted: _Kind) -> _Private:
        if not self._file(kind).exists():
            _create(self._file(kind), kind)
        return self._read(kind, wanted)

    def _read(self, kind: str, wanted: _Kind) -> _Private:
        file = self._file(kind)
        content = read_owned(file, "the key that mails are signed with,")
        with suppress(ValueError, TypeError):
            # Whoever could write the file could replace the key: checking its numbers, in 50 ms, would show nothing.
            found = serialization.load_pem_private_key(content, None, unsafe_skip_rsa_key_validation=True)
            if isinstance(found, wanted):
                return found
        raise SetupError(
            f"the key that mails are signed with, `{file}`, is no {kind} key in PEM",
            help="put it back from a backup; or remove it, start again, and publish the new record in the DNS",
        )


def _create(file: Path, kind: str) -> None:
    """Make a key; of two processes that start at once, one makes it and both read it."""
    private: _Private = generate_private_key(65537, RSA_BITS) if kind == "rsa" else Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    scratch = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(pem)
            opened.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(scratch, file)
        scratch.unlink()
    except OSError as error:
        raise SetupError(
            f"the key that mails are signed with, `{file}`, cannot be made: {error.strerror}",
            help="let this user write the folder",
        ) from None


def _fields(head: bytes) -> dict[str, list[bytes]]:
    """The header fields by name in lower case, each still folded, in the order in which they stand."""
    found: dict[str, list[bytes]] = {}
    for field in re.split(rb"\r\n(?![ \t])", head):
        name, _, value = field.partition(b":")
        found.setdefault(name.decode("ascii", "replace").strip().lower(), []).append(value)
    return found


def _chosen(fields: dict[str, list[bytes]], names: list[str]) -> list[bytes]:
    """The canonical fields that `names` stand for: of each name the last first; one that is not there is nothing."""
    left = {name: list(values) for name, values in fields.items()}
    return [
        _canonical_field(name.lower(), values.pop()) + b"\r\n" for name in names if (values := left.get(name.lower()))
    ]


def _canonical_field(name: str, value: bytes) -> bytes:
    """RFC 6376 3.4.2, without the line's end."""
    return name.encode() + b":" + _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t")


def _canonical_body(body: bytes) -> bytes:
    """RFC 6376 3.4.4: no spaces at the ends of lines, one where there were several, no empty lines at the end."""
    lines = [_SPACES.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _folded(text: str, after: str = "", width: int = 72) -> list[str]:
    """`text` in lines of at most `width` characters, cut behind `after`, or anywhere."""
    if not after:
        return [text[start : start + width] for start in range(0, len(text), width)]
    lines, line = [], ""
    for part in re.findall(f"[^{after}]*{after}?", text):
        if line and len(line + part) > width:
            lines.append(line)
            line = ""
        line += part
    return [*lines, line] if line else lines
