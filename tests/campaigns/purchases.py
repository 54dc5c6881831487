"""Purchases with canaries in every field, at the service as a process of its own, and everything they leave behind."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from avow.testing.canaries import Canary, Search
from avow.testing.certificates import Authority
from tests.campaigns.canaries import purchase, visit
from tests.campaigns.tapped import (
    TappedCarrier,
    TappedHttpsSupplier,
    TappedMailbox,
    TappedMailSupplier,
    TappedProcessor,
    TappedSftpSupplier,
)
from tests.left import left_in
from tests.sites.customer import Customer

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "sites" / "gourmet"

_CARD = {"card_number", "card_name", "card_code", "card_expiry"}
_ADDRESS = {"street", "unit", "city", "region", "postcode", "country"}

#: What a sentence lets leave, by where to: #carriers, #makers, #card-passed-on, #confirmation, #order-page,
#: #form-comes-back.
TO_CARRIER = TO_MAKER = {"name", *_ADDRESS}
TO_PROCESSOR = _CARD
TO_MAILBOX = {"name", "email", *_ADDRESS}
ON_ORDER_PAGE = ON_FORM = {"name", "email", "note", *_ADDRESS}

#: Seconds within which background work that is due must have been done.
PATIENCE = 15.0


class Peers:
    """Everybody whom the shop reaches."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.authority = Authority.create(folder / "authority")
        self.processor = stack.enter_context(TappedProcessor(self.authority))
        self.ups = stack.enter_context(TappedCarrier(self.authority, name="ups"))
        self.fedex = stack.enter_context(TappedCarrier(self.authority, name="fedex"))
        self.creamery = stack.enter_context(TappedMailSupplier(self.authority, name="creamery"))
        self.olive_press = stack.enter_context(TappedHttpsSupplier(self.authority, name="olive_press"))
        self.smokehouse = stack.enter_context(TappedSftpSupplier(folder, name="smokehouse"))
        self.mail = stack.enter_context(TappedMailbox(self.authority, name="mail"))
        self.endpoints = folder / "endpoints.yaml"
        everybody = (self.processor, self.ups, self.fedex, self.mail)
        reached: dict[str, object] = {peer.name: peer.url for peer in everybody}
        reached |= {maker.name: dict(maker.address) for maker in self.makers}
        self.endpoints.write_text(json.dumps(reached))

    @property
    def makers(self) -> tuple[TappedMailSupplier, TappedHttpsSupplier, TappedSftpSupplier]:
        """Who sends goods to the customer directly."""
        return (self.creamery, self.olive_press, self.smokehouse)

    @property
    def over_https(self) -> tuple[TappedProcessor, TappedCarrier, TappedCarrier, TappedHttpsSupplier]:
        """Who is reached over HTTPS."""
        return (self.processor, self.ups, self.fedex, self.olive_press)

    @property
    def over_smtp(self) -> tuple[TappedMailbox, TappedMailSupplier]:
        """Who is reached by mail."""
        return (self.mail, self.creamery)

    def mend(self) -> None:
        """Turn off every fault."""
        self.smokehouse.turn(False)
        self.smokehouse.says = {}
        for peer in (*self.over_https, *self.over_smtp, self.smokehouse):
            peer.down, peer.slow, peer.nonsense, peer.fails_midway = False, 0.0, False, False
        for server in self.over_smtp:
            server.declines = ""
        self.processor.declines = False


