"""The page of the peers: field by field what arrived, newest first, and in words what did not.

It is a plain page without scripts, served to this computer only.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape
from stdnum import luhn

from avow.testing.card_processor import CardProcessor, Payment
from avow.testing.carrier import Carrier, Label
from avow.testing.http import Request, Response, serve
from avow.testing.mailbox import Mail, Mailbox
from avow.testing.peer import LATEST, Listener
from avow.testing.peers.allowed import Ground, Permissions
from avow.testing.supplier import Order, Supplier

HERE = Path(__file__).parent
T = TypeVar("T")

if TYPE_CHECKING:
    from avow.testing.supplier import HttpsSupplier
    from avow.testing.supplier_sftp import SftpSupplier

    #: What has a section on the page. A MailSupplier is a Mailbox.
    AnyPeer = CardProcessor | Carrier | HttpsSupplier | SftpSupplier | Mailbox

#: Seconds between two looks, for who asks the page to look by itself.
EVERY = 5

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

# A link that leads back to this computer, and not to a host whose name begins like it; the stop at the end of a
# sentence does not belong to it.
_LOCAL = re.compile(r"https?://127\.0\.0\.1(?::\d{1,5})?(?![\w@:-]|\.\w)(?:/[^\s<>\"']*)?(?<![.,;:!?)])")
_DIGITS = re.compile(r"\d(?:[ -]?\d){12,18}")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing that arrived, ready to be shown. `text` is the body of a mail."""

    when: str
    title: str
    fields: Sequence[tuple[str, str]]
    text: Markup | None = None
    good: bool = True
    grounds: Sequence[Ground] = ()
    unpermitted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One peer. `missing` says what did not arrive there; `alarm` what should not have."""

    name: str
    kind: str
    noun: str
    address: str
    arrivals: Sequence[Arrival]
    missing: str
    alarm: str = ""
    grounds: Sequence[Ground] = ()


class Page(Listener):
    """Shows what `peers` received. `categories` are fields to name where they are missing.

    With `permissions` it names the sentences by which each thing may have arrived.
    """

    def __init__(
        self,
        peers: Sequence[AnyPeer],
        categories: Iterable[str] = (),
        *,
        port: int = 0,
        permissions: Permissions | None = None,
    ) -> None:
        super().__init__("the page of the peers", port)
        self._peers = peers
        self._categories = tuple(categories)
        self._permissions = permissions

    @property
    def url(self) -> str:
        """Where to look."""
        return f"http://127.0.0.1:{self.port}/"

    async def listen(self, port: int) -> asyncio.Server:
        """Open the listener."""
        return await serve(self._answer, port)

    async def _answer(self, request: Request) -> Response:
        # A name that somebody points at 127.0.0.1 (DNS rebinding) would let a foreign site read this page.
        if request.headers.get("host") not in {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}:
            return Response(403, b"This page is for this computer only.\n", "text/plain; charset=utf-8", HEADERS)
        path, _, query = request.path.partition("?")
        if request.method not in {"GET", "HEAD"} or path not in {"/", "/page.css"}:
            return Response(404, b"There is one page here: /\n", "text/plain; charset=utf-8", HEADERS)
        if path == "/page.css":
            return Response(200, (HERE / "page.css").read_bytes(), "text/css; charset=utf-8", HEADERS)
        return Response(200, self.render(watching=query == "watch").encode(), "text/html; charset=utf-8", HEADERS)

    def render(self, *, watching: bool = False) -> str:
        """The page as it stands now."""
        return self._template.render(sections=self.sections(), watching=watching, every=EVERY, latest=LATEST)

    @cached_property
    def _template(self) -> Template:
        environment = Environment(
            loader=FileSystemLoader(HERE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        return environment.get_template("page.html")

    def sections(self) -> list[Section]:
        """One section for each peer, in the order in which they were given."""
        known = set(self._categories)
        for peer in self._peers:
            known.update(*(arrival.fields for arrival in _with_fields(peer)))
        return [self._section(peer, known) for peer in self._peers]

    def _allowed(self, section: Section) -> Section:
        """The section with the sentences that allowed what is in it."""
        asked = self._permissions
        if asked is None:
            return section
        arrivals = []
        for arrival in section.arrivals:
            names = [name for name, _ in arrival.fields]
            grounds, not_so = asked.shared(names, section.name), asked.unpermitted(names, section.name)
            arrivals.append(replace(arrival, grounds=grounds, unpermitted=not_so))
        return replace(section, arrivals=arrivals)

    def _section(self, peer: AnyPeer, known: set[str]) -> Section:
        if isinstance(peer, Mailbox) and not isinstance(peer, Supplier):
            return replace(_mailbox(peer), grounds=self._permissions.mailed() if self._permissions else ())
        missing = ", ".join(sorted(known.difference(*(arrival.fields for arrival in _with_fields(peer)))))
        if isinstance(peer, Supplier):
            kind, noun, arrivals = f"supplier, over {peer.way}", "order", _newest(_order, peer.orders)
        elif isinstance(peer, CardProcessor):
            kind, noun, arrivals = "card processor", "payment", _newest(_payment, peer.received)
        else:
            kind, noun, arrivals = "carrier", "label", _newest(_label, peer.received)
        return self._allowed(Section(peer.name, kind, noun, peer.url, arrivals, missing))


def _with_fields(peer: AnyPeer) -> Sequence[Payment | Label | Order]:
    if isinstance(peer, Supplier):
        return peer.orders
    return () if isinstance(peer, Mailbox) else peer.received


def _newest(show: Callable[[T], Arrival], received: Sequence[T]) -> list[Arrival]:
    return [show(each) for each in reversed(received)]


def _payment(payment: Payment) -> Arrival:
    fields = (*payment.fields.items(), ("attempt", payment.attempt))
    return Arrival(_when(payment.at), f"Payment {payment.status}", fields, good=payment.status == "authorised")


def _label(label: Label) -> Arrival:
    fields = (*label.fields.items(), ("attempt", label.reference))
    return Arrival(_when(label.at), f"Label, answered with tracking number {label.tracking}", fields)


def _order(order: Order) -> Arrival:
    return Arrival(_when(order.at), "Order to fill", (*order.fields.items(), ("attempt", order.attempt)))


def _mail(mail: Mail) -> Arrival:
    message = mail.message
    fields = (("to", ", ".join(mail.recipients)), ("from", str(message["From"] or mail.sender)))
    return Arrival(_when(mail.at), str(message["Subject"] or "no subject"), fields, linked(mail.text.strip()))


def _mailbox(peer: Mailbox) -> Section:
    received = peer.received
    found = sum(holds_card_number(mail) for mail in received)
    missing = alarm = ""
    if found:
        alarm = f"A card number arrived in {found} of {len(received)} mails. No mail should hold one."
    elif received:
        missing = "a card number, in headers and texts of all mails (every row of 13 to 19 digits was checked)"
    return Section(peer.name, "mailbox", "mail", peer.url, _newest(_mail, received), missing, alarm)


def holds_card_number(mail: Mail) -> bool:
    """Whether a header or the text has 13 to 19 digits, perhaps spaced, that pass the Luhn check (ISO/IEC 7812)."""
    words = "\n".join([*map(str, mail.message.values()), mail.text])
    return any(luhn.is_valid(re.sub("[ -]", "", row)) for row in _DIGITS.findall(words))


def linked(text: str) -> Markup:
    """The text, escaped, with the addresses on this computer turned into links, and no other ones."""
    parts, end = [], 0
    for match in _LOCAL.finditer(text):
        parts += [escape(text[end : match.start()]), Markup('<a href="{0}">{0}</a>').format(match[0])]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def _when(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))
