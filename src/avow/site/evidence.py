"""What the ledger says of each sentence of the policy: for the public, for the house, and for an auditor.

    site.opened.evidence.told(since=date(2026, 1, 1), until=date(2027, 1, 1))

Figures are of whole days (UTC), from `since` to before `until`, and of entries that are in the ledger and wait no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from avow.edge.pages import day as in_words
from avow.edge.privacy import is_counted
from avow.ledger import tally
from avow.ledger.figures import Figures, by_sentence, number_of
from avow.values import Sentence
from avow.vault.attesting import Attested, Signature

if TYPE_CHECKING:
    from avow.vault.vault import Vault

_FIRST: Final = date(1970, 1, 1)
_LAST: Final = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence of the policy in force, and what there is to show for it.

    Attributes:
        rules: as they are written.
        counted: whether something happens by which it can be counted.
        forbids: whether it does nothing but forbid, so that nothing is to be expected of it.
        demands: whether it permits nothing, and has something done.
        attested: the signature that it needs, if it needs one.
    """

    sentence: Sentence
    rules: tuple[str, ...]
    counted: bool
    forbids: bool
    demands: bool
    figures: Figures
    attested: Attested | None


class Evidence:
    """The evidence of one open installation. For all threads."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._published: tuple[int | None, Mapping[str, Figures]] = (None, {})

    def figures(self, since: date = _FIRST, until: date = _LAST) -> dict[str, Figures]:
        """The figures of every sentence, also of earlier versions, that did anything in that time; by anchor."""
        first, end = number_of(since), number_of(until)
        with self._vault.store.reading() as connection:
            return by_sentence(tally.read(connection, self._vault.home.schema, since=first, until=end))

    def published(self) -> Mapping[str, Figures]:
        """The figures since the beginning, counted anew when entries have been integrated."""
        entry = self._vault.home.schema.entry
        with self._vault.store.reading() as connection:
            newest = connection.scalar(select(func.max(entry.c.number)))
        if newest != self._published[0]:
            self._published = (newest, self.figures())
        return self._published[1]

    def told(self, since: date = _FIRST, until: date = _LAST) -> list[Told]:
        """Each sentence of the policy in force that promises anything, in its order."""
        return self._told(self.figures(since, until))

    def whole(
        self, found: Mapping[str, Figures], signatures: tuple[Signature, ...] | None = None
    ) -> tuple[list[Told], dict[str, Figures]]:
        """The same of some figures, and those of sentences that only earlier versions have, by anchor."""
        mine = {sentence.anchor for sentence in self._vault.policy.sentences}
        return self._told(found, signatures), {
            anchor: figures for anchor, figures in found.items() if anchor not in mine
        }

    def _told(self, found: Mapping[str, Figures], signatures: tuple[Signature, ...] | None = None) -> list[Told]:
        policy = self._vault.policy
        modals: dict[str, set[str]] = {}
        for rule in policy.rules:
            modals.setdefault(rule.sentence.anchor, set()).add(rule.modal)
        attested = {each.sentence.anchor: each for each in self._vault.attesting.states(signatures)}
        return [
            Told(
                sentence,
                tuple(rule.text for rule in policy.rules_of(sentence.anchor)),
                is_counted(policy, sentence),
                modals.get(sentence.anchor) == {"never"},
                "must" in modals.get(sentence.anchor, ()) and "may" not in modals[sentence.anchor],
                found.get(sentence.anchor, Figures()),
                attested.get(sentence.anchor),
            )
            for sentence in policy.sentences
            if sentence.kind != "informational"
        ]

    def signed(self) -> dict[str, str]:
        """What the public is told of each sentence that somebody has to sign for, by anchor."""
        label = self._vault.policy.vocabulary.label
        return {
            each.sentence.anchor: signed_words(each, label(each.role, "role"))
            for each in self._vault.attesting.states()
        }


def signed_words(attested: Attested, role: str) -> str:
    """Who vouches for a sentence until when; `role` as the policy calls it."""
    held = attested.signature
    if held is None:
        return f"Nobody has signed for it at present: {role} would have to."
    return f"Signed for by {role} on {day_of(held.since)}; that holds until {day_of(held.until)}."


def day_of(hour: int) -> str:
    """The day of an hour that is counted from 1970, in words."""
    return in_words((datetime.fromtimestamp(0, UTC) + timedelta(hours=hour)).date())
