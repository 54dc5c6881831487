"""A clock that stands still until it is told to move."""

from __future__ import annotations


class FrozenClock:
    """Callable like `time.time`: seconds since 1970, UTC. Starts at 2026-11-22 12:00 unless told otherwise."""

    def __init__(self, now: float = 1_795_348_800.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Unix seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move forward. Raises ValueError for a step back: no service's clock should do that unnoticed."""
        if seconds < 0:
            raise ValueError(f"a clock does not go back ({seconds} s)")
        self.now += seconds
