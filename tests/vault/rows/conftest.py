"""Small services on the sites' own policies, on both kinds of store, with real peers: one for each module of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority
from avow.testing.clock import FrozenClock
from avow.testing.mailbox import Mailbox
from avow.testing.postgres import Server

from .service import Service


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def another_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Makes empty databases of one kind."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path_factory.mktemp('store') / 'site.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.fresh_database


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Carrier, Mailbox]]:
    """A recipient over HTTPS, whoever it is called, and a mail server."""
    authority = Authority.create(tmp_path_factory.mktemp("ca"))
    with Carrier(authority) as helper, Mailbox(authority) as mail:
        yield helper, mail


@pytest.fixture(scope="module")
def opens(
    another_store: Callable[[], str],
    peers: tuple[Carrier, Mailbox],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Any], Service]]:
    """Opens a declared site, its recipients all reached at one peer, until the module ends."""
    opened: list[Service] = []

    def open_it(site: Any) -> Service:
        data: Path = tmp_path_factory.mktemp("service")
        service = Service(site, data / "data", another_store, peers, FrozenClock())
        opened.append(service)
        return service

    yield open_it
    for service in opened:
        service.site.close()
