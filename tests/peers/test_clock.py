"""A clock that stands still until it is told to move."""

from __future__ import annotations

import pytest

from avow.testing.clock import FrozenClock


def test_it_stands_still_and_moves_when_told() -> None:
    clock = FrozenClock(100.0)
    assert (clock(), clock()) == (100.0, 100.0)
    clock.advance(2.5)
    assert clock() == 102.5


def test_it_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        FrozenClock().advance(-1)
