"""A table of flows, row by row of the promises, and what a policy must answer to each.

Each line reads `ROW + anchor: flow` (permitted, and the sentence of that anchor says so) or `ROW - anchor: flow`
(refused, and the refusal names that sentence; `*` is any sentence, for a flow in words that the policy does not have).
Facts are those of a day on which all is in order, unless the line ends with others: `… if age=15, published(post)=no`;
a fact may be yes, no, unknown or a number. A line may be written for several words at once, as in
`keep {card,contact} about customer`; an indented line continues the one before it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from avow.cli.trace import read_promises
from avow.engine import Policy
from avow.language.vocabulary import UnknownTerm
from avow.values import DIMENSIONS, Facts, Verdict

ROOT = Path(__file__).parents[2]
_LINE = re.compile(
    r"(?P<row>[A-Z]\d+|ours) (?P<sign>[+-]) (?P<anchor>[a-z0-9-]+|\*): (?P<flow>.+?)( if (?P<facts>.+))?\Z"
)
_WORD = re.compile(r"[^\s(]+(?:\([^)]*\))?")
_SAID = {"yes": True, "no": False, "unknown": None}


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    line: str
    row: str
    permitted: bool
    anchor: str
    flow: str
    facts: Facts

    def __str__(self) -> str:
        return self.line


def load(site: str) -> Policy:
    """The policy of a site."""
    return Policy.load(ROOT / "sites" / site / "policy.md")


def flows(site: str) -> str:
    """The table of a site."""
    return (Path(__file__).parent / f"{site}_flows.txt").read_text("utf-8")


def rows(site: str, kind: str | None = None) -> set[str]:
    """The promise rows of a site, all or those of one kind."""
    return {p.row for p in read_promises(ROOT) if p.site == site and (kind is None or kind in p.kinds)}


def cases(table: str, in_order: Facts) -> list[Case]:
    """The lines of a table, one case for each of the alternatives in braces."""
    found: list[Case] = []
    for line in filter(None, re.sub(r"\n +", " ", table).split("\n")):
        for one in _alternatives(line):
            parts = _LINE.match(one)
            assert parts, f"this is no line of a table: {one}"
            facts = {**in_order, **dict(_facts(parts["facts"] or ""))}
            found.append(Case(one, parts["row"], parts["sign"] == "+", parts["anchor"], parts["flow"], facts))
    return found


def judge(policy: Policy, flow: str, facts: Facts) -> Verdict:
    """The verdict on a flow in words; a word that the policy does not have is a refusal as well."""
    verb, category, *phrases = _WORD.findall(flow)
    stated = {DIMENSIONS[name]: term for name, term in zip(phrases[::2], phrases[1::2], strict=True)}
    try:
        return policy.judge(verb, category, **stated, facts=facts)
    except UnknownTerm as error:
        if error.verdict is None:
            raise
        return error.verdict


def hold(policy: Policy, case: Case) -> None:
    """Assert that the policy answers as the line says."""
    verdict = judge(policy, case.flow, case.facts)
    assert verdict.permitted is case.permitted, verdict.reason
    anchors = named(verdict)
    assert anchors if case.anchor == "*" else case.anchor in anchors, verdict.reason


def named(verdict: Verdict) -> set[str]:
    """The anchors of the sentences that a verdict names, and of the duties that come with it."""
    return {sentence.anchor for sentence in verdict.sentences} | {duty.sentence.anchor for duty in verdict.duties}


def hold_row(policy: Policy, table: Iterable[Case], row: str, *, permitted: bool) -> None:
    """Assert that the policy answers as the lines of a row say, those that are permitted or those that are refused."""
    for case in table:
        if case.row == row and case.permitted is permitted:
            hold(policy, case)


def by_row(table: Iterable[Case], built: Collection[str], kind: str) -> list[object]:
    """The rows that a table shows from one side, `works` or `holds`; `built` ones count as tests of the promise."""
    shown = {case.row for case in table if case.permitted is (kind == "works")}
    return [
        pytest.param(row, marks=[pytest.mark.promise(row, kind)] if row in built else [], id=row)
        for row in sorted(shown, key=lambda row: (row[0], len(row), row))
    ]


def by_duty(policy: Policy, duties: Iterable[tuple[str, str]], built: Collection[str]) -> list[object]:
    """Duties by the anchor of their sentence; those of `built` rows count as tests that these hold."""
    return [
        pytest.param(
            anchor, text, marks=[pytest.mark.promise(row, "holds") for row in _rows(policy, anchor) if row in built]
        )
        for anchor, text in duties
    ]


def by_list(lists: Iterable[tuple[str, str, str]], built: Collection[str]) -> list[object]:
    """Flows that a list leaves out, each with the rule that closes it; those of `built` rows count as `holds`."""
    return [
        pytest.param(flow, rule, marks=[pytest.mark.promise(row, "holds")] if row in built else [])
        for row, flow, rule in lists
    ]


def _rows(policy: Policy, anchor: str) -> tuple[str, ...]:
    """The rows of a sentence; none where the policy was loosened and has lost it, which the test itself notices."""
    return next((sentence.rows for sentence in policy.sentences if sentence.anchor == anchor), ())


def bound_and_shown(policy: Policy, table: Iterable[Case]) -> None:
    """Assert that the policy binds every row, and that the table shows each enforced row at work and held.

    Each enforced row needs a permitted and a refused flow (a row of duties alone the first), and one whose verdict
    names a sentence of that row or owes its duty. A sentence may go without a row only if it is an addition, or
    promises nothing.
    """
    table = list(table)
    assert not policy.coverage().unbound
    assert {row for sentence in policy.sentences for row in sentence.rows} == rows(policy.site)
    assert all(s.rows or s.ours or s.kind == "informational" for s in policy.sentences)
    for row in rows(policy.site, "E"):
        own = [case for case in table if case.row == row]
        decided = any(row in rule.sentence.rows and rule.modal != "must" for rule in policy.rules)
        sides = {True, False} if decided else {True}
        assert {case.permitted for case in own} >= sides, f"{row} is shown from one side only"
        fired = {anchor for case in own if (anchor := case.anchor) != "*"}
        assert any(row in policy.sentence(anchor).rows for anchor in fired), f"no decision fires a rule of {row}"


def unfired(policy: Policy, table: Iterable[Case]) -> set[str]:
    """The anchors whose `may` and `never` no verdict of the table rests on."""
    flows = {rule.sentence.anchor for rule in policy.rules if rule.modal != "must"}
    return flows - {case.anchor for case in table}


def unasked(policy: Policy, in_order: Facts) -> set[str]:
    """The facts that no rule asks for, misspelt ones among them. Gates, signatures and rates are not looked at."""
    asked = " ".join(rule.text for rule in policy.rules)
    return {fact for fact in in_order if not fact.startswith(("done(", "attested(", "due(")) and fact not in asked}


def tells_contact(policy: Policy, anchor: str) -> bool:
    """Whether the sentence tells every way of asking that the front matter has."""
    ways = (policy.contact.email, policy.contact.phone, policy.contact.address)
    return all(way and way in policy.sentence(anchor).text for way in ways)


def demanded(policy: Policy, anchor: str) -> set[str]:
    """What a sentence demands, as the texts of its duties."""
    return {duty.text for duty in policy.duties if duty.sentence.anchor == anchor}


def _facts(text: str) -> Iterator[tuple[str, bool | float | None]]:
    for fact in filter(None, (part.strip() for part in re.split(r",\s+(?![^(]*\))", text))):
        name, _, value = fact.rpartition("=")
        yield name, _SAID[value] if value in _SAID else float(value)


def _alternatives(line: str) -> Iterator[str]:
    parts = [part.split(",") for part in re.split(r"[{}]", line)]
    fixed = [part if number % 2 else [",".join(part)] for number, part in enumerate(parts)]
    return ("".join(chosen) for chosen in itertools.product(*fixed))
