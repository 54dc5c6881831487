"""`avow ask`: whether a policy permits a flow, by which sentence, why, and what it would take to be otherwise.

A flow is written like a rule without its modal, and may say which facts are true:
`send newsletter to contact.email for news over smtps when consented(newsletter) and not objected(newsletter)`.
What has a function is answered by it from these facts, unless the question itself supposes an answer.
"""

from __future__ import annotations

import sys
from pathlib import Path

from avow.engine import Explanation, Policy
from avow.errors import Refused
from avow.language.parser import Chunk, SyntaxFault, parse
from avow.language.syntax import AllOf, Condition, Fact, Guard, Not, Statement
from avow.values import DIMENSIONS, Diagnostic, Facts, Verdict

_MODAL = "may "


def ask(file: Path, flow: str) -> int:
    """Judge a flow. Prints the verdict; returns 0 if permitted, 1 if refused, 2 if the flow cannot be understood.

    Raises PolicyError if the policy cannot be used.
    """
    policy = Policy.load(file)
    try:
        statement = parse(Chunk(_MODAL + flow, 1, -len(_MODAL)))
    except SyntaxFault as fault:
        print(Diagnostic("flow", 1, max(fault.at.column, 1), fault.at.width, fault.message, flow, fault.help),
              file=sys.stderr)  # fmt: skip
        return 2
    try:
        explanation = _explain(policy, statement) if isinstance(statement, Statement) else None
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        if error.verdict is not None:
            _tell(error.verdict)
        return 2
    if explanation is None:
        print("error: this is not a flow\n  help: write it like `share contact.email with ups`", file=sys.stderr)
        return 2
    _tell(explanation.verdict)
    print(str(explanation))
    return 0 if explanation.permitted else 1


def _explain(policy: Policy, flow: Statement) -> Explanation:
    if len(flow.objects) != 1 or flow.exceptions:
        raise ValueError("a flow has one object and no exceptions")
    dimensions: dict[str, str] = {}
    for phrase in flow.phrases:
        if phrase.preposition not in DIMENSIONS or len(phrase.terms) != 1 or phrase.only:
            raise ValueError(f"`{phrase}` is not a part of a flow: one word belongs after each preposition")
        dimensions[DIMENSIONS[phrase.preposition]] = str(phrase.terms[0])
    given: Facts = dict(_facts(flow.guard))
    supposed = {key: value for key, value in given.items() if key.partition("(")[0] in policy.predicates}
    facts = policy.facts({key: value for key, value in given.items() if key not in supposed}, supposed=supposed)
    return policy.explain(flow.verb, str(flow.objects[0]), **dimensions, facts=facts)


def _facts(guard: Guard | None) -> list[tuple[str, bool]]:
    if guard is None:
        return []
    if guard.word != "when" or guard.condition is None:
        raise ValueError("facts are given as `when consented(newsletter) and not objected(newsletter)`")
    condition = guard.condition
    return [_fact(part) for part in (condition.parts if isinstance(condition, AllOf) else (condition,))]


def _fact(part: Condition) -> tuple[str, bool]:
    inner = part.part if isinstance(part, Not) else part
    if not isinstance(inner, Fact):
        raise ValueError(f"`{part}` is not a fact that is true or false")
    return str(inner.term), not isinstance(part, Not)


def _tell(verdict: Verdict) -> None:
    print(f"{'permitted' if verdict.permitted else 'refused'}: {verdict.reason}")
    for sentence in verdict.sentences:
        print(f"  #{sentence.anchor} (line {sentence.line}): {sentence.text}")
    for duty in verdict.duties:
        print(f"  duty: {duty.text} (#{duty.sentence.anchor})")