class Service:
    """`avow serve`, as loud as it can be. Its folder holds its data; what it prints is kept beside that."""

    def __init__(self, folder: Path, peers: Peers, site: Path = SHOP, **environment: str) -> None:
        self.data = folder / "data"
        self.peers = peers
        self._said = folder / "said"
        self._site = site
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self.base = ""
        self.inbox = 0

    def start(self) -> None:
        """Start it and wait until it says where it is."""
        begin = self._said.stat().st_size if self._said.exists() else 0
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-X", "dev", "-m", "tests.campaigns.loud", "serve", str(self._site), "--port", "0",
                    "--data", str(self.data), "--endpoints", str(self.peers.endpoints),
                    "--ca", str(self.peers.authority.ca), "--inbox", "127.0.0.1:0", "--ledger-every", "0.5",
                ],
                stdout=said, stderr=said, cwd=ROOT,
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", **self._environment},
            )  # fmt: skip
        try:
            wait_for(lambda: b"Stop with Ctrl-C" in self._said.read_bytes()[begin:], 4 * PATIENCE)
        except TimeoutError:
            self.kill()
            raise
        announced = self._said.read_bytes()[begin:].decode()
        self.base = re.findall(r"the site +(http://\S+)/\n", announced)[0]
        self.inbox = int(re.findall(r"mail to it +smtp://127\.0\.0\.1:([0-9]+)\n", announced)[0])

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=20)
            self._process = None

    @property
    def said(self) -> int:
        """How many bytes it has printed so far."""
        return self._said.stat().st_size

    def left(self, since: int = 0) -> dict[str, bytes]:
        """Everything that it has written anywhere: the files of its folder, and what it printed `since`, by name."""
        files = left_in(self.data)
        assert {"site.db", "keyring", "ledger.checkpoint"} <= files.keys()
        return {**files, "log and output": self._said.read_bytes()[since:], "cells": self._cells()}

    def _cells(self) -> bytes:
        """Every cell of the database that is no bytes, a line each: what is short is seen there if nowhere else."""
        tables = self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        rows = (row for (table,) in tables for row in self.rows(f'SELECT * FROM "{table}"'))
        return "\n".join(str(cell) for row in rows for cell in row if not isinstance(cell, bytes)).encode()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database past the service."""
        with closing(sqlite3.connect(f"file:{self.data / 'site.db'}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(statement).fetchall()

    def change(self, statement: str) -> None:
        """Change the database past the service."""
        with closing(sqlite3.connect(self.data / "site.db", timeout=10)) as database, database:
            database.execute(statement)

    def wait_until_quiet(self) -> None:
        """Wait until every send of the latest order has been tried, none is under way, and no entry is pending."""
        quiet = (
            "SELECT (SELECT count(*) FROM avow_outbox WHERE (state = 'attempted' OR attempts = 0)"
            " AND owner = (SELECT customer FROM shop_order ORDER BY rowid DESC LIMIT 1)) = 0"
            " AND (SELECT count(*) FROM avow_pending) = 0"
        )
        wait_for(lambda: self.rows(quiet)[0][0])

    def wait_until_all_tried(self) -> None:
        """Wait until every send of anybody has been tried once, and that attempt has ended. Later ones may go on."""
        first = "attempts = 0 OR (state = 'attempted' AND attempts = 1)"
        waiting = f"SELECT count(*) FROM avow_outbox WHERE state IN ('ready', 'attempted') AND ({first})"
        while before := self.rows(waiting)[0][0]:
            wait_for(lambda: self.rows(waiting)[0][0] != before)


class Buyer:
    """A customer whose every word is a canary, at a browser whose every header is one."""

    def __init__(self, service: Service) -> None:
        bought = purchase()
        self.canaries: dict[str, Canary] = {**bought, **visit()}
        self.typed = {name: canary.value for name, canary in bought.items()}
        self.since = service.said
        self.seen: list[httpx.Response] = []
        self._browsers: list[Customer] = []
        self.customer = self.browser(service)

    def browser(self, service: Service, **more: str) -> Customer:
        """Another browser on the same computer, which sends these headers as well."""
        headers = {
            "User-Agent": self.canaries["agent"].value,
            "Referer": self.canaries["referrer"].value,
            "X-Forwarded-For": self.canaries["header"].value,
            "X-Client-Name": self.canaries["header"].value,
            **more,
        }
        opened = Customer(service.base, headers=headers)
        opened.http.close()
        opened.http = httpx.Client(
            base_url=service.base,
            transport=httpx.HTTPTransport(local_address=self.canaries["address"].value),
            headers=headers,
            cookies={"tracker": self.canaries["cookie"].value},
            timeout=30.0,
            event_hooks={"response": [self._keep]},
        )
        self._browsers.append(opened)
        return opened

    def _keep(self, response: httpx.Response) -> None:
        response.read()
        self.seen.append(response)

    def checkout(self, **typed: str) -> httpx.Response:
        """Fill the cart, with something of each maker in it, and the form, send it, and look at where that leads."""
        if "cart" not in self.customer.http.cookies:
            for sku in ("cheddar", "lemonoil", "trout", "comte"):
                self.customer.put_into_cart(sku)
        answer = self.customer.checkout(**{**self.typed, **typed})
        if answer.status_code == 303:
            self.customer.get(answer.headers["location"])
        return answer

    def close(self) -> None:
        """Close every browser."""
        for browser in self._browsers:
            browser.http.close()


@contextmanager
def buying(service: Service) -> Iterator[Buyer]:
    """A buyer with new canaries."""
    buyer = Buyer(service)
    try:
        yield buyer
    finally:
        buyer.close()


def wait_for(ask: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """What `ask` gives once it gives something. Raises TimeoutError after `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.02)
    raise TimeoutError(f"nothing came within {patience} s")


def judge(buyer: Buyer, service: Service) -> None:
    """Search everything for the buyer's canaries and fail where one is out of place."""
    search = Search(buyer.canaries)
    found = {(where, *hit) for where, data in service.left(buyer.since).items() for hit in search.hits(data)}
    for peer, allowed in ((service.peers.processor, TO_PROCESSOR), (service.peers.ups, TO_CARRIER)):
        found |= {(peer.name, *hit) for request in peer.tapped for hit in search.hits(request) if hit[0] not in allowed}
    for request in service.peers.fedex.tapped:  # who was not chosen learns nothing
        found |= {("fedex", *hit) for hit in search.hits(request)}
    for maker in service.peers.makers:
        for order in maker.orders:
            whole = order.content + json.dumps(dict(order.fields), ensure_ascii=False).encode()  # a mail encodes it
            found |= {(maker.name, *hit) for hit in search.hits(whole) if hit[0] not in TO_MAKER}
    for mail in service.peers.mail.received:
        whole = b"\n".join(
            [mail.content, str(mail.message).encode(), mail.text.encode(), *map(str.encode, mail.recipients)]
        )
        found |= {("mail", *hit) for hit in search.hits(whole) if hit[0] not in TO_MAILBOX}
    for answer in buyer.seen:
        path = answer.url.path
        head = "\n".join([str(answer.url), *(f"{name}: {value}" for name, value in answer.headers.multi_items())])
        found |= {(f"head of {path}", *hit) for hit in search.hits(head.encode())}
        allowed = ON_ORDER_PAGE if path.startswith("/order/") else ON_FORM if answer.status_code == 422 else set()
        found |= {(f"page {path}", *hit) for hit in search.hits(answer.content) if hit[0] not in allowed}
    assert not found, sorted(found)
