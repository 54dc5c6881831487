"""A customer of the gourmet shop, on the level of HTTP: what is typed, in which order, and what comes back.

The same customer shops at the service of another process (sockets) and at an opened site in this one (ASGI).
"""

from __future__ import annotations

import asyncio
import base64
import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import httpx

from avow.errors import Refused

#: Cards for `avow.testing.card_processor`. No part of the first occurs on a page by chance.
PAYS, DECLINED = "4539 1488 0343 6467", "4000 0000 0000 0002"

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

        # In a thread of its own, as in a server: the test's may run an event loop already, a browser's for one.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, carry()).result()


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
        page = self.get("/checkout")
        unseen = {"ticket": hidden(page, "ticket"), "csrf": hidden(page, "csrf")}
        return self.send("/checkout", {**unseen, "carrier": "ups", **CONTACT, **CARD, **typed})

    def order(self, **typed: str) -> str:
        """Order and pay; the path of the order's page."""
        answer = self.checkout(**typed)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])


def hidden(page: httpx.Response, name: str) -> str:
    """The value of a page's first hidden field of that name."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)">', page.text)
    assert found, f"no hidden field {name} in the answer {page.status_code}"
    return unescape(found[1])


def anchors(refusal: Refused | httpx.Response) -> set[str]:
    """The sentences that a refusal names: as an error, or as the page that a browser gets."""
    if isinstance(refusal, httpx.Response):
        said = refusal.text.partition("What our policy says")[2].partition("</section>")[0]
        return set(re.findall(r"/privacy#([\w-]+)", said))
    assert refusal.verdict, f"the refusal names no sentence: {refusal}"
    return {sentence.anchor for sentence in refusal.verdict.sentences}


def spellings(text: str) -> list[bytes]:
    """A text, and its digits alone, as bytes in the ways in which something may have written it down."""
    found: list[bytes] = []
    for form in {text, text.replace(" ", ""), text.replace(" ", "-"), text[::-1]}:
        plain = form.encode()
        found += [plain, plain.lower(), plain.upper(), form.encode("utf-16-le"), form.encode("utf-16-be")]
        found += [plain.hex().encode(), plain.hex().upper().encode()]
        for offset in range(3):  # base64 looks different at each; the first and last characters depend on neighbours
            found.append(base64.b64encode(b"\0" * offset + plain)[4 if offset else 0 : -4])
    return [form for form in found if len(form) >= min(len(text), 8)]
