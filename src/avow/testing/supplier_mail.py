"""A supplier that gets its orders by mail: on a mail server of its own, over TLS, as an attachment.

Needs aiosmtpd, which `avow[testing]` brings.
"""

from __future__ import annotations

from collections.abc import Sequence

from avow.testing.http import Malformed
from avow.testing.mailbox import Mail, Mailbox
from avow.testing.supplier import Order, Supplier, read_lines


class MailSupplier(Mailbox, Supplier):
    """A mailbox in which orders arrive; see `Mailbox` for its switches. A mail that brings none is no order."""

    way = "mail"

    @property
    def url(self) -> str:
        """Where orders are sent: the server, and the mailbox there."""
        return f"{super().url}/orders@{self.name.replace('_', '-')}.example"

    @property
    def orders(self) -> Sequence[Order]:
        """The latest orders, oldest first; a mail that comes again, with the same number, is the same order."""
        found = {order.attempt: order for mail in reversed(self.received) if (order := _order(mail))}
        return tuple(reversed(found.values()))


def _order(mail: Mail) -> Order | None:
    for part in mail.message.iter_attachments():
        name, content = part.get_filename() or "", part.get_payload(decode=True)
        if name.endswith(".jsonl") and isinstance(content, bytes):
            try:
                return Order(mail.at, name.removesuffix(".jsonl"), read_lines(content), mail.content)
            except Malformed:
                return None
    return None
