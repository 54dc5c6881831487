"""Mail to the person whose record it speaks of: one message, one recipient, values filled in at the door.

A mail is a text template. Its first line is the subject; markers in it are judged like those of a page, at the place
`mail`. The address is the record's field that the policy's `send` names.

What a message must offer (`must offer unsubscribe in newsletter`), the door looks for: the link that offers it has to
stand in the text. A message that must offer `unsubscribe` gets the headers of a list as well, so that mail programs
show a button for it: List-Unsubscribe with the link and the published address, and the word that one click is enough
(RFC 8058), beside List-Id, List-Help and List-Owner (RFC 2919, RFC 2369). Without link or headers it does not leave.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from avow.errors import SetupError
from avow.outbound.plain import MAIL, Links, check_mail
from avow.outbound.smtp import SmtpChannel
from avow.values import Verdict

if TYPE_CHECKING:
    from avow.outbox.queue import Send
    from avow.vault.record import Record
    from avow.vault.unit import Unit

#: The word of the policy for what a mail program's own button does.
UNSUBSCRIBE = "unsubscribe"


@dataclass(slots=True)
class Draft:
    """A mail's text with markers, and the secret links that were made for it, by their use."""

    text: str
    links: dict[str, str] = field(default_factory=dict)


#: Renders the template of a message for a record, with markers.
Compose = Callable[["Unit", str, "Record"], Draft]

#: Judges the markers of a draft at a place and writes the values in.
Fill = Callable[["Unit", str, str], str]


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What all mails of a site have in common.

    Attributes:
        address: the category that holds a person's mail address.
        sender: the published address, from which mail comes and to which answers go.
        base: how the site is reached from outside.
        offers: by which link, named by its use, the site offers what its policy says a mail must offer.
        reading: the category under which it counts whether somebody opens a mail.
    """

    address: str
    sender: str
    base: str
    offers: Mapping[str, str]
    reading: str

    @property
    def domain(self) -> str:
        """The domain that mails come from."""
        return self.sender.rpartition("@")[2]


class LetterDoor:
    """The way out by mail."""

    channel = "smtps"

    def __init__(self, channel: SmtpChannel, compose: Compose, fill: Fill, head: Letterhead) -> None:
        self._channel = channel
        self._compose = compose
        self._fill = fill
        self._head = head

    def pack(self, unit: Unit, send: Send, record: Record) -> Callable[[], Mapping[str, Any]]:
        """Judge the mail and everything in it, then return what delivers it; see `avow.outbox.courier.Door`."""
        to = address_field(record, self._head.address)
        name = message_of(send.name)
        verdict = self.judge(unit, send.name, record, send.purpose)
        draft = self._compose(unit, send.name, record)
        if not draft.text.startswith("Subject: "):
            raise SetupError(f"the mail `{name}` does not begin with a line `Subject: …`")
        permitted = Links(self._head.base, self._head.sender, draft.links.values())
        check_mail(unit, self._head.reading, name, draft.text, permitted)
        subject, _, body = self._fill(unit, draft.text, MAIL).partition("\n")
        recipient = getattr(record, to)._reveal()
        message = EmailMessage()
        message["Subject"] = subject.removeprefix("Subject: ").strip()
        message["From"] = self._head.sender
        message["To"] = recipient
        message["Date"] = format_datetime(datetime.fromtimestamp(unit.vault.clock(), UTC))
        message["Message-ID"] = f"<{send.id}@{self._head.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        for name_of, value in self._offer(unit, verdict, name, draft).items():
            message[name_of] = value
        message.set_content(body.lstrip("\n"))

        def deliver() -> Mapping[str, Any]:
            self._channel.send(message, sender=self._head.sender, recipient=recipient)
            return {}

        return deliver

    def judge(self, unit: Unit, message: str, record: Record, purpose: str, *, leaving: bool = True) -> Verdict:
        """Ask whether this message may be sent to the person's address; what it must hold counts when it leaves."""
        audience, name = self._head.address, message_of(message)
        to = getattr(record, address_field(record, audience))
        return unit.judge(
            "send", name, value=to, audience=audience, channel=self.channel, purpose=purpose, accompanied=leaving
        )

    def _offer(self, unit: Unit, verdict: Verdict, name: str, draft: Draft) -> dict[str, str]:
        """Discharge what the message must offer, as far as its link stands in the text; the headers that go with it."""
        headers: dict[str, str] = {}
        for word in (duty.object for duty in verdict.duties if duty.verb == "offer" and duty.object):
            link = draft.links.get(self._head.offers.get(word, ""))
            if link is None or link not in draft.text.split():
                continue  # the unit does not end well: its commit names the sentence
            if word == UNSUBSCRIBE:
                headers = self._list_headers(name, link)
                if not headers:
                    continue
            unit.discharge("offer", word)
        return headers

    def _list_headers(self, name: str, link: str) -> dict[str, str]:
        """The headers of a list; none if one click would not be safe: RFC 8058 asks for HTTPS."""
        if not (link.startswith("https://") or _is_this_machine(link)):
            return {}
        head = self._head
        return {
            "List-Id": f"<{name.replace('_', '-')}.{head.domain}>",
            "List-Unsubscribe": f"<{link}>, <mailto:{head.sender}?subject=unsubscribe>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-Help": f"<mailto:{head.sender}?subject=help>, <{head.base}/privacy>",
            "List-Owner": f"<mailto:{head.sender}>",
            "Precedence": "bulk",
        }


def named(message: str, edition: str = "") -> str:
    """The name of a send of a message, and of which edition of it: `newsletter/2026-48`.

    Raises:
        SetupError: an edition is something else than letters, digits, dots and dashes.
    """
    if edition and not re.fullmatch(r"[\w.-]{1,40}", edition, re.ASCII):
        raise SetupError("an edition of a mail is named by at most 40 letters, digits, dots and dashes")
    return f"{message}/{edition}" if edition else message


def message_of(name: str) -> str:
    """The message that a send is of: `newsletter` of `newsletter/2026-48`, which is one issue of it."""
    return name.partition("/")[0]


def address_field(record: Record | type[Record], category: str) -> str:
    """The attribute of a record, or of a class of them, that holds the address.

    Raises:
        SetupError: the record has none.
    """
    for name, found in record.__layout__.fields.items():
        if found.category == category:
            return name
    kind = record if isinstance(record, type) else type(record)
    raise SetupError(
        f"a {kind.__name__} has no field of `{category}` to send a mail to",
        help=f'add one: email: Mapped[Sealed] = personal("{category}", field="…")',
    )


def _is_this_machine(link: str) -> bool:
    """Whether a link stays within the computer on which the site is tried out."""
    host = urlsplit(link).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
