"""What leaves the gourmet shop for its carriers (I7), and what else could leave it for nobody."""

from __future__ import annotations

import json
import logging
import sqlite3
from typing import Any

import pytest

from avow.errors import Refused, SetupError
from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority

from .conftest import Gourmet, Peers
from .customer import CONTACT, anchors, spellings

LABEL = {"contact.name", *(f"contact.address.{part}" for part in ("street", "unit", "city", "region", "postcode"))}
LABEL |= {"contact.address.country"}

#: What no carrier may get to see.
WITHHELD = (CONTACT["email"], CONTACT["note"], "Comté", "$37.00", "6467")


def outbox(gourmet: Gourmet) -> list[tuple[str, str, str]]:
    """The sends to recipients: name, state and note, as they lie in the database."""
    with sqlite3.connect(gourmet.data / "site.db") as database:
        rows = database.execute(
            "SELECT name, state, note FROM avow_outbox WHERE kind = 'share' ORDER BY due"
        ).fetchall()
    database.close()
    return rows


def change(gourmet: Gourmet, statement: str) -> None:
    """Somebody with the database in hand."""
    with sqlite3.connect(gourmet.data / "site.db") as database:
        assert database.execute(statement).rowcount
    database.close()


@pytest.mark.promise("I7", "holds")
def test_a_label_is_name_and_address_of_that_order_and_nothing_else(gourmet: Gourmet, peers: Peers) -> None:
    gourmet.customer().order()
    gourmet.customer().order(carrier="fedex", name="Thibault Vandersloot", email="tv@other.example", city="Other City")
    gourmet.work_off()
    [first], [second] = peers.ups.received, peers.fedex.received
    assert first.fields.keys() == second.fields.keys() == LABEL
    assert set(first.fields.values()) == set(CONTACT.values()) - {CONTACT["email"], CONTACT["note"]}
    assert second.fields["contact.name"] == "Thibault Vandersloot"
    for label in (first, second):
        headers = {name: value for name, value in label.headers.items() if name.lower() != "host"}
        wire = label.body + json.dumps(headers).encode()
        wire = wire.replace(label.reference.encode(), b"")  # random, as the host's port: any digits may be there
        assert not [text for text in (*WITHHELD, "tv@other.example") for form in spellings(text) if form in wire]
        assert set(json.loads(label.body)) == {"reference", "fields"}
    assert first.fields["contact.name"] not in second.body.decode()


@pytest.mark.promise("I7", "holds")
def test_no_program_can_share_with_others_for_other_ends_or_more(gourmet: Gourmet, peers: Peers) -> None:
    gourmet.customer().order()
    with gourmet.acting() as work:
        [order] = work.select(gourmet.Order)
        for recipient, purpose, anchor in (
            ("ups", "marketing", "carriers"),
            ("ups", "ordering", "carriers"),
            ("fedex", "sale", "no-sale"),
            ("ups", "profiling", "no-sale"),
            ("dhl", "shipping", "own-lines"),  # whom the policy does not know may be a maker, for all it knows
            ("", "shipping", "own-lines"),
        ):
            with pytest.raises(Refused) as refusal:
                work.share(order, recipient, purpose=purpose)
            assert anchor in anchors(refusal.value), recipient
        for field in ("contact.email", "order.items", "order.note", "payment.authorisation", "visit.time"):
            with pytest.raises(Refused) as refusal:
                work.unit.judge("share", field, recipient="ups", purpose="shipping", channel="https")
            assert anchors(refusal.value) == {"nobody-else"}
        for channel in ("http", "smtps", None):
            with pytest.raises(Refused) as refusal:
                work.unit.judge("share", "contact.name", recipient="ups", purpose="shipping", channel=channel)
            assert anchors(refusal.value) == {"carriers"}
    assert outbox(gourmet) == [("ups", "ready", "")]


