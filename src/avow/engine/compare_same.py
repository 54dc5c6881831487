"""Clauses that both versions have alike, so that nothing they say needs to be compared.

Most of a policy does not change from one version to the next. A clause is alike if it limits the same slots to the
same words (after renaming), under the same condition, with the same exceptions and spans. Its box is then
the same too, as long as no word that it names stands for fewer words than before.
"""

from __future__ import annotations

from collections.abc import Hashable

from avow.engine.clauses import Limits
from avow.engine.compare_boxes import Side
from avow.engine.compare_spans import allowance
from avow.engine.compare_words import Words
from avow.language.vocabulary import KINDS


def alike(old: Side, new: Side, words: Words) -> tuple[int, int]:
    """The old clauses that the new version has too, and the new clauses that the old one had, as sets of bits."""
    if not _one_to_one(words) or not _same_orders(words):
        return 0, 0
    steady = _steady(words)
    before = {i: _signature(old, i, words) for i in range(len(old.clauses))}
    now = {i: _signature(new, i, None) for i in range(len(new.clauses))}
    had, has = set(before.values()), set(now.values())
    kept = sum(1 << i for i, signature in before.items() if signature in has)
    same = sum(1 << i for i, signature in now.items() if signature in had)
    # What only touches a word depends on what the word stands for; what lies within a list does not.
    return kept & (old.permits if not steady else -1), same & (new.permits if not steady else -1)


def _one_to_one(words: Words) -> bool:
    targets = list(words.renamed.values())
    return len(set(targets)) == len(targets) and not any(words.old.kind_of(name) for name in targets)


def _same_orders(words: Words) -> bool:
    """Whether the same forms are as strict as one another in both versions."""
    return all(
        words.old.orders(name) == words.new.orders(words.counterpart(name, ("form",)) or "")
        for name in words.old.words["form"]
    )


def _steady(words: Words) -> bool:
    """Whether every word still stands for at least all that it stood for."""
    for kind in KINDS:
        for name in words.old.words[kind]:
            below = words.old.below(kind, name)
            other = words.counterpart(name, (kind,))
            if other is None:
                if len(below) > 1:
                    return False
            elif not {words.renamed.get(low, low) for low in below} <= words.new.below(kind, other):
                return False
    return True


def _signature(side: Side, number: int, words: Words | None) -> Hashable:
    clause = side.clauses[number]
    condition = side.conditions[number]
    duty = clause.duty
    return (
        clause.effect,
        clause.implied,
        clause.verbs,
        _limits(clause.limits, words),
        _limits(clause.exceptions, words),
        condition,
        allowance(clause.rule) if clause.effect == "permit" else None,
        duty and (duty.verb, _renamed(duty.object or "", words), duty.timing,
                  tuple((p, tuple(_renamed(w, words) for w in said)) for p, said in duty.phrases)),
    )  # fmt: skip


def _limits(limits: Limits, words: Words | None) -> Hashable:
    if words is None or not words.renamed:
        return frozenset((slot, limit.mode, limit.refs) for slot, limit in limits.items())
    return frozenset(
        (slot, limit.mode, frozenset((kind, words.text(name)) for kind, name in limit.refs))
        for slot, limit in limits.items()
    )


def _renamed(text: str, words: Words | None) -> str:
    return text if words is None else words.text(text)
