"""Many at once: on SQLite all personal pages share one write lock, and none may wait for another for ever."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from avow.edge.middleware import AT_ONCE
from tests.site.conftest import ORIGIN


def test_more_visitors_than_threads_are_all_served(site: Any, ann: str) -> None:
    """Who holds the lock needs a thread to finish; all threads could be waiting for that lock."""

    async def crowd() -> list[httpx.Response]:
        transport = httpx.ASGITransport(site.opened.app, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=60) as http:
            return await asyncio.gather(*(http.get(f"/own/{ann}") for _ in range(4 * AT_ONCE)))

    start = time.monotonic()
    answers = asyncio.run(crowd())
    assert {answer.status_code for answer in answers} == {200}
    assert all("Ann Example" in answer.text for answer in answers)
    assert time.monotonic() - start < 12  # less than any waiting for a lock takes before it gives up


def test_who_sends_slowly_keeps_nobody_waiting(site: Any, ann: str) -> None:
    async def slow(scope: Any) -> None:
        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(_message: Any) -> None:
            raise AssertionError

        await site.opened.app(scope, receive, send)

    async def crowd() -> httpx.Response:
        transport = httpx.ASGITransport(site.opened.app, client=("127.0.0.1", 50_000))
        scope = {
            "type": "http", "method": "POST", "scheme": "http", "path": "/join", "raw_path": b"/join", "root_path": "",
            "query_string": b"", "headers": [(b"host", b"127.0.0.1")], "http_version": "1.1",
            "client": ("127.0.0.1", 50_000), "server": ("127.0.0.1", 80),
        }  # fmt: skip
        waiting = [asyncio.create_task(slow(dict(scope))) for _ in range(2 * AT_ONCE)]
        await asyncio.sleep(0.05)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            answer = await asyncio.wait_for(http.get(f"/own/{ann}"), timeout=10)
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        return answer

    assert asyncio.run(crowd()).status_code == 200
