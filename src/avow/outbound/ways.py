"""The three ways by which a recipient gets the fields of an order: HTTPS, SFTP and mail.

What leaves is the same on each: one JSON object of the permitted fields, their categories as keys.

    HTTPS   POST {"reference": ATTEMPT, "fields": {…}}, with the attempt as idempotency key
    SFTP    a file ATTEMPT.jsonl of one line, the object
    mail    a message whose attachment is that file

What is called back is an object with the id of the attempt that brought it: {"erase": ATTEMPT}.
The id of an attempt is random and the same in each repetition: by it a recipient knows what it has already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Protocol

from avow.outbound.https import HttpsChannel
from avow.outbound.smtp import SmtpChannel

if TYPE_CHECKING:
    from avow.outbound.sftp import SftpChannel

#: The only field where a share is called back: what its recipient is told to do, with the id of what brought it.
ERASE = "erase"


class Way(Protocol):
    """How fields reach one recipient. `channel` is its name in policies."""

    channel: str

    def hand_over(self, attempt: str, fields: Mapping[str, str], now: float) -> Mapping[str, Any]:
        """Send `fields`, by category, and give what the recipient answered. `now` is unix seconds.

        Raises:
            DeliveryError: how it failed.
        """
        ...


class HttpsWay:
    """To a recipient that takes JSON over HTTPS; its answer is a JSON object."""

    channel = "https"

    def __init__(self, channel: HttpsChannel) -> None:
        self._channel = channel

    def hand_over(self, attempt: str, fields: Mapping[str, str], now: float) -> Mapping[str, Any]:
        """Post the fields."""
        return self._channel.post({"reference": attempt, "fields": dict(fields)}, idempotency=attempt)


class SftpWay:
    """To a recipient that takes files over SFTP. The answer is the file's name."""

    channel = "sftp"

    def __init__(self, channel: SftpChannel) -> None:
        self._channel = channel

    def hand_over(self, attempt: str, fields: Mapping[str, str], now: float) -> Mapping[str, Any]:
        """Put the file there."""
        name = file_name(attempt)
        self._channel.put(name, json_line(fields))
        return {"file": name}


class MailWay:
    """To a recipient's mailbox, on its own mail server, over verified TLS. There is no answer."""

    channel = "smtps"

    def __init__(self, channel: SmtpChannel, *, mailbox: str, sender: str) -> None:
        self._channel = channel
        self._mailbox = mailbox
        self._sender = sender

    def hand_over(self, attempt: str, fields: Mapping[str, str], now: float) -> Mapping[str, Any]:
        """Send the mail."""
        message = EmailMessage()
        erased = fields.get(ERASE)
        message["Subject"] = f"Order {attempt}" if erased is None else f"Erase {erased}"
        message["From"] = self._sender
        message["To"] = self._mailbox
        message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
        message["Message-ID"] = f"<{attempt}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        said = f"An order is attached: {file_name(attempt)}, one JSON object a line."
        if erased is not None:
            said = (
                "Please erase what you have from the order with this number, copies included. The file says the same."
            )
        message.set_content(f"{said}\nIts number is in the subject. A mail with the same number is the same order.\n")
        message.add_attachment(
            json_line(fields), maintype="application", subtype="jsonl", filename=file_name(attempt), cte="base64"
        )
        self._channel.send(message, sender=self._sender, recipient=self._mailbox)
        return {}


def file_name(attempt: str) -> str:
    """The name under which an order arrives: that of its attempt, and nothing about anybody."""
    return f"{attempt}.jsonl"


def json_line(fields: Mapping[str, str]) -> bytes:
    """The fields as one line of JSON, in ASCII: what is beyond it is escaped, and no reader can mistake it."""
    return json.dumps(dict(fields), allow_nan=False).encode() + b"\n"
