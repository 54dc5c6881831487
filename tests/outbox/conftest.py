"""The reading club with its peers: a bank, a bookbinder and a mail server, all real and on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from avow.testing.card_processor import CardProcessor
from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority
from avow.testing.clock import FrozenClock
from avow.testing.mailbox import Mailbox
from tests.vault.club import club


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Any]:
    authority = Authority.create(tmp_path / "ca")
    with CardProcessor(authority) as bank, Carrier(authority) as binder, Mailbox(authority) as mail:
        yield SimpleNamespace(bank=bank, binder=binder, mail=mail, ca=authority.ca)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def site(store: str, tmp_path: Path, peers: Any, clock: FrozenClock) -> Iterator[Any]:
    site = club()
    endpoints = {"bank": peers.bank.url, "binder": peers.binder.url, "mail": peers.mail.url}
    settings = {"endpoints": endpoints, "ca": peers.ca, "background": False, "clock": clock, "timeout": 3.0}
    site.open(tmp_path / "data", store=store, **settings)
    yield site
    site.close()


@pytest.fixture
def ann(site: Any) -> tuple[str, str]:
    """The primary key of a member who is in the database."""
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.collect(
            site.Member, person=work.person(), name="Ann Example", email="ann@example.org", address="1 Lane"
        )
        return (member.person, member.id)
