"""A peer that hangs holds up its own sends and nobody else's; what goes to one recipient goes in order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from avow.outbox.queue import Lane, due_lanes
from avow.testing.card_processor import CardProcessor
from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority
from avow.testing.clock import FrozenClock
from avow.testing.http import Request, Response
from avow.testing.mailbox import Mailbox
from tests.vault.club import club


class Hanging(Carrier):
    """Takes what comes, and does not answer before it is released."""

    def __init__(self, authority: Authority) -> None:
        super().__init__(authority, name="binder")
        self.reached = threading.Event()
        self.released = threading.Event()
        self.at_once = self.most_at_once = 0

    async def _answer(self, request: Request) -> Response | bytes | None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.reached.set()
        try:
            await asyncio.to_thread(self.released.wait, 20)
            return await super()._answer(request)
        finally:
            self.at_once -= 1


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Any]:
    authority = Authority.create(tmp_path / "ca")
    with CardProcessor(authority) as bank, Hanging(authority) as binder, Mailbox(authority) as mail:
        yield SimpleNamespace(bank=bank, binder=binder, mail=mail, ca=authority.ca)
        binder.released.set()


@pytest.fixture
def site(store: str, tmp_path: Path, peers: Any, clock: FrozenClock) -> Iterator[Any]:
    site = club()
    endpoints = {"bank": peers.bank.url, "binder": peers.binder.url, "mail": peers.mail.url}
    site.open(tmp_path / "data", store=store, endpoints=endpoints, ca=peers.ca, clock=clock, timeout=25.0)
    yield site
    peers.binder.released.set()
    site.close()


def share(site: Any, ann: tuple[str, str]) -> str:
    with site.acting("desk", "lending", place="hall") as work:
        return str(work.share(work.db.get(site.Member, ann), "binder"))


def state(site: Any, send: str) -> str:
    outbox = site.home.schema.outbox
    with site.opened.vault.store.reading() as connection:
        return str(connection.scalar(select(outbox.c.state).where(outbox.c.id == send)))


def test_a_hanging_peer_does_not_stop_a_mail(site: Any, ann: tuple[str, str], peers: Any) -> None:
    delivered = threading.Event()
    site.shared("binder")(lambda work, member, reply: delivered.set())
    first = share(site, ann)
    assert peers.binder.reached.wait(20)
    with site.acting("desk", "lending", place="hall") as work:
        work.send("notice", work.db.get(site.Member, ann))
    peers.mail.wait_for(1, timeout=20)
    assert peers.binder.received == (), "it has not answered yet, and the mail is there"
    assert state(site, first) == "attempted"
    peers.binder.released.set()
    assert delivered.wait(20)
    site.opened.background.stop()
    assert state(site, first) == "done"


def test_what_goes_to_one_recipient_goes_one_at_a_time_and_in_order(
    site: Any, ann: tuple[str, str], peers: Any, clock: FrozenClock
) -> None:
    sends = []
    for _ in range(5):
        sends.append(share(site, ann))
        clock.advance(1)
    assert peers.binder.reached.wait(20)
    peers.binder.released.set()
    arrived = peers.binder.wait_for(5, timeout=20)
    assert [label.reference for label in arrived] == sends
    assert peers.binder.most_at_once == 1


def test_all_mails_share_a_lane_and_each_recipient_has_one(
    site: Any, ann: tuple[str, str], peers: Any, clock: FrozenClock
) -> None:
    share(site, ann)
    assert peers.binder.reached.wait(20)
    waiting = [share(site, ann) for _ in range(2)]
    with site.opened.vault.store.reading() as connection:
        due = due_lanes(connection, site.home.schema, clock())
    assert due == [Lane("share", "binder")]
    assert site.opened.courier.lanes() == [], "somebody is at it"
    assert not site.opened.courier.turn(Lane("share", "binder"))
    assert {state(site, send) for send in waiting} == {"ready"}
    assert Lane.of("send", "notice") == Lane.of("send", "farewell") == Lane("send", "")
