"""A million random decisions over random policies, compared with the slow interpreter.

    python -m tests.campaigns.decisions [DECISIONS [FIRST_SEED]]

Each policy is asked FLOWS flows under random facts, some true, some false, some unknown. The first decision on which
the engine and the interpreter differ ends the run with its seed, flow and facts.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from avow.language import read
from avow.testing.probing.interpreter import SlowInterpreter
from tests.engine.generator import Generator
from tests.engine.test_slow_interpreter import judge, kind_of, same

FLOWS = 1_000
SIZES = [1, 5, 15, 40, 80]


def compare(seed: int, flows: int = FLOWS) -> Counter[str]:
    """How often each kind of answer was given for one random policy. Raises AssertionError on a difference."""
    generator = Generator(seed)
    policy = generator.policy(generator.random.choice(SIZES))
    slow = SlowInterpreter(read(policy.source))
    seen: Counter[str] = Counter()
    for flow in generator.flows(flows):
        facts = generator.facts(policy)
        answer = slow.decide(flow, facts)
        verdict = judge(policy, flow, facts)
        assert same(answer, verdict), f"seed {seed}\nflow {flow}\nfacts {facts}\nslow {answer}\nengine {verdict}"
        seen[kind_of(verdict)] += 1
    return seen


def main() -> None:
    """Compare this many decisions and say how many of each kind there were."""
    given = [int(word) for word in sys.argv[1:]]
    wanted, first = (*given, *(1_000_000, 1_000_000)[len(given) :])
    seen: Counter[str] = Counter()
    start, seed = time.monotonic(), first
    while seen.total() < wanted:
        seen += compare(seed, min(FLOWS, wanted - seen.total()))
        seed += 1
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in seen.most_common())
    seconds = time.monotonic() - start
    done = f"{seen.total():,} decisions over {seed - first:,} policies agree ({kinds})"
    sys.stdout.write(f"{done} in {seconds:,.0f} s\n")


if __name__ == "__main__":
    main()
