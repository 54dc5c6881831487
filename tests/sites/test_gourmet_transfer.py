"""A part of the shop changes hands: its customers go to a shop whose policy protects less, and stay under theirs."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql

from avow.cli.serve import load_site
from avow.errors import Refused, StoreError
from avow.keys.transfer import Card, TransferKeys
from avow.keys.transfer_stream import Head, Package, write_package
from avow.site.transfer import hand_over, open_package, write_card
from avow.testing.clock import FrozenClock
from avow.vault.transfer_open import Taken

from .conftest import Gourmet, Peers
from .customer import PAYS, anchors
from .member import EMAIL, PASSWORD, is_in, log_in, member
from .subscribers import ANN, BOB, begin, choices, facts, issues, module, subscribe
from .test_gourmet_agreement import send_offer
from .versions import earlier, shop_under

DAY = 86_400.0


class Hands:
    """The shop that gives customers away, and the one that takes them over."""

    def __init__(self, folder: Path, peers: Peers, clock: FrozenClock) -> None:
        self.folder, self.peers, self.clock = folder, peers, clock
        self.old = self.shop("old", earlier)  # that one sends no offers
        self.new = self.shop("new", lambda text: text)

    def shop(self, name: str, change: Callable[[str], str]) -> Gourmet:
        """A shop of its own with a changed policy."""
        shop = Gourmet(load_site(shop_under(change, self.folder)), self.folder / name, self.clock)
        shop.reopen(self.peers)
        return shop

    def pack(self, *, bind: bool = True, **options: Any) -> Path:
        """A package of the old shop's customers for the new one."""
        cards = self.folder / "old.card", self.folder / "new.card"
        write_card(self.old.opened, cards[0])
        write_card(self.new.opened, cards[1], cards[0] if bind else None)
        file = self.folder / f"package {secrets.token_hex(4)}"
        hand_over(self.old.opened, cards[1], file, **options)
        return file

    def take(self, file: Path) -> Taken:
        return open_package(self.new.opened, file, self.folder / "old.card")

    def close(self) -> None:
        self.old.site.close()
        self.new.site.close()


@pytest.fixture
def hands(tmp_path: Path, peers: Peers, clock: FrozenClock) -> Iterator[Hands]:
    hands = Hands(tmp_path, peers, clock)
    yield hands
    hands.close()


def object_to_offers(shop: Gourmet, address: str) -> None:
    with shop.acting("objections", place="stop_page") as work:
        choose = module(shop, "choice").choose
        choose(work, address, ["marketing"], wants=False, place="stop_page", words="No offers, please.")


def kind(shop: Gourmet, name: str) -> Any:
    return next(kind for kind in shop.site.home.records if kind.__name__ == name)


def count(shop: Gourmet, table: str) -> int:
    with shop.opened.vault.store.reading() as connection:
        return int(connection.scalar(sql(f"SELECT count(*) FROM {table}")) or 0)


@pytest.mark.promise("I10", "works")
def test_customers_go_along_with_their_orders_accounts_and_choices(hands: Hands) -> None:
    old, new = hands.old, hands.new
    member(old, hands.peers)
    old.customer().order()
    subscribe(old, hands.peers, ANN)
    object_to_offers(old, BOB)
    taken = hands.take(hands.pack())
    assert list(taken.versions.values()) == ["0.9"]
    gave, got = old.texts(), new.texts()
    went = {category for category in gave if not category.startswith("visit.")}
    assert {category: sorted(gave[category]) for category in went} == {
        category: sorted(texts) for category, texts in got.items()
    }
    customer = new.customer()
    assert log_in(customer, EMAIL, PASSWORD).headers["location"] == "/account?in"
    assert is_in(customer)
    assert "Our policy has changed" in customer.get("/account").text
    begin(new)
    new.work_off()
    assert [mail.recipients for mail in issues(hands.peers)] == [(ANN,)]
    assert choices(new, BOB) == [("marketing", "no")]
    assert facts(new, BOB)["objected(marketing)"]
    assert "0.9" not in new.customer().get("/privacy").text


@pytest.mark.promise("I10", "holds")
def test_the_looser_rule_of_the_shop_that_takes_over_is_not_applied(hands: Hands) -> None:
    member(hands.old, hands.peers)
    hands.take(hands.pack())
    with pytest.raises(Refused, match=r"collected under version 0\.9 of the policy, which is still good for it"):
        send_offer(hands.new)


