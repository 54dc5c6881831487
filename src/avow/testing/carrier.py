"""A carrier, or any other recipient of named fields, over HTTPS.

POST to its URL: JSON {"reference": "…", "fields": {"contact.name": "…"}} and the header Idempotency-Key.
Answer: {"tracking": "…"}; the same key again gives the same tracking number, and is stored once.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from avow.testing.attempts import Attempts
from avow.testing.certificates import Authority, Issued
from avow.testing.http import HttpsPeer, Malformed, Request, Response, json_object, reply


@dataclass(frozen=True, slots=True)
class Label:
    """One label as it arrived; `headers` and `body` are the bytes' own story, for searching. `at` is unix seconds."""

    at: float
    reference: str
    fields: Mapping[str, str]
    tracking: str
    headers: Mapping[str, str]
    body: bytes


class Carrier(HttpsPeer[Label]):
    """Takes labels at /labels."""

    def __init__(
        self,
        authority: Authority | None = None,
        *,
        name: str = "carrier",
        port: int = 0,
        certificate: Issued | None = None,
    ) -> None:
        super().__init__(authority, name=name, port=port, certificate=certificate)
        self._attempts = Attempts()

    @property
    def url(self) -> str:
        """Where to POST."""
        return f"https://127.0.0.1:{self.port}/labels"

    def answer(self, request: Request) -> Response:
        """Take one request. Raises Malformed."""
        if request.path != "/labels":
            raise Malformed("labels go to /labels", 404)
        if request.method != "POST":
            raise Malformed("a label is sent with POST", 405)
        key = request.headers.get("idempotency-key")
        if not key:
            raise Malformed("a label needs the header Idempotency-Key")
        return self._attempts.once(key, request.body, lambda: self._label(request))

    def _label(self, request: Request) -> Response:
        label = json_object(request.body)
        reference, fields = label.get("reference"), label.get("fields")
        if label.keys() != {"reference", "fields"} or not isinstance(reference, str) or not isinstance(fields, dict):
            raise Malformed("a label has a reference and fields, and nothing else")
        if not all(isinstance(value, str) for value in fields.values()):
            raise Malformed("the value of every field of a label is text")
        # Letters within the digits: a tracking number must not look like a card number.
        tracking = f"TN{secrets.token_hex(5).upper()}L"
        self.take(Label(time.time(), reference, fields, tracking, request.headers, request.body))
        return reply(200, tracking=tracking)
