"""The syntax tree of a rule block, and the printer that gives each statement its canonical text.

Nodes compare by what they say, not by where they stand. `str(node)` is canonical: one space between words,
`, ` between terms; parsing it again gives an equal node.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Modal = Literal["may", "never", "must"]

#: Seconds in each unit of a span. A month is 30 days, a year 365: a limit must not depend on the calendar.
UNITS: dict[str, int] = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 7 * 86400,
    "month": 30 * 86400,
    "year": 365 * 86400,
}
PREPOSITIONS = (
    "with", "to", "from", "about", "for", "at", "by", "in", "over", "as", "before", "after", "within", "every",
)  # fmt: skip
#: Words that no term, verb or name of a vocabulary may be.
KEYWORDS = frozenset(PREPOSITIONS) | {
    "may", "never", "must", "only", "when", "unless", "otherwise", "except", "and", "or", "not", "no", "promise",
    "attested",
}  # fmt: skip
#: The predicate of a signature; its argument is the anchor of a sentence, which no vocabulary has.
ATTESTED = "attested"


@dataclass(frozen=True, slots=True)
class Position:
    """Where something stands in the policy file; line and column count from 1."""

    line: int
    column: int
    width: int


NOWHERE = Position(1, 1, 1)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, such as `3 months`."""

    amount: float
    unit: str
    at: Position = field(default=NOWHERE, compare=False, repr=False)

    @property
    def seconds(self) -> float | None:
        """Its length in seconds, or None if the unit is not one of UNITS."""
        size = UNITS.get(self.unit.removesuffix("s"))
        return None if size is None else self.amount * size

    def __str__(self) -> str:
        return f"{_plain(self.amount)} {self.unit}"


@dataclass(frozen=True, slots=True)
class Number:
    """A bare number, or a named one such as the `epsilon 1` of an argument list."""

    value: float
    name: str | None = None

    def __str__(self) -> str:
        return f"{self.name} {_plain(self.value)}" if self.name else _plain(self.value)


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the vocabulary, with arguments if it takes any: `consented(newsletter)`."""

    name: str
    arguments: tuple[Argument, ...] = ()
    at: Position = field(default=NOWHERE, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.arguments))})" if self.arguments else self.name


Argument = Term | Number | Span


def _plain(value: float) -> str:
    """A number in digits: `1e-07` and `inf` are no numbers of the language."""
    return format(Decimal(repr(value)), "f").removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A preposition with its terms or its span; exactly one of the two is given."""

    preposition: str
    terms: tuple[Term, ...] = ()
    span: Span | None = None
    only: bool = False
    at: Position = field(default=NOWHERE, compare=False, repr=False)

    @property
    def words(self) -> tuple[str, ...]:
        """The terms, or the span, as text."""
        return (str(self.span),) if self.span else tuple(map(str, self.terms))

    def __str__(self) -> str:
        return f"{'only ' if self.only else ''}{self.preposition} {', '.join(self.words)}"


@dataclass(frozen=True, slots=True)
class Fact:
    """A yes-or-no atom; its canonical spelling is the key of the fact."""

    term: Term

    def __str__(self) -> str:
        return str(self.term)


@dataclass(frozen=True, slots=True)
class Compare:
    """A measured word against a number; a span counts in seconds."""

    word: Term
    operator: Literal["<", "<=", ">", ">="]
    value: Number | Span

    def __str__(self) -> str:
        return f"{self.word} {self.operator} {self.value}"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    part: Condition

    def __str__(self) -> str:
        return f"not {_nested(self.part)}"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " and ".join(p.__str__() if isinstance(p, Not) else _nested(p) for p in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " or ".join(p.__str__() if isinstance(p, Not) else _nested(p) for p in self.parts)


Condition = Fact | Compare | Not | AllOf | AnyOf


def _nested(condition: Condition) -> str:
    return str(condition) if isinstance(condition, (Fact, Compare)) else f"({condition})"


def atoms(condition: Condition) -> Iterator[Fact | Compare]:
    """The facts and comparisons of a condition, from left to right."""
    if isinstance(condition, (Fact, Compare)):
        yield condition
    elif isinstance(condition, Not):
        yield from atoms(condition.part)
    else:
        for part in condition.parts:
            yield from atoms(part)


@dataclass(frozen=True, slots=True)
class Guard:
    """`when` or `unless` with its condition, or `otherwise` without one."""

    word: Literal["when", "unless", "otherwise"]
    condition: Condition | None = None

    def __str__(self) -> str:
        return f"{self.word} {self.condition}" if self.condition else self.word


@dataclass(frozen=True, slots=True)
class Statement:
    """A rule as it was written: modal, verb, objects, phrases, guard, exceptions."""

    modal: Modal
    verb: str
    objects: tuple[Term, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    guard: Guard | None = None
    exceptions: tuple[Phrase, ...] = ()
    at: Position = field(default=NOWHERE, compare=False, repr=False)
    verb_at: Position = field(default=NOWHERE, compare=False, repr=False)

    def phrase(self, preposition: str, *, span: bool = False) -> Phrase | None:
        """The phrase that starts with `preposition` and holds terms (or, if asked, a span)."""
        for phrase in self.phrases:
            if phrase.preposition == preposition and (phrase.span is not None) is span:
                return phrase
        return None

    def __str__(self) -> str:
        parts = [self.modal, self.verb]
        if self.objects:
            parts.append(", ".join(map(str, self.objects)))
        parts += map(str, self.phrases)
        if self.guard:
            parts.append(str(self.guard))
        if self.exceptions:
            parts += ["except", *map(str, self.exceptions)]
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class NoPromise:
    """`no promise: "reason"`: the paragraph only informs."""

    reason: str
    at: Position = field(default=NOWHERE, compare=False, repr=False)

    def __str__(self) -> str:
        return f'no promise: "{self.reason}"'


@dataclass(frozen=True, slots=True)
class Attested:
    """`attested by ROLE every SPAN`: a signature on which the block's permissions depend."""

    role: Term
    every: Span
    at: Position = field(default=NOWHERE, compare=False, repr=False)

    def __str__(self) -> str:
        return f"attested by {self.role} every {self.every}"
