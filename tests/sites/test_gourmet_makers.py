"""The makers who send their goods to the customer directly (I7): each gets its own lines, over a channel of its own."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from avow.errors import Refused, SetupError
from avow.testing.certificates import Authority
from avow.testing.supplier import HttpsSupplier, Order
from avow.testing.supplier_mail import MailSupplier
from avow.testing.supplier_sftp import SftpSupplier

from .conftest import MAKERS, Gourmet, Peers, Shop
from .customer import CARD, CONTACT, DECLINED, Customer, anchors, spellings
from .test_gourmet_browser import fill_in
from .test_gourmet_carriers import change, outbox

FIELDS = {"contact.name", *(f"contact.address.{part}" for part in ("street", "unit", "city", "region", "postcode"))}
FIELDS |= {"contact.address.country", "order.lines"}

#: One product of each maker, and what its maker gets to read of it.
GOODS = {"creamery": "cheddar", "olive_press": "lemonoil", "smokehouse": "trout"}
LINES = {
    "creamery": "1 × cheddar: Thornbury farmhouse cheddar (300 g)",
    "olive_press": "2 × lemonoil: Oil pressed with lemons (250 ml)",
    "smokehouse": "3 × trout: Oak-smoked trout (200 g, whole fillet)",
}


def fill_cart(customer: Customer, *, own: bool = True) -> Customer:
    """One of everything that a maker sends, in different numbers, and something of the shop's own."""
    for number, sku in enumerate(GOODS.values(), 1):
        customer.put_into_cart(sku, number)
    if own:
        customer.put_into_cart("comte", 4)
    return customer


def orders(peers: Peers, maker: str) -> Sequence[Order]:
    found: Sequence[Order] = getattr(peers, maker).orders
    return found


def nothing_arrived(peers: Peers) -> bool:
    return not any(orders(peers, maker) for maker in MAKERS)


def parts(gourmet: Gourmet, column: str = "state") -> list[str]:
    with sqlite3.connect(gourmet.data / "site.db") as database:
        rows = database.execute(f"SELECT {column} FROM shop_part ORDER BY maker").fetchall()
    database.close()
    return [row[0] for row in rows]


def part_record(gourmet: Gourmet) -> Any:
    return next(kind for kind in gourmet.site.home.records if kind.__name__ == "Part")


# -- works --------------------------------------------------------------------------------------------


