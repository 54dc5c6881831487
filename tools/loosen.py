"""Looser versions of a policy, one step each, made from its source.

A `never` and a `must` are dropped. A `may` is widened: a guard, a phrase or an `only` dropped, a phrase that its verb
needs opened to every term of its section, an object replaced by the term above it. Only versions that load are made,
and of a widened `may` only those that permit a flow which the policy refuses: the others are the same policy in other
words, and no test could tell them apart.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml

from avow.engine import Policy
from avow.errors import AvowError, PolicyError
from avow.language.syntax import Modal
from avow.values import DIMENSIONS

PHRASES = frozenset({*DIMENSIONS, "before", "after", "within", "every"})
GUARDS = frozenset({"when", "unless", "otherwise"})
#: The sections of the front matter that declare a dimension's terms.
SECTIONS = {
    "recipient": ("recipients",),
    "audience": ("subjects", "roles", "categories"),
    "source": ("subjects", "recipients"),
    "subject": ("subjects",),
    "purpose": ("purposes",),
    "place": ("places",),
    "role": ("roles",),
    "medium": ("messages",),
    "channel": ("channels",),
    "form": ("forms",),
}
OBJECTS = ("categories", "cookies", "messages", "forms", "things")
#: How rules begin.
MODALS: frozenset[str] = frozenset(get_args(Modal))
#: Flows tried before a widened policy is taken to permit nothing new.
SAMPLES = 2_000

#: A statement cut at its prepositions: ("may share order", "only with ups", "for shipping", "when paid(order)").
Segments = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loosening:
    """One looser version: the whole text of the policy, what was changed where, and the rows that must notice."""

    rows: tuple[str, ...]
    line: int
    change: str
    text: str


def loosenings(file: Path, *, modals: frozenset[str] = MODALS) -> Iterator[Loosening]:
    """Every looser version of the policy in `file`, in the order of its rules. Raises PolicyError as Policy.load.

    Args:
        modals: of the rules that are loosened.
    """
    policy = Policy.load(file)
    source = file.read_text(encoding="utf-8")
    vocabulary = yaml.safe_load(source.split("---\n")[1])
    for rule in policy.rules:
        if not rule.sentence.rows or rule.modal not in modals:
            continue
        statement = _Statement.at(source, rule.line)
        now = " ".join(statement.segments)
        if rule.modal == "may":
            for alternatives in _wider(statement.segments, vocabulary):
                for segments in alternatives:
                    text = statement.replaced(" ".join(segments))
                    loosened = _load(text)
                    if loosened is not None:
                        if _permits_more(policy, loosened, segments, vocabulary):
                            yield Loosening(rule.sentence.rows, rule.line, f"{now}  →  {' '.join(segments)}", text)
                        break
        else:
            for text in (statement.replaced(""), statement.replaced('no promise: "loosened"')):
                if _load(text) is not None:
                    yield Loosening(rule.sentence.rows, rule.line, f"{now}  →  (dropped)", text)
                    break


def _load(text: str) -> Policy | None:
    try:
        return Policy.parse(text)
    except PolicyError:
        return None


@dataclass(frozen=True, slots=True)
class _Statement:
    """A rule in its source: lines `first` to `last` (exclusive, from 0), and its segments."""

    lines: tuple[str, ...]
    first: int
    last: int
    segments: Segments

    @classmethod
    def at(cls, source: str, line: int) -> _Statement:
        """The statement that begins at a line (from 1); more deeply indented lines continue it."""
        lines = tuple(source.splitlines())
        first, last = line - 1, line
        while last < len(lines) and lines[last].strip() and _indent(lines[last]) > _indent(lines[first]):
            last += 1
        words = " ".join(text.partition(" #")[0] for text in lines[first:last]).split()
        return cls(lines, first, last, _segments(words))

    def replaced(self, statement: str) -> str:
        """The whole source with another statement, or an empty line, in this one's place."""
        put = " " * _indent(self.lines[self.first]) + statement
        return "\n".join((*self.lines[: self.first], put, *self.lines[self.last :])) + "\n"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _segments(words: list[str]) -> Segments:
    segments: list[list[str]] = [[]]
    depth = 0
    for word in words:
        in_guard = segments[-1][:1] and segments[-1][0] in GUARDS
        starts = word in PHRASES or word in GUARDS or word in ("only", "except")
        if starts and depth == 0 and not in_guard and segments[-1] != ["only"]:
            segments.append([])
        segments[-1].append(word)
        depth += word.count("(") - word.count(")")
    return tuple(" ".join(segment) for segment in segments)


