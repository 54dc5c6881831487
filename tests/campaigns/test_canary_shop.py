"""A unique value in every field of the whole shop is found nowhere but where a sentence permits, whatever fails.

Searched, plain and in twelve encodings: the database file and its WAL, keyring, head, whatever else lies in the data
folder, everything printed and logged at debug level by every logger, tracebacks, the bytes that each peer received,
and every answer to a browser, headers and cookies included. Each fault comes with canaries of its own.

Campaigns are not marked as tests of a promise: `make mutate` runs those once for each loosening; these take minutes.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from avow.cli.serve import load_site
from tests.campaigns.faults import FAULTS
from tests.campaigns.journeys import Traveller, travelling
from tests.campaigns.permits import LINES, PERMITS, Judge, secrets_left
from tests.campaigns.purchases import SHOP, Peers, Service, wait_for

pytestmark = pytest.mark.usefixtures("mended")


# -- honest ----------------------------------------------------------------------------------------------


def test_a_whole_journey_leaves_each_value_only_where_a_sentence_permits(service: Service) -> None:
    with travelling(service) as traveller:
        judge = Judge(traveller)
        traveller.everywhere()
        let_weeks_pass(service)
        survey_and_issue(service, traveller)
        traveller.stop_by_link()
        assert judge.out_of_place() == []
        # and there it all is: the search would have found it, and the journey was a whole one
        assert judge.not_reached() == []
        # nor can anybody who gets hold of folder or log come in by a link or a cookie
        assert len(traveller.secrets) > 8
        assert secrets_left(traveller) == set()


def test_each_permit_rests_on_a_sentence_of_the_policy_and_speaks_of_a_canary(service: Service) -> None:
    sentences = set(re.findall(r"^ *```avow #([\w-]+)", (SHOP / "policy.md").read_text(), re.MULTILINE))
    assert {permit.sentence for permit in PERMITS} <= sentences
    with travelling(service) as traveller:
        assert {name for permit in PERMITS for name in permit.canaries} <= traveller.canaries.keys() | LINES.keys()


def test_a_leak_is_noticed_wherever_it_is(service: Service, peers: Peers, monkeypatch: pytest.MonkeyPatch) -> None:
    with travelling(service) as traveller:
        judge = Judge(traveller)
        traveller.customer.get("/")
        leak = base64.b64encode(b"!" + traveller.text("phone.note").encode())
        left = service.left(traveller.since)
        monkeypatch.setattr(service, "left", lambda since=0: {name: data + leak for name, data in left.items()})
        for peer in (peers.processor, peers.ups, peers.fedex, peers.olive_press):
            peer.tapped.append(leak)
        peers.smokehouse.written.append(leak)
        for server in (peers.creamery, peers.mail):
            server.told.append(leak.decode())
        traveller.seen[-1]._content = leak
        traveller.seen[-1].headers["X-Said"] = leak.decode()
        named = {"processor", "ups", "fedex", "olive_press", "smokehouse", "creamery", "envelope"}
        places = {
            where for name, where, encodings in judge.out_of_place() if (name, encodings) == ("phone.note", ["base64"])
        }
        assert places == left.keys() | named | {"200 /", "head of /"}


def let_weeks_pass(service: Service) -> None:
    """Stop the shop, make an offer and a survey due, begin an issue of the newsletter, and start it again."""
    service.stop()
    service.change("UPDATE shop_after SET due = 0")
    latest = "(SELECT id FROM shop_order ORDER BY rowid DESC LIMIT 1)"
    service.change(f"UPDATE shop_after SET next = 'survey' WHERE \"order\" = {latest}")
    site: Any = load_site(SHOP)
    site.open(service.data, background=False)
    kind = next(kind for kind in site.home.records if kind.__name__ == "Choice")
    newsletter = sys.modules[f"{kind.__module__.rpartition('.')[0]}.newsletter"]
    try:
        with site.acting("storefront", "newsletter_service", place="newsletter_page", channel="https") as work:
            assert newsletter.begin(work, "2026-48")
    finally:
        site.close()
    service.start()


def survey_and_issue(service: Service, traveller: Traveller) -> None:
    """Let the weeks pass after which an offer and a survey go out, and an issue of the newsletter; answer both."""
    due = {"Something that", "Two questions a", "The last quince"}
    wait_for(lambda: {str(mail.message["Subject"])[:15].strip() for mail in service.peers.mail.mails} >= due)
    reader = traveller.browser(service)
    path = traveller.mailed(traveller.text("phone.email"), "/survey")
    words = {"words": traveller.text("survey.words"), "arrived": "well"}
    assert reader.send(path, words).status_code == 422
    assert "have been counted" in reader.send(path, {**words, "returns": "yes"}).text
    path = traveller.mailed(traveller.text("newsletter.email"), "/stop")
    assert reader.http.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200


# -- typed wrongly ---------------------------------------------------------------------------------------


def test_what_is_sent_wrongly_leaves_nothing(service: Service) -> None:
    with travelling(service) as traveller:
        judge = Judge(traveller)
        traveller.knock()
        traveller.type_card_everywhere()
        traveller.send_forged()
        traveller.get_lost()
        assert judge.out_of_place() == []


# -- peers fail ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_left_when_every_peer_fails(service: Service, peers: Peers, fault: str) -> None:
    """First the card processor alone, without which nobody else would hear of an order; then all the others."""
    with travelling(service) as traveller:
        judge = Judge(traveller)
        traveller.open_account()
        traveller.log_in()
        FAULTS[fault](peers.processor, traveller)
        traveller.order()
        traveller.call()
        statuses = service.rows("SELECT status FROM shop_order ORDER BY rowid DESC LIMIT 2")
        assert ("paid",) not in statuses
        peers.mend()
        service.wait_until_all_tried()
        earlier = sends(service, "")
        for peer in (peers.ups, peers.fedex, *peers.makers, peers.mail):
            FAULTS[fault](peer, traveller)
        traveller.as_far_as_it_goes()
        service.wait_until_all_tried()
        assert not sends(service, "state = 'done' AND name <> 'smokehouse'") - earlier, "a peer did not fail"
        assert judge.out_of_place() == []
        peers.mend()


def sends(service: Service, where: str) -> set[str]:
    """The sends of a kind. By SFTP some arrive all the same: a file that lies there is found at the next try."""
    return {identity for (identity,) in service.rows(f"SELECT id FROM avow_outbox WHERE {where or 'true'}")}


# -- the database fails ----------------------------------------------------------------------------------


@pytest.fixture
def refusing(service: Service) -> Iterator[Callable[[], None]]:
    """Called, it lets every table of the shop refuse every change, until the test is over."""
    made: list[str] = []

    def refuse() -> None:
        tables = [name for (name,) in service.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in tables:
            for event in ("INSERT", "UPDATE") if name.startswith("shop_") else ():
                made.append(f"no_{event}_{name}")
                failure = "SELECT RAISE(ABORT, 'constraint no failed')"
                service.change(f"CREATE TRIGGER {made[-1]} BEFORE {event} ON {name} BEGIN {failure}; END")
        assert len(made) > 20

    yield refuse
    for name in made:
        service.change(f"DROP TRIGGER {name}")


def test_nothing_is_left_when_the_database_refuses_every_change(service: Service, refusing: Callable[[], None]) -> None:
    with travelling(service) as traveller:
        judge = Judge(traveller)
        traveller.open_account()
        traveller.log_in()
        service.wait_until_all_tried()
        refusing()
        for browser, path, typed in traveller.forms():
            assert browser.send(path, typed).status_code == 500, path
        traveller.write_in(expected=451)
        assert judge.out_of_place() == []
        assert b"constraint no failed" in service.left(traveller.since)["log and output"]
