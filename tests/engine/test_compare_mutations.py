"""A rule of a published policy, weakened in any way, is found, with a witness that both engines confirm.

Where nothing is found, nothing may be weaker: the slow interpreter is asked about every flow that the weakened
rule speaks of. (`never share card` may go unnoticed where `never share card, order` stands beside it.)
`MUTATIONS=all` tries every mutation; otherwise some rules are weakened in one way each, a different one in turn.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from avow.engine import Policy
from avow.engine.compare import compare
from avow.engine.compare_result import Comparison, Difference
from avow.errors import PolicyError, Refused
from avow.language import read
from avow.language.rules import Rule
from avow.language.verbs import FLOWS, MAY_USE, NEVER_USE
from avow.testing.probing.interpreter import Flow, SlowInterpreter
from avow.values import DIMENSIONS
from tests.engine.compare_mutations import Mutation, mutations
from tests.engine.compare_oracle import Oracle, about, every_fact
from tests.engine.test_compare_brute_force import flow_of
from tests.structure.tree import ROOT

POLICIES = sorted((ROOT / "sites").glob("*/policy.md"))
ALL = os.environ.get("MUTATIONS") == "all"
#: How many rules of a policy are weakened, if not all.
RULES = 16


@cache
def published(path: Path) -> Policy:
    return Policy.load(path)


def chosen(policy: Policy) -> Iterator[tuple[Mutation, Policy]]:
    """Mutations that pass the checker: all of them, or one for each of some rules and every declaration."""
    step = max(1, len(policy.rules) // RULES)
    for turn, (_, group) in enumerate(itertools.groupby(mutations(policy), key=lambda m: id(m.rule))):
        of_rule = list(group)
        if not ALL and of_rule[0].rule is not None:
            if turn % step:
                continue
            start = turn // step % len(of_rule)
            of_rule = [*of_rule[start:], *of_rule[:start]]
        for mutation in of_rule:
            try:
                weakened = Policy.parse(mutation.text)
            except PolicyError:
                continue
            yield mutation, weakened
            if not ALL and mutation.rule is not None:
                break


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.parent.name)
def test_each_weakened_rule_is_found(path: Path) -> None:
    policy = published(path)
    slow = SlowInterpreter(read(policy.source))
    found = equivalent = 0
    for mutation, weakened in chosen(policy):
        comparison = compare(policy, weakened)
        if comparison.differences:
            found += 1
            confirm(comparison, policy, weakened, slow)
        else:
            equivalent += 1
            assert not (shown := overlooked(mutation, policy, weakened)), f"{mutation.where}\n{shown}"
    assert found > 2 * equivalent, f"{found} found, {equivalent} equivalent"


def confirm(comparison: Comparison, old: Policy, new: Policy, slow_old: SlowInterpreter) -> None:
    """Ask both engines again about each witness; the slow ones too, about the first."""
    slow_new = SlowInterpreter(read(new.source))
    for number, difference in enumerate(comparison.differences):
        witness = difference.witness
        if not witness.judged:
            assert witness.words
            assert difference.old.text != difference.new.text
            continue
        answers = permitted(difference, old, old_words=True), permitted(difference, new, old_words=False)
        expected = {"permission": (False, True), "promise": (False, False), "term": (False, False)}
        assert answers == expected.get(difference.kind, (True, True)), difference
        if number == 0 and answers[0]:
            assert slow_old.decide(flow_of(witness, old=True), witness.facts).permitted, difference
        if number == 0:
            assert slow_new.decide(flow_of(witness, old=False), witness.facts).permitted is answers[1], difference


def permitted(difference: Difference, policy: Policy, *, old_words: bool) -> bool:
    witness = difference.witness
    object = witness.old_object if old_words else witness.new_object
    dimensions = witness.old_dimensions if old_words else witness.new_dimensions
    try:
        return policy.judge(witness.verb, object, **dict(dimensions), facts=witness.facts).permitted
    except Refused:
        return False


def overlooked(mutation: Mutation, old: Policy, new: Policy) -> str:
    """A flow and facts with which the mutation does make a difference; empty if there are none among those tried."""
    if mutation.rule is None:
        return ""
    oracle = Oracle(read(old.source), read(new.source), {}, frozenset())
    for flow in flows_about(mutation.rule, oracle.old):
        before, now = about(oracle.old, flow), about(oracle.new, flow)
        for facts in itertools.islice(every_fact([*before.rules, *now.rules], {*before.signed, *now.signed}), 200):
            for kind in oracle.kinds(before, now, flow, facts):
                return f"{kind}: {flow} {facts}"
    return ""


def flows_about(rule: Rule, slow: SlowInterpreter) -> Iterator[Flow]:
    """Flows in the rule's own words and the words next to them, each dimension also unstated."""
    uses = NEVER_USE if rule.modal == "never" else MAY_USE
    for verb in uses if rule.verb == "use" else (rule.verb,) if rule.verb in FLOWS else ():
        takes = FLOWS[verb].takes
        objects = near(slow, [str(t) for t in rule.objects], FLOWS[verb].objects)
        stated: dict[str, list[str | None]] = {}
        for phrase in (*rule.phrases, *rule.exceptions):
            if phrase.preposition in DIMENSIONS and phrase.terms and phrase.preposition in takes:
                words = near(slow, [str(t) for t in phrase.terms], takes[phrase.preposition])
                stated[phrase.preposition] = [None, *words]
        for object, *picked in itertools.islice(itertools.product(objects, *stated.values()), 400):
            said = {p: w for p, w in zip(stated, picked, strict=True) if w is not None}
            yield {"verb": verb, "object": str(object), **said}


def near(slow: SlowInterpreter, names: list[str], kinds: tuple[str, ...]) -> list[str]:
    """The words themselves, one word above and one below each, and one that is none of these."""
    found = dict.fromkeys(names)
    for kind, name in slow.declared:
        if kind in kinds:
            above = {other for _, other in slow.above((kind, name))}
            if above & set(names) or any((kind, n) in slow.declared and name in {
                other for _, other in slow.above((kind, n))} for n in names):  # fmt: skip
                found[name] = None
    others = [name for kind, name in slow.declared if kind in kinds and name not in found]
    return [name for name in [*found, *others[:1]] if slow.resolve_spelled(name, kinds)]
