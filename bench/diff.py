"""How long it takes to compare two versions of a policy, with the largest policy under `sites/`.

Three pairs: the policy beside itself, beside a version with one permission widened, and beside one in which every fifth
rule has changed. At most 100 ms are allowed. Both versions are already read; what is measured is the comparison.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from avow.engine import Policy
from avow.engine.compare import compare
from avow.errors import PolicyError
from bench.figures import figure, in_turns

SITES = Path(__file__).resolve().parent.parent / "sites"
ALLOWED = 100.0  # ms


def largest() -> Policy:
    policies = [Policy.load(path) for path in sorted(SITES.glob("*/policy.md"))]
    return max(policies, key=lambda policy: len(policy.rules))


def changed(policy: Policy, every: int) -> Policy:
    """The policy with every n-th permission under a condition lifted, or, if it has none, under a new one."""
    lines = policy.source.split("\n")
    rules = [rule for rule in policy.rules if rule.modal == "may" and rule.verb != "apply"]
    for rule in rules[::every]:
        at = rule.line - 1
        whole = rule.text if rule.guard is None else rule.text.removesuffix(f" {rule.guard}")
        before = lines[at]
        following = at + 1
        if following < len(lines) and lines[following].startswith(" "):
            continue  # a statement of several lines stays as it is
        lines[at] = whole if rule.guard is not None else f"{rule.text} when age >= 21"
        try:
            Policy.parse("\n".join(lines))
        except PolicyError:
            lines[at] = before
    return Policy.parse("\n".join(lines))


def main() -> None:
    policy = largest()
    pairs = {
        "itself": Policy.parse(policy.source),
        "one rule changed": changed(policy, len(policy.rules)),
        "every fifth permission changed": changed(policy, 5),
    }
    sides = {name: lambda other=other: compare(policy, other) for name, other in pairs.items()}
    for name, taken in in_turns(sides, 15, warm=3).items():
        told = f"{len(policy.rules)} rules beside {name}"
        figure("diff", told, taken.wall / 1000, "ms", ALLOWED, digits=1)
        figure("diff", f"{told}, processor time", taken.processor / 1000, "ms", ALLOWED, digits=1)
    first = []
    for _ in range(5):
        fresh = Policy.parse(policy.source), Policy.parse(pairs["every fifth permission changed"].source)
        start = time.perf_counter()
        compare(*fresh)
        first.append((time.perf_counter() - start) * 1000)
    figure(
        "diff", f"{len(policy.rules)} rules, at first sight of both versions", median(first), "ms", ALLOWED, digits=1
    )


if __name__ == "__main__":
    main()
