"""A browser in this process: what it asks goes through the whole door of an opened site, and no socket."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import httpx

#: How the scratch installation is reached, in name only.
BASE = "https://probe.example"

_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


class Browser:
    """One browser, of somebody who is at `client`. Keeps the cookies that it is given; follows no redirect.

    Args:
        app: the ASGI application of an opened site.
        base: how it is asked for; `http://…` from another client than this machine is plain HTTP.
    """

    def __init__(self, app: Any, *, base: str = BASE, client: str = "192.0.2.7") -> None:
        self._app = app
        self._client = client
        self.base = base
        self.cookies: dict[str, str] = {}

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Ask for a page."""
        return self._ask("GET", path, headers or {}, None)

    def post(self, path: str, typed: Mapping[str, str], headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Send a form, from the site's own page as browsers say it unless `headers` say otherwise."""
        return self._ask("POST", path, {"origin": self.base, **(headers or {})}, dict(typed))

    def token(self, page: httpx.Response) -> str:
        """The token of the first form of a page; empty where it has none."""
        found = _TOKEN.search(page.text)
        return unescape(found[1]) if found else ""

    def _ask(self, method: str, path: str, headers: Mapping[str, str], data: dict[str, str] | None) -> httpx.Response:
        sent = {name: value for name, value in headers.items() if value}
        if self.cookies and "cookie" not in sent:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())

        async def carry() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False, client=(self._client, 40_000))
            async with httpx.AsyncClient(transport=transport, base_url=self.base, trust_env=False) as client:
                return await client.request(method, path, headers=sent, data=data)

        with ThreadPoolExecutor(1) as thread:  # the caller's thread may run an event loop already
            answer = thread.submit(asyncio.run, carry()).result()
        for name, value in answer.cookies.items():
            self.cookies[name] = value
        return answer
