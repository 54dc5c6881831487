"""`avow diff`: what a new version of a policy protects less than an old one.

The exit status is the verdict, so that a build can stop at it: 0 not weaker, 3 weaker (needs consent), 4 new
purpose (needs mail), 5 incomparable; 1 if a policy cannot be used.
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Any

from avow.engine import Policy
from avow.engine.compare import compare
from avow.engine.compare_result import Answer, Comparison, Difference, Outcome
from avow.language.source import read_file

STATUS: dict[Outcome, int] = {"not weaker": 0, "weaker": 3, "new purpose": 4, "incomparable": 5}


def diff(old: Path, new: Path, as_json: bool, html: Path | None = None) -> int:
    """Compare two policy files, print the comparison, and return its exit status.

    With `html`, also write it as a page for readers. Raises PolicyError if a policy cannot be used.
    """
    comparison = compare(_read(old), _read(new))
    if html is not None:
        from avow.edge.comparison import comparison_page

        html.write_text(comparison_page(comparison), encoding="utf-8")
    if as_json:
        print(json.dumps(as_data(comparison), indent=2, ensure_ascii=False))
    else:
        _tell(comparison)
    return STATUS[comparison.verdict]


def _read(file: Path) -> Policy:
    """A version by its text alone: the code of an old one may not be at hand, and none of it needs to run."""
    return Policy.parse(read_file(file)[1], str(file))


def as_data(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain data; sentences by anchor, line and text."""
    return {
        "site": comparison.site,
        "old": {"version": comparison.old_version, "effective": comparison.old_effective},
        "new": {"version": comparison.new_version, "effective": comparison.new_effective},
        "verdict": comparison.verdict,
        "needs": comparison.needs,
        "differences": [_difference(difference) for difference in comparison.differences],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "kind": difference.kind,
        "outcome": difference.outcome,
        "summary": difference.summary,
        "witness": {key: dict(value) if isinstance(value, dict) else value
                    for key, value in asdict(difference.witness).items()},
        "old": _answer(difference.old),
        "new": _answer(difference.new),
    }  # fmt: skip


def _answer(answer: Answer) -> dict[str, Any]:
    sentence = answer.sentence
    return {
        "permitted": answer.permitted,
        "text": answer.text,
        "rule": answer.rule,
        "sentence": None if sentence is None else {"anchor": sentence.anchor, "line": sentence.line,
                                                   "text": sentence.text},
    }  # fmt: skip


def _tell(comparison: Comparison) -> None:
    count = len(comparison.differences)
    print(f"{comparison.site}: version {comparison.new_version} beside version {comparison.old_version}: "
          f"{comparison.verdict}, {count or 'no'} difference{'s' * (count != 1)}")  # fmt: skip
    if comparison.differences:
        print(f"  it needs {comparison.needs}")
    for number, difference in enumerate(comparison.differences, 1):
        print()
        print(_wrapped(f"{number}. {difference.kind} ({difference.outcome}): {difference.summary}", "", "   "))
        for name, answer in (("old", difference.old), ("new", difference.new)):
            print(_wrapped(f"{name}: {answer.text}", "   ", "        "))
            if answer.sentence is not None:
                sentence = answer.sentence
                print(_wrapped(f"#{sentence.anchor}, line {sentence.line}: “{sentence.text}”", "        ", "        "))


def _wrapped(text: str, first: str, rest: str) -> str:
    return textwrap.fill(text, 110, initial_indent=first, subsequent_indent=rest, break_long_words=False,
                         break_on_hyphens=False)  # fmt: skip