@pytest.mark.promise("I7", "works")
def test_one_order_goes_to_three_makers_over_three_channels_and_to_a_carrier(shop: Shop, page: Any) -> None:
    for sku in (*GOODS.values(), "comte"):
        page.goto(f"{shop.base}/products/{sku}")
        page.get_by_role("button", name="Put into the cart").click()
    page.get_by_role("link", name="To the checkout").click()
    words = "Thornbury Creamery, Bitterleaf Olive Press, Alder Smokehouse send directly to you"
    assert page.get_by_text(words).is_visible()
    fill_in(page)
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/order/*")
    for maker, name in (("creamery", "Thornbury"), ("olive_press", "Bitterleaf"), ("smokehouse", "Alder")):
        assert page.get_by_role("heading", name=f"From {name}").is_visible()
        getattr(shop.peers, maker).wait_for(1)
        [order] = orders(shop.peers, maker)
        assert order.fields.keys() == FIELDS
        assert order.fields["contact.name"] == CONTACT["name"]
        assert order.fields["order.lines"] == LINES[maker].replace(LINES[maker][0], "1", 1)
    shop.peers.ups.wait_for(1)
    for _ in range(40):
        if page.get_by_text("The maker has your order").count() == 3:
            break
        page.wait_for_timeout(250)
        page.reload()
    assert page.get_by_text("The maker has your order").count() == 3


@pytest.mark.promise("I7", "works")
def test_an_order_of_makers_goods_alone_needs_no_carrier(gourmet: Gourmet, peers: Peers) -> None:
    customer = fill_cart(gourmet.customer(), own=False)
    form = customer.get("/checkout").text
    assert "Who brings it" not in form
    assert "Delivery is in the price" in form
    path = customer.order(carrier="")
    gourmet.work_off()
    page = customer.get(path).text
    assert "goes to its makers" in page
    assert "UPS" not in page
    assert "$104.70" in page, "15.60, twice 19.20, three times 16.90, and nothing for a carrier"
    assert not peers.ups.received + peers.fedex.received
    assert [len(orders(peers, maker)) for maker in MAKERS] == [1, 1, 1]


def test_what_the_shop_packs_itself_needs_a_carrier(gourmet: Gourmet) -> None:
    answer = fill_cart(gourmet.customer()).checkout(carrier="")
    assert answer.status_code == 422
    assert '<p class="error" id="carrier-error">Please fill this in.</p>' in answer.text


# -- holds --------------------------------------------------------------------------------------------


@pytest.mark.promise("I7", "holds")
def test_a_maker_gets_its_own_lines_of_that_order_and_nothing_else(gourmet: Gourmet, peers: Peers) -> None:
    fill_cart(gourmet.customer()).order()
    fill_cart(gourmet.customer()).order(name="Thibault Vandersloot", email="tv@other.example", city="Other City")
    gourmet.customer().order(name="Zuleika Brandt", city="Third City")
    gourmet.work_off()
    for maker in MAKERS:
        first, second = orders(peers, maker)
        assert first.fields.keys() == second.fields.keys() == FIELDS
        expected = {*CONTACT.values(), LINES[maker]} - {CONTACT["email"], CONTACT["note"]}
        assert set(first.fields.values()) == expected
        assert second.fields["contact.name"] == "Thibault Vandersloot"
        others = [name for other, lines in LINES.items() if other != maker for name in (lines, lines[4:12])]
        unseen = (CONTACT["email"], CONTACT["note"], "Comté", "$", "6467", "tv@other.example", *others)
        for order in (first, second):
            wire = json.dumps(dict(order.fields), ensure_ascii=False).encode() + order.content.replace(b"=\r\n", b"")
            seen = json.dumps(dict(order.fields), ensure_ascii=False)
            assert not [text for text in unseen if text in seen], maker
            assert not [text for text in unseen if len(text) > 8 for form in spellings(text) if form in wire], maker
            assert "Zuleika" not in seen
        assert CONTACT["name"] not in "".join(second.fields.values())


@pytest.mark.promise("I7", "holds")
def test_no_program_can_give_a_maker_more_or_give_it_to_another(gourmet: Gourmet, peers: Peers) -> None:
    fill_cart(gourmet.customer()).order()
    gourmet.work_off()
    arrived = [len(orders(peers, maker)) for maker in MAKERS]
    with gourmet.acting() as work:
        [order] = work.select(gourmet.Order)
        found = {part.maker: part for part in work.select(part_record(gourmet))}
        attempts = [
            (order, "creamery", "shipping", "own-lines"),
            (order, "smokehouse", "shipping", "own-lines"),
            (found["creamery"], "smokehouse", "shipping", "own-lines"),
            (found["smokehouse"], "olive_press", "shipping", "own-lines"),
            (found["creamery"], "creamery", "marketing", "makers"),
            (found["creamery"], "creamery", "sale", "no-sale"),
            (found["creamery"], "ups", "marketing", "carriers"),
            (found["creamery"], "processor", "shipping", None),
            (found["creamery"], "dairy", "shipping", None),
        ]
        for record, recipient, purpose, anchor in attempts:
            with pytest.raises((Refused, SetupError)) as refusal:
                work.share(record, recipient, purpose=purpose)
            if anchor:
                assert isinstance(refusal.value, Refused)
                assert anchor in anchors(refusal.value), (recipient, purpose)
        for field in ("order.items", "order.note"):
            work.unit.regard(found["creamery"], "creamery")
            with pytest.raises(Refused) as refusal:
                work.unit.judge("share", field, recipient="creamery", purpose="shipping", channel="smtps")
            assert "own-lines" in anchors(refusal.value)
        for channel in ("http", None):
            work.unit.regard(found["creamery"], "creamery")
            with pytest.raises(Refused) as refusal:
                work.unit.judge("share", "order.lines", recipient="creamery", purpose="shipping", channel=channel)
            assert anchors(refusal.value) == {"makers"}
    gourmet.work_off()
    assert [len(orders(peers, maker)) for maker in MAKERS] == arrived


@pytest.mark.promise("I7", "holds")
def test_a_part_that_somebody_filled_carelessly_goes_to_nobody(gourmet: Gourmet, peers: Peers) -> None:
    """It holds the lines of another maker, of the whole order, or something that is no line."""
    address = {name: CONTACT[name] for name in ("name", "street", "unit", "city", "region", "postcode", "country")}
    lines = (
        LINES["smokehouse"],
        f"{LINES['creamery']}\n{LINES['smokehouse']}",
        f"{LINES['creamery']}\n4 × comte: Comté, aged 24 months (250 g)",
        f"{LINES['creamery']}\nThe customer's other orders: none",
        LINES["creamery"].replace("cheddar:", "cheddar"),
        "",
    )
    gourmet.customer().order()
    with gourmet.acting() as work:
        [order] = work.select(gourmet.Order)
        for text in lines:
            part = work.collect(
                part_record(gourmet),
                person=order.avow_person,
                **address,
                lines=text,
                order_id=order.id,
                maker="creamery",
                state="unpaid",
            )
            with pytest.raises(Refused) as refusal:
                work.share(part, "creamery", purpose="shipping")
            assert "own-lines" in anchors(refusal.value), text
    gourmet.work_off()
    assert nothing_arrived(peers)


@pytest.mark.promise("I7", "holds")
def test_only_the_parts_of_the_order_that_was_paid_leave(gourmet: Gourmet, peers: Peers) -> None:
    fill_cart(gourmet.customer()).order(name="Thibault Vandersloot", card_number=DECLINED)
    customer = gourmet.customer()
    path = fill_cart(customer).order()
    gourmet.work_off()
    for maker in MAKERS:
        assert [order.fields["contact.name"] for order in orders(peers, maker)] == [CONTACT["name"]]
    page = customer.get(path)
    assert (page.status_code, page.text.count("cheddar:")) == (200, 1)


@pytest.mark.promise("I7", "holds")
def test_a_forged_form_or_cart_reaches_no_maker(gourmet: Gourmet, peers: Peers) -> None:
    customer = gourmet.customer()
    customer.put_into_cart()
    answer = customer.checkout(carrier="creamery")
    assert answer.status_code == 422
    customer.order(maker="creamery", lines=LINES["creamery"], recipient="smokehouse")
    gourmet.work_off()
    assert parts(gourmet) == []
    assert nothing_arrived(peers)


@pytest.mark.promise("I7", "holds")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE avow_outbox SET name = 'smokehouse' WHERE name = 'creamery'",
        "UPDATE avow_outbox SET purpose = 'sale' WHERE name = 'creamery'",
        (
            "UPDATE avow_outbox SET (record_table, record_id) = (SELECT 'shop_order', id FROM shop_order)"
            " WHERE name = 'creamery'"
        ),
        (
            "UPDATE shop_part SET lines = (SELECT lines FROM shop_part WHERE maker = 'smokehouse')"
            " WHERE maker = 'creamery'"
        ),
        "UPDATE shop_part SET street = (SELECT note FROM shop_order) WHERE maker = 'creamery'",
        "UPDATE shop_part SET lines = (SELECT items FROM shop_order) WHERE maker = 'creamery'",
    ],
)
def test_what_somebody_changed_in_the_database_leaves_for_no_maker(
    gourmet: Gourmet, peers: Peers, statement: str
) -> None:
    fill_cart(gourmet.customer()).order()
    change(gourmet, statement)
    gourmet.work_off()
    assert not orders(peers, "creamery")
    assert [order.fields["order.lines"] for order in orders(peers, "smokehouse")] == [LINES["smokehouse"]]
    assert len(orders(peers, "olive_press")) == 1, "the others are not held up"


@pytest.mark.promise("I7", "holds")
def test_a_maker_that_was_changed_beside_a_part_gets_nothing(
    gourmet: Gourmet, peers: Peers, caplog: pytest.LogCaptureFixture
) -> None:
    """The name lies in a plain column; the lines, which decide, are sealed. The payment is noted all the same."""
    peers.processor.down = True
    customer = fill_cart(gourmet.customer())
    path = customer.order()
    change(gourmet, "UPDATE shop_part SET maker = 'smokehouse' WHERE maker = 'creamery'")
    peers.processor.down = False
    customer.send(f"{path}/pay", CARD)
    gourmet.work_off()
    assert not orders(peers, "creamery")
    assert [order.fields["order.lines"] for order in orders(peers, "smokehouse")] == [LINES["smokehouse"]]
    assert sorted(parts(gourmet)) == ["refused", "sent", "sent"]
    page = customer.get(path).text
    assert "Thank you" in page
    assert "sees to this by hand" in page
    assert "may not go to its maker" in caplog.text
    assert CONTACT["name"] not in caplog.text
    assert any("own-lines" in sentences for sentences in gourmet.refused("share"))


@pytest.mark.promise("I7", "holds")
def test_a_maker_that_cannot_prove_who_it_is_gets_nothing(gourmet: Gourmet, peers: Peers, tmp_path: Path) -> None:
    stranger = Authority.create(tmp_path / "stranger")
    (tmp_path / "other").mkdir()
    impostors: dict[str, Any] = {
        "creamery": MailSupplier(peers.authority, name="creamery", certificate=stranger.issue("creamery")),
        "olive_press": HttpsSupplier(peers.authority, certificate=peers.authority.issue("old", expired=True)),
        "smokehouse": SftpSupplier(tmp_path / "other", name="smokehouse"),
    }
    for maker, impostor in impostors.items():
        with impostor:
            address = dict(impostor.address)
            if maker == "smokehouse":  # the key of the true one, shown by nobody here
                address["host_key"] = peers.smokehouse.host_key
            gourmet.reopen(peers, **{maker: address})
            fill_cart(gourmet.customer(), own=False).order()
            gourmet.work_off()
            assert not impostor.orders
            ended = [state for name, state, note in outbox(gourmet) if name == maker and note]
            # A host key that is another one is no fault that passes: the send waits for a word of ours.
            assert ended == ["failed" if maker == "smokehouse" else "ready"]
    gourmet.reopen(peers)
    gourmet.work_off(3600)
    assert [len(orders(peers, maker)) for maker in MAKERS] == [3, 3, 2], "they wait for the true one"


@pytest.mark.promise("I7", "holds")
def test_a_plain_or_another_channel_to_a_maker_is_refused_before_anything_starts(
    gourmet: Gourmet, peers: Peers
) -> None:
    for maker, address in (
        ("olive_press", peers.olive_press.url.replace("https", "http")),
        ("olive_press", peers.creamery.url),
        ("creamery", peers.creamery.url.replace("smtps", "smtp")),
        ("creamery", peers.olive_press.url),
        ("smokehouse", peers.smokehouse.url.replace("sftp", "ftp")),
        ("smokehouse", peers.olive_press.url),
        ("smokehouse", {**peers.endpoints["smokehouse"], "host_key": ""}),
    ):
        with pytest.raises(SetupError):
            gourmet.reopen(peers, **{maker: address})


@pytest.mark.promise("I7", "holds")
def test_logs_and_stored_bytes_say_nothing_of_what_a_maker_was_to_get(
    gourmet: Gourmet, peers: Peers, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for maker in MAKERS:
            getattr(peers, maker).fails_midway = True
        fill_cart(gourmet.customer(), own=False).order()
        gourmet.work_off()
    assert "send" in caplog.text
    texts = (*CONTACT.values(), *LINES.values())
    # The peers are in this process too, and the maker's mail server logs what it gets.
    said = "\n".join(record.getMessage() for record in caplog.records if record.name != "mail.log")
    seen = said.encode() + gourmet.stored() + json.dumps(gourmet.entries()).encode()
    assert not [text for text in texts for form in spellings(text) if form in seen]