@pytest.mark.promise("I10", "works")
def test_who_agrees_to_the_new_shops_policy_is_under_it(hands: Hands) -> None:
    member(hands.old, hands.peers)
    hands.take(hands.pack())
    customer = hands.new.customer()
    log_in(customer, EMAIL, PASSWORD)
    customer.send("/account/version", {}, page="/account")
    assert send_offer(hands.new).permitted


@pytest.mark.promise("I10", "holds")
@pytest.mark.parametrize(
    "options", [{"bind": False}, *({"without": (f"shop_{one}",)} for one in ("choice", "erasure", "agreement"))]
)
def test_who_is_not_bound_gets_nothing_and_nothing_goes_without_what_customers_want(
    hands: Hands, options: dict[str, Any]
) -> None:
    member(hands.old, hands.peers)
    with pytest.raises(Refused) as refused:
        hands.pack(**options)
    assert anchors(refused.value) == {"still-this-policy"}
    assert not list(hands.folder.glob("package*"))


@pytest.mark.promise("I10", "holds")
@pytest.mark.parametrize("terms", [{"role": "service_desk"}, {"purpose": "marketing"}, {"channel": "smtps"}])
def test_nobody_else_hands_customers_over_and_for_nothing_else(hands: Hands, terms: dict[str, str]) -> None:
    subscribe(hands.old, hands.peers, ANN)
    with pytest.raises(Refused):
        hands.pack(terms=terms)


@pytest.mark.promise("I10", "holds")
def test_an_order_that_was_looked_at_by_a_browser_takes_no_browser_along(hands: Hands) -> None:
    """Neither visits nor who is logged in where: they tell of browsers, and no sentence lets them go."""
    member(hands.old, hands.peers)
    hands.old.customer().get("/")
    assert count(hands.old, "avow_visit") > 0
    assert count(hands.old, "shop_login") > 0
    hands.take(hands.pack())
    assert [count(hands.new, table) for table in ("avow_visit", "shop_login", "avow_link", "avow_outbox")] == [0] * 4


@pytest.mark.promise("I10", "holds")
def test_a_consent_that_was_written_into_the_database_does_not_become_one_elsewhere(hands: Hands) -> None:
    object_to_offers(hands.old, BOB)
    with hands.old.opened.vault.store.writing() as connection:
        connection.execute(sql("UPDATE shop_choice SET state = 'yes', topic = 'newsletter'"))
    hands.take(hands.pack())
    assert choices(hands.new, BOB) == [("newsletter", "no")]
    assert not facts(hands.new, BOB)["consented(newsletter)"]


@pytest.mark.promise("I10", "holds")
def test_a_wish_to_be_erased_is_carried_out_where_they_have_come(hands: Hands) -> None:
    hands.old.customer().order()
    with hands.old.acting("objections", place="order_page") as work:
        [order] = work.select(hands.old.Order)
        module(hands.old, "erasure")._wish(work, order)
    hands.take(hands.pack())
    assert count(hands.new, "shop_order") == 1
    hands.new.work_off(8 * DAY)
    assert count(hands.new, "shop_order") == count(hands.new, "avow_person") == 0


@pytest.mark.promise("I10", "holds")
def test_a_card_number_in_a_note_is_kept_here_no_more_than_one_that_was_typed(hands: Hands) -> None:
    """Whatever the sender's program let through."""
    hands.old.customer().order(note="Please wrap it")
    package = hands.pack()
    sender, receiver = (Card.read(hands.folder / f"{name}.card") for name in ("old", "new"))
    keys = [TransferKeys.of(shop.data, shop.opened.vault.tenant) for shop in (hands.old, hands.new)]
    genuine = Package(package, keys[1], sender)
    lines = [json.dumps(json.loads(line)).replace("Please wrap it", PAYS).encode() + b"\n" for line in genuine.lines()]
    head = Head(**{**genuine.head.words(), "id": "f" * 32})
    package.write_bytes(b"".join(write_package(keys[0], receiver, head, lines)))
    with pytest.raises(Refused) as refused:
        hands.take(package)
    assert anchors(refused.value) == {"card-never-kept"}
    assert count(hands.new, "avow_person") == 0


@pytest.mark.promise("I10", "holds")
def test_the_same_customers_do_not_come_twice(hands: Hands) -> None:
    subscribe(hands.old, hands.peers, ANN)
    package = hands.pack()
    hands.take(package)
    with pytest.raises(StoreError, match="was opened here before"):
        hands.take(package)
    assert choices(hands.new, ANN) == choices(hands.old, ANN)
