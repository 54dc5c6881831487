"""The reading club, open on each kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.testing.clock import FrozenClock

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
