"""An empty database of each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from avow.store.connection import Store


@pytest.fixture
def opened(store: str) -> Iterator[Store]:
    opened = Store.open(store)
    yield opened
    opened.close()
