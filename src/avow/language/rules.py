"""A policy as it was read and checked: its sentences, its rules, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from avow.language.frontmatter import FrontMatter
from avow.language.syntax import Attested, Condition, Guard, Modal, Phrase, Position, Statement, Term
from avow.language.verbs import ANY, FLOWS
from avow.language.vocabulary import KINDS, Vocabulary
from avow.values import Diagnostic, Kind, Sentence

#: A word with its kind, such as ("category", "contact.email").
Ref = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule with the sentence that it belongs to. `text` is canonical; `line` counts from 1 in the file."""

    statement: Statement
    sentence: Sentence
    text: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", str(self.statement))

    @property
    def modal(self) -> Modal:
        """`may`, `never` or `must`."""
        return self.statement.modal

    @property
    def verb(self) -> str:
        """What it allows, forbids or demands."""
        return self.statement.verb

    @property
    def objects(self) -> tuple[Term, ...]:
        """What the verb is done to; empty if the rule does not say."""
        return self.statement.objects

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """The phrases, in the order written."""
        return self.statement.phrases

    @property
    def guard(self) -> Guard | None:
        """`when`, `unless` or `otherwise`."""
        return self.statement.guard

    @property
    def exceptions(self) -> tuple[Phrase, ...]:
        """The phrases after `except`; all of them together take a flow out."""
        return self.statement.exceptions

    @property
    def line(self) -> int:
        """Where the rule starts in the policy file."""
        return self.statement.at.line

    @property
    def condition(self) -> Condition | None:
        """The condition of its guard, if it has one."""
        return self.statement.guard.condition if self.statement.guard else None


@dataclass(slots=True)
class Reading:
    """Everything that reading a policy file yields. It may be used as a policy only if `diagnostics` is empty."""

    file: str
    source: str
    front: FrontMatter
    sentences: list[Sentence] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    attested: dict[str, Attested] = field(default_factory=dict)
    unbound: list[tuple[int, str]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)  # why a sentence promises nothing, by its anchor
    diagnostics: list[Diagnostic] = field(default_factory=list)
    permits: bool = False  # whether a `may` was written, with or without faults

    def fault(self, at: Position, message: str, help: str | None = None) -> None:
        """Note a fault of the file."""
        self.diagnostics.append(self.diagnostic(at, message, help))

    def diagnostic(
        self, at: Position, message: str, help: str | None, level: Literal["error", "warning"] = "error"
    ) -> Diagnostic:
        """What is wrong at a place of the file."""
        lines = self.source.split("\n")
        text = lines[at.line - 1] if 0 < at.line <= len(lines) else ""
        # A tab would move the caret: it is printed as one space, and counted as one column.
        shown = text.replace("\t", " ")
        return Diagnostic(self.file, at.line, at.column, at.width, message, shown, help, level)


def object_kinds(verb: str, modal: str) -> tuple[str, ...]:
    """The kinds of words that may be the object of a verb."""
    own = FLOWS[verb].objects if verb in FLOWS else ()
    return own if modal != "must" else (*own, *(kind for kind in ANY if kind not in own))


def is_contact_data(verb: str, term: Term) -> bool:
    """Whether a duty means where questions go: `must show contact`, even where a category has that name, in which case
    it may say `contact_details`.
    """
    return verb in ("show", "offer", "announce") and str(term) in ("contact", "contact_details")


def is_act(vocabulary: Vocabulary, term: Term) -> bool:
    """Whether a term after `before`, `with` or `in` is a flow, such as `collect(contact)`, and no declared word.

    What has arguments is a flow even where a thing has the verb's name, as every policy has a `link`.
    """
    if term.name not in FLOWS or term.name in vocabulary.words["predicate"]:
        return False
    return bool(term.arguments) or vocabulary.kind_of(term.name) is None


def reference(vocabulary: Vocabulary, term: Term, kinds: Iterable[str]) -> Ref | None:
    """The term with its kind, the first of `kinds` that has it. A term with arguments is a word of its own."""
    kind = vocabulary.kind_of(term.name, kinds)
    return None if kind is None else (kind, str(term))


def phrase_kinds(verb: str, modal: str, preposition: str) -> tuple[str, ...]:
    """The kinds of words that may follow a preposition after this verb."""
    if modal != "must":
        return FLOWS[verb].takes.get(preposition, ())
    own = FLOWS[verb].takes.get(preposition, ()) if verb in FLOWS else ()
    return (*own, *(kind for kind in KINDS if kind not in own and kind != "predicate"))


@dataclass(frozen=True, slots=True)
class Coverage:
    """The anchors of the sentences by what holds them, and the paragraphs that nothing holds."""

    enforced: tuple[str, ...]
    attested: tuple[str, ...]
    informational: tuple[str, ...]
    unbound: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {name: len(getattr(self, name)) for name in ("enforced", "attested", "informational", "unbound")}


def coverage(reading: Reading) -> Coverage:
    """What the sentences of a policy are held by; an unbound paragraph is told by its line and first words.

    A sentence that has rules and a signature stands under both.
    """

    def of(kind: Kind) -> tuple[str, ...]:
        return tuple(sentence.anchor for sentence in reading.sentences if sentence.kind == kind)

    unbound = tuple(f"line {line}: {text[:60]}" for line, text in reading.unbound)
    return Coverage(of("enforced"), tuple(reading.attested), of("informational"), unbound)
