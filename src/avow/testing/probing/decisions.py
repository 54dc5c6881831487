"""Decisions: every rule and its neighbours are asked of the installation, and compared with what the file says.

A unit of work asks, as every door does, so what is compared is the policy as it runs: its compiled rules, its memory of
verdicts, and the note that each answer leaves for the ledger. Asked twice: the second answer comes from memory.
"""

from __future__ import annotations

from typing import Any

from avow.engine import Policy
from avow.errors import Refused
from avow.testing.probing.attempts import Attempt
from avow.testing.probing.bench import Bench
from avow.testing.probing.interpreter import Answer
from avow.values import DIMENSIONS, Verdict
from avow.vault.unit import Unit

_LOOK = "the policy as it runs: Site(policy), and what stands between it and avow.engine"


def probe(bench: Bench, *, policy: Policy | None = None, most: int | None = None) -> None:
    """Ask for every rule; of `policy`, or else of the stand-in's installation."""
    role, purpose, _ = bench.some
    unit = Unit(bench.scratch.opened.vault, role, purpose)
    noted: dict[tuple[str, str], Attempt] = {}
    with unit:
        for rule in bench.deriving.rules:
            count = 0
            for number, attempt in enumerate(bench.deriving.attempts(rule)):
                if most is not None and number >= most:
                    break
                count += 1
                _compare(bench, unit, attempt, policy)
                noted.setdefault((attempt.flow["verb"], attempt.flow["object"]), attempt)
            key = rule.sentence.anchor, rule.text
            bench.report.rules[key] = bench.report.rules.get(key, 0) + count
            bench.report.tried("decision", count)
        unit._due.clear()  # nothing of all this happens
    if policy is None:
        _check_notes(bench, noted)


def _compare(bench: Bench, unit: Unit, attempt: Attempt, policy: Policy | None) -> None:
    answer = bench.slow.decide(attempt.flow, attempt.facts)
    dimensions: dict[str, Any] = {DIMENSIONS[name]: word for name, word in attempt.flow.items() if name in DIMENSIONS}
    for _ in range(2):
        if policy is None:
            dimensions.setdefault("purpose", None)
            verdict = _by_unit(unit, attempt, dimensions)
        else:
            verdict = _by_policy(policy, attempt, dimensions)
        _hold(bench, attempt, answer, verdict)


def _by_unit(unit: Unit, attempt: Attempt, dimensions: dict[str, Any]) -> Verdict | None:
    verb, object = attempt.flow["verb"], attempt.flow["object"]
    before, unit.purpose = unit.purpose, dimensions["purpose"]  # not stated means the unit's own
    try:
        return unit.judge(verb, object, facts=attempt.facts, **dimensions)
    except Refused as refused:
        return refused.verdict
    finally:
        unit.purpose = before


def _by_policy(policy: Policy, attempt: Attempt, dimensions: dict[str, Any]) -> Verdict | None:
    try:
        return policy.judge(attempt.flow["verb"], attempt.flow["object"], facts=attempt.facts, **dimensions)
    except Refused as refused:
        return refused.verdict


def _hold(bench: Bench, attempt: Attempt, answer: Answer, verdict: Verdict | None) -> None:
    tried = f"{attempt} ({attempt.how}, beside `{attempt.rule.text}`)"
    if verdict is None:
        bench.hole(
            "decision.reason",
            "every door",
            tried,
            "the answer names a sentence",
            "it was refused without one",
            _LOOK,
            attempt.rule.sentence.anchor,
        )
    elif verdict.permitted and not answer.permitted:
        happened = f"it is permitted{_by(verdict)}"
        bench.let_through("decision.permitted", "every door", tried, answer, happened, _LOOK)
    elif answer.permitted and not verdict.permitted:
        bench.kept_out("decision.refused", "every door", tried, answer, f"it is refused{_by(verdict)}", _LOOK)
    elif verdict.rule not in answer.rules:
        rules = "; ".join(f"`{text}`" for text in sorted(answer.rules)[:2])
        bench.hole(
            "decision.reason",
            "every door",
            tried,
            f"the answer rests on {rules}",
            f"it rests on `{verdict.rule}`",
            _LOOK,
            *bench.anchors(answer)[:2],
        )
    elif verdict.permitted and {duty.text for duty in verdict.duties} != answer.duties:
        lacking = answer.duties ^ {duty.text for duty in verdict.duties}
        named = [rule.sentence.anchor for rule in bench.reading.rules if rule.text in lacking]
        bench.hole(
            "decision.duty",
            "every door",
            tried,
            "these duties come with it: " + "; ".join(sorted(answer.duties)),
            "these are missing or too many: " + "; ".join(sorted(lacking)),
            _LOOK,
            *named[:2],
        )


def _by(verdict: Verdict) -> str:
    return f" by `{verdict.rule}` (#{verdict.sentences[0].anchor})" if verdict.sentences else ""


def _check_notes(bench: Bench, noted: dict[tuple[str, str], Attempt]) -> None:
    """Every answer has left its entry for the ledger."""
    told = {(entry["verb"], word) for entry in bench.scratch.entries() for word in entry["object"].split(", ")
            if entry["event"] in ("permitted", "refused")}  # fmt: skip
    events = {entry["event"] for entry in bench.scratch.entries()}
    bench.report.tried("ledger.decision", len(noted))
    for (verb, word), attempt in noted.items():
        if (verb, word) not in told:
            bench.hole(
                "ledger.decision",
                "the ledger",
                f"{attempt}",
                "an entry says what was decided",
                "the ledger says nothing of it",
                "avow.vault.unit, avow.vault.lines, avow.ledger.sequencer",
                attempt.rule.sentence.anchor,
            )
    for event in ("permitted", "refused"):
        if event not in events and noted:
            bench.hole(
                "ledger.decision",
                "the ledger",
                "all of these decisions",
                f"entries with the event `{event}` stand in the ledger",
                "none does",
                "avow.vault.unit: what it gathers for the ledger",
            )
