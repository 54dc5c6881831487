"""How a figure is measured beside what it is compared with, and how it is printed: one line of JSON.

The machine is seldom quiet, and its speed changes from minute to minute. So the sides of a comparison take turns,
one operation each, in one process: whatever slows one slows the other. A figure is the median of its turns.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import NamedTuple


def figure(bench: str, name: str, value: float, unit: str, against: float, *, digits: int = 3) -> None:
    """Print one figure. `against` is what it is compared with, in the same unit: another side, or what is allowed."""
    line = {
        "bench": bench,
        "figure": name,
        "value": round(value, digits),
        "unit": unit,
        "against": round(against, digits),
        "ratio": round(value / against, 2),
    }
    print(json.dumps(line, ensure_ascii=False), flush=True)


class Taken(NamedTuple):
    """Microseconds: by the clock on the wall, and of this thread on a processor, which waits for no disk."""

    wall: float
    processor: float


def in_turns(sides: Mapping[str, Callable[[], object]], turns: int, *, warm: int = 30) -> dict[str, Taken]:
    """What an operation of each side takes, the medians of `turns`, after `warm` turns that do not count."""
    taken: dict[str, list[Taken]] = {name: [] for name in sides}
    order = list(sides.items())
    gc.collect()
    for turn in range(-warm, turns):
        for name, side in order:
            wall, processor = time.perf_counter_ns(), time.thread_time_ns()
            side()
            if turn >= 0:
                processor = time.thread_time_ns() - processor
                taken[name].append(Taken((time.perf_counter_ns() - wall) / 1000, processor / 1000))
        order.append(order.pop(0))  # nobody always comes after the same neighbour
    return {name: Taken(*map(median, zip(*times, strict=True))) for name, times in taken.items()}