@pytest.mark.promise("I7", "holds")
def test_a_forged_form_reaches_no_other_recipient(gourmet: Gourmet, peers: Peers) -> None:
    for carrier in ("dhl", "processor", "carriers", "https://evil.example/", ""):
        answer = gourmet.customer().checkout(carrier=carrier)
        assert answer.status_code == 422
        assert "Please choose" in answer.text or "Please fill" in answer.text
    assert not outbox(gourmet)


@pytest.mark.promise("I7", "holds")
def test_what_somebody_wrote_into_the_queue_is_judged_again_when_it_leaves(gourmet: Gourmet, peers: Peers) -> None:
    for changed, state, anchor in (
        ("purpose = 'sale'", "refused", "#no-sale"),
        ("purpose = 'marketing'", "refused", "#carriers"),
        ("name = 'processor'", "ready", "none of the"),
        ("name = 'dhl'", "ready", "dhl"),
    ):
        gourmet.customer().order()
        change(gourmet, f"UPDATE avow_outbox SET {changed} WHERE kind = 'share' AND state = 'ready'")
        gourmet.work_off()
        name, ended, note = outbox(gourmet)[-1]
        assert ended == state, name
        assert anchor in note
    assert not peers.ups.received + peers.fedex.received


@pytest.mark.promise("I7", "holds")
def test_a_field_of_another_order_put_into_this_one_is_not_sent(gourmet: Gourmet, peers: Peers) -> None:
    gourmet.customer().order()
    gourmet.work_off()
    for swapped in (
        "name = (SELECT name FROM shop_order WHERE carrier = 'ups')",  # of another customer
        "street = note, city = email",  # of this one, put where the carrier would see it
    ):
        gourmet.customer().order(name="Thibault Vandersloot", carrier="fedex")
        change(gourmet, f"UPDATE shop_order SET {swapped} WHERE carrier = 'fedex' AND tracking IS NULL")
        gourmet.work_off()
        assert {state for name, state, _ in outbox(gourmet) if name == "fedex"} == {"ready"}
    assert not peers.fedex.received


@pytest.mark.promise("I7", "holds")
def test_a_carrier_that_cannot_prove_who_it_is_gets_nothing(gourmet: Gourmet, peers: Peers, tmp_path: Any) -> None:
    for certificate in (
        Authority.create(tmp_path / "stranger").issue("ups"),
        peers.authority.issue("expired", expired=True),
        peers.authority.issue("elsewhere", ["elsewhere.example"]),
    ):
        with Carrier(peers.authority, certificate=certificate) as impostor:
            gourmet.reopen(peers, ups=impostor.url)
            gourmet.customer().order()
            gourmet.work_off()
            assert not impostor.received
            _, state, note = outbox(gourmet)[-1]
            assert (state, "did not verify" in note) == ("ready", True)
    gourmet.reopen(peers)
    gourmet.work_off(3600)
    assert len(peers.ups.received) == 3, "they wait for the true one"


@pytest.mark.promise("I7", "holds")
def test_a_plain_channel_is_refused_before_anything_starts(gourmet: Gourmet, peers: Peers) -> None:
    for recipient, address in (("ups", peers.ups.url.replace("https", "http")), ("mail", "smtp://127.0.0.1:25")):
        with pytest.raises(SetupError, match="may be reached over"):
            gourmet.reopen(peers, **{recipient: address})
    with pytest.raises(SetupError, match="policy does not declare"):
        gourmet.reopen(peers, dhl="https://127.0.0.1:9/labels")


@pytest.mark.promise("I7", "holds")
def test_logs_say_that_a_label_failed_and_not_whose(
    gourmet: Gourmet, peers: Peers, caplog: pytest.LogCaptureFixture
) -> None:
    echo = CONTACT["name"].encode()
    with caplog.at_level(logging.DEBUG):
        for answer in (True, b"HTTP/1.1 400 " + echo + b"\r\n\r\n" + echo):
            peers.ups.nonsense = answer
            gourmet.customer().order()
            gourmet.work_off()
    assert "send" in caplog.text
    seen = caplog.text.encode() + gourmet.stored() + json.dumps(gourmet.entries()).encode()
    assert not [text for text in CONTACT.values() for form in spellings(text) if form in seen]
