"""Comparing versions finds exactly what counting every flow and all facts finds, on random small policies."""

from __future__ import annotations

import os

import pytest

from avow.engine import Policy
from avow.engine.compare import compare
from avow.engine.compare_result import Difference, Witness
from avow.testing.probing.interpreter import SlowInterpreter
from avow.values import DIMENSIONS
from tests.engine.compare_generator import WORDS, Pairs
from tests.engine.compare_oracle import Oracle

#: The suite counts 300 pairs; COMPARE_PAIRS=3000 counts as many as one has time for.
BLOCKS, PAIRS = 12, int(os.environ.get("COMPARE_PAIRS", "300")) // 12


def oracle(pairs: Pairs) -> Oracle:
    words = {kind: list(names) for kind, names in WORDS.items()}
    # Arguments that no rule names, and numbers below, between and above those that rules name.
    words["form"] += ["sum(other)", "sum(size 1)", "sum(size 9)", "sum(size 30)"]
    for kind, name, _ in pairs.new_words:
        words[kind].append(name)
    return Oracle(pairs.old_known, pairs.new_known, words, frozenset(name for _, name, _ in pairs.new_words))


def disagreement(seed: int) -> str | None:
    """What the comparison and the count do not agree on, with everything needed to look at it."""
    pairs = Pairs(seed)
    comparison = compare(Policy.parse(pairs.old.source), Policy.parse(pairs.new.source))
    by_kind: dict[str, list[Difference]] = {}
    for difference in comparison.differences:
        if not difference.witness.judged:
            continue  # a duty that no permitted flow comes to meet: declared, not counted
        by_kind.setdefault(difference.kind, []).append(difference)
    counted = oracle(pairs).expected().shown
    wrong = [kind for kind in ("permission", "promise") if (kind in by_kind) != (kind in counted)]
    if "permission" not in counted:
        wrong += [kind for kind in ("retention", "duty") if (kind in by_kind) != (kind in counted)]
    if not wrong:
        return None
    rules = "\n".join(
        f"{name}: {rule.text}" for name, side in (("old", pairs.old), ("new", pairs.new)) for rule in side.rules
    )
    found = "\n".join(f"found {d.kind}: {d.witness.words}" for d in comparison.differences)
    return f"seed {seed}: {wrong}\n{rules}\nwords {pairs.new_words}\ncounted {counted}\n{found}"


@pytest.mark.parametrize("block", range(BLOCKS))
def test_comparison_agrees_with_brute_force(block: int) -> None:
    wrong = [said for seed in range(block * PAIRS, (block + 1) * PAIRS) if (said := disagreement(seed))]
    assert not wrong, "\n\n".join(wrong[:3])


def flow_of(witness: Witness, *, old: bool) -> dict[str, str]:
    prepositions = {name: preposition for preposition, name in DIMENSIONS.items()}
    dimensions = witness.old_dimensions if old else witness.new_dimensions
    stated = {prepositions[name]: word for name, word in dimensions.items()}
    return {"verb": witness.verb, "object": witness.old_object if old else witness.new_object, **stated}


@pytest.mark.parametrize("block", range(3))
def test_every_witness_shows_its_difference_to_both_interpreters(block: int) -> None:
    shown = 0
    for seed in range(block * PAIRS, (block + 1) * PAIRS):
        pairs = Pairs(seed)
        old, new = Policy.parse(pairs.old.source), Policy.parse(pairs.new.source)
        slow_old, slow_new = SlowInterpreter(pairs.old_known), SlowInterpreter(pairs.new_known)
        for difference in compare(old, new).differences:
            witness = difference.witness
            if not witness.judged:
                continue
            before = slow_old.decide(flow_of(witness, old=True), witness.facts)
            now = slow_new.decide(flow_of(witness, old=False), witness.facts)
            assert now.permitted is difference.new.permitted, (seed, difference)
            expected = {"permission": (False, True), "promise": (False, False)}.get(difference.kind, (True, True))
            assert (before.permitted, now.permitted) == expected, (seed, difference)
            shown += 1
    assert shown > 12
