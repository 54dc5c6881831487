"""A mailbox behind an SMTP server with TLS: it takes every mail for everybody and delivers none.

Needs aiosmtpd, which `avow[testing]` brings.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from avow.edge.logs import silence
from avow.testing.certificates import Authority, Issued
from avow.testing.peer import BACKLOG, Peer

# At debug level it writes out every mail that arrives; and what clients get wrong, it would print to stderr.
silence("mail.log")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it arrived: the envelope, and the bytes. `at` is unix seconds."""

    at: float
    sender: str
    recipients: Sequence[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """The content, parsed."""
        return message_from_bytes(self.content, _class=EmailMessage, policy=POLICY)

    @property
    def text(self) -> str:
        """The plain text, its lines ended as Python's are, or the words "no plain text"."""
        part = self.message.get_body(("plain",))
        return part.get_content().replace("\r\n", "\n") if part is not None else "no plain text"


class Mailbox(Peer[Mail]):
    """Takes mail over TLS, from the first byte or (`starttls`) after STARTTLS, never without.

    Switches besides Peer's: `declines`, the reply to give to every recipient, such as "550 5.1.1 no such mailbox" or
    "451 4.3.0 come back later". `nonsense` is given in place of the reply to the mail itself. `plain` offers no TLS at
    all, as a server does whose STARTTLS somebody on the way strips.

    With `user` and `password` it takes mail from nobody who has not logged in with them, by AUTH PLAIN over TLS;
    `logins` counts the attempts.
    """

    def __init__(
        self,
        authority: Authority | None = None,
        *,
        name: str = "mailbox",
        port: int = 0,
        certificate: Issued | None = None,
        starttls: bool = False,
        plain: bool = False,
        user: str = "",
        password: str = "",
    ) -> None:
        super().__init__(authority, name=name, port=port, certificate=certificate)
        self.declines = ""
        self.logins = 0
        self._known = LoginPassword(user.encode(), password.encode())
        self._starttls = starttls
        self._plain = plain

    @property
    def url(self) -> str:
        """Where to send, in the form that SmtpChannel takes."""
        scheme = "smtp+starttls" if self._starttls else "smtps"
        return f"{scheme}://127.0.0.1:{self.port}"

    async def listen(self, port: int) -> asyncio.Server:
        """Open the listener."""
        loop = asyncio.get_running_loop()
        implicit = not (self._starttls or self._plain)

        def protocol() -> SMTP:
            return SMTP(
                self,
                hostname="mailbox",
                ident="Avow mailbox",
                enable_SMTPUTF8=True,
                tls_context=self.context if self._starttls and not self._plain else None,
                require_starttls=True,
                authenticator=self._authenticate,
                # It knows of STARTTLS only; where TLS is there from the first byte, nothing else can come in.
                auth_require_tls=not implicit,
                auth_exclude_mechanism=["LOGIN"] if self._known.login else ["LOGIN", "PLAIN"],
                timeout=60,
                loop=loop,
            )

        context = self.context if implicit else None
        return await loop.create_server(protocol, "127.0.0.1", port, ssl=context, backlog=BACKLOG)

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        self.logins += 1
        return AuthResult(success=given == self._known, handled=False)

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Called by aiosmtpd for each recipient."""
        if self._known.login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if self.declines:
            return self.declines
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str | bytes:
        """Called by aiosmtpd with the whole mail."""
        content = envelope.content
        self.take(
            Mail(
                time.time(),
                envelope.mail_from or "",
                tuple(envelope.rcpt_tos),
                content.encode() if isinstance(content, str) else content or b"",
            )
        )
        await asyncio.sleep(self.slow)
        if self.fails_midway and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        if self.nonsense:
            return b"<h1>It works!</h1>" if self.nonsense is True else self.nonsense
        return "250 OK"
