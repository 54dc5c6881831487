"""A unique value in every personal field of a purchase is found nowhere but where a sentence permits.

Searched, plain and in twelve encodings: the database file and its WAL, keyring, head, whatever else lies in the data
folder, everything printed and logged at debug level by every logger, tracebacks, the bytes that each peer received,
and every answer to the browser, headers and cookies included. Each fault comes with canaries of its own.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from httpx import HTTPError

from avow.testing.canaries import Search
from tests.campaigns.purchases import (
    ON_ORDER_PAGE,
    TO_CARRIER,
    TO_MAILBOX,
    TO_PROCESSOR,
    Buyer,
    Peers,
    Service,
    buying,
    judge,
    wait_for,
)

pytestmark = pytest.mark.usefixtures("mended")


# -- honest ----------------------------------------------------------------------------------------------


def test_a_purchase_leaves_each_value_only_where_a_sentence_permits(service: Service) -> None:
    with buying(service) as buyer:
        location = buyer.checkout().headers["location"]
        service.wait_until_quiet()
        buyer.customer.get(location)
        judge(buyer, service)
        # and there it is: the search would have found it, and the purchase was a whole one
        search = Search(buyer.canaries)
        assert search.fields(service.peers.processor.tapped[-1]) == TO_PROCESSOR
        assert search.fields(service.peers.ups.tapped[-1]) == TO_CARRIER
        mail = service.peers.mail.received[-1]
        assert search.fields(mail.text.encode() + str(mail.recipients).encode()) == TO_MAILBOX
        assert search.fields(buyer.seen[-1].content) == ON_ORDER_PAGE
        last4 = buyer.typed["card_number"][-4:]
        assert f"ending in <strong>{last4}" in buyer.seen[-1].text
        assert f"the card that ends in {last4}" in mail.text


def test_a_form_that_is_turned_back_leaves_nothing(service: Service) -> None:
    with buying(service) as buyer:
        assert buyer.checkout(card_expiry="13/99").status_code == 422
        assert buyer.checkout(name="").status_code == 422
        note = f"my card is {buyer.typed['card_number']}"
        answer = buyer.checkout(note=note)
        assert answer.status_code in (403, 422)
        judge(buyer, service)


def test_a_form_that_is_too_large_or_forged_leaves_nothing(service: Service) -> None:
    with buying(service) as buyer:
        assert buyer.customer.http.post("/checkout", data=buyer.typed).status_code == 403
        large = {**buyer.typed, "note": buyer.typed["note"] * 5000}
        assert buyer.customer.http.post("/checkout", data=large).status_code == 413
        query = urllib.parse.urlencode({"q": buyer.typed["note"]})
        buyer.customer.http.request("BREW", "/checkout", content=buyer.typed["name"].encode())
        buyer.seen.clear()  # the query string is the visitor's own; the log and the folder must not have it
        buyer.customer.get(f"/nowhere?{query}")
        buyer.customer.get(f"/?{query}")
        buyer.seen.clear()
        judge(buyer, service)


# -- peers fail ------------------------------------------------------------------------------------------


def echo(buyer: Buyer) -> bytes:
    """An answer that says everything again that it could have been told, in its headers and in its body."""
    said = {name: urllib.parse.quote(canary.value) for name, canary in buyer.canaries.items()}
    head = "".join(
        f"X-{name}: {value}\r\nX-Raw-{name}: {buyer.canaries[name].core}\r\n" for name, value in said.items()
    )
    body = json.dumps({"error": [canary.value for canary in buyer.canaries.values()]})
    return f"HTTP/1.1 500 {buyer.canaries['name'].core}\r\n{head}Connection: close\r\n\r\n{body}".encode()


FAULTS: dict[str, Callable[[Peers, Buyer], Any]] = {
    "processor is down": lambda peers, _: setattr(peers.processor, "down", True),
    "processor talks nonsense": lambda peers, _: setattr(peers.processor, "nonsense", True),
    "processor repeats all it was told": lambda peers, buyer: setattr(peers.processor, "nonsense", echo(buyer)),
    "processor hangs up midway": lambda peers, _: setattr(peers.processor, "fails_midway", True),
    "processor declines": lambda peers, _: setattr(peers.processor, "declines", True),
    "carrier is down": lambda peers, _: setattr(peers.ups, "down", True),
    "carrier talks nonsense": lambda peers, _: setattr(peers.ups, "nonsense", True),
    "carrier repeats all it was told": lambda peers, buyer: setattr(peers.ups, "nonsense", echo(buyer)),
    "carrier hangs up midway": lambda peers, _: setattr(peers.ups, "fails_midway", True),
    "mail server is down": lambda peers, _: setattr(peers.mail, "down", True),
    "mail server talks nonsense": lambda peers, _: setattr(peers.mail, "nonsense", True),
    "mail server hangs up midway": lambda peers, _: setattr(peers.mail, "fails_midway", True),
    "mail server refuses, with the address": lambda peers, buyer: setattr(
        peers.mail, "declines", f"550 5.1.1 <{buyer.typed['email']}>: no such user, {buyer.canaries['name'].core}"
    ),
    "mail server repeats all it was told": lambda peers, buyer: setattr(
        peers.mail, "nonsense", f"554 {' '.join(c.core for c in buyer.canaries.values())}".encode()
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_left_when_a_peer_fails(service: Service, peers: Peers, fault: str) -> None:
    with buying(service) as buyer:
        FAULTS[fault](peers, buyer)
        assert buyer.checkout().status_code == 303
        service.wait_until_quiet()
        judge(buyer, service)
        status = service.rows("SELECT status FROM shop_order ORDER BY rowid DESC LIMIT 1")[0][0]
        declined = {"processor is down": "unpaid", "processor declines": "declined"}.get(fault, "unknown")
        assert status == (declined if fault.startswith("processor") else "paid")


# -- killed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["processor", "ups", "mail"])
def test_nothing_is_left_when_the_service_is_killed_in_a_step(service: Service, peers: Peers, step: str) -> None:
    """The peer has taken what it was sent and answers slowly; the service is killed while it waits."""
    peer = getattr(peers, step)
    with buying(service) as buyer:
        peer.slow = 2.0
        count = len(peer.received)

        def order() -> None:
            with pytest.raises(HTTPError) if step == "processor" else ExitStack():
                buyer.checkout()

        thread = threading.Thread(target=order)
        thread.start()
        wait_for(lambda: len(peer.received) > count)
        if step != "processor":
            thread.join()
        service.kill()
        thread.join()
        judge(buyer, service)
        assert (service.data / "site.db-wal").stat().st_size > 0  # the crash left its WAL to be searched
        peer.slow = 0.0
        service.start()
        judge(buyer, service)


# -- the database fails ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def breakable(tmp_path_factory: pytest.TempPathFactory, peers: Peers) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("breakable"), peers, LOCK_TIMEOUT="2.0")
    service.start()
    yield service
    service.stop()


def test_nothing_is_left_by_a_constraint_that_fails(breakable: Service) -> None:
    breakable.change(
        "CREATE TRIGGER no BEFORE INSERT ON shop_order BEGIN SELECT RAISE(ABORT, 'constraint no failed'); END"
    )
    with buying(breakable) as buyer:
        assert buyer.checkout().status_code == 500
        breakable.change("DROP TRIGGER no")
        judge(buyer, breakable)
        assert b"constraint no failed" in breakable.left()["log and output"]


def test_nothing_is_left_when_the_database_is_locked(breakable: Service) -> None:
    with buying(breakable) as buyer, closing(sqlite3.connect(breakable.data / "site.db")) as other:
        buyer.customer.put_into_cart()
        send, locked = buyer.customer.send, []

        def lock_and_send(*arguments: Any, **typed: Any) -> Any:
            token = buyer.customer.get("/checkout").text.partition('name="csrf" value="')[2].partition('"')[0]
            other.execute("BEGIN IMMEDIATE")
            locked.append(True)
            return send(arguments[0], {**arguments[1], "csrf": token}, **typed)

        buyer.customer.send = lock_and_send  # type: ignore[method-assign]
        assert buyer.checkout().status_code == 500
        other.rollback()
        assert locked
        judge(buyer, breakable)
        assert b"database is locked" in breakable.left()["log and output"]


def test_nothing_is_left_by_a_table_that_is_gone(breakable: Service) -> None:
    with buying(breakable) as buyer:
        breakable.change("ALTER TABLE shop_order RENAME TO elsewhere")
        try:
            assert buyer.checkout().status_code == 500
        finally:
            breakable.change("ALTER TABLE elsewhere RENAME TO shop_order")
        judge(buyer, breakable)
        assert b"no such table: shop_order" in breakable.left()["log and output"]
