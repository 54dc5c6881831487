"""The peers of the shop with a tap on each: every byte that reached one is kept, under where it was found.

What a maker or a mail server is sent in an encoding is kept undone as well, so that a search sees what a reader would.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
from aiosmtpd.smtp import SMTP, Envelope, Session

from avow.testing.card_processor import CardProcessor
from avow.testing.carrier import Carrier
from avow.testing.http import HttpsPeer, Request, Response
from avow.testing.mailbox import Mail, Mailbox
from avow.testing.supplier import HttpsSupplier
from avow.testing.supplier_mail import MailSupplier
from avow.testing.supplier_sftp import SftpSupplier, _Shelf


class _TappedHttps(HttpsPeer[Any]):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.tapped: list[bytes] = []

    async def _answer(self, request: Request) -> Response | bytes | None:
        self.tapped.append(_whole(request))
        return await super()._answer(request)


class TappedProcessor(_TappedHttps, CardProcessor):
    """Keeps every request whole."""


class TappedCarrier(_TappedHttps, Carrier):
    """Keeps every request whole."""


class TappedHttpsSupplier(_TappedHttps, HttpsSupplier):
    """Keeps every request whole."""


class TappedMailbox(Mailbox):
    """Keeps every mail, and every address that it was told, also where it refused it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.told: list[str] = []
        self.mails: list[Mail] = []

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Called by aiosmtpd for each recipient."""
        self.told += [envelope.mail_from or "", address]
        return await super().handle_RCPT(server, session, envelope, address, options)

    def take(self, arrival: Mail) -> None:
        """Keep one arrival."""
        self.mails.append(arrival)
        super().take(arrival)


class TappedMailSupplier(TappedMailbox, MailSupplier):
    """Keeps every mail."""


class TappedSftpSupplier(SftpSupplier):
    """Keeps every file and every name. `says` holds operations that it refuses, each with the words that it does it in.

    With `turn` it talks nonsense to whoever connects, in place of SSH.
    """

    def __init__(self, folder: Path, *, name: str) -> None:
        super().__init__(folder, name=name, options={"sftp_factory": lambda channel: _Talking(channel, self)})
        self.says: dict[str, str] = {}
        self.written: list[bytes] = []

    async def listen(self, port: int) -> asyncio.Server:
        """Open the listener."""
        if not self.nonsense:
            return await super().listen(port)
        said = b"<h1>It works!</h1>\n" if self.nonsense is True else self.nonsense

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(said)
            writer.close()

        return await asyncio.start_server(talk, "127.0.0.1", port)

    def turn(self, nonsense: bool | bytes) -> None:
        """Begin or end to talk nonsense: to new connections."""
        if nonsense != self.nonsense:
            self.nonsense = nonsense
            self.down = True
            self.down = False


class _Talking(_Shelf):
    """A shelf that keeps what is written to it, and refuses with words of its own."""

    def __init__(self, channel: Any, supplier: TappedSftpSupplier) -> None:
        super().__init__(channel, supplier)
        self._tapped = supplier

    async def _asked(self, operation: str, *paths: bytes) -> list[str]:
        names = await super()._asked(operation, *paths)
        if operation in self._tapped.says:
            raise asyncssh.SFTPPermissionDenied(self._tapped.says[operation])
        return names

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        self._tapped.written.append(data)
        return await super().write(file_obj, offset, data)


def _whole(request: Request) -> bytes:
    head = "\n".join([f"{request.method} {request.path}", *(f"{n}: {v}" for n, v in request.headers.items())])
    return f"{head}\n\n".encode() + request.body


def heard(peer: _TappedHttps | TappedMailbox | TappedSftpSupplier, since: int = 0) -> Iterator[tuple[str, bytes]]:
    """All that a peer was told from its `since`-th arrival on, by where: its name, or which mail it was."""
    if isinstance(peer, _TappedHttps):
        yield from ((peer.name, whole) for whole in peer.tapped[since:])
    elif isinstance(peer, TappedSftpSupplier):
        yield from ((peer.name, _undone(data)) for data in peer.written[since:])
        yield peer.name, "\n".join([*map(str, peer.said), *peer.files, *peer.users]).encode()
    elif isinstance(peer, TappedMailSupplier):
        yield from ((peer.name, _parts(mail)) for mail in peer.mails[since:])
        yield peer.name, "\n".join(peer.told).encode()
    else:
        yield from ((f"mail “{mail.message['Subject']}”", _parts(mail)) for mail in peer.mails[since:])
        yield "envelope", "\n".join(peer.told).encode()


def arrivals(peer: _TappedHttps | TappedMailbox | TappedSftpSupplier) -> int:
    """How often something arrived so far; for `heard(peer, since)`."""
    if isinstance(peer, _TappedHttps):
        return len(peer.tapped)
    return len(peer.written if isinstance(peer, TappedSftpSupplier) else peer.mails)


def _parts(mail: Mail) -> bytes:
    """A mail as it came, and again with its headers and parts decoded."""
    decoded = [part.get_payload(decode=True) for part in mail.message.walk() if not part.is_multipart()]
    headers = "\n".join(f"{name}: {value}" for name, value in mail.message.items())
    parts = [part for part in decoded if isinstance(part, bytes)]
    return b"\n".join([mail.content, headers.encode(), *parts, *map(_undone, parts)])


def _undone(content: bytes) -> bytes:
    """A file of JSON lines with its escapes undone beside it."""
    try:
        return content + json.dumps(json.loads(content), ensure_ascii=False).encode()
    except ValueError:
        return content
