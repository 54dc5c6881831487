"""The engine decides as the slow interpreter does, on thousands of random flows over random policies."""

from __future__ import annotations

import os
import re

import pytest

from avow.engine import Policy
from avow.language import read
from avow.testing.probing.interpreter import Answer, SlowInterpreter
from avow.values import DIMENSIONS, Verdict
from tests.engine.generator import Generator

POLICIES, FLOWS = 50, 400
#: `make soak` gives another each time. The whole million: `python -m tests.campaigns.decisions`.
SEED = int(os.environ.get("SOAK_SEED", "0"))


def judge(policy: Policy, flow: dict[str, str], facts: dict[str, bool | float | None]) -> Verdict:
    dimensions = {DIMENSIONS[name]: word for name, word in flow.items() if name in DIMENSIONS}
    return policy.judge(flow["verb"], flow["object"], **dimensions, facts=facts)


def kind_of(verdict: Verdict) -> str:
    if verdict.permitted:
        return "may"
    for start, kind in (("forbidden by #", "never"), ("forbidden by the `only`", "never"), ("not yet", "never")):
        if verdict.reason.startswith(start):
            return "otherwise" if re.search(", which closes? the list", verdict.reason) else kind
    return "nothing" if "the nearest, #" in verdict.reason else "condition"


def same(answer: Answer, verdict: Verdict) -> bool:
    return (
        answer.permitted == verdict.permitted
        and answer.how == kind_of(verdict)
        and verdict.rule in answer.rules
        and (not verdict.permitted or {duty.text for duty in verdict.duties} == answer.duties)
    )


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(POLICIES))
def test_engine_agrees_with_the_slow_interpreter(seed: int) -> None:
    generator = Generator(SEED + seed)
    policy = generator.policy(generator.random.choice([5, 15, 40]))
    slow = SlowInterpreter(read(policy.source))
    for flow in generator.flows(FLOWS):
        facts = generator.facts(policy)
        answer = slow.decide(flow, facts)
        verdict = judge(policy, flow, facts)
        assert same(answer, verdict), f"seed {seed}\nflow {flow}\nfacts {facts}\nslow {answer}\nengine {verdict}"
        assert judge(policy, flow, facts) is verdict, "a warm decision is the same, shared verdict"


def test_the_random_flows_reach_every_kind_of_answer() -> None:
    """A comparison in which nearly everything is refused would prove little."""
    seen: dict[str, int] = {}
    for seed in range(POLICIES):
        generator = Generator(seed)
        policy = generator.policy(generator.random.choice([5, 15, 40]))
        for flow in generator.flows(FLOWS):
            kind = kind_of(judge(policy, flow, generator.facts(policy)))
            seen[kind] = seen.get(kind, 0) + 1
    assert sum(seen.values()) == 20_000
    assert {kind for kind, count in seen.items() if count > 100} == {
        "may",
        "never",
        "otherwise",
        "condition",
        "nothing",
    }
