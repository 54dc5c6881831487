"""A card processor for test cards, over HTTPS. It moves no money.

POST /authorisations {"attempt": "…", "amount": "41.90", "currency": "USD",
                      "card": {"number": "…", "code": "…", "expiry": "12/29", "name": "…"}}
answers {"attempt", "status": "authorised", "authorisation", "last4"} or {"attempt", "status": "declined", "reason"}.
GET /authorisations/{attempt} answers the same, or 404 when the attempt never came. An attempt is charged once.

4242 4242 4242 4242 is authorised, 4000 0000 0000 0002 declined; so is whatever fails the Luhn check. As a real
processor must (PCI DSS 3), it keeps no card code, and of the number the last four digits.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stdnum import luhn

from avow.testing.attempts import Attempts
from avow.testing.certificates import Authority, Issued
from avow.testing.http import HttpsPeer, Malformed, Request, Response, json_object, reply

#: The test card that is declined.
DECLINED = "4000000000000002"

_FIELDS = {
    "attempt": re.compile(r"[A-Za-z0-9._~-]{1,128}"),
    "amount": re.compile(r"\d{1,9}\.\d\d"),
    "currency": re.compile(r"[A-Z]{3}"),
}
_CARD = {
    "number": re.compile(r"\d{12,19}"),
    "code": re.compile(r"\d{3,4}"),
    "expiry": re.compile(r"(0[1-9]|1[0-2])/(\d\d)?\d\d"),
    "name": re.compile(r".{1,200}"),
}


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment as it arrived, with the number masked and the code left out. `at` is unix seconds."""

    at: float
    attempt: str
    fields: Mapping[str, str]
    status: str
    last4: str


class CardProcessor(HttpsPeer[Payment]):
    """Authorises at /authorisations. `declines` (a switch, like Peer's) declines every card."""

    def __init__(
        self,
        authority: Authority | None = None,
        *,
        name: str = "processor",
        port: int = 0,
        certificate: Issued | None = None,
    ) -> None:
        super().__init__(authority, name=name, port=port, certificate=certificate)
        self.declines = False
        self._attempts = Attempts()

    @property
    def url(self) -> str:
        """Where to POST."""
        return f"https://127.0.0.1:{self.port}/authorisations"

    def answer(self, request: Request) -> Response:
        """Take one request. Raises Malformed."""
        if request.method == "POST" and request.path == "/authorisations":
            order = json_object(request.body)
            card = order.pop("card", None)
            if not isinstance(card, dict):
                raise Malformed("a payment has a card")
            _check(order, _FIELDS, set(_FIELDS))
            # Spaces and dashes are how people type and print numbers.
            if isinstance(card.get("number"), str):
                card["number"] = re.sub(r"[ -]", "", card["number"])
            _check(card, _CARD, {"number", "code", "expiry"})
            return self._attempts.once(order["attempt"], request.body, lambda: self._authorise(order, card))
        if request.method == "GET" and request.path.startswith("/authorisations/"):
            return self._attempts.seen(request.path.removeprefix("/authorisations/")) or reply(404, error="never seen")
        raise Malformed("payments go to /authorisations with POST", 404)

    def _authorise(self, order: dict[str, str], card: dict[str, str]) -> Response:
        attempt, number = order["attempt"], card["number"]
        if not luhn.is_valid(number):
            answer = {"status": "declined", "reason": "this is not a card number"}
        elif self.declines or number == DECLINED:
            answer = {"status": "declined", "reason": "the bank declined the card"}
        else:
            answer = {"status": "authorised", "authorisation": secrets.token_hex(6), "last4": number[-4:]}
        shown = {f"card.{name}": value for name, value in card.items()}
        shown["card.number"] = f"•••• {number[-4:]}"
        shown["card.code"] = "arrived; not kept, not shown"
        fields = {"amount": f"{order['amount']} {order['currency']}", **shown}
        self.take(Payment(time.time(), attempt, fields, answer["status"], number[-4:]))
        return reply(200, attempt=attempt, **answer)


def _check(values: dict[str, Any], patterns: Mapping[str, re.Pattern[str]], needed: set[str]) -> None:
    """Raises Malformed that names the first wrong field, and never its value."""
    for name in (*sorted(needed - values.keys()), *values):
        pattern, value = patterns.get(name), values.get(name)
        if pattern is None:
            raise Malformed(f"a payment has no field {name[:40]!r}")
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Malformed(f"the {name} of a payment is missing or not as it should be")
