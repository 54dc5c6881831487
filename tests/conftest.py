"""Servers that the whole suite shares, started for real: PostgreSQL, and a mailbox, a processor and a carrier."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from avow.testing.postgres import Server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server of our own on a private port; it fails, and does not skip, where it cannot start."""
    with Server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of an empty database: the same test runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('store') / 'site.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.fresh_database()
