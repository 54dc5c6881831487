"""The warm process of the kill campaign: it has imported everything, and forks a child for each job.

    python -m tests.campaigns.warm SITE CONFIG < jobs

See `forks`; a job is a `Job`. A child that is to be traced opens the site, then creates its output file, and waits for
the tracer: nothing but the job counts.

Everything that changes state happens in one thread, the worker of anyio: strace counts the calls of each thread apart.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urlencode

import anyio
from anyio.to_thread import run_sync

from avow.cli.serve import load_site
from avow.errors import AvowError
from avow.keys.installed import open_keys
from avow.ledger.kept import NAME as CHECKPOINT
from avow.ledger.kept import log_signer
from avow.ledger.verify import verify
from avow.ledger.waiting import WaitingSeal
from avow.outbound.address import Address
from avow.store.connection import Store
from avow.testing.clock import FrozenClock
from tests.campaigns.forks import serve

BASE = "https://shop.example"

#: Rounds of background work after which it counts as stuck.
ROUNDS = 50


class Job(TypedDict):
    """What a child is to do: `order` (ends by being killed, or whole) or `recover`; `out` is written by it."""

    kind: str
    data: str
    out: str
    now: float
    typed: dict[str, str]
    traced: bool


class Browser:
    """Talks to an ASGI application. What it receives is written to a file, first byte first, as to a socket."""

    def __init__(self, app: Any, out: int) -> None:
        self._app = app
        self._out = out

    async def ask(self, method: str, path: str, typed: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Send one request; status, Location header and body of the answer."""
        headers = [(b"host", b"shop.example"), (b"origin", BASE.encode()), (b"cookie", b"cart=comte-2")]
        headers.append((b"content-type", b"application/x-www-form-urlencoded"))
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "scheme": "https", "headers": headers, "http_version": "1.1",
            "client": ("127.0.0.1", 40_000), "server": ("127.0.0.1", 443),
        }  # fmt: skip
        answer: dict[str, Any] = {"body": b""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": urlencode(typed or {}).encode(), "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.update(status=message["status"], headers=dict(message["headers"]))
                line = b"\n%d %s\n" % (message["status"], answer["headers"].get(b"location", b""))
                await run_sync(os.write, self._out, line)
            else:
                answer["body"] += message["body"]
                await run_sync(os.write, self._out, message["body"])

        await self._app(scope, receive, send)
        return answer["status"], answer["headers"].get(b"location", b"").decode(), answer["body"].decode()


class Child:
    """One job on one installation."""

    def __init__(self, site: Any, config: dict[str, Any], job: Job) -> None:
        self.site = site
        self.config = config
        self.job = job
        self.clock = FrozenClock(job["now"])

    def order(self) -> None:
        """One checkout: order, pay, look at the order's page, then everything that is due, then close."""
        opened = self._open()
        typed = {**self.job["typed"], "csrf": opened.csrf_token()}
        out = os.open(self.job["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)  # the ready mark

        async def run() -> None:
            browser = Browser(opened.app, out)
            _, location, _ = await browser.ask("POST", "/checkout", typed)
            await browser.ask("GET", location)
            await run_sync(self._work_off, opened)
            await run_sync(self.site.close)

        if self.job["traced"]:
            wait_for_tracer()
        anyio.run(run)

    def recover(self) -> None:
        """What a crash left; what the service makes of it; what the same command does when it is sent again."""
        facts: dict[str, Any] = {"crash": self._guarded(lambda: snapshot(Path(self.job["data"] + ".crash"), self.site))}
        self.clock.advance(600)  # every lease has run out
        opened = self._open()
        self._work_off(opened)
        facts["recovered"] = self._guarded(lambda: snapshot(Path(self.job["data"]), self.site))
        out = os.open(os.devnull, os.O_WRONLY)
        typed = {**self.job["typed"], "csrf": opened.csrf_token()}

        async def again() -> None:
            browser = Browser(opened.app, out)
            facts["again"], location, _ = await browser.ask("POST", "/checkout", typed)
            _, _, page = await browser.ask("GET", location)
            if "Pay again" in page:  # known to be unpaid: the customer types the card once more
                await browser.ask("POST", f"{location}/pay", typed)
            facts["page"] = (await browser.ask("GET", location))[2]
            await run_sync(self._work_off, opened)

        anyio.run(again)
        facts["final"] = self._guarded(lambda: snapshot(Path(self.job["data"]), self.site))
        facts["ticket"] = opened.fingerprint(typed["ticket"])  # as the shop keeps it
        facts["opened"] = self._guarded(lambda: self._open_all(opened))
        self.site.close()
        Path(self.job["out"]).write_text(json.dumps(facts))

    def _open(self) -> Any:
        return self.site.open(
            self.job["data"],
            endpoints={name: Address.of(value) for name, value in self.config["endpoints"].items()},
            ca=Path(self.config["ca"]),
            base=BASE,
            background=False,
            clock=self.clock,
            timeout=5.0,
        )

    def _work_off(self, opened: Any) -> None:
        """Do rounds until nothing is left that any later round could do."""
        for _ in range(ROUNDS):
            worked = opened.background.round()
            with opened.vault.store.reading() as connection:
                tables = (opened.vault.home.schema.outbox, opened.vault.home.schema.exchange)
                open_states = ("ready", "attempted", "unknown")
                waiting = [
                    row.due for t in tables for row in connection.execute(t.select().where(t.c.state.in_(open_states)))
                ]
            if not worked and not waiting:
                return
            self.clock.advance(max(0.0, min(waiting, default=0.0) - self.clock()))
        raise AvowError(f"after {ROUNDS} rounds of background work something still waits")

    def _open_all(self, opened: Any) -> list[dict[str, str]]:
        """The text of every sealed value, order by order: every person's key opens what is theirs."""
        unit = opened.unit("storefront", "ordering")
        with unit:
            return [
                {name: getattr(record, name)._reveal() for name in kind.__layout__.fields if getattr(record, name)}
                for kind in opened.vault.home.records
                for record in unit.db.query(kind)
            ]

    def _guarded(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except AvowError as error:
            return {"error": str(error)}


def snapshot(data: Path, site: Any) -> dict[str, Any]:
    """What lies in an installation's folder, read past the service: entries, ids, checkpoint, and if it verifies."""
    file = data / "site.db"
    store = Store.open(f"sqlite:///{file}")
    try:
        key = log_signer(data, open_keys(data / "keyring"), "gourmet/ledger").key
        verify(store, site.home.schema, data / CHECKPOINT, key)
        trouble = ""
    except AvowError as error:
        trouble = str(error)
    finally:
        store.close()
    seal = WaitingSeal(open_keys(data / "keyring").secret("log"))
    db = sqlite3.connect(file)
    try:
        db.row_factory = sqlite3.Row
        logged = db.execute("SELECT body, commitment FROM avow_entry ORDER BY number").fetchall()
        return {
            "trouble": trouble,
            "integrity": db.execute("PRAGMA integrity_check").fetchone()[0],
            "kept": (data / CHECKPOINT).read_text(),
            "leaves": [bytes(row["commitment"]).hex() for row in logged],
            "entries": [json.loads(row["body"]) for row in logged],
            "pending": [json.loads(seal.unseal(*row)) for row in db.execute("SELECT id, body FROM avow_pending")],
            "persons": [row["id"] for row in db.execute("SELECT id FROM avow_person")],
            "owners": [row[0] for row in db.execute("SELECT customer FROM shop_order")]
            + [row[0] for row in db.execute("SELECT visitor FROM avow_visit")],
            "orders": [dict(row) for row in db.execute("SELECT id, customer, ticket, status FROM shop_order")],
            "sends": [dict(row) for row in db.execute("SELECT id, owner, kind, name, state FROM avow_outbox")],
            "exchanges": [dict(row) for row in db.execute("SELECT id, owner, recipient, state FROM avow_exchange")],
        }
    finally:
        db.close()


def wait_for_tracer() -> None:
    """Return once somebody traces this process."""
    while re.search(r"TracerPid:\t0\n", Path("/proc/self/status").read_text()):
        time.sleep(0.001)
    time.sleep(0.003)  # attached; a moment later it also sees every call


def main() -> int:
    """Warm up with one whole checkout, then do jobs until standard input ends."""
    site = load_site(Path(sys.argv[1]))
    config = json.loads(Path(sys.argv[2]).read_text())

    def do(job: Job) -> None:
        child = Child(site, config, job)
        child.recover() if job["kind"] == "recover" else child.order()

    return serve(do, at_once=lambda job: job["kind"] == "prepare")


if __name__ == "__main__":
    sys.exit(main())
