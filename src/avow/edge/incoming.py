"""Mail that people write to the published address: who wrote, and what, without what they quote.

The text is sealed like a form's field: a handler gets `Given`s, by the categories that it names, and asks what is said
through a function of its own (`mail.understood`), which is judged as opening and gives back no text.

    @site.mailbox(role="mailroom", purpose="answers", place="mailbox")
    def received(work, mail):
        work.collect(Request, person=work.person(), email=mail.sender, text=mail.text("request"))

The sender is whom the header From names. Nobody vouches for it: forging it is easy, and neither SPF nor DKIM of the
sender's domain is looked up. What a site does upon a mail must harm nobody whose name was borrowed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from typing import TypeVar

from avow.vault.current import current_unit
from avow.vault.sealed import Given

#: Characters of a mail's own text that are kept; what comes after them is left out.
LONGEST = 20_000

T = TypeVar("T")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ue000-\uf8ff\ud800-\udfff]")
# What mail programs put before the text that they quote whole.
_QUOTES = re.compile(
    r"^(-+ ?original message ?-+|-+ ?forwarded message ?-+|_{10,}|on .{4,200} wrote:|from: .+@.+|-- )$", re.IGNORECASE
)
_AUTOMATIC = {"precedence": ("bulk", "list", "junk"), "x-auto-response-suppress": ("all",)}


class Incoming:
    """One mail that came in. `automatic` says that a program sent it, which nothing may answer (RFC 3834)."""

    def __init__(self, address: str, name: str, subject: str, text: str, *, automatic: bool) -> None:
        self._address = address
        self._name = name
        self._subject = subject
        self._text = text
        self.automatic = automatic

    @property
    def anonymous(self) -> bool:
        """Whether it names no sender, or several."""
        return not self._address

    def sender(self, category: str = "contact.email") -> Given:
        """The address of who wrote, as far as From can be believed."""
        return Given(category, self._address)

    def name(self, category: str = "contact.name") -> Given:
        """The name beside the address; the address itself where there is none."""
        return Given(category, self._name or self._address)

    def text(self, category: str, *, longest: int = LONGEST) -> Given:
        """Subject and text, without what is quoted."""
        return Given(category, f"{self._subject}\n\n{self._text}".strip()[:longest])

    def understood(self, category: str, read: Callable[[str, str], T]) -> T:
        """What `read(subject, text)` makes of the mail. It gives back no part of the text, only what follows from it.

        Raises:
            Refused: no sentence permits to open a `category` for the purpose of this unit.
        """
        unit = current_unit()
        unit.judge("open", category, role=unit.role, place=unit.place)
        return read(self._subject, self._text)

    def __repr__(self) -> str:
        return "<incoming mail>"


def parse(content: bytes) -> Incoming:
    """Read a mail as it came over the wire. Whatever is broken in it is left out; nothing raises."""
    message = message_from_bytes(content, _class=EmailMessage, policy=SMTP)
    sender = _sender(message)
    return Incoming(
        _clean(sender.addr_spec) if sender else "",
        _clean(sender.display_name)[:80] if sender else "",
        _clean(_header(message, "subject"))[:200],
        own_words(_body(message))[:LONGEST],
        automatic=_is_automatic(message),
    )


def own_words(text: str) -> str:
    """A mail's text without what it quotes: lines that begin with `>`, and all below a line that begins a quotation."""
    kept: list[str] = []
    for line in text.splitlines():
        if _QUOTES.match(line.rstrip("\r") if line.startswith("-- ") else line.strip()):
            break
        if not line.lstrip().startswith(">"):
            kept.append(_clean(line).rstrip())
    return "\n".join(kept).strip()


def _sender(message: EmailMessage) -> Address | None:
    """The one address in From; None where there is none, or more than one could be meant."""
    try:
        fields = message.get_all("from", [])
        found = [address for value in fields for address in value.addresses]
    except Exception:  # noqa: BLE001  # the parser of the standard library raises all kinds for odd addresses
        return None
    return found[0] if len(found) == 1 and found[0].username and found[0].domain else None


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except Exception:  # noqa: BLE001  # see above
        return ""


def _is_automatic(message: EmailMessage) -> bool:
    if _header(message, "auto-submitted").strip().lower() not in ("", "no"):
        return True
    return any(_header(message, name).strip().lower() in words for name, words in _AUTOMATIC.items())


def _body(message: EmailMessage) -> str:
    try:
        part = message.get_body(("plain", "html"))
        content = part.get_content() if part is not None else ""
    except (LookupError, ValueError, AttributeError):  # an encoding that nobody knows, a part that is no text
        return ""
    if not isinstance(content, str):
        return ""
    return _plain(content) if part is not None and part.get_content_subtype() == "html" else content


class _Plain(HTMLParser):
    """The text of an HTML mail, without styles and quotations."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script", "blockquote", "title"):
            self._hidden += 1
        elif tag in ("br", "p", "div", "li", "tr"):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "blockquote", "title"):
            self._hidden = max(0, self._hidden - 1)
        elif tag in ("p", "div", "li", "tr"):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(re.sub(r"\s+", " ", data))


def _plain(content: str) -> str:
    reader = _Plain()
    reader.feed(content)
    reader.close()
    return "".join(reader.parts)


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", _CONTROL.sub(" ", text)).strip(" \t")
