"""One offer and one survey after a paid order, unless they objected; answers are counted and nobody's (I3)."""

from __future__ import annotations

import pytest
from sqlalchemy import text as sql

from avow.errors import Refused

from .conftest import Gourmet, Peers
from .customer import CONTACT, DECLINED, anchors
from .subscribers import facts, genuine, link, module, one_click, ordered

DAY = 86400.0


def subjects(peers: Peers) -> list[str]:
    return [mail.message["Subject"] for mail in peers.mail.received]


@pytest.mark.promise("I3", "works")
def test_an_offer_and_a_survey_follow_a_paid_order_once_each(gourmet: Gourmet, peers: Peers) -> None:
    gourmet.customer().order()
    for _ in range(60):
        gourmet.work_off(later=DAY)
    assert subjects(peers)[1:] == ["Something that goes with what you ordered", "Two questions about your parcel"]
    for mail in peers.mail.received[1:]:
        assert mail.recipients == (CONTACT["email"],)
        assert f"Dear {CONTACT['name']}," in mail.text
        assert one_click(mail).startswith("https://shop.example/stop/")
        assert genuine(gourmet, mail)


def test_nothing_follows_an_order_that_is_not_paid(gourmet: Gourmet, peers: Peers) -> None:
    gourmet.customer().checkout(card_number=DECLINED)
    for _ in range(30):
        gourmet.work_off(later=DAY)
    assert peers.mail.received == ()


def surveyed(gourmet: Gourmet, peers: Peers) -> str:
    """Somebody whose survey has arrived; the path of its page."""
    gourmet.customer().order()
    for _ in range(22):
        gourmet.work_off(later=DAY)
    return link(peers.mail.received[-1], "survey")


@pytest.mark.promise("I3", "works")
def test_answers_are_counted_once_and_nothing_tells_whose_they_are(gourmet: Gourmet, peers: Peers) -> None:
    offers = module(gourmet, "offers")
    path = surveyed(gourmet, peers)
    assert gourmet.customer().send(path, {"arrived": "well"}).status_code == 422
    for answers in ({"arrived": "well", "returns": "yes"}, {"arrived": "damaged", "returns": "no"}):
        page = gourmet.customer().send(path, answers, page="/newsletter")
        assert "Thank you, your answers have been counted" in page.text
    with gourmet.acting("marketing", place="desk") as work:
        assert offers.results(work) == {"arrived well": 1, "returns yes": 1}
    tables = ("shop_order", "shop_after", "shop_choice", "avow_link", "avow_outbox")
    with gourmet.opened.vault.store.reading() as connection:
        owners = set(connection.scalars(sql("SELECT house FROM shop_survey_count")))
        theirs = set(connection.scalars(sql("SELECT customer FROM shop_order")))
        rows = [str(row) for table in tables for row in connection.execute(sql(f"SELECT * FROM {table}"))]
    assert not owners & theirs
    assert "arrived" not in "".join(rows)


def test_an_unknown_survey_says_so(gourmet: Gourmet, peers: Peers) -> None:
    order = gourmet.customer().order()
    for path in ("/survey/nothing", f"/survey/{order.rpartition('/')[2]}"):
        assert gourmet.customer().get(path).status_code == 404


@pytest.mark.promise("I3", "holds")
def test_nothing_is_offered_to_who_has_told_us_not_to(gourmet: Gourmet, peers: Peers) -> None:
    path = ordered(gourmet, peers)
    gourmet.customer().send(path, {"what": "marketing"})
    assert facts(gourmet, CONTACT["email"])["objected(marketing)"]
    for _ in range(30):
        gourmet.work_off(later=DAY)
    assert len(peers.mail.received) == 1
    with gourmet.acting("marketing", place="desk") as work:
        [order] = work.select(gourmet.Order)
        for message in ("offer", "survey"):
            with pytest.raises(Refused) as refusal:
                work.send(message, order)
            assert anchors(refusal.value) == {"use-marketing"}
        work.regard(order)
        with pytest.raises(Refused) as refusal:
            order.items.open()
        assert "no-other-use" in anchors(refusal.value)
