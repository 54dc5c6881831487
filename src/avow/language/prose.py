"""Reads the prose for promises: a paragraph that sounds like one should have a rule, and one paragraph makes one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from avow.language.rules import Reading
from avow.language.syntax import Position
from avow.values import Sentence

#: Words that bind whoever says them.
_BINDING = re.compile(
    r"\b(never|only|always|nobody|no one|at most|at least|no longer than|no more than|will not|won[’']t|shall|do not|"
    r"does not|don[’']t|doesn[’']t|guarantees?|ensures?|without your (?:consent|permission|agreement))\b",
    re.IGNORECASE,
)
#: Those of them that leave little room: a description says “only” and “do not” too.
_STRONG = re.compile(
    r"\b(never|always|nobody|no one|at most|no longer than|no more than|will not|won[’']t|guarantees?|ensures?)\b",
    re.IGNORECASE,
)
#: The end of a sentence of prose: `e.g.` and the like are followed by a small letter.
_END = re.compile(r"(?<=[.!?;])\s+(?=[A-Z“\"(])")

Warned = Iterator[tuple[Position, str, str]]


def unkept_promises(reading: Reading) -> Warned:
    """Paragraphs that promise nothing and use a word that binds; a reason that names the word in quotes explains it."""
    for sentence in reading.sentences:
        reason = reading.reasons.get(sentence.anchor)
        if sentence.kind != "informational" or reason is None:
            continue
        for found in _BINDING.finditer(sentence.text):
            word = found[0]
            if not re.search(rf"['‘’“”]{re.escape(word)}['‘’“”]", reason, re.IGNORECASE):
                message = f"“{word}” sounds like a promise, but #{sentence.anchor} has no rule"
                help = f"write the rule, or another word, or say in the reason what '{word}' means here"
                yield _place(reading, sentence, word), message, help
                break


def several_promises(reading: Reading) -> Warned:
    """Paragraphs with more than one sentence that binds, over a single block."""
    for sentence in reading.sentences:
        if sentence.kind == "informational":
            continue
        binding = [found for part in _END.split(sentence.text) if (found := _STRONG.search(part))]
        if len(binding) > 1:
            words = " and ".join(f"“{found[0]}”" for found in binding)
            message = f"#{sentence.anchor} stands over {len(binding)} sentences that promise something: {words}"
            help = "make a paragraph of each, with a block of its own: one sentence, one block, one anchor"
            yield _place(reading, sentence, binding[1][0]), message, help


def _place(reading: Reading, sentence: Sentence, word: str) -> Position:
    """Where a word stands in the paragraph; the paragraph's first line if markup stands within it."""
    lines = reading.source.split("\n")
    looking = re.compile(rf"\b{re.escape(word)}\b")
    for number in range(sentence.line, len(lines) + 1):
        text = lines[number - 1]
        if not text.strip(" >"):
            break
        if found := looking.search(text):
            return Position(number, found.start() + 1, len(word))
    first = lines[sentence.line - 1]
    return Position(sentence.line, len(first) - len(first.lstrip()) + 1, max(len(first.strip()), 1))
