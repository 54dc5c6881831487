"""How long a decision takes, warm and at first sight, under 60 and under 600 rules.

The yardstick is one Python call that builds a tuple of its arguments and returns a slotted object from a dictionary.
Warm figures may be at most four times that; 600 rules may cost no more than 60. Each figure is the best of thirty
rounds in which the candidates take turns on one core, since the work of neighbours only ever adds. At first sight a
flow is new to the policy, but its words are not. Under 600 rules more of the flows meet a condition, which a warm
decision evaluates anew: that, not the search, is what the two warm figures differ by.
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


Step = Callable[[], object]


def microseconds(runs: list[tuple[Step, Step]], operations: int) -> list[float]:
    """Time per operation of each (preparation, run), best of thirty rounds in which they take turns."""
    best = [float("inf")] * len(runs)
    for _ in range(30):
        for index, (prepare, run) in enumerate(runs):
            prepare()
            gc.collect()
            start = time.perf_counter_ns()
            run()
            best[index] = min(best[index], (time.perf_counter_ns() - start) / 1000 / operations)
    return best


def nothing() -> None:
    """What a warm run needs before it."""


def yardstick(asked: list[Flow]) -> Step:
    """One call that returns a slotted object from a dictionary keyed by its five arguments."""
    verdict = Verdict(True, (), (), "", "")
    table = {tuple(flow): verdict for flow in asked}
    missing = Verdict(False, (), (), "", "")

    def decide(category: str, recipient: str, purpose: str, role: str, channel: str) -> Verdict:
        return table.get((category, recipient, purpose, role, channel), missing)

    def run() -> None:
        for category, recipient, purpose, role, channel in asked:
            decide(category, recipient, purpose, role, channel)

    return run


def ask(judge: Callable[..., Verdict], asked: list[Flow]) -> Callable[[], None]:
    def run() -> None:
        for category, recipient, purpose, role, channel in asked:
            judge("share", category, recipient=recipient, purpose=purpose, role=role, channel=channel)

    return run


def figures() -> Iterator[tuple[str, float, str, float]]:
    """Name, value, unit, and what the value is compared with."""
    asked = flows(2_000, 7)
    made: dict[int, Policy] = {}
    for rules in (60, 600):
        start = time.perf_counter()
        made[rules] = policy(rules)
        yield f"reading and compiling {rules} rules", (time.perf_counter() - start) * 1000, "ms", 1000
    runs = {rules: ask(subject.judge, asked) for rules, subject in made.items()}
    for run in runs.values():
        run()  # the words are seen
    warm = microseconds([(nothing, yardstick(asked)), (nothing, runs[60]), (nothing, runs[600])], len(asked))
    first = microseconds([(made[rules].forget, runs[rules]) for rules in (60, 600)], len(asked))
    yield "yardstick: one call, a slotted object from a dictionary", warm[0], "us", warm[0]
    yield "warm decision, 60 rules", warm[1], "us", warm[0]
    yield "warm decision, 600 rules", warm[2], "us", warm[0]
    yield "warm decision, 600 rules beside 60", warm[2], "us", warm[1]
    yield "decision at first sight, 60 rules", first[0], "us", warm[0]
    yield "decision at first sight, 600 rules", first[1], "us", warm[0]
    yield "decision at first sight, 600 rules beside 60", first[1], "us", first[0]


def main() -> None:
    with contextlib.suppress(OSError):  # a neighbour's work moves a pinned process less
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for name, value, unit, against in figures():
        line = {"bench": "decisions", "figure": name, "value": round(value, 4), "unit": unit,
                "against": round(against, 4), "ratio": round(value / against, 2)}  # fmt: skip
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
