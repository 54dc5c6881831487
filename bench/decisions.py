"""How long a decision takes, warm and at first sight, under 60 and under 600 rules.

The yardstick is one Python call that builds a tuple of its arguments and returns a slotted object from a dictionary.
Warm figures may be at most four times that; 600 rules may cost no more than 60; a flow at first sight may take 10 µs.
Each figure is the best of thirty rounds in which the candidates take turns on one core, since the work of neighbours
only ever adds. At first sight a flow is new to the policy, but its words are not. Under 600 rules more of the flows
meet a condition, which a warm decision evaluates anew: that, not the search, is what the two warm figures differ by.

The peers in `bench/peers` are asked in the same run, if they are installed (`pip install cedarpy oso`), by the same
rules about the same flows: rules in which most have a condition on consents, age or version. What they answer is
compared first. Each side is given its question in its own form. Avow has to be 200 times as fast as the faster one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from avow.engine import Policy
from avow.values import Facts, Verdict
from bench.figures import figure
from bench.peers import workload
from bench.peers.workload import CONSENTS, USERS, Flow, Request, Rule

PEERS = {"cedarpy": "bench.peers.cedar", "oso": "bench.peers.polar"}
#: A peer takes a thousand times as long: fewer flows, fewer rounds.
PEER_FLOWS, PEER_ROUNDS = 300, 5

Step = Callable[[], object]


def microseconds(runs: list[tuple[Step, Step]], operations: int, rounds: int = 30) -> list[float]:
    """Time per operation of each (preparation, run), best of the rounds in which they take turns."""
    best = [float("inf")] * len(runs)
    for _ in range(rounds):
        for index, (prepare, run) in enumerate(runs):
            gc.collect()
            prepare()
            start = time.perf_counter_ns()
            run()
            best[index] = min(best[index], (time.perf_counter_ns() - start) / 1000 / operations)
    return best


def warmed(run: Step) -> tuple[Step, Step]:
    """A run, and before it the same once more: another's turn has left the processor's caches cold."""
    return run, run


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


def ask_guarded(judge: Callable[..., Verdict], asked: list[Request]) -> Step:
    """Questions about flows under conditions, with the facts that the unit of work has at hand."""
    questions = [(*request[:5], facts(request)) for request in asked]

    def run() -> None:
        for user, action, category, purpose, recipient, known in questions:
            judge(
                "share", category, recipient=recipient, purpose=purpose, role=USERS[user], channel=action, facts=known
            )

    return run


def facts(request: Request) -> Facts:
    """What is known of a request's person."""
    known: dict[str, bool | float | None] = {f"consented({name})": name in request.consents for name in CONSENTS}
    return {**known, "age": request.age, "policy_version": request.version}


def ask_peer(decide: Callable[[Any], bool], prepared: list[Any]) -> Step:
    def run() -> None:
        for question in prepared:
            decide(question)

    return run


def peers(rules: list[Rule], subject: Policy, asked: list[Request]) -> Iterator[tuple[str, Step]]:
    """The installed peers, once they have given the answers that Avow gives."""
    expected = [
        subject.judge("share", each.category, recipient=each.recipient, purpose=each.purpose, role=USERS[each.user],
                      channel=each.action, facts=facts(each)).permitted for each in asked
    ]  # fmt: skip
    for name, module in PEERS.items():
        try:
            peer = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            continue
        prepare, decide = peer.make(rules)
        prepared = [prepare(request) for request in asked]
        if [decide(question) for question in prepared] != expected:
            raise SystemExit(f"error: {name} gives other answers than Avow under {len(rules)} rules")
        yield name, ask_peer(decide, prepared[:PEER_FLOWS])


def figures() -> Iterator[tuple[str, float, str, float]]:
    """Name, value, unit, and what the value is compared with."""
    asked = workload.flows(2_000, 7)
    made: dict[int, Policy] = {}
    for rules in (60, 600):
        text = workload.plain_policy(rules)
        start = time.perf_counter()
        made[rules] = Policy.parse(text)
        yield f"reading and compiling {rules} rules", (time.perf_counter() - start) * 1000, "ms", 1000
    runs = {rules: ask(subject.judge, asked) for rules, subject in made.items()}
    for run in runs.values():
        run()  # the words are seen
    warm = microseconds([*map(warmed, (yardstick(asked), runs[60], runs[600]))], len(asked))
    first = microseconds([(made[rules].forget, runs[rules]) for rules in (60, 600)], len(asked))
    yield "yardstick: one call, a slotted object from a dictionary", warm[0], "us", warm[0]
    yield "warm decision, 60 rules", warm[1], "us", warm[0]
    yield "warm decision, 600 rules", warm[2], "us", warm[0]
    yield "warm decision, 600 rules beside 60", warm[2], "us", warm[1]
    yield "decision at first sight, 60 rules", first[0], "us", 10
    yield "decision at first sight, 600 rules", first[1], "us", 10
    yield "decision at first sight, 600 rules beside 60", first[1], "us", first[0]
    yield from guarded_figures(yardstick(asked[:1_000]))


def guarded_figures(call: Step) -> Iterator[tuple[str, float, str, float]]:
    """The same for rules with conditions, beside as many of the yardstick's calls, and beside the peers."""
    sides = [warmed(call)]
    everything: list[tuple[int, list[Request], dict[str, Step]]] = []
    for number in (60, 600):
        rules = workload.rules(number)
        subject = Policy.parse(workload.guarded_policy(rules))
        asked = workload.requests(rules, 1_000)
        everything.append((number, asked, dict(peers(rules, subject, asked))))
        sides.append(warmed(ask_guarded(subject.judge, asked)))
        sides[-1][1]()  # the flows are seen
    one_call, *own = microseconds(sides, 1_000)
    for (number, asked, others), value in zip(everything, own, strict=True):
        yield f"warm decision under conditions, {number} rules", value, "us", one_call
        theirs = microseconds([*map(warmed, others.values())], min(PEER_FLOWS, len(asked)), PEER_ROUNDS)
        for name, taken in zip(others, theirs, strict=True):
            yield f"{name}, {number} rules, beside Avow", taken, "us", value


def main() -> None:
    with contextlib.suppress(OSError):  # a neighbour's work moves a pinned process less
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for name, value, unit, against in figures():
        figure("decisions", name, value, unit, against, digits=4)


if __name__ == "__main__":
    main()
