"""The bench: one policy as it was read, its stand-in on a scratch installation, and the report that is written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from avow.errors import AvowError, Refused
from avow.language.rules import Reading
from avow.testing.canaries import Canary, Search
from avow.testing.probing.attempts import Deriving, spelled
from avow.testing.probing.finding import Hole, Report
from avow.testing.probing.interpreter import Answer, SlowInterpreter
from avow.testing.probing.scratch import Scratch, canaries

if TYPE_CHECKING:
    from avow.site.work import Work
    from avow.testing.probing.standin import StandIn

#: The prepositions of the dimensions by the names that they have in Python.
PREPOSITION = {
    "recipient": "with", "audience": "to", "source": "from", "subject": "about", "purpose": "for", "place": "at",
    "role": "by", "medium": "in", "channel": "over", "form": "as",
}  # fmt: skip

Known = Mapping[str, bool | float | None]


@dataclass
class Bench:
    """What the probes of one policy have in their hands.

    Attributes:
        reading: the policy, as it stands in its file.
        slow: what says what it means.
        most: attempts of one kind at one door, at most.
        planted: owner and id of the records with canaries, `ann` and `bea`; both have every category.
        search: finds the canaries of both, by `ann.CATEGORY` and `bea.CATEGORY`.
    """

    policy: Path
    reading: Reading
    slow: SlowInterpreter
    deriving: Deriving
    report: Report
    standin: StandIn
    scratch: Scratch
    most: int
    planted: dict[str, tuple[str, str]] = field(default_factory=dict)
    values: dict[str, Canary] = field(default_factory=dict)
    _searches: dict[tuple[str, ...], Search] = field(default_factory=dict)

    def plant(self) -> None:
        """Put two people in, each with a canary in every column."""
        for who in ("ann", "bea"):
            made = canaries(
                {f"{who}.{category}": category for category in self.standin.columns}, self.standin.names.address
            )
            self.values |= made
            texts = {self.standin.columns[name.partition(".")[2]]: c.value for name, c in made.items()}
            self.planted[who] = self.scratch.plant(self.standin.record, texts)

    def value(self, category: str, who: str = "ann") -> str:
        """The canary of a category."""
        return self.values[f"{who}.{category}"].value

    def search(self, *categories: str, who: str = "") -> Search:
        """Looks for the canaries of these categories, or of all; of one person, or of both."""
        names = [f"{each}.{category}" for each in ([who] if who else ["ann", "bea"])
                 for category in categories or self.standin.columns]  # fmt: skip
        key = tuple(names)
        if key not in self._searches:
            self._searches[key] = Search({name: self.values[name] for name in names})
        return self._searches[key]

    def record(self, work: Work, who: str = "ann") -> Any:
        """The record of somebody, loaded in a unit."""
        return work.db.get(self.standin.record, self.planted[who])

    # -- what should happen -----------------------------------------------------------------------

    def asked(self, verb: str, object: str, facts: Known, **dimensions: str | None) -> Answer:
        """What the policy says of a flow, by the second interpreter; dimensions as in Python.

        What is signed for is known to every unit, and so it is here.
        """
        known = {**facts, **self.scratch.opened.vault.attesting.facts()}
        return self.slow.decide(flow_of(verb, object, **dimensions), known)

    def attest(self, facts: Known) -> None:
        """Have the signatures stand that these facts say stand, and no others of those that they name."""
        attesting = self.scratch.opened.vault.attesting
        for anchor, asked in self.standin.site.policy.attested.items():
            wanted, now = facts.get(f"attested({anchor})"), attesting.facts()[f"attested({anchor})"]
            if wanted and not now:
                attesting.sign(anchor, role=str(asked.role), name="probe")
            elif now and wanted is False:
                attesting.withdraw(anchor, role=str(asked.role))

    def anchors(self, answer: Answer) -> tuple[str, ...]:
        """The sentences of an answer."""
        return tuple(dict.fromkeys(rule.sentence.anchor for rule in self.reading.rules if rule.text in answer.rules))

    def duties_in_unit(self, answer: Answer) -> bool:
        """Whether a duty that no probe discharges goes with a permitted flow in the same unit."""
        texts = {duty.text for duty in self.standin.site.policy.duties if duty.timing == "with"}
        return bool(texts & answer.duties)

    # -- telling ----------------------------------------------------------------------------------

    def let_through(self, probe: str, door: str, tried: str, answer: Answer, happened: str, look: str) -> None:
        """A flow that the policy refuses took place."""
        why = {
            "never": "forbids it",
            "otherwise": "closes the list",
            "condition": "has a condition that is not met",
            "nothing": "is the nearest, and does not permit it",
        }.get(answer.how, "says no")
        rules = "; ".join(f"`{text}`" for text in sorted(answer.rules)[:2])
        self.report.found(
            Hole(probe, door, tried, f"it is refused: {rules} {why}", happened, look, self.anchors(answer)[:3])
        )

    def kept_out(self, probe: str, door: str, tried: str, answer: Answer, happened: str, look: str) -> None:
        """A flow that the policy permits was refused."""
        rules = "; ".join(f"`{text}`" for text in sorted(answer.rules)[:2])
        self.report.found(
            Hole(probe, door, tried, f"it is permitted by {rules}", happened, look, self.anchors(answer)[:3])
        )

    def hole(self, probe: str, door: str, tried: str, expected: str, happened: str, look: str, *by: str) -> None:
        """Something else went wrong."""
        self.report.found(Hole(probe, door, tried, expected, happened, look, by))

    def duty_anchors(self, verb: str, object: str | None = None) -> tuple[str, ...]:
        """The sentences that demand something of this verb (and object)."""
        return tuple(
            dict.fromkeys(
                rule.sentence.anchor
                for rule in self.reading.rules
                if rule.modal == "must" and rule.verb == verb and (object is None or object in map(str, rule.objects))
            )
        )

    def covers(self, verb: str) -> None:
        """Count an attempt for each duty with this verb."""
        for rule in self.reading.rules:
            if rule.modal == "must" and rule.verb == verb:
                self.report.rules[rule.sentence.anchor, rule.text] += 1

    # -- acting -----------------------------------------------------------------------------------

    @contextmanager
    def page(self, act: Callable[[Work], Response], facts: Known | None = None) -> Iterator[None]:
        """While the block lasts, the stand-in's pages do this, and these facts are known."""
        before = self.standin.act, dict(self.standin.facts)
        self.standin.act = act
        self.standin.facts.clear()
        self.standin.facts.update(facts or {})
        try:
            yield
        finally:
            self.standin.act = before[0]
            self.standin.facts.clear()
            self.standin.facts.update(before[1])

    @property
    def some(self) -> tuple[str, str, str]:
        """A role, a purpose and a place of the policy, whichever come first."""
        words = self.reading.front.vocabulary.words
        return next(iter(words["role"])), next(iter(words["purpose"])), next(iter(words["place"]))


def flow_of(verb: str, object: str, **dimensions: str | None) -> dict[str, str]:
    """A flow as the second interpreter takes it."""
    return {"verb": verb, "object": object,
            **{PREPOSITION[name]: word for name, word in dimensions.items() if word is not None}}  # fmt: skip


def told(verb: str, object: str, facts: Known, **dimensions: str | None) -> str:
    """A flow in one line."""
    return spelled(flow_of(verb, object, **dimensions), facts)


def refusal_of(act: Callable[[], object]) -> Refused | None:
    """Do something that may be refused; the refusal, if it was.

    Raises:
        AvowError: it failed in another way.
    """
    try:
        act()
    except Refused as refused:
        return refused
    return None


@contextmanager
def quiet() -> Iterator[None]:
    """What Avow logs of failures is not for who runs a probe: they are provoked."""
    known = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in ("avow", "asyncssh")]
    loggers = [logging.getLogger(name) for name in known]
    before = [(logger, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, was in before:
            logger.disabled = was


#: One family of probes.
Family = Callable[[Bench], None]

__all__ = ["AvowError", "Bench", "Family", "flow_of", "quiet", "refusal_of", "told"]
