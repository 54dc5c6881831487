"""What a probe tells: the attempts that got through, and what was tried at all."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Hole:
    """One attempt that did not end as it should.

    Attributes:
        probe: the name of the probe, `page.stranger`.
        door: where it got through, in words: `a page`, `the database file`.
        tried: what was tried.
        expected: what should have happened.
        happened: what happened.
        look: what to look at.
        sentences: the anchors of the sentences that say so; none where the guard is the same for every site.
    """

    probe: str
    door: str
    tried: str
    expected: str
    happened: str
    look: str
    sentences: tuple[str, ...] = ()

    def __str__(self) -> str:
        by = ", ".join(f"#{anchor}" for anchor in self.sentences)
        lines = [
            f"hole: {self.probe}, at {self.door}" + (f" ({by})" if by else ""),
            f"  tried:            {self.tried}",
            f"  should happen:    {self.expected}",
            f"  happened instead: {self.happened}",
            f"  look at:          {self.look}",
        ]
        return "\n".join(lines)


@dataclass(slots=True)
class Report:
    """What came of probing one site.

    Attributes:
        site: its name.
        holes: what got through. Of one probe and sentence only the first few are kept; `more` counts the others.
        attempts: how many attempts were made, by probe.
        rules: how many attempts there were for each rule, by anchor and text; 0 where none was possible.
        unprobed: what could not be probed, each with the reason.
    """

    site: str
    holes: list[Hole] = field(default_factory=list)
    more: int = 0
    attempts: Counter[str] = field(default_factory=Counter)
    rules: dict[tuple[str, str], int] = field(default_factory=dict)
    unprobed: dict[str, str] = field(default_factory=dict)

    #: Holes of one probe and door, and of one probe, that are told in full.
    FEW: ClassVar[int] = 3
    MANY: ClassVar[int] = 10

    def tried(self, probe: str, number: int = 1) -> None:
        """Count attempts."""
        self.attempts[probe] += number

    def found(self, hole: Hole) -> None:
        """Note a hole."""
        alike = [known.door for known in self.holes if known.probe == hole.probe]
        if alike.count(hole.door) < self.FEW and len(alike) < self.MANY:
            self.holes.append(hole)
        else:
            self.more += 1

    def without(self, what: str, why: str) -> None:
        """Note what cannot be probed here."""
        self.unprobed.setdefault(what, why)

    @property
    def total(self) -> int:
        """All attempts."""
        return sum(self.attempts.values())

    @property
    def sentences(self) -> tuple[int, int]:
        """How many sentences with rules were probed, and how many there are."""
        anchors = {anchor for anchor, _ in self.rules}
        return len({anchor for (anchor, _), count in self.rules.items() if count}), len(anchors)

    def as_json(self) -> dict[str, Any]:
        """The report, for programs."""
        return {
            "site": self.site,
            "ok": not self.holes,
            "attempts": dict(sorted(self.attempts.items())),
            "rules": [{"sentence": a, "rule": text, "attempts": count} for (a, text), count in self.rules.items()],
            "unprobed": [{"what": what, "why": why} for what, why in self.unprobed.items()],
            "holes": [asdict(hole) for hole in self.holes],
            "more_holes": self.more,
        }
