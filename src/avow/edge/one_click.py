"""One click that ends a subscription, made by a mail program for its user (RFC 8058).

It is a POST of one field, `List-Unsubscribe=One-Click`, without cookies, without our token and from no page of ours:
the secret in the address is what shows that it may. A GET never means it: scanners of mail follow every link.
"""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avow.edge.intake import Intake

#: The field of the POST, as the header List-Unsubscribe-Post announces it.
FIELD, VALUE = "List-Unsubscribe", "One-Click"


def is_one_click(intake: Intake) -> bool:
    """Whether a request is that POST, and nothing beside: as a form of either kind that RFC 8058 3.2 names."""
    return intake.method == "POST" and _typed(intake) == {FIELD: VALUE}


def _typed(intake: Intake) -> dict[str, str]:
    kind = intake.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        try:
            return intake.typed()
        except ValueError:
            return {}
    whole = message_from_bytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + intake.body)
    parts = whole.get_payload()
    if not isinstance(parts, list):
        return {}
    return {
        str(part.get_param("name", header="content-disposition")): _text(part)
        for part in parts
        if isinstance(part, Message)
    }


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    return content.decode("utf-8", "replace").strip() if isinstance(content, bytes) else ""
