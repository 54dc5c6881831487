"""Mail to one person at a time, over verified TLS.

The whole message is checked and written before the connection opens, so that a hostile header never reaches a socket.
Until the content is sent nothing of the message has left, though the server may have seen the recipient's address.

    channel = SmtpChannel("smtp+starttls://mail.example", user="shop", password="…")
    channel.send(message, sender="shop@shop.example", recipient="ann@example.com")

A server that asks for it is logged in to with AUTH PLAIN (RFC 4954, 4616), after TLS and never before. The standard
library has no SCRAM; what it has besides, LOGIN and CRAM-MD5, is not better.
"""

from __future__ import annotations

import base64
import contextlib
import io
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Mapping
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP
from email.utils import getaddresses
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from avow.errors import DeliveryError, OutcomeUnknown, Rejected, Unreachable
from avow.outbound.endpoint import Deadline, Endpoint
from avow.outbound.tls import client_context, why

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

#: RFC 5321 4.5.3.1.3: a path is at most 256 octets, angle brackets included.
ADDRESS_LIMIT = 254

#: Bytes of everything that is read from a server during one delivery.
ANSWER_LIMIT = 64 * 1024

#: Gives the header fields to put in front of a whole message.
Sign = Callable[[bytes], bytes]

_ATOM = r"[^\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff()<>\[\]:;@\\,\"]+"
_ADDRESS = re.compile(f"{_ATOM}@{_ATOM}")
_NAME = re.compile(r"[!-9;-~]+")
# Not only CR and LF: Python folds headers with str.splitlines, which also breaks at these.
_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_RECIPIENTS = ("To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc")


class SmtpChannel:
    """One mail server: `smtps://host:port` (TLS from the first byte) or `smtp+starttls://host:port`.

    `ca` is the PEM file of the only authority to trust, or None for the system's. `timeout` is seconds for a whole
    delivery. `user` and `password` log in, if there are any. `sign` gives the header fields to put in front of a whole
    message (see `avow.outbound.dkim`). Raises SetupError for any URL without TLS. Safe to share between threads.
    """

    #: The schemes that an address may have, with their usual ports.
    SCHEMES: ClassVar[Mapping[str, int]] = {"smtps": 465, "smtp+starttls": 587}

    def __init__(
        self,
        url: str,
        ca: Path | None = None,
        timeout: float = 10.0,
        *,
        user: str = "",
        password: str = "",
        sign: Sign = lambda content: b"",
    ) -> None:
        self.endpoint = Endpoint.parse(url, self.SCHEMES)
        self.timeout = timeout
        self._sign = sign
        self._context = client_context(ca)
        self._login = base64.b64encode(f"\0{user}\0{password}".encode()).decode() if user else ""

    def send(self, message: EmailMessage, *, sender: str, recipient: str) -> None:
        """Deliver `message` to `recipient` alone.

        Raises Rejected (refused for good: by the server, or here, before connecting, when a header holds a line break
        or another recipient), Unreachable (the message did not leave) or OutcomeUnknown (it left, and the server did
        not say that it took it). No error text holds an address or anything of the message.
        """
        content, utf8 = _write(message, sender, recipient, self._sign)
        failure = self._deliver(content, utf8, sender, recipient)
        # Raised here, outside of every handler: smtplib's errors hold addresses, and must not hang on to ours.
        if failure is not None:
            raise failure

    def _deliver(self, content: bytes, utf8: bool, sender: str, recipient: str) -> DeliveryError | None:
        sent = False
        try:
            with contextlib.closing(self._connect(sender)) as session:
                session.ehlo()
                if self.endpoint.scheme == "smtp+starttls":
                    session.starttls(context=self._context)
                    session.ehlo()
                if self._login and (refused := self._log_in(session)):
                    return refused
                code, _ = session.mail(sender, ["SMTPUTF8"] if utf8 else [])
                if code != 250:
                    return self._refusal("the sender", code, sent)
                code, _ = session.rcpt(recipient)
                if code not in (250, 251):
                    return self._refusal("the recipient", code, sent)
                code, _ = session.docmd("DATA")
                if code != 354:
                    return self._refusal("the mail", code, sent)
                sent = True
                session.send(content)
                code, _ = session.getreply()
                if code != 250:
                    return self._refusal("the mail", code, sent)
                # Taken: whatever becomes of the farewell, the mail is delivered.
                with contextlib.suppress(OSError):
                    session.putcmd("QUIT")
                return None
        except smtplib.SMTPNotSupportedError:
            reason = "it does not offer what the mail needs (TLS, or addresses beyond ASCII)"
        except smtplib.SMTPResponseException as error:
            reason = f"it answered {error.smtp_code}"
        except smtplib.SMTPException as error:
            reason = why(error.__context__ or error)
        except OSError as error:
            reason = why(error)
        return self._failure(reason, sent)

    def _connect(self, sender: str) -> _Session:
        # smtplib's own choice of a name for EHLO would ask the resolver, and tell this host's name to the peer.
        own_name = sender.rpartition("@")[2].encode("idna").decode()
        kind = _Implicit if self.endpoint.scheme == "smtps" else _Session
        return kind(self.endpoint, own_name, Deadline(self.timeout), self._context)

    def _log_in(self, session: smtplib.SMTP) -> DeliveryError | None:
        """Log in, on a line that is TLS by now; None when it worked."""
        if "PLAIN" not in session.esmtp_features.get("auth", "").upper().split():
            return Rejected(
                f"{self.endpoint} does not offer AUTH PLAIN, and a user is configured for it; the mail did not leave",
                help="leave the user out, or give the address at which this server takes mail from its users",
            )
        code, _ = session.docmd("AUTH", f"PLAIN {self._login}")
        if code == 235:
            return None
        if 500 <= code < 600:
            return Rejected(
                f"{self.endpoint} refused the login of the configured user with {code}; the mail did not leave",
                help="correct user and password in the file of addresses",
            )
        return self._refusal("the login", code, False)

    def _refusal(self, what: str, code: int, sent: bool) -> DeliveryError:
        if 500 <= code < 600:
            return Rejected(f"{self.endpoint} refused {what} with {code}", help="the same again is refused again")
        if 400 <= code < 500:
            return self._failure(f"it put {what} off with {code}", sent)
        return self._failure("its answer is not SMTP", sent)

    def _failure(self, reason: str, sent: bool) -> DeliveryError:
        if sent:
            return OutcomeUnknown(f"{self.endpoint} was sent the mail, but {reason}")
        return Unreachable(f"{self.endpoint} could not be given the mail: {reason}; it did not leave")


