"""A customer of the gourmet shop, on the level of HTTP: what is typed, in which order, and what comes back.

The same customer shops at the service of another process (sockets) and at an opened site in this one (ASGI).
"""

from __future__ import annotations

import asyncio
import re
from html import unescape
from typing import Any

import httpx

#: Test cards of `avow.testing.card_processor`.
PAYS, DECLINED = "4242 4242 4242 4242", "4000 0000 0000 0002"

#: A value of its own in each field of the checkout.
CONTACT = {
    "name": "Odalys Quennerstedt",
    "email": "odalys.q@canary-mail.example",
    "street": "17 Zephyrine Close",
    "unit": "Flat Xanthe",
    "city": "Ulverthorpe",
    "postcode": "QX7 4ZK",
    "region": "Westmarch",
    "country": "Ruritania",
    "note": "Please wrap it like a kingfisher",
}
CARD = {"card_number": PAYS, "card_name": "O QUENNERSTEDT", "card_expiry": "12/39", "card_code": "739"}


class InProcess(httpx.BaseTransport):
    """Carries requests to an ASGI application in this process, as if they came from `client`."""

    def __init__(self, app: Any, client: str = "127.0.0.1") -> None:
        self._app = app
        self._client = client

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def carry() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=True, client=(self._client, 40_000))
            response = await transport.handle_async_request(request)
            content = await response.aread()
            return httpx.Response(response.status_code, headers=response.headers, content=content)

        return asyncio.run(carry())


class Customer:
    """One customer with one browser: keeps cookies, sends what browsers send, follows no redirect by itself."""

    def __init__(
        self, base: str, *, app: Any = None, client: str = "127.0.0.1", verify: Any = True, headers: Any = ()
    ) -> None:
        self.base = base
        self.http = httpx.Client(
            base_url=base,
            transport=None if app is None else InProcess(app, client),
            verify=verify,
            headers=dict(headers),
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
            timeout=30.0,
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a page."""
        return self.http.get(path, headers=headers)

    def send(self, path: str, typed: dict[str, str], *, page: str | None = None, **headers: str) -> httpx.Response:
        """Fill in the form of `page` (default: the one at `path`) and send it to `path`."""
        token = {"csrf": hidden(self.get(page or path), "csrf")} if "csrf" not in typed else {}
        return self.http.post(path, data={**token, **typed}, headers={"Origin": self.base, **headers})

    def put_into_cart(self, sku: str = "comte", quantity: int = 2) -> None:
        """Go through a product's page."""
        added = self.send("/cart/add", {"sku": sku, "quantity": str(quantity)}, page=f"/products/{sku}")
        assert added.status_code == 303, added.text

    def checkout(self, **typed: str) -> httpx.Response:
        """Fill in the checkout, with these fields in place of the usual ones, and send it."""
        if "cart" not in self.http.cookies:
            self.put_into_cart()
        ticket = hidden(self.get("/checkout"), "ticket")
        return self.send("/checkout", {"ticket": ticket, "carrier": "ups", **CONTACT, **CARD, **typed})

    def order(self, **typed: str) -> str:
        """Order and pay; the path of the order's page."""
        answer = self.checkout(**typed)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]


def hidden(page: httpx.Response, name: str) -> str:
    """The value of a page's first hidden field of that name."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)">', page.text)
    assert found, f"no hidden field {name} in the answer {page.status_code}"
    return unescape(found[1])
