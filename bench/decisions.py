"""How long a decision takes, warm and at first sight, under 60 and under 600 rules.

The yardstick is one Python call that builds a tuple of its arguments and returns a slotted object from a dictionary.
Warm figures may be at most four times that; 600 rules may cost no more than 60. Each figure is the best of nine
runs on one core, since the work of neighbours only ever adds. At first sight a flow is new to the policy, but its
words are not.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from avow.engine import Policy
from avow.values import Verdict

CATEGORIES = [f"{group}.{field}" for group in ("contact", "order", "card", "visit", "device") for field in "abcdefgh"]
PURPOSES = [f"purpose{i}" for i in range(24)]
RECIPIENTS = [f"recipient{i}" for i in range(24)]
CHANNELS = ["https", "smtps", "sftp"]
ROLES = ["storefront", "clerk", "expert"]


class Flow(NamedTuple):
    """A flow as its caller has it at hand."""

    category: str
    recipient: str
    purpose: str
    role: str
    channel: str


def policy(rules: int) -> Policy:
    """A policy with this many rules: two thirds permissions, some with a condition, and prohibitions."""
    chosen = random.Random(rules)
    front = {
        "site": "bench", "title": "Bench", "version": "1", "effective": "2026-01-01",
        "categories": {name: {} for name in CATEGORIES}, "purposes": {name: {} for name in PURPOSES},
        "recipients": {name: {} for name in RECIPIENTS}, "roles": {name: {} for name in ROLES},
        "messages": {"newsletter": {}},
    }  # fmt: skip
    text = "---\n" + json.dumps(front) + "\n---\n"
    for number in range(rules):
        category = ", ".join(chosen.sample(CATEGORIES, 3))
        recipients, purpose = ", ".join(chosen.sample(RECIPIENTS, 2)), chosen.choice(PURPOSES)
        kind = number % 6
        if kind < 4:
            guard = " when consented(newsletter)" if kind == 3 else ""
            rule = f"may share {category} with {recipients} for {purpose} over https{guard}"
        else:
            rule = f"never share {chosen.choice(CATEGORIES)} with {chosen.choice(RECIPIENTS)} for {purpose} by expert"
        text += f"\nSentence {number}.\n\n```avow #s{number}\n{rule}\n```\n"
    return Policy.parse(text)


def flows(number: int, seed: int) -> list[Flow]:
    """Different flows; about one in fifty is permitted."""
    chosen = random.Random(seed)
    every = {
        Flow(*(chosen.choice(words) for words in (CATEGORIES, RECIPIENTS, PURPOSES, ROLES, CHANNELS)))
        for _ in range(number * 2)
    }
    return sorted(every)[:number]


def microseconds(run: Callable[[], object], operations: int, prepare: Callable[[], object] = lambda: None) -> float:
    """The best over nine runs of the time per operation."""
    samples = []
    for _ in range(9):
        prepare()
        gc.collect()
        start = time.perf_counter_ns()
        run()
        samples.append((time.perf_counter_ns() - start) / 1000 / operations)
    return min(samples)


def yardstick(asked: list[Flow]) -> float:
    """One call that returns a slotted object from a dictionary keyed by its five arguments."""
    verdict = Verdict(True, (), (), "", "")
    table = {tuple(flow): verdict for flow in asked}
    missing = Verdict(False, (), (), "", "")

    def decide(category: str, recipient: str, purpose: str, role: str, channel: str) -> Verdict:
        return table.get((category, recipient, purpose, role, channel), missing)

    def run() -> None:
        for category, recipient, purpose, role, channel in asked:
            decide(category, recipient, purpose, role, channel)

    run()
    return microseconds(run, len(asked))


def ask(judge: Callable[..., Verdict], asked: list[Flow]) -> Callable[[], None]:
    def run() -> None:
        for category, recipient, purpose, role, channel in asked:
            judge("share", category, recipient=recipient, purpose=purpose, role=role, channel=channel)

    return run


def figures() -> Iterator[tuple[str, float, str, float]]:
    """Name, value, unit, and what the value is compared with."""
    asked = flows(2_000, 7)
    floor = yardstick(asked)
    yield "yardstick: one call, a slotted object from a dictionary", floor, "us", floor
    first: dict[int, float] = {}
    warm: dict[int, float] = {}
    for rules in (60, 600):
        start = time.perf_counter()
        made = policy(rules)
        yield f"reading and compiling {rules} rules", (time.perf_counter() - start) * 1000, "ms", 1000
        run = ask(made.judge, asked)
        run()  # the words are seen
        floor = yardstick(asked)  # again, beside each figure: the machine is shared
        warm[rules] = microseconds(run, len(asked))
        yield f"warm decision, {rules} rules", warm[rules], "us", floor
        first[rules] = microseconds(run, len(asked), made.forget)
        yield f"decision at first sight, {rules} rules", first[rules], "us", floor
    yield "warm decision, 600 rules beside 60", warm[600], "us", warm[60]
    yield "decision at first sight, 600 rules beside 60", first[600], "us", first[60]


def main() -> None:
    with contextlib.suppress(OSError):  # a neighbour's work moves a pinned process less
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for name, value, unit, against in figures():
        line = {"bench": "decisions", "figure": name, "value": round(value, 4), "unit": unit,
                "against": round(against, 4), "ratio": round(value / against, 2)}  # fmt: skip
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
