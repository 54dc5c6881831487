"""Mail to the person whose record it speaks of: one message, one recipient, values filled in at the door.

A mail is a text template. Its first line is the subject; markers in it are judged like those of a
page, at the place `mail`. The address is the record's field that the policy's `send` names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from avow.errors import SetupError
from avow.outbound.smtp import SmtpChannel

if TYPE_CHECKING:
    from avow.outbox.queue import Send
    from avow.vault.record import Record
    from avow.vault.unit import Unit

#: Renders the template of a message for a record, with markers.
Compose = Callable[["Unit", str, "Record"], str]

#: Judges the markers of a draft at a place and writes the values in.
Fill = Callable[["Unit", str, str], str]

#: The place at which what stands in a mail is shown, by its name in policies.
MAIL = "mail"


class LetterDoor:
    """The way out by mail."""

    channel = "smtps"

    def __init__(self, channel: SmtpChannel, compose: Compose, fill: Fill, *, address: str, sender: str) -> None:
        self._channel = channel
        self._compose = compose
        self._fill = fill
        self.address = address
        self.sender = sender

    def pack(self, unit: Unit, send: Send, record: Record) -> Callable[[], Mapping[str, Any]]:
        """Judge the mail and everything in it, then return what delivers it; see `avow.outbox.courier.Door`."""
        to = address_field(record, self.address)
        self.judge(unit, send.name, send.purpose)
        text = self._fill(unit, self._compose(unit, send.name, record), MAIL)
        subject, _, body = text.partition("\n")
        if not subject.startswith("Subject: "):
            raise SetupError(f"the mail `{send.name}` does not begin with a line `Subject: …`")
        recipient = getattr(record, to)._reveal()
        message = EmailMessage()
        message["Subject"] = subject.removeprefix("Subject: ").strip()
        message["From"] = self.sender
        message["To"] = recipient
        message["Date"] = format_datetime(datetime.fromtimestamp(unit.vault.clock(), UTC))
        message["Message-ID"] = f"<{send.id}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(body.lstrip("\n"))

        def deliver() -> Mapping[str, Any]:
            self._channel.send(message, sender=self.sender, recipient=recipient)
            return {}

        return deliver

    def judge(self, unit: Unit, message: str, purpose: str, *, leaving: bool = True) -> None:
        """Ask whether this message may be sent to the person's address; what it must hold counts when it leaves."""
        unit.judge("send", message, audience=self.address, channel=self.channel, purpose=purpose, accompanied=leaving)


def address_field(record: Record, category: str) -> str:
    """The attribute of the record that holds the address.

    Raises:
        SetupError: the record has none.
    """
    for name, field in record.__layout__.fields.items():
        if field.category == category:
            return name
    raise SetupError(
        f"a {type(record).__name__} has no field of `{category}` to send a mail to",
        help=f'add one: email: Mapped[Sealed] = personal("{category}", field="…")',
    )
