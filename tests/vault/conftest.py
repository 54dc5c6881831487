"""The reading club, open on each kind of store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.testing.clock import FrozenClock
from avow.testing.postgres import Server

from .club import club


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(1_795_000_000.0)


@pytest.fixture
def site(store: str, tmp_path: Path, clock: FrozenClock) -> Iterator[Any]:
    site = club()
    site.open(tmp_path / "data", store=store, background=False, clock=clock)
    yield site
    site.close()


@pytest.fixture
def ann(site: Any) -> tuple[str, str]:
    """The primary key of a member who is in the database."""
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.collect(
            site.Member,
            person=work.person(),
            name="Ann Example",
            email="ann@example.org",
            address="1 Lane",
            wishes="novels about bees",
        )
        return (member.person, member.id)


def _empty(kind: str, request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folders.mktemp('store') / 'site.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.fresh_database()


@pytest.fixture
def another_store(
    store: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """Makes empty databases of the same kind as `store`."""
    kind = "sqlite" if store.startswith("sqlite") else "postgresql"
    return lambda: _empty(kind, request, tmp_path_factory)


@pytest.fixture
def other_store(
    store: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], str]:
    """Makes empty databases of the other kind."""
    kind = "postgresql" if store.startswith("sqlite") else "sqlite"
    return lambda: _empty(kind, request, tmp_path_factory)
