"""Duties: what a `must` demands, as values."""

from __future__ import annotations

from typing import Literal

from avow.language.rules import Rule
from avow.language.verbs import FLOWS
from avow.values import Duty

Timing = Literal["before", "with", "scheduled", "state"]


def timing(rule: Rule) -> Timing:
    """When a `must` is due, by its phrases: `before` gates, `in` and `with` accompany, the others schedule."""
    words = {phrase.preposition for phrase in rule.phrases}
    if "before" in words:
        return "before"
    with_flow = any(
        phrase.preposition == "with" and any(term.name in FLOWS for term in phrase.terms) for phrase in rule.phrases
    )
    if with_flow or "in" in words:
        return "with"
    return "scheduled" if words & {"within", "after", "every"} else "state"


def duties_of(rule: Rule) -> tuple[Duty, ...]:
    """One duty for each object of a `must`."""
    phrases = tuple((phrase.preposition, phrase.words) for phrase in rule.phrases)
    when = timing(rule)
    return tuple(Duty(rule.verb, str(term), when, phrases, rule.sentence, rule.text) for term in rule.objects)
