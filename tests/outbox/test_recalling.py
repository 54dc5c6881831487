"""Calling back what recipients got, over each of the three channels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Mapped

from avow import Sealed, Site, moment, owner, personal
from avow.outbound.address import Address
from avow.outbox.recalling import recall
from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority
from avow.testing.clock import FrozenClock
from avow.testing.mailbox import Mailbox
from avow.testing.supplier_sftp import SftpSupplier

from .test_suppliers import POLICY

RULES = """
Ask, and our growers forget you.

```avow #forget
must notify growers within 1 day after asked
```
"""


@pytest.fixture
def growers(tmp_path: Path) -> Iterator[Any]:
    authority = Authority.create(tmp_path / "ca")
    with Carrier(authority) as north, SftpSupplier(tmp_path, name="south") as south, Mailbox(authority) as west:
        yield SimpleNamespace(north=north, south=south, west=west, ca=authority.ca)


@pytest.fixture
def site(store: str, tmp_path: Path, growers: Any) -> Iterator[Any]:
    events = "events: {asked: {label: you ask for it}}\nrecipients:"
    (tmp_path / "policy.md").write_text(POLICY.replace("recipients:", events) + RULES)
    site: Any = Site(tmp_path / "policy.md", address="contact.name")

    class Part(site.Record):  # type: ignore[misc]
        __tablename__ = "fruit_part"
        person: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="part.name")
        asked: Mapped[float | None] = moment("asked", "when they asked to be forgotten")

    site.Part = Part
    endpoints = {
        "north": Address.of(growers.north.url),
        "south": Address.of(growers.south.address),
        "west": Address.of(f"{growers.west.url}/orders@west.example"),
    }
    site.open(
        tmp_path / "data",
        store=store,
        endpoints=endpoints,
        ca=growers.ca,
        background=False,
        clock=FrozenClock(),
        timeout=5.0,
    )
    yield site
    site.close()


def test_each_recipient_is_told_over_its_channel_to_erase_what_had_this_number(site: Any, growers: Any) -> None:
    with site.acting("desk", "shipping", place="hall", channel="https") as work:
        part = work.collect(site.Part, person=work.person(), name="Zoë Canary")
        sent = {name: work.share(part, name) for name in ("north", "south", "west")}
    site.opened.courier.run()
    assert recall(site.opened.vault) == 0  # nobody has asked
    with site.acting("desk", "shipping") as work:
        work.select(site.Part)[0].asked = work.now
    assert recall(site.opened.vault) == 3
    assert recall(site.opened.vault) == 0  # each once
    assert site.opened.courier.run() == 3
    assert growers.north.received[-1].fields == {"erase": sent["north"]}
    assert {"erase": sent["south"]} in [json.loads(file.content) for file in growers.south.files.values()]
    mail = growers.west.received[-1].message
    assert mail["Subject"] == f"Erase {sent['west']}"
    assert [json.loads(part.get_content()) for part in mail.iter_attachments()] == [{"erase": sent["west"]}]
    assert b"Canary" not in growers.west.received[-1].content


def test_who_is_erased_before_the_recall_was_queued_is_called_back(site: Any, growers: Any) -> None:
    with site.acting("desk", "shipping", place="hall", channel="https") as work:
        part = work.collect(site.Part, person=work.person(), name="Zoë Canary")
        sent = work.share(part, "north")
    site.opened.courier.run()
    with site.acting("desk", "shipping") as work:
        part = work.select(site.Part)[0]
        part.asked = work.now
        work.commit()
        work.erase(part.avow_person)
    assert site.opened.courier.run() == 1
    assert growers.north.received[-1].fields == {"erase": sent}
