"""An issue to many, while some end their subscription and the service is killed: nobody twice, nobody after the end.

The suite sends to 150, which is more than one batch; KILL_POINTS=all, as in `make soak`, to 1,000.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import httpx
import pytest

from avow.cli.serve import load_site
from avow.testing.mailbox import Mail, Mailbox
from tests.campaigns.purchases import SHOP, Peers, Service, wait_for

MANY = 1000 if os.environ.get("KILL_POINTS") == "all" else 150

#: How many end their subscription while the issue is on its way.
LEAVING = MANY // 10


class Everything(Mailbox):
    """Keeps all that arrives, and not the latest only."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.all: list[tuple[str, str]] = []
        self._lock = Lock()

    def take(self, arrival: Mail) -> None:
        """Keep the recipient and the id of one arrival."""
        assert len(arrival.recipients) == 1
        with self._lock:
            self.all.append((arrival.recipients[0], str(arrival.message["Message-ID"])))
        super().take(arrival)

    def wait_until(self, count: int) -> None:
        """Wait until so many have come. Raises TimeoutError when none comes for a while."""
        while (before := len(self.all)) < count:
            wait_for(partial(self._more_than, before))

    def _more_than(self, count: int) -> bool:
        return len(self.all) > count


@contextmanager
def service(folder: Path) -> Iterator[tuple[Service, Everything]]:
    """The shop, and a mailbox in place of the usual one."""
    with ExitStack() as stack:
        peers = Peers(folder, stack)
        mailbox = stack.enter_context(Everything(peers.authority, name="mail"))
        peers.endpoints.write_text(json.dumps(json.loads(peers.endpoints.read_text()) | {"mail": mailbox.url}))
        running = Service(folder, peers)
        try:
            yield running, mailbox
        finally:
            running.kill()


def subscribe(folder: Path) -> dict[str, str]:
    """Let many want the newsletter, and begin an issue; by address, the path by which each ends it."""
    site: Any = load_site(SHOP)
    site.open(folder, background=False)
    kind = next(kind for kind in site.home.records if kind.__name__ == "Choice")
    package = kind.__module__.rpartition(".")[0]
    choice, newsletter = sys.modules[f"{package}.choice"], sys.modules[f"{package}.newsletter"]
    paths = {}
    try:
        with site.acting("storefront", "newsletter_service", place="newsletter_page", channel="https") as work:
            for number in range(MANY):
                address = f"reader{number}@example.org"
                made = choice.keep(
                    work, work.person(), "newsletter", "asked", "newsletter_page", "x", email=address, agreed="yes"
                )
                choice.confirm(work, made)
                paths[address] = f"/stop/{work.secret(made, 'stop')}"
            assert newsletter.begin(work, "2026-48")
    finally:
        site.close()
    return paths


@pytest.mark.campaign
def test_nobody_gets_an_issue_twice_or_after_the_end_whatever_is_killed(tmp_path: Path) -> None:
    with service(tmp_path) as (shop, mailbox):
        shop.start()
        shop.stop()
        paths = subscribe(shop.data)
        shop.start()
        mailbox.wait_until(MANY // 6)
        left = end_some(shop, mailbox, paths)
        shop.kill()
        shop.start()
        left |= end_some(shop, mailbox, {address: path for address, path in paths.items() if address not in left})
        mailbox.wait_until(MANY // 2)
        shop.kill()
        # The lease of what was under way when it was killed runs out.
        shop.change("UPDATE avow_outbox SET due = 0 WHERE state = 'attempted'")
        shop.start()
        while not (progress := Progress(mailbox, shop)).over():
            wait_for(progress.made)
    got = {address for address, _ in mailbox.all}
    assert not got & left, "an issue came after the end"
    assert got == paths.keys() - left, "somebody was left out"
    ids = Counter(address for address, _ in set(mailbox.all))
    assert set(ids.values()) == {1}, "somebody got it twice"
    # What was under way at a crash may have arrived without our knowing, and comes again as the same mail.
    assert len(mailbox.all) - len(set(mailbox.all)) <= 2


class Progress:
    """How far an issue has come: for how many it was dealt with, how many mails arrived, how many wait."""

    def __init__(self, mailbox: Everything, shop: Service) -> None:
        self._mailbox, self._shop = mailbox, shop
        self._before = self._now()

    def _now(self) -> tuple[int, ...]:
        waiting = "(SELECT count(*) FROM avow_outbox WHERE state IN ('ready', 'attempted'))"
        [(dealt_with, left)] = self._shop.rows(f"SELECT count(*), {waiting} FROM shop_delivery")
        return dealt_with, left, len(self._mailbox.all)

    def over(self) -> bool:
        """Whether nothing was left to do when this was made."""
        dealt_with, left, _ = self._before
        return dealt_with == MANY and left == 0

    def made(self) -> bool:
        """Whether anything has happened since."""
        return self._now() != self._before


def end_some(shop: Service, mailbox: Everything, paths: dict[str, str]) -> set[str]:
    """End the subscriptions of some who have not got the issue yet; those to whom nothing had left by then."""
    got = {address for address, _ in mailbox.all}
    left = set()
    with httpx.Client(base_url=shop.base, trust_env=False) as program:
        for address in [address for address in paths if address not in got][-LEAVING:]:
            answer = program.post(paths[address], data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200
            states = shop.rows(
                "SELECT state FROM avow_outbox WHERE owner = (SELECT owner FROM avow_link WHERE token ="
                f" x'{digest(paths[address])}')"
            )
            if not {state for (state,) in states} & {"attempted", "done"}:
                left.add(address)
    return left


def digest(path: str) -> str:
    """What the database keeps of a secret link."""
    from avow.site.links import digest_of

    return digest_of(path.rpartition("/")[2]).hex()
