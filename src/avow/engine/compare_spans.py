"""How long, and how often, a permission lets something be done."""

from __future__ import annotations

from dataclasses import dataclass

from avow.language.rules import Rule


@dataclass(frozen=True, slots=True)
class Allowance:
    """`may keep … within 3 months after closed`, `may share … every 3 months`, in seconds; None is without limit.

    `start` holds the events with the first of which the period begins; none means that it begins at once.
    """

    period: float | None = None
    start: frozenset[str] = frozenset()
    rate: float | None = None

    def as_long(self, other: Allowance) -> bool:
        """Whether whatever the other lets last, this one lets last. What begins at once ends sooner than after an
        event, and the first of some events comes no later than the first of fewer; of two it is not known which.
        """
        if self.period is None:
            return True
        sooner = not other.start or (bool(self.start) and self.start <= other.start)
        return other.period is not None and other.period <= self.period and sooner

    def as_often(self, other: Allowance) -> bool:
        """Whether this one lets it be done as often as the other."""
        return self.rate is None or (other.rate is not None and other.rate >= self.rate)

    def covers(self, other: Allowance) -> bool:
        """Whether whatever the other allows, this one allows."""
        return self.as_long(other) and self.as_often(other)


UNLIMITED = Allowance()


def allowance(rule: Rule) -> Allowance:
    """The spans of a `may`; of another rule, no limit."""
    if rule.modal != "may":
        return UNLIMITED
    period = rate = None
    start: set[str] = set()
    for phrase in rule.phrases:
        if phrase.span is not None and phrase.preposition == "every":
            rate = phrase.span.seconds
        elif phrase.span is not None:
            seconds = phrase.span.seconds
            period = seconds if period is None or seconds is None else min(period, seconds)
        elif phrase.preposition in ("after", "before"):
            start.update(f"{phrase.preposition} {term}" for term in phrase.terms)
    return Allowance(period, frozenset(start) if period is not None else frozenset(), rate)
