"""A newer version of the shop's policy that protects less: what was given before stays under the earlier one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.cli.serve import load_site
from avow.errors import Refused
from avow.testing.clock import FrozenClock

from .conftest import Gourmet, Peers
from .customer import Customer
from .member import EMAIL, log_in, member
from .versions import earlier, numbered, shop_under


class Shops:
    """The shop under one version after another, on the same data."""

    def __init__(self, folder: Path, peers: Peers, clock: FrozenClock) -> None:
        self.folder, self.peers, self.clock = folder, peers, clock
        self.now: Gourmet | None = None

    def under(self, change: Callable[[str], str]) -> Gourmet:
        """The shop under a changed policy."""
        if self.now is not None:
            self.now.site.close()
        self.now = Gourmet(load_site(shop_under(change, self.folder)), self.folder / "data", self.clock)
        self.now.reopen(self.peers)
        return self.now


@pytest.fixture
def shops(tmp_path: Path, peers: Peers, clock: FrozenClock) -> Iterator[Shops]:
    shops = Shops(tmp_path, peers, clock)
    yield shops
    assert shops.now is not None
    shops.now.site.close()


def send_offer(gourmet: Gourmet) -> Any:
    """Whether the shop may write to a customer to sell more; raises if not."""
    kind = next(kind for kind in gourmet.site.home.records if kind.__name__ == "Account")
    with gourmet.acting("marketing", place="mail") as work:
        [account] = work.select(kind, kind.email == EMAIL)
        to = {"value": account.email, "audience": "contact.email", "channel": "smtps"}
        return work.unit.judge("send", "offer", facts=SENT, accompanied=False, **to)


SENT = {"objected(marketing)": False, "objected(mail)": False, "objected(other_uses)": False}


def with_account(shops: Shops) -> Customer:
    """Somebody who opened an account under the earlier version, and comes back under the present one."""
    member(shops.under(earlier), shops.peers)
    customer = shops.under(lambda text: text).customer()
    log_in(customer)
    return customer


@pytest.mark.promise("I13", "works")
def test_the_own_pages_ask_and_who_agrees_is_under_the_newer_version(shops: Shops) -> None:
    customer = with_account(shops)
    page = customer.get("/account").text
    assert "Our policy has changed" in page
    assert "“Version 1 of the policy may hold for what the shop knew about me before.”" in page
    answer = customer.send("/account/version", {}, page="/account")
    assert answer.headers["location"] == "/account?agreed"
    page = customer.get("/account?agreed").text
    assert "The newer version holds for everything now." in page
    assert "Our policy has changed" not in page
    assert shops.now is not None
    assert send_offer(shops.now).permitted
    texts = shops.now.texts()["subscription"]
    assert texts == ["Version 1 of the policy may hold for what the shop knew about me before."]


@pytest.mark.promise("I13", "holds")
def test_a_mere_visit_agrees_to_nothing(shops: Shops) -> None:
    customer = with_account(shops)
    for path in ("/", "/account", "/privacy", "/privacy/changes"):
        assert customer.get(path).status_code == 200
    assert customer.get("/account/version").status_code in (303, 200)
    assert shops.now is not None
    with pytest.raises(Refused, match=r"collected under version 0\.9 of the policy, which is still good for it"):
        send_offer(shops.now)


@pytest.mark.promise("I13", "holds")
def test_nobody_agrees_for_another(shops: Shops) -> None:
    with_account(shops)
    assert shops.now is not None
    stranger = shops.now.customer()
    assert stranger.send("/account/version", {}, page="/login").headers["location"] == "/login?to=account"
    with pytest.raises(Refused, match=r"collected under version 0\.9"):
        send_offer(shops.now)


def test_nobody_is_asked_where_the_newer_version_protects_no_less(shops: Shops) -> None:
    member(shops.under(numbered), shops.peers)
    customer = shops.under(lambda text: text).customer()
    log_in(customer)
    assert "Our policy has changed" not in customer.get("/account").text
