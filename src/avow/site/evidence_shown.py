"""The evidence of a time as a page or a report shows it; its words are in the template `evidence_told.html`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from markupsafe import Markup

from avow.edge.pages import day as in_words
from avow.ledger.figures import Figures, number_of
from avow.site.charts import bars, chart
from avow.site.evidence import Told, day_of, signed_words
from avow.vault.attesting import Attested

if TYPE_CHECKING:
    from avow.language.vocabulary import Vocabulary
    from avow.site.evidence import Evidence
    from avow.site.versions import Version

#: By anchor, the tests that prove the rules of a sentence.
Tests = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Shown:
    """The days from `since` to before `until`: the sentences in force, and the figures of those of earlier versions."""

    since: date
    until: date
    told: list[Told]
    earlier: dict[str, Figures]
    vocabulary: Vocabulary
    tests: Tests = field(default_factory=dict)
    #: By anchor, the version since which a sentence reads as it does, where it read otherwise within the time.
    reworded: Mapping[str, str] = field(default_factory=dict)

    @property
    def last(self) -> date:
        """The last day of it."""
        return self.until - timedelta(days=1)

    @property
    def span(self) -> str:
        """The time in words."""
        return " to ".join(dict.fromkeys((in_words(self.since), in_words(self.last))))

    @property
    def idle(self) -> list[Told]:
        """The sentences that could be counted, and did nothing."""
        return [each for each in self.told if each.counted and each.figures.last is None]

    @property
    def days(self) -> dict[int, tuple[int, int]]:
        """All sentences together, as `Figures.days`."""
        days: dict[int, tuple[int, int]] = {}
        for each in self.told:
            for day, (kept, refused) in each.figures.days.items():
                before = days.get(day, (0, 0))
                days[day] = (before[0] + kept, before[1] + refused)
        return days

    def chart(self, of: Mapping[int, tuple[int, int]], title: str) -> Markup:
        """A picture of some figures over the time."""
        return chart(bars(of, self.since, self.until), title)

    def label(self, word: str, kind: str | None = None) -> str:
        """What the policy calls a word."""
        return self.vocabulary.label(word, kind)

    def signed(self, attested: Attested) -> str:
        """Who vouches for a sentence until when."""
        return signed_words(attested, self.label(attested.role, "role"))

    @staticmethod
    def day(number: int) -> str:
        """A day that is counted from 1970, in words."""
        return day_of(number * 24)


def shown(evidence: Evidence, vocabulary: Vocabulary, since: date, until: date) -> Shown:
    """The evidence of the days from `since` to before `until`."""
    told, earlier = evidence.whole(evidence.figures(since, until))
    return Shown(since, until, told, earlier, vocabulary)


def reworded(versions: Sequence[Version], since: date, until: date) -> dict[str, str]:
    """By anchor, the version since which a sentence has the words and rules of now, if others held within the time.

    Args:
        versions: that an installation has been under, newest first.
    """
    now, found = _sentences(versions[0]), dict[str, str]()
    for newer, older in pairwise(versions):
        # The older one was in force here until the newer one came; what ended before the time is not looked at.
        if newer.since // 24 < number_of(since):
            break
        if older.since // 24 >= number_of(until):
            continue
        for anchor, said in _sentences(older).items():
            if anchor in now and said != now[anchor]:
                found.setdefault(anchor, newer.version)
    return found


def _sentences(version: Version) -> dict[str, tuple[str, ...]]:
    policy = version.policy()
    return {
        each.anchor: (each.text, *(rule.text for rule in policy.rules_of(each.anchor))) for each in policy.sentences
    }