def _wider(segments: Segments, vocabulary: Mapping[str, Any]) -> Iterator[list[Segments]]:
    """One step after the other; of a step's alternatives the first that loads is meant."""
    modal, verb, *objects = segments[0].split()
    for number, term in enumerate(objects):
        name = term.rstrip(",")
        if "." in name and "(" not in name:
            parent = name.rpartition(".")[0] + term[len(name) :]
            yield [(" ".join((modal, verb, *objects[:number], parent, *objects[number + 1 :])), *segments[1:])]
    for number, segment in enumerate(segments[1:], start=1):
        before, after = segments[:number], segments[number + 1 :]
        preposition, *terms = segment.removeprefix("only ").replace(",", " ").split()
        alternatives: list[Segments] = [(*before, *after)]
        for section in SECTIONS.get(DIMENSIONS.get(preposition, ""), ()):
            every = list(vocabulary.get(section) or ())
            if set(terms) & set(every):
                alternatives.append((*before, f"{preposition} {', '.join(every)}", *after))
        yield alternatives
        if segment.startswith("only "):
            yield [(*before, segment.removeprefix("only "), *after)]


def _permits_more(policy: Policy, loosened: Policy, segments: Segments, vocabulary: Mapping[str, Any]) -> bool:
    """Is there a flow that the loosened policy permits and the policy does not? Looks around the rule, by sampling."""
    chance = random.Random(0)  # noqa: S311 - the same samples at every run, on purpose
    verb, *objects = segments[0].replace(",", " ").split()[1:]
    own = {words.split()[0]: words.replace(",", " ").split()[1:] for words in segments[1:]}
    stated = {DIMENSIONS[word]: terms for word, terms in own.items() if word in DIMENSIONS}
    pools = {name: _declared(vocabulary, sections) for name, sections in SECTIONS.items()}
    anything = [*_declared(vocabulary, OBJECTS), *(f"cookie.{name}" for name in _declared(vocabulary, ("cookies",)))]
    objects += [term for term in anything if term.startswith(tuple(f"{name}." for name in objects))]
    atoms = [atom for word in ("when", "unless") for atom in _atoms(" ".join(own.get(word, ())))]

    def pick(name: str) -> str | None:
        if name in stated and chance.random() < 0.8:
            return chance.choice(stated[name])
        return chance.choice([None, *pools[name]]) if name in stated or chance.random() < 0.3 else None

    for _ in range(SAMPLES):
        flow = {name: pick(name) for name in SECTIONS}
        facts = {atom: chance.choice((True, False, None)) for atom in atoms}
        thing = chance.choice(objects)
        try:
            new = loosened.judge(verb, thing, facts=facts, **flow)
            if new.permitted and not policy.judge(verb, thing, facts=facts, **flow).permitted:
                return True
        except AvowError:  # a term that the vocabulary has in another role: not a flow at all
            continue
    return False


def _declared(vocabulary: Mapping[str, Any], sections: tuple[str, ...]) -> list[str]:
    return [term for section in sections for term in vocabulary.get(section) or ()]


def _atoms(guard: str) -> list[str]:
    return [atom for atom in re.findall(r"[a-z][\w.]*(?:\([^()]*\))?", guard) if atom not in ("and", "or", "not")]
