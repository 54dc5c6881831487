"""`avow check`: every fault of a policy, what an author should look at, and what holds each of its sentences."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from avow.engine.lint import lint
from avow.errors import PolicyError
from avow.language import Reading, in_words, read
from avow.language.english import standing_in_words
from avow.language.rules import coverage
from avow.language.source import read_file
from avow.language.syntax import NoPromise
from avow.values import Diagnostic, Sentence

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class _Result:
    """What was found in one file. There is no reading of a file that is no text."""

    file: Path
    reading: Reading | None
    errors: Sequence[Diagnostic]
    warnings: Sequence[Diagnostic]


def check(files: Sequence[Path], as_json: bool, *, strict: bool = False, explain: bool = False) -> int:
    """Check policy files; faults and warnings go to stderr, the summary to stdout. Returns 0, or 1 for an error.

    With `strict` each warning is an error; with `explain` each sentence is shown with its rules in English.
    """
    results = [_check(file, strict) for file in files]
    if as_json:
        print(json.dumps([_as_json(result) for result in results], indent=2))
    else:
        for result in results:
            _tell(result, explain)
    return 1 if any(result.errors for result in results) else 0


def _check(file: Path, strict: bool) -> _Result:
    try:
        reading = read(read_file(file)[1], str(file), file.parent)
    except PolicyError as error:
        return _Result(file, None, error.diagnostics, ())
    warnings = lint(reading)
    if strict:
        return _Result(file, reading, [*reading.diagnostics, *(replace(item, level="error") for item in warnings)], ())
    return _Result(file, reading, reading.diagnostics, warnings)


def _tell(result: _Result, explain: bool) -> None:
    for item in (*result.errors, *result.warnings):
        print(f"{item}\n", file=sys.stderr)
    file, reading = result.file, result.reading
    if reading is not None:
        if explain:
            for sentence in reading.sentences:
                print("\n".join(_explained(reading, sentence)) + "\n")
        counts = ", ".join(f"{count} {name}" for name, count in coverage(reading).counts.items())
        print(f"{file}: {len(reading.sentences)} sentences ({counts}), {len(reading.rules)} rules")
    errors = _counted(result.errors, "error") if result.errors else "no errors"
    print(f"{file}: {errors}" + (f", {_counted(result.warnings, 'warning')}" if result.warnings else ""))


def _counted(items: Sequence[object], name: str) -> str:
    return f"{len(items)} {name}{'s' * (len(items) != 1)}"


def _explained(reading: Reading, sentence: Sentence) -> Iterator[str]:
    """A sentence as it is published, and below it what its rules say."""
    words = reading.front.vocabulary
    marks = " ".join([*sentence.rows, *(["ours"] if sentence.ours else [])])
    yield f"#{sentence.anchor} (line {sentence.line})" + (f" {marks}" if marks else "")
    yield textwrap.fill(sentence.text, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    said = [in_words(rule, words) for rule in reading.rules if rule.sentence is sentence]
    if sentence.anchor in reading.attested:
        said.append(standing_in_words(reading.attested[sentence.anchor], words))
    elif sentence.anchor in reading.reasons:
        said.append(standing_in_words(NoPromise(reading.reasons[sentence.anchor]), words))
    for text in said:
        yield textwrap.fill(text, _WIDTH, initial_indent="    → ", subsequent_indent="      ")


def _as_json(result: _Result) -> dict[str, Any]:
    reading = result.reading
    held = coverage(reading) if reading else None
    names = ("enforced", "attested", "informational", "unbound")
    return {
        "file": str(result.file),
        "ok": not result.errors,
        "errors": [_diagnostic(item) for item in result.errors],
        "warnings": [_diagnostic(item) for item in result.warnings],
        "coverage": {name: list(getattr(held, name)) if held else [] for name in names},
        "sentences": len(reading.sentences) if reading else 0,
        "rules": len(reading.rules) if reading else 0,
        "predicates": {
            name: {"function": f"{item.file}:{item.function}", "fingerprint": item.fingerprint}
            for name, item in (reading.front.predicates if reading else {}).items()
        },
    }


def _diagnostic(item: Diagnostic) -> dict[str, Any]:
    return {"line": item.line, "column": item.column, "message": item.message, "help": item.help}
