"""Lines that a site's table of flows lacks: of each loosening of a rule that no line notices, one flow that tells it.

Whoever builds a row gives its table a line for each. A line is a proposal: read what it says before it goes in. A duty
that was dropped has no flow, and needs a test of its own; what is left is told at the end.

    python -m tools.gaps SITE ROW,...
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avow.engine import Policy
from avow.engine.compare import compare
from avow.errors import AvowError
from avow.values import DIMENSIONS, Facts
from tests.sites.policy_table import Case, cases, judge, named, of_site
from tools.loosen import Loosening, loosenings

_PREPOSITIONS = {dimension: preposition for preposition, dimension in DIMENSIONS.items()}
_ORDER = ("from", "about", "with", "to", "at", "for", "by", "in", "over", "as")
_SAID = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Gaps:
    """What a table lacks: `lines` to add to it, and the loosenings that `left` no flow to tell them by."""

    lines: tuple[str, ...]
    left: tuple[Loosening, ...]


def gaps(file: Path, table: Iterable[Case], in_order: Facts, rows: frozenset[str]) -> Gaps:
    """The gaps of a table for some rows of the policy in `file`. Raises PolicyError as Policy.load."""
    policy = Policy.load(file)
    known = [case for case in table if not case.permitted]
    lines: list[str] = []
    left: list[Loosening] = []
    for loosening in loosenings(file):
        own = [row for row in loosening.rows if row in rows]
        if not own:
            continue
        loose = Policy.parse(loosening.text)
        if any(case.row in own and notices(loose, case) for case in known):
            continue
        line = _line(policy, loose, own[0], in_order)
        if line is None:
            left.append(loosening)
        else:
            lines.append(line)
            known += cases(line, in_order)
    return Gaps(tuple(lines), tuple(left))


def notices(loose: Policy, case: Case) -> bool:
    """Whether a loosened policy answers otherwise than a line says."""
    try:
        verdict = judge(loose, case.flow, case.facts)
    except AvowError:
        return True
    return verdict.permitted is not case.permitted or (case.anchor != "*" and case.anchor not in named(verdict))


def _line(policy: Policy, loose: Policy, row: str, in_order: Facts) -> str | None:
    """A flow that the policy refuses and the loosened one permits, as a line of a table; None where none is found."""
    for difference in compare(policy, loose).differences:
        witness = difference.witness
        if not witness.judged:
            continue
        stated = {_PREPOSITIONS[name]: word for name, word in witness.old_dimensions.items()}
        phrases = [f"{word} {stated[word]}" for word in sorted(stated, key=_ORDER.index)]
        flow = " ".join((witness.verb, witness.old_object, *phrases))
        facts = {**in_order, **dict(witness.facts)}
        try:
            refused, permitted = judge(policy, flow, facts), judge(loose, flow, facts)
        except AvowError:
            continue
        if refused.permitted or not permitted.permitted:
            continue
        others = [f"{name}={_value(fact)}" for name, fact in facts.items() if in_order.get(name, "") != fact]
        return f"{row} - {refused.sentences[0].anchor}: {flow}" + (f" if {', '.join(others)}" if others else "")
    return None


def _value(fact: bool | float | None) -> str:
    return _SAID[fact] if fact is None or isinstance(fact, bool) else f"{fact:g}"


def main(arguments: Sequence[str]) -> int:
    """Print the lines that are lacking; 1 where a loosening is left that no flow tells."""
    site, rows = arguments
    table = of_site(site)
    found = gaps(Path("sites") / site / "policy.md", table.cases, table.in_order, frozenset(rows.split(",")))
    print(*found.lines, sep="\n")
    for loosening in found.left:
        print(f"left: {', '.join(loosening.rows)}  line {loosening.line}: {loosening.change}", file=sys.stderr)
    return 1 if found.left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
