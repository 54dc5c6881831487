"""Each recipient by the channel that the policy gives it, and by no other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from avow.engine import Policy
from avow.errors import SetupError
from avow.outbound.address import Address
from avow.outbound.directory import Directory
from avow.testing.supplier_sftp import SftpSupplier

POLICY = Policy.parse("""\
---
site: fruit
title: Privacy at the fruit shop
version: "1"
effective: 2026-01-05
contact: {email: shop@fruit.example}
categories: {contact.name: user.name, contact.email: user.contact.email}
purposes: {shipping: essential.service.fulfillment}
subjects: {customer: customer}
messages: {thanks: {label: a word of thanks}}
recipients:
  growers: {label: our growers}
  north: {label: the north grower, under: growers, fields: [contact.name], channels: [https]}
  south: {label: the south grower, under: growers, fields: [contact.name], channels: [sftp]}
  west: {label: the west grower, under: growers, fields: [contact.name], channels: [smtps]}
---

Our growers get your name.

```avow #growers
may share contact.name with growers for shipping only over https, sftp, smtps
may send thanks to contact.email over smtps
```
""")

URLS = {
    "north": "https://127.0.0.1:1/orders",
    "west": "smtps://127.0.0.1:1/orders@west.example",
    "mail": "smtp+starttls://127.0.0.1:1",
}


@pytest.fixture
def south(tmp_path: Path) -> Address:
    return Address.of(SftpSupplier(tmp_path, name="south", port=1).address)


def directory(addresses: Mapping[str, str | Address]) -> Directory:
    return Directory(POLICY, addresses, ca=None, timeout=1.0, sender=lambda: "shop@fruit.example")


def test_the_address_says_by_which_channel(south: Address) -> None:
    opened = directory({**URLS, "south": south})
    assert [opened.door(name).channel for name in ("north", "south", "west")] == ["https", "sftp", "smtps"]
    assert [opened.channel_to(name) for name in ("north", "south", "west")] == ["https", "sftp", "smtps"]


def test_without_addresses_the_policy_says_by_which_channel() -> None:
    opened = directory({})
    assert [opened.channel_to(name) for name in ("north", "south", "west", "growers", "nobody")] == [
        "https", "sftp", "smtps", "https", "https",
    ]  # fmt: skip
    with pytest.raises(SetupError, match="no address is configured for `south`"):
        opened.door("south")


@pytest.mark.promise("I7", "holds")
@pytest.mark.parametrize(
    ("name", "url", "said"),
    [
        ("north", "smtps://127.0.0.1/orders@north.example", "over smtps, and the policy lets it be reached over https"),
        ("west", "https://127.0.0.1/", "over https, and the policy lets it be reached over smtps"),
        ("north", "http://127.0.0.1/", "not over `http`"),
        ("south", "ftp://127.0.0.1/", "not over `ftp`"),
        ("west", "smtp://127.0.0.1/orders@west.example", "not over `smtp`"),
        ("west", "smtps://127.0.0.1", "names its mail server, and no mailbox there"),
        ("mail", "smtps://127.0.0.1/box@fruit.example", "ends in `/box@fruit.example`"),
        ("mail", "https://127.0.0.1/", "the policy lets it be reached over smtps only"),
        ("east", "https://127.0.0.1/", "`east`, which the policy does not declare"),
    ],
)
def test_an_address_that_does_not_fit_the_policy_stops_the_start(
    south: Address, name: str, url: str, said: str
) -> None:
    with pytest.raises(SetupError, match=said) as caught:
        directory({**URLS, "south": south, name: url})
    assert caught.value.help


def test_a_recipient_without_address_stops_the_start() -> None:
    with pytest.raises(SetupError, match="no address is configured for `south`"):
        directory(URLS)


def test_a_key_that_cannot_be_used_stops_the_start(south: Address) -> None:
    assert south.key is not None
    south.key.chmod(0o644)
    with pytest.raises(SetupError, match="open to others"):
        directory({**URLS, "south": south})


def test_an_exchange_needs_https(south: Address) -> None:
    opened = directory({**URLS, "south": south})
    assert opened.https("north") is opened.https("north")
    with pytest.raises(SetupError, match="`south` is reached over sftp; this needs an answer"):
        opened.https("south")


def test_the_mail_server_is_set_up_once() -> None:
    opened = directory({})
    with pytest.raises(SetupError, match="no address is configured for `mail`"):
        _ = opened.mail
