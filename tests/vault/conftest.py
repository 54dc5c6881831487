"""The reading club, open on each kind of store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from avow.testing.certificates import Authority
from avow.testing.clock import FrozenClock
from avow.testing.mailbox import Mailbox
from avow.testing.postgres import Server

from .club import club
from .helpline import CIRCLE, HELPLINE, Versions, circle, helpline
from .office import Office


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


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Any]:
    authority = Authority.create(tmp_path / "ca")
    with Mailbox(authority) as mailbox:
        yield SimpleNamespace(box=mailbox, settings={"endpoints": {"mail": mailbox.url}, "ca": authority.ca})


@pytest.fixture
def lanyard(tmp_path: Path, store: str, clock: FrozenClock, mail: Any) -> Iterator[Any]:
    """The helpline, opened under its first version, with Ann who has a computer, and Bo who has none."""
    versions = Versions(helpline, tmp_path / "data", clock, store=store, timeout=5.0, **mail.settings)
    site: Any = versions.under(HELPLINE)
    with site.acting("website", "support", place="profile", channel="https") as work:
        ann, bo = work.person(), work.person()
        work.collect(site.Customer, person=ann, name="Ann", email="ann@example.org")
        work.collect(site.Device, person=ann, make="Abacus")
        work.collect(site.Customer, person=bo, name="Bo", email="bo@example.org")
        people = SimpleNamespace(versions=versions, ann=ann.id, bo=bo.id, mail=mail.box)
    yield people
    versions.close()


@pytest.fixture
def hedgerow(tmp_path: Path, store: str, clock: FrozenClock) -> Iterator[Any]:
    """The circle, opened under its first version, with two members."""
    versions = Versions(circle, tmp_path / "data", clock, store=store)
    site: Any = versions.under(CIRCLE)
    with site.acting("website", "operation", place="members_area", channel="https") as work:
        ann, bo = work.person(), work.person()
        for person, name in ((ann, "ann"), (bo, "bo")):
            work.collect(site.Member, person=person, email=f"{name}@example.org")
            work.collect(site.Feedback, person=person, words=f"{name} likes it", arrived=clock())
        people = SimpleNamespace(versions=versions, ann=ann.id, bo=bo.id)
    yield people
    versions.close()


@pytest.fixture
def office(store: str, tmp_path: Path, clock: FrozenClock, another_store: Callable[[], str]) -> Iterator[Office]:
    office = Office(tmp_path / "data", store, clock, another_store)
    yield office
    office.site.close()
