"""By which sentences of a policy something may arrive at a peer, so that the peers' page can name them.

The peers see what arrives and nothing else: not the service's database, and not its ledger. So the page asks the policy
itself which of its permissions speak of this category and this recipient. What no sentence speaks of should not have
arrived, and the page says that too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avow.engine import Policy
    from avow.values import Sentence


@dataclass(frozen=True, slots=True)
class Ground:
    """One sentence, where it can be read, and the fields that arrived by it."""

    anchor: str
    text: str
    href: str
    fields: tuple[str, ...] = ()


class Permissions:
    """What a policy permits to arrive. `site` is how its service is reached: the sentences stand on its /privacy."""

    def __init__(self, policy: Policy, site: str) -> None:
        self._policy = policy
        self._site = site

    def shared(self, fields: Iterable[str], recipient: str) -> list[Ground]:
        """The sentences by which these fields may be shared with a recipient, each with the fields that it speaks of.

        What is no category of the policy (the number of an attempt, an amount) needs no sentence.
        """
        by: dict[Sentence, list[str]] = {}
        for category in fields:
            for sentence in self._sentences("share", category, recipient):
                by.setdefault(sentence, []).append(category)
        return [self._ground(sentence, tuple(names)) for sentence, names in by.items()]

    def unpermitted(self, fields: Iterable[str], recipient: str) -> list[str]:
        """The categories among these fields that no sentence lets this recipient have."""
        known = self._policy.vocabulary.words["category"]
        return [name for name in fields if name in known and not self._sentences("share", name, recipient)]

    def mailed(self) -> list[Ground]:
        """The sentences by which mail may leave; a mail does not say which of them it is."""
        found = dict.fromkeys(
            rule.sentence for rule in self._policy.rules if (rule.modal, rule.verb) == ("may", "send")
        )
        return [self._ground(sentence) for sentence in found]

    def _sentences(self, verb: str, category: str, recipient: str) -> list[Sentence]:
        covers = self._policy.vocabulary.covers
        found: dict[Sentence, None] = {}
        for rule in self._policy.rules:
            if (rule.modal, rule.verb) != ("may", verb):
                continue
            whom = [term.name for phrase in rule.phrases if phrase.preposition == "with" for term in phrase.terms]
            if any(covers("recipient", wide, recipient) for wide in whom) and any(
                covers("category", term.name, category) for term in rule.objects
            ):
                found[rule.sentence] = None
        return list(found)

    def _ground(self, sentence: Sentence, fields: tuple[str, ...] = ()) -> Ground:
        return Ground(sentence.anchor, sentence.text, f"{self._site}/privacy#{sentence.anchor}", fields)
