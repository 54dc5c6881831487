"""The way in by mail: an SMTP server for the published address, on loopback behind a mail server, or for all.

    Inbox("127.0.0.1", 2525, accepts=("service@shop.example",), receive=…).start()

It takes mail for that address and for the postmaster of its domain (RFC 5321 4.5.1), relays nothing, and says 250 only
when what the mail changes is committed; when that fails it says 451, and the sender's server comes again. Who is not on
this machine has to use TLS, although RFC 3207 asks public servers to do without if need be: the policy promises that
what people send in travels encrypted. Programs' mail and bounces are taken and dropped: they say nothing of a wish, and
nothing that is sent in reply could start a loop, because nothing is.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from avow.edge.logs import silence
from avow.errors import AvowError, Refused, SetupError

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

log = logging.getLogger("avow.inbox")

#: Bytes of the largest mail that is taken.
LARGEST = 512 * 1024

#: Connections at once, mails within one of them, and seconds that one may be silent.
CONNECTIONS, MAILS, SILENCE = 50, 20, 60

#: Mails that are taken at once, and how many more a second over time.
BURST, RATE = 120, 2.0

#: Mails that are worked on at once.
HANDS = 4

#: Takes a mail's bytes and the channel that it came over (`smtps`, `loopback`).
Receive = Callable[[bytes, str], None]


@dataclass(slots=True)
class Allowance:
    """How many mails may still come now: `burst` at once, `rate` more each second. It knows nobody's address."""

    burst: float
    rate: float
    left: float
    at: float

    def take(self, now: float) -> bool:
        """Whether one more may come, at `now` seconds; it is then counted."""
        self.left = min(self.burst, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Inbox:
    """An SMTP server in a thread of its own. `port` 0 takes a free one; `tls` offers STARTTLS."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        accepts: Collection[str],
        receive: Receive,
        tls: ssl.SSLContext | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        if tls is None and not _is_loopback(host):
            raise SetupError(
                f"mail is taken without TLS on loopback only, not on `{host}`",
                help="give a certificate and its key, or listen on 127.0.0.1 behind a mail server",
            )
        self.host = host
        self.port = port
        self._accepts = {address.casefold() for address in accepts}
        self._accepts |= {f"postmaster@{address.rpartition('@')[2]}" for address in self._accepts}
        self._receive = receive
        self._tls = tls
        self._allowance = allowance or Allowance(BURST, RATE, BURST, 0.0)
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="avow-inbox-hand")
        self._open = 0
        self._ready = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="avow-inbox", daemon=True)

    def start(self) -> None:
        """Begin to listen.

        Raises:
            SetupError: the port is taken, or aiosmtpd is not installed.
        """
        try:
            import aiosmtpd.smtp as smtp
        except ImportError:
            raise SetupError("taking mail needs aiosmtpd", help="pip install 'avow[inbox]'") from None
        # Its log holds what comes in, and its addresses.
        silence("mail.log")
        self._smtp = smtp
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._hands.shutdown()
            raise SetupError(
                f"mail cannot be taken on {self.host}:{self.port}: {self._failure.strerror}", help="take another port"
            )

    def stop(self) -> None:
        """Stop listening, and finish what is under way."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        self._hands.shutdown()

    # -- the server -------------------------------------------------------------------------------

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            server = await self._loop.create_server(self._protocol, self.host, self.port, backlog=CONNECTIONS)
        except OSError as error:
            self._failure = error
            self._ready.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    def _protocol(self) -> SMTP:
        inbox = self

        class Counted(self._smtp.SMTP):  # type: ignore[name-defined,misc]  # its base is imported where it is used
            counted = False  # STARTTLS makes a connection twice

            def connection_made(self, transport: Any) -> None:
                if not self.counted:
                    self.counted = True
                    inbox._open += 1
                    if inbox._open > CONNECTIONS:
                        transport.write(b"421 4.3.2 Too many at once: come again in a minute\r\n")
                        transport.close()
                super().connection_made(transport)

            def connection_lost(self, error: Exception | None) -> None:
                if self.counted:
                    self.counted = False
                    inbox._open -= 1
                super().connection_lost(error)

        made: SMTP = Counted(
            self,
            hostname="mail",
            ident="mail",
            enable_SMTPUTF8=True,
            data_size_limit=LARGEST,
            tls_context=self._tls,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            command_call_limit={"DATA": MAILS, "*": 10 * MAILS},
            timeout=SILENCE,
            loop=self._loop,
        )
        return made

    # -- what aiosmtpd calls ----------------------------------------------------------------------

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Someone begins to hand over a mail."""
        if self._channel(session) is None:
            return "530 5.7.0 Use STARTTLS first: what people write to us travels encrypted"
        if not self._allowance.take(self._loop.time()):
            return "451 4.3.2 Too much at once: come again in a minute"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """For whom it is."""
        if address.casefold() not in self._accepts:
            return "550 5.1.1 No such mailbox, and nothing is passed on from here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The mail itself."""
        content, channel = envelope.content, self._channel(session)
        if not isinstance(content, bytes) or channel is None:
            return "451 4.3.0 Please come again"
        if not (envelope.mail_from or "").strip("<>"):  # a bounce: nobody's wish
            return "250 OK"
        try:
            await self._loop.run_in_executor(self._hands, self._receive, content, channel)
        except Refused as refused:
            sentences = refused.verdict.sentences if refused.verdict else ()
            said = "; ".join(_ascii(sentence.text) for sentence in sentences)
            return f"550 5.7.1 Not taken, and nothing of it is kept. Our policy says: {said or 'no'}"[:500]
        except Exception as error:  # noqa: BLE001  # a mail must not be lost, whatever is wrong
            log.error("a mail could not be taken in, and its sender will come again: %s", type(error).__name__)
            if isinstance(error, AvowError):
                log.error("%s", error)
            return "451 4.3.0 Something is wrong here: please come again"
        return "250 OK"

    async def handle_exception(self, error: Exception) -> str:
        """Called by aiosmtpd for a fault of its own. Its words could hold what came in."""
        log.error("the inbox failed: %s", type(error).__name__)
        return "451 4.3.0 Something is wrong here: please come again"

    def _channel(self, session: Session) -> str | None:
        """Over what the mail comes: TLS, within this machine, or neither."""
        if session.ssl is not None:
            return "smtps"
        peer: Any = session.peer
        return "loopback" if peer and _is_loopback(str(peer[0])) else None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
