"""A shop that is as loud as it can be, and its peers, which may be made to fail: `mended` mends them after a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.campaigns.purchases import Peers, Service


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    with ExitStack() as stack:
        yield Peers(tmp_path_factory.mktemp("peers"), stack)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, peers: Peers) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service"), peers)
    service.start()
    yield service
    service.stop()


@pytest.fixture
def mended(peers: Peers) -> Iterator[None]:
    yield
    peers.mend()