class _Session(smtplib.SMTP):
    """smtplib, with one deadline over everything that it waits for."""

    def __init__(self, where: Endpoint, own_name: str, deadline: Deadline, context: ssl.SSLContext) -> None:
        self._deadline = deadline
        self._context = context
        super().__init__(where.host, where.port, local_hostname=own_name, timeout=deadline.left())

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Answers(self.sock, self._deadline))
        return super().getreply()

    def send(self, s: ReadableBuffer | str) -> None:
        if self.sock is not None:
            self.sock.settimeout(self._deadline.left())
        super().send(s)


class _Implicit(_Session):
    """The same with TLS from the first byte."""

    def _get_socket(self, host: str, port: int, timeout: float) -> ssl.SSLSocket:
        plain = socket.create_connection((host, port), timeout)
        plain.settimeout(self._deadline.left())
        return self._context.wrap_socket(plain, server_hostname=host)


class _Answers(io.RawIOBase):
    """What the server says, until the deadline and ANSWER_LIMIT bytes: a reply may have any number of lines."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._left = ANSWER_LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._sock.settimeout(self._deadline.left())
        size = self._sock.recv_into(buffer)
        self._left -= size
        if self._left < 0:
            raise ConnectionAbortedError("the server's answers are too long")
        return size


def _write(message: EmailMessage, sender: str, recipient: str, sign: Sign) -> tuple[bytes, bool]:
    """The message as it goes over the wire, final dot included, and whether it needs SMTPUTF8 (RFC 6531).

    A header line is folded at 998 characters, the most that RFC 5322 allows, and not at 78: Python's library would
    turn a longer word, such as a secret link, into an encoded one, which in some headers nobody decodes.

    Raises Rejected, before any connection, for whatever could add a header, a recipient or a command.
    """
    for role, address in (("sender", sender), ("recipient", recipient)):
        if len(address.encode(errors="replace")) > ADDRESS_LIMIT or not _ADDRESS.fullmatch(address):
            raise Rejected(f"the {role} of a mail is not a mail address; nothing was sent")
    for part in message.walk():
        for name, value in part.raw_items():
            if not _NAME.fullmatch(name) or _BREAKS.search(str(value)):
                raise Rejected("a header of a mail holds a line break or a control character; nothing was sent")
    named = getaddresses([str(value) for name in _RECIPIENTS for value in message.get_all(name, [])])
    if any(address.casefold() != recipient.casefold() for _, address in named):
        raise Rejected("a mail names another recipient than the one it goes to; nothing was sent")
    utf8 = not (sender + recipient).isascii()
    content = None
    with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError, MessageError):
        content = message.as_bytes(policy=SMTP.clone(utf8=utf8, cte_type="7bit", max_line_length=998))
    # Not trusting the checks above: the header lines that leave are the header fields that were set, no more.
    if content is None or BytesHeaderParser(policy=SMTP).parsebytes(content).keys() != message.keys():
        raise Rejected("a mail cannot be written as RFC 5322 asks; nothing was sent")
    lines = content if content.endswith(b"\r\n") else content + b"\r\n"
    lines = sign(lines) + lines
    return re.sub(rb"(?m)^\.", b"..", lines) + b".\r\n", utf8
