r"""The keys by which people go from one installation to another, and the card that tells the other side of them.

An installation has two key pairs for this, made once, in the file `transfer` beside the keyring: X25519 (RFC 7748), to
which packages are sealed, and Ed25519 (RFC 8032), by which it signs its own packages and its card:

    avow-transfer-keys 1
    tenant 32 hex digits
    receive 64 hex digits     X25519 private key
    sign 64 hex digits        Ed25519 private key
    check 64 hex digits       SHA-256 of all bytes before this line

A card is the public half. It is a small file that the two sides give to each other by a way on which nobody changes it,
or whose fingerprint they compare:

    avow-transfer-card 1
    site name
    tenant 32 hex digits
    receive 64 hex digits
    verify 64 hex digits
    policy 64 hex digits, version     one line for each version of the policy that something may be under there
    bound 64 hex digits               one line for each version of another's policy that this side binds itself to
    signature 128 hex digits          by `verify`, over "avow transfer card 1" ‖ 0 ‖ all before this line
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from avow.errors import KeyringError
from avow.keys.keyring import locked
from avow.store.files import replace_durably

#: The file's name in the data folder.
NAME: Final = "transfer"

_LARGEST: Final = 1 << 20
_KEYS = re.compile(
    rb"(avow-transfer-keys 1\ntenant ([0-9a-f]{32})\nreceive ([0-9a-f]{64})\nsign ([0-9a-f]{64})\n)"
    rb"check ([0-9a-f]{64})\n"
)
_POLICY = r"policy ([0-9a-f]{64}), ([^\n]{1,200})\n"
_BOUND = r"bound ([0-9a-f]{64})\n"
_CARD = re.compile(
    r"(avow-transfer-card 1\nsite ([^\n]{1,200})\ntenant ([0-9a-f]{32})\n"
    r"receive ([0-9a-f]{64})\nverify ([0-9a-f]{64})\n"
    rf"((?:{_POLICY})*)((?:{_BOUND})*))signature ([0-9a-f]{{128}})\n"
)
_CARD_CONTEXT: Final = b"avow transfer card 1\0"


@dataclass(frozen=True, slots=True)
class Card:
    """What another installation needs to know of one.

    Attributes:
        site: its name, as its policy has it.
        tenant: its id, 32 hexadecimal digits.
        receive: its X25519 public key, 32 bytes.
        verify: its Ed25519 public key, 32 bytes.
        versions: the versions of the policy that something may be under there: digest to version.
        bound: the digests of the versions of another's policy that it binds itself to.
    """

    site: str
    tenant: str
    receive: bytes
    verify: bytes
    versions: dict[str, str]
    bound: frozenset[str]

    @property
    def fingerprint(self) -> str:
        """What two people compare over the telephone: eight groups of four hexadecimal digits, over both keys."""
        digest = hashlib.sha256(b"avow transfer fingerprint 1\0" + self.receive + self.verify).hexdigest()
        return " ".join(digest[at : at + 4] for at in range(0, 32, 4))

    @property
    def body(self) -> bytes:
        """What is signed."""
        lines = [f"avow-transfer-card 1\nsite {self.site}\ntenant {self.tenant}\n"]
        lines += [f"receive {self.receive.hex()}\nverify {self.verify.hex()}\n"]
        lines += [f"policy {digest}, {version}\n" for digest, version in self.versions.items()]
        lines += [f"bound {digest}\n" for digest in sorted(self.bound)]
        return "".join(lines).encode()

    @classmethod
    def read(cls, path: Path) -> Self:
        """The card in a file.

        Raises:
            KeyringError: it cannot be read, is no card, or was changed.
        """
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST)
        except OSError as error:
            raise KeyringError(
                f"the card `{path}` cannot be read: {error.strerror}", help="name what `avow transfer key` wrote"
            ) from None
        match = _CARD.fullmatch(content.decode("utf-8", "replace"))
        if match is None:
            raise KeyringError(f"`{path}` is no card", help="name what `avow transfer key` wrote at the other side")
        card = cls(
            site=match[2],
            tenant=match[3],
            receive=bytes.fromhex(match[4]),
            verify=bytes.fromhex(match[5]),
            versions=dict(re.findall(_POLICY, match[6])),
            bound=frozenset(re.findall(_BOUND, match[9])),
        )
        try:
            Ed25519PublicKey.from_public_bytes(card.verify).verify(bytes.fromhex(match[11]), _CARD_CONTEXT + card.body)
        except InvalidSignature:
            raise KeyringError(f"the card `{path}` was changed", help="ask the other side for it again") from None
        return card


@dataclass(frozen=True, slots=True)
class TransferKeys:
    """The two key pairs of an installation. Make or open them with `of`."""

    tenant: str
    receive: X25519PrivateKey = field(repr=False)
    signing: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, data: Path, tenant: str) -> Self:
        """The keys in a data folder; they are made if there are none yet.

        Raises:
            KeyringError: they are damaged, of another installation, or cannot be read or written.
        """
        path = data / NAME
        try:
            with locked(path):  # of two processes that begin at once only one makes them
                if not path.exists():
                    replace_durably(path, _encoded(tenant, X25519PrivateKey.generate(), Ed25519PrivateKey.generate()))
                content = path.read_bytes()
        except OSError as error:
            raise KeyringError(
                f"the keys `{path}` cannot be read or made: {error.strerror}", help="free space, or mend the rights"
            ) from None
        match = _KEYS.fullmatch(content)
        if match is None or hashlib.sha256(match[1]).hexdigest().encode() != match[5]:
            raise KeyringError(
                f"the keys `{path}` are damaged",
                help="put back a copy; or delete the file, and give a new card to who sends to you or opens yours",
            )
        if match[2].decode() != tenant:
            raise KeyringError(
                f"the keys `{path}` belong to another installation", help="put back those that belong to it"
            )
        receive, signing = (bytes.fromhex(part.decode()) for part in (match[3], match[4]))
        return cls(tenant, X25519PrivateKey.from_private_bytes(receive), Ed25519PrivateKey.from_private_bytes(signing))

    @property
    def public(self) -> X25519PublicKey:
        """The key that packages are sealed to."""
        return self.receive.public_key()

    @property
    def verify(self) -> bytes:
        """The key by which signatures are checked, 32 bytes."""
        return self.signing.public_key().public_bytes_raw()

    def card(self, site: str, versions: dict[str, str], bound: frozenset[str] = frozenset()) -> Card:
        """The card of the installation; see `Card` for what it says."""
        return Card(site, self.tenant, self.public.public_bytes_raw(), self.verify, versions, bound)

    def signed(self, card: Card) -> bytes:
        """The file of a card."""
        return card.body + f"signature {self.signing.sign(_CARD_CONTEXT + card.body).hex()}\n".encode()


def _encoded(tenant: str, receive: X25519PrivateKey, signing: Ed25519PrivateKey) -> bytes:
    keys = f"receive {receive.private_bytes_raw().hex()}\nsign {signing.private_bytes_raw().hex()}\n"
    body = f"avow-transfer-keys 1\ntenant {tenant}\n{keys}".encode()
    return body + f"check {hashlib.sha256(body).hexdigest()}\n".encode()
