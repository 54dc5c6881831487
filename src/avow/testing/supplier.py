"""Suppliers: they fill one order, and get what belongs to it, over HTTPS, SFTP or mail.

    HttpsSupplier               here: JSON over HTTPS
    supplier_sftp.SftpSupplier  files over SFTP (needs asyncssh)
    supplier_mail.MailSupplier  mail over TLS (needs aiosmtpd)

All three keep what arrived as `Order`s, each under the id of the attempt that brought it.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from avow.testing.attempts import Attempts
from avow.testing.certificates import Authority, Issued
from avow.testing.http import HttpsPeer, Malformed, Request, Response, json_object, reply


@dataclass(frozen=True, slots=True)
class Order:
    """One order as it arrived. `content` is the bytes that brought it, for searching; `at` is unix seconds."""

    at: float
    attempt: str
    fields: Mapping[str, str]
    content: bytes


class Supplier(ABC):
    """Somebody who fills orders. `way` says over what they come."""

    name: str
    way: ClassVar[str]

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it is reached."""

    @property
    @abstractmethod
    def orders(self) -> Sequence[Order]:
        """The latest orders, oldest first."""

    @property
    def address(self) -> Mapping[str, str]:
        """What belongs into a file of addresses for it."""
        return {"url": self.url}


class HttpsSupplier(HttpsPeer[Order], Supplier):
    """Takes orders at /orders: JSON {"reference": "…", "fields": {…}} and the header Idempotency-Key.

    Answer: {"accepted": reference}; the same key again gives the same answer, and is stored once.
    """

    way = "HTTPS"

    def __init__(
        self,
        authority: Authority | None = None,
        *,
        name: str = "supplier",
        port: int = 0,
        certificate: Issued | None = None,
    ) -> None:
        super().__init__(authority, name=name, port=port, certificate=certificate)
        self._attempts = Attempts()

    @property
    def url(self) -> str:
        """Where to POST."""
        return f"https://127.0.0.1:{self.port}/orders"

    @property
    def orders(self) -> Sequence[Order]:
        """The latest orders, oldest first."""
        return self.received

    def answer(self, request: Request) -> Response:
        """Take one request. Raises Malformed."""
        if request.path != "/orders":
            raise Malformed("orders go to /orders", 404)
        if request.method != "POST":
            raise Malformed("an order is sent with POST", 405)
        key = request.headers.get("idempotency-key")
        if not key:
            raise Malformed("an order needs the header Idempotency-Key")
        return self._attempts.once(key, request.body, lambda: self._accept(request))

    def _accept(self, request: Request) -> Response:
        order = json_object(request.body)
        reference = order.get("reference")
        if order.keys() != {"reference", "fields"} or not isinstance(reference, str):
            raise Malformed("an order has a reference and fields, and nothing else")
        self.take(Order(time.time(), reference, fields_of(order["fields"]), request.body))
        return reply(200, accepted=reference)


def fields_of(value: Any) -> dict[str, str]:
    """The fields of an order: text by category. Raises Malformed."""
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise Malformed("the value of every field of an order is text")
    return value


def read_lines(content: bytes) -> dict[str, str]:
    """The fields in a file of JSON lines: of one line here, since an order is one record. Raises Malformed."""
    lines = content.splitlines()
    if len(lines) != 1 or not content.endswith(b"\n"):
        raise Malformed("an order is one line of JSON")
    try:
        value = json.loads(lines[0])
    except (ValueError, RecursionError):
        value = None
    return fields_of(value)
