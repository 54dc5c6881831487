"""The versions of a policy: which one is in force is settled by starting the service, on the database of its site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select

from avow.errors import SetupError, StoreError
from avow.site.site import Site
from avow.store.connection import Store
from avow.testing.clock import FrozenClock

POLICY = """---
site: {site}
title: Privacy at the ferry
version: "{version}"
effective: 2026-11-22
contact: {{email: privacy@ferry.example}}
categories: {{name: user.name}}
purposes: {{crossing: {{label: carrying you over, key: essential.service}}}}
subjects: {{passenger: passenger}}
roles: {{ferry: {{label: the ferry}}}}
places: {{pier: {{label: the pier}}}}
---

We write down who comes aboard.

```avow #aboard
may collect name from passenger at pier for crossing
may keep name about passenger
```
"""


class Ferry:
    """The policy's file, and an installation that is started with what the file says."""

    def __init__(self, folder: Path, store: str, clock: FrozenClock) -> None:
        self.file, self.data, self.store, self.clock = folder / "policy.md", folder / "data", store, clock
        self.site: Any = None

    def start(self, site: str = "ferry", version: str = "1", **settings: Any) -> Any:
        """Start it under a policy of this name and version."""
        self.stop()
        self.file.write_text(POLICY.format(site=site, version=version), "utf-8")
        self.site = Site(self.file, subject="passenger")
        settings = {"store": self.store, "background": False, "clock": self.clock, **settings}
        return self.site.open(self.data, **settings)

    def stop(self) -> None:
        if self.site is not None:
            self.site.close()

    def versions(self) -> list[str]:
        schema = self.site.home.schema
        found = Store.open(self.store)
        with found.reading() as connection:
            versions = list(connection.scalars(select(schema.policy.c.version).order_by(schema.policy.c.version)))
        found.close()
        return versions


@pytest.fixture
def ferry(tmp_path: Path, store: str, clock: FrozenClock) -> Iterator[Ferry]:
    ferry = Ferry(tmp_path, store, clock)
    ferry.start()
    yield ferry
    ferry.stop()


def test_a_start_publishes_the_policy_as_it_stands_in_its_file(ferry: Ferry) -> None:
    ferry.start(version="2")
    assert ferry.versions() == ["1", "2"]


def test_a_command_publishes_nothing(ferry: Ferry) -> None:
    """Who edits the file at night has not decided yet, and backups are made at night."""
    with pytest.raises(SetupError, match="version 2 of the policy, as it stands in its file, is not in force here"):
        ferry.start(version="2", publishes=False)
    assert ferry.versions() == ["1"]
    assert ferry.start(publishes=False).policy.version == "1"


def test_the_database_of_another_site_is_not_touched(ferry: Ferry) -> None:
    with pytest.raises(SetupError, match="the installation is of the site `ferry`, and this is the policy of `barge`"):
        ferry.start("barge")
    assert ferry.versions() == ["1"]


def test_a_site_goes_on_under_another_name_when_that_is_said(ferry: Ferry) -> None:
    with pytest.raises(SetupError, match="--formerly ferry"):
        ferry.start("barge", "2", formerly="canoe")
    ferry.start("barge", "2", formerly="ferry")
    ferry.start("barge", "2")
    ferry.start("barge", "3")
    assert ferry.versions() == ["1", "2", "3"]


@pytest.mark.parametrize("publishes", [True, False])
def test_nothing_is_begun_anew_where_the_database_is_lost(
    ferry: Ferry, another_store: Callable[[], str], publishes: bool
) -> None:
    ferry.stop()
    ferry.store = another_store()
    with pytest.raises(StoreError, match=r"the database is empty, and `.*data` is the data folder of an installation"):
        ferry.start(publishes=publishes)
    empty = Store.open(ferry.store)
    assert not inspect(empty.engine).get_table_names()
    empty.close()
