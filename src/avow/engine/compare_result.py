"""What comparing two versions yields: a verdict, and differences that each carry a witness.

A witness is one flow, with facts, that both versions were asked about. Whoever doubts a difference can ask again:

    old.judge(witness.verb, witness.old_object, **witness.old_dimensions, facts=witness.facts)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from avow.values import Facts, Sentence

Outcome = Literal["not weaker", "weaker", "new purpose", "incomparable"]
#: From harmless to grave; the verdict of a comparison is the gravest of its differences.
OUTCOMES: tuple[Outcome, ...] = ("not weaker", "weaker", "new purpose", "incomparable")
#: What a version needs, beyond being published, before it may handle data collected under the old one.
NEEDS: dict[Outcome, str] = {
    "not weaker": "nothing: it may handle all data at once",
    "weaker": "the consent of each person before it handles data collected under the old version",
    "new purpose": "an e-mail to everybody concerned, and consent, before the new use",
    "incomparable": "a renaming for each lost word, and consent where code is another; until then data stays under the "
    "old version",
}

#: permission: permits what was refused · promise: no longer forbids what nothing permits · retention: keeps longer ·
#: rate: may do it more often · duty: a duty dropped, slowed or narrowed · attestation: a signature dropped, rarer, or
#: of a wider role · recipient: more fields or channels, or no agreement · cookie: lives longer, or for more ·
#: predicate: other code answers a condition · term: a word without counterpart · undecided: too many conditions to try
Kind = Literal[
    "permission", "promise", "retention", "rate", "duty", "attestation", "recipient", "cookie", "predicate", "term",
    "undecided",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Witness:
    """One flow that the two versions answer differently.

    The words are given as each version has them; they differ where a word was renamed. Dimensions are keyed by
    their Python names (`recipient`). `judged` tells whether the verb is a flow's, so that `judge` can be asked;
    otherwise the witness is the occasion of a duty.
    """

    verb: str
    old_object: str
    new_object: str
    old_dimensions: Mapping[str, str]
    new_dimensions: Mapping[str, str]
    facts: Facts
    words: str
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What one version says to the witness. `sentence` is the one that it rests on, None if it says nothing."""

    permitted: bool | None
    text: str
    sentence: Sentence | None
    rule: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which the new version protects less. `summary` is one sentence for people."""

    kind: Kind
    outcome: Outcome
    summary: str
    witness: Witness
    old: Answer
    new: Answer


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a new version of a policy stands to an old one."""

    site: str
    title: str
    old_version: str
    new_version: str
    old_effective: str
    new_effective: str
    differences: tuple[Difference, ...]

    @property
    def verdict(self) -> Outcome:
        """The gravest outcome; `not weaker` if there is no difference."""
        return max((d.outcome for d in self.differences), key=OUTCOMES.index, default="not weaker")

    @property
    def needs(self) -> str:
        """What the new version needs before it may handle data collected under the old one."""
        return NEEDS[self.verdict]
