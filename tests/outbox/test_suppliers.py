"""One order, three suppliers, three channels: each gets its fields once, and what goes wrong is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Mapped

from avow import Sealed, Site, owner, personal, plain
from avow.edge.encodings import variants
from avow.outbound.address import Address
from avow.testing.certificates import Authority
from avow.testing.clock import FrozenClock
from avow.testing.supplier import HttpsSupplier, Order
from avow.testing.supplier_mail import MailSupplier
from avow.testing.supplier_sftp import SftpSupplier

POLICY = """\
---
site: fruit
title: Privacy at the fruit shop
version: "1"
effective: 2026-01-05
contact: {email: shop@fruit.example}
categories:
  contact: user.contact
  contact.name: user.name
  contact.address: user.contact.address
  contact.phone: user.contact.phone_number
  order: user.behavior
  order.items: user.behavior.purchase_history
purposes: {shipping: essential.service.fulfillment}
subjects: {customer: customer}
roles: {desk: {label: the desk}}
places: {hall: {label: the hall}}
recipients:
  growers: {label: our growers}
  north:
    label: the north grower
    under: growers
    fields: [contact.name, contact.address, order.items]
    channels: [https]
  south:
    label: the south grower
    under: growers
    fields: [contact.name, contact.address, order.items]
    channels: [sftp]
  west:
    label: the west grower
    under: growers
    fields: [contact.name, contact.address, order.items]
    channels: [smtps]
---

We note your order.

```avow #order
may collect contact, order from customer at hall for shipping
may keep contact, order about customer
```

The grower who fills it gets your name, your address and the goods, encrypted, and nobody gets your number.

```avow #growers
may share contact.name, contact.address, order.items with growers for shipping only over https, sftp, smtps
never share contact.phone
```
"""

PHONE = "+1 555 0100"
ITEMS = "2 × quince\n1 × “medlar”, ripe"
EXPECTED = {"contact.name": "Zoë Canary", "contact.address": "1 Market Lane\nExampleton", "order.items": ITEMS}


@pytest.fixture
def growers(tmp_path: Path) -> Iterator[Any]:
    authority = Authority.create(tmp_path / "ca")
    with (
        HttpsSupplier(authority, name="north") as north,
        SftpSupplier(tmp_path, name="south") as south,
        MailSupplier(authority, name="west") as west,
    ):
        yield SimpleNamespace(north=north, south=south, west=west, ca=authority.ca)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def site(store: str, tmp_path: Path, growers: Any, clock: FrozenClock) -> Iterator[Any]:
    (tmp_path / "policy.md").write_text(POLICY)
    (tmp_path / "pages").mkdir()
    site: Any = Site(tmp_path / "policy.md", pages=tmp_path / "pages", address="contact.name")

    class Part(site.Record):  # type: ignore[misc]
        __tablename__ = "fruit_part"
        person: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="part.name")
        street: Mapped[Sealed] = personal("contact.address", field="part.street")
        phone: Mapped[Sealed] = personal("contact.phone", field="part.phone")
        items: Mapped[Sealed] = personal("order.items", field="part.items")
        grower: Mapped[str] = plain("who fills it")

    site.Part = Part
    endpoints = {name: Address.of(getattr(growers, name).address) for name in ("north", "south", "west")}
    site.open(
        tmp_path / "data", store=store, endpoints=endpoints, ca=growers.ca, background=False, clock=clock, timeout=2.0
    )
    yield site
    site.close()


def order(site: Any, *names: str) -> None:
    with site.acting("desk", "shipping", place="hall", channel="https") as work:
        for grower in names:
            part = work.collect(
                site.Part,
                person=work.person(),
                name=EXPECTED["contact.name"],
                street=EXPECTED["contact.address"],
                phone=PHONE,
                items=ITEMS,
                grower=grower,
            )
            work.share(part, grower)


def rows(site: Any) -> dict[str, Any]:
    outbox = site.home.schema.outbox
    with site.opened.vault.store.reading() as connection:
        return {row.name: row for row in connection.execute(select(outbox))}


def only(orders: Any) -> Order:
    (found,) = orders
    assert isinstance(found, Order)
    return found


@pytest.mark.promise("I7", "works")
def test_one_order_to_three_suppliers_over_three_channels(site: Any, growers: Any) -> None:
    order(site, "north", "south", "west")
    assert site.opened.courier.run() == 3
    sent = rows(site)
    assert {row.state for row in sent.values()} == {"done"}
    for name in ("north", "south", "west"):
        arrived = only(getattr(growers, name).orders)
        assert (arrived.fields, arrived.attempt) == (EXPECTED, sent[name].id), name
        assert not [form for form in variants(PHONE) if form in arrived.content]
    (name,) = growers.south.files
    assert name == f"/orders/{sent['south'].id}.jsonl", "the name tells the attempt and nothing about anybody"
    mail = growers.west.received[0].message
    assert (mail["To"], mail["Subject"]) == ("orders@west.example", f"Order {sent['west'].id}")
    assert mail["Message-ID"] == f"<{sent['west'].id}@fruit.example>"
    assert "Canary" not in mail.get_body().get_content()


@pytest.mark.promise("I7", "works")
def test_an_attempt_whose_answer_was_lost_is_repeated_and_arrives_once(site: Any, growers: Any, clock: Any) -> None:
    order(site, "north", "south", "west")
    for name in ("north", "south", "west"):
        getattr(growers, name).fails_midway = True
    assert site.opened.courier.run() == 3
    assert {row.state for row in rows(site).values()} == {"ready"}
    for name in ("north", "south", "west"):
        getattr(growers, name).fails_midway = False
    clock.advance(10)
    assert site.opened.courier.run() == 3
    assert {row.state for row in rows(site).values()} == {"done"}
    for name in ("north", "south", "west"):
        assert only(getattr(growers, name).orders).fields == EXPECTED, name
    assert len({mail.message["Message-ID"] for mail in growers.west.received}) == 1


@pytest.mark.promise("I7", "holds")
def test_a_changed_host_key_gets_nothing_and_shows_as_failed(
    site: Any, growers: Any, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order(site, "south")
    growers.south.change_host_key()
    assert site.opened.courier.run() == 1
    assert growers.south.files == {}
    row = rows(site)["south"]
    assert (row.state, row.attempts) == ("failed", 1)
    assert "shows the host key" in row.note
    assert "shows the host key" in caplog.text, "and whoever reads the log is told"
    clock.advance(10_000)
    assert site.opened.courier.run() == 0


@pytest.mark.promise("I7", "holds")
def test_another_channel_than_the_policys_is_refused_when_the_order_leaves(
    site: Any, growers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(site, "south")
    narrower = site.policy.parse(site.policy.source.replace("only over https, sftp, smtps", "only over https, smtps"))
    monkeypatch.setattr(site.opened.vault, "policy", narrower)
    site.opened.courier.run()
    assert rows(site)["south"].state == "refused"
    assert growers.south.files == {}
