"""What a policy says has to be gone by when: `must destroy message within 90 days after arrived`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from avow.engine.duties import duties_of, timing
from avow.engine.policy import Policy
from avow.values import Duty

#: The verbs by which something comes to its end.
ENDS = ("destroy", "erase")


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something ends `within` so many seconds after an event; `object` is a category, or a subject with all theirs."""

    object: str
    event: str
    within: float
    duty: Duty


def deadlines(policy: Policy, verbs: Collection[str] = ENDS) -> tuple[Deadline, ...]:
    """What a policy has done with these verbs by when, one for each object and event of a rule, in its order."""
    found = []
    for rule in policy.rules:
        if rule.modal != "must" or rule.verb not in verbs or timing(rule) != "scheduled":
            continue
        spans = [phrase.span.seconds for phrase in rule.phrases if phrase.preposition == "within" and phrase.span]
        events = [str(term) for phrase in rule.phrases if phrase.preposition == "after" for term in phrase.terms]
        within = min((span for span in spans if span is not None), default=0.0)
        found += [Deadline(duty.object or "", event, within, duty) for duty in duties_of(rule) for event in events]
    return tuple(found)
