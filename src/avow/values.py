"""Frozen values that every floor speaks in: sentences, duties, verdicts, diagnostics.

No value here knows a clock, a socket or a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

#: The preposition of a rule and the name that its dimension has in Python.
DIMENSIONS: dict[str, str] = {
    "with": "recipient",
    "to": "audience",
    "from": "source",
    "about": "subject",
    "for": "purpose",
    "at": "place",
    "by": "role",
    "in": "medium",
    "over": "channel",
    "as": "form",
}

#: What a unit of work knows when it asks: condition atoms in their canonical spelling
#: (`consented(newsletter)`) to true or false, measured words (`age`) to a number.
#: An atom that is missing, or maps to None, is unknown.
Facts = Mapping[str, bool | float | None]
NO_FACTS: Facts = {}

Kind = Literal["enforced", "attested", "informational"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One normative statement of the prose. `line` counts from 1 in the policy file."""

    anchor: str
    text: str
    rows: tuple[str, ...]
    kind: Kind
    line: int
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Duty:
    """What must accompany a permitted flow.

    `timing` is `before` (a gate: done first or refused), `with` (done in the same unit of work),
    `scheduled` (within, after, every) or `state` (a notice or property, checked where it says).
    `phrases` holds (preposition, words) pairs as the rule states them.
    """

    verb: str
    object: str | None
    timing: Literal["before", "with", "scheduled", "state"]
    phrases: tuple[tuple[str, tuple[str, ...]], ...]
    sentence: Sentence
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """The answer to one flow. `sentences` is never empty; verdicts are made once and shared."""

    permitted: bool
    sentences: tuple[Sentence, ...]
    duties: tuple[Duty, ...]
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault of a policy file, with its place: `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    width: int
    message: str
    source: str
    help: str | None = None

    def __str__(self) -> str:
        gutter = f"{self.line:>4}"
        blank = " " * len(gutter)
        caret = " " * (self.column - 1) + "^" * max(self.width, 1)
        lines = [
            f"error: {self.message}",
            f"{blank}--> {self.file}:{self.line}:{self.column}",
            f"{blank} |",
            f"{gutter} | {self.source}",
            f"{blank} | {caret}",
        ]
        if self.help:
            lines.append(f"{blank} = help: {self.help}")
        return "\n".join(lines)
