"""Where the recipients of one installation are reached, and how to log in there.

The policy says who gets what; the operator says where, in a YAML or JSON file beside the installation's data:

    ups: https://ups.example/labels
    cellar: {url: "sftp://sftp.cellar.example/orders", user: shop, key: cellar.key, host_key: "SHA256:…"}
    bakery: smtps://mx.bakery.example/orders@bakery.example
    mail: {url: "smtp+starttls://mail.example", user: shop, password: …}

A file that holds a password, and every key that it names, must be its owner's alone. No message quotes either.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from avow.errors import SetupError
from avow.outbound.endpoint import Endpoint

#: The name under which the mail server's address is configured, beside the recipients'.
MAIL = "mail"

#: By which channel, as policies call it, each scheme leads out, and its usual port.
CHANNELS = MappingProxyType({"https": "https", "sftp": "sftp", "smtps": "smtps", "smtp+starttls": "smtps"})
PORTS = MappingProxyType({"https": 443, "sftp": 22, "smtps": 465, "smtp+starttls": 587})

#: Bytes of the largest file of addresses, and of the largest key.
LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Address:
    """Where one recipient is reached: `https://…`, `sftp://…`, `smtps://…` or `smtp+starttls://…`.

    Attributes:
        url: scheme, host, port and path. SFTP: the folder; mail to a recipient: the mailbox, `/orders@shop.example`.
        user: who logs in there (SFTP; mail if its server asks for it).
        password: for mail only.
        key: the private key file of `user` (SFTP).
        host_key: what the SFTP server must show: `SHA256:…`, or its public key line.

    Raises:
        SetupError: the address cannot be used as it stands.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    key: Path | None = None
    host_key: str = ""

    def __post_init__(self) -> None:
        scheme = self.endpoint.scheme
        needed = {"sftp": ("user", "key", "host_key")}.get(scheme, ())
        known = {"sftp": needed, "https": ()}.get(scheme, ("user", "password"))
        for name in ("user", "password", "key", "host_key"):
            if getattr(self, name) and name not in known:
                raise SetupError(
                    f"the address {self.endpoint} has a `{name}`, and nothing over {scheme} uses one",
                    help="leave it out" if known else "leave only the url",
                )
            if not getattr(self, name) and name in needed:
                raise SetupError(f"the address {self.endpoint} has no `{name}`", help=_WHY[name])
        if bool(self.user) != bool(self.password) and "password" in known:
            raise SetupError(
                f"the address {self.endpoint} has only one of `user` and `password`", help="give both, or neither"
            )
        if any(not text.isprintable() for text in (self.user, self.password)):
            raise SetupError(f"the `user` or `password` for {self.endpoint} holds a control character")

    @property
    def endpoint(self) -> Endpoint:
        """The URL, taken apart."""
        return Endpoint.parse(self.url, PORTS)

    @property
    def channel(self) -> str:
        """The channel that it leads over, by its name in policies: https, sftp or smtps."""
        return CHANNELS[self.endpoint.scheme]

    @classmethod
    def of(cls, value: object, folder: Path = Path()) -> Address:
        """The address that a URL or a mapping of this class's attributes stands for; `folder` is where keys lie.

        Raises:
            SetupError: it is neither, or holds something else.
        """
        if isinstance(value, cls):
            return value
        parts: Mapping[Any, Any] = {"url": value} if isinstance(value, str) else _mapping(value)
        for name, given in parts.items():
            if name not in cls.__slots__:
                raise SetupError(f"an address knows no `{name}`", help=f"it may have {', '.join(cls.__slots__)}")
            if not isinstance(given, str | Path):
                raise SetupError(f"the `{name}` of an address is text", help="put it into quotation marks")
        if "url" not in parts:
            raise SetupError("an address has a `url`", help="begin it with https://, sftp:// or smtps://")
        known = {name: str(given) for name, given in parts.items()}
        key = known.pop("key", "")
        return cls(**known, key=folder / key if key else None)


_WHY = {
    "user": "name the user that the recipient has given you",
    "key": "name the file of the private key that the recipient knows; passwords are not used",
    "host_key": "ask the recipient for the fingerprint of its host key, SHA256:…; an unknown server gets nothing",
}


def read_addresses(file: Path) -> dict[str, Address]:
    """The addresses in a file, by recipient.

    Raises:
        SetupError: it cannot be read, is not of its shape, or holds a password and is open to others.
    """
    import yaml

    content = read_owned(file, "the file of addresses", private=False)
    found: object = None
    try:
        found = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError) as error:
        # Never the error's text: it quotes the line, which may be that of the password.
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        fault = SetupError(f"`{file}` is neither YAML nor JSON{where}", help="write lines like `ups: https://…`")
    else:
        fault = SetupError(f"`{file}` does not map recipients to addresses", help="write lines like `ups: https://…`")
    if not isinstance(found, dict):
        raise fault
    addresses = {}
    for name, value in found.items():
        try:
            addresses[str(name)] = Address.of(value, file.parent)
        except SetupError as error:
            raise SetupError(f"`{name}` in `{file}`: {error.args[0]}", help=error.help) from None
    if any(address.password for address in addresses.values()):
        read_owned(file, "the file of addresses, which holds a password,", private=True)
    return addresses


def read_owned(file: Path, what: str, *, private: bool = True) -> bytes:
    """The content of a file. One that is `private` must belong to this user and be readable by nobody else.

    Raises:
        SetupError: it is not there, not a file, too large, or open to others.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise SetupError(f"{what} `{file}` is not a file")
            if private and (status.st_mode & 0o077 or status.st_uid != os.geteuid()):
                raise SetupError(
                    f"{what} `{file}` is open to others: it belongs to user {status.st_uid}, "
                    f"and its mode is {stat.S_IMODE(status.st_mode):04o}",
                    help=f"chmod 600 {file}, as the user of the service, and change what others may have read",
                )
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise SetupError(f"{what} `{file}` cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise SetupError(f"{what} `{file}` is larger than {LARGEST:,} bytes")
    return content


def _mapping(value: object) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise SetupError("an address is a URL, or a mapping with a `url`", help="write lines like `ups: https://…`")
    return value
