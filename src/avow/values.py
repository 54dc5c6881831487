"""Frozen values that every floor speaks in: sentences, duties, verdicts, diagnostics.

No value here knows a clock, a socket or a database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn

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


class Verdict:
    """The answer to one flow. `sentences` is never empty; verdicts are made once, shared, and cannot be changed.

    `under` is the digest of the version of the policy that refuses, where that is an earlier one than that in force.

    `reason` may be given as a function without arguments that always returns the same text: it is called when the
    reason is first read, because most reasons never are and putting one into words takes longer than deciding.
    """

    __slots__ = ("_reason", "duties", "permitted", "rule", "sentences", "under")
    permitted: bool
    sentences: tuple[Sentence, ...]
    duties: tuple[Duty, ...]
    rule: str
    under: str

    def __init__(
        self,
        permitted: bool,
        sentences: tuple[Sentence, ...],
        duties: tuple[Duty, ...],
        rule: str,
        reason: str | Callable[[], str],
        under: str = "",
    ) -> None:
        # The slots' own setters, because `__setattr__` refuses: half the time of `object.__setattr__`.
        _set_permitted(self, permitted)
        _set_sentences(self, sentences)
        _set_duties(self, duties)
        _set_rule(self, rule)
        _set_reason(self, reason)
        _set_under(self, under)

    @property
    def reason(self) -> str:
        """Why, in words."""
        made: str | Callable[[], str] = self._reason  # type: ignore[attr-defined]  # a slot has no static type
        if not isinstance(made, str):
            made = made()
            _set_reason(self, made)
        return made

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a verdict is shared and cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a verdict is shared and cannot be changed: {name}")

    def __repr__(self) -> str:
        return f"<Verdict {'permitted' if self.permitted else 'refused'}: {self.reason}>"


_set_permitted, _set_sentences, _set_duties, _set_rule, _set_reason, _set_under = (
    Verdict.__dict__[name].__set__ for name in ("permitted", "sentences", "duties", "rule", "_reason", "under")
)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault of a policy file, or a warning, with its place: `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    width: int
    message: str
    source: str
    help: str | None = None
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        gutter = f"{self.line:>4}"
        blank = " " * len(gutter)
        caret = " " * (self.column - 1) + "^" * max(self.width, 1)
        lines = [
            f"{self.level}: {self.message}",
            f"{blank}--> {self.file}:{self.line}:{self.column}",
            f"{blank} |",
            f"{gutter} | {self.source}",
            f"{blank} | {caret}",
        ]
        if self.help:
            lines.append(f"{blank} = help: {self.help}")
        return "\n".join(lines)
