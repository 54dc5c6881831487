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
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path

from avow.cli.trace import read_promises
from avow.engine import Policy
from avow.language.vocabulary import UnknownTerm
from avow.values import DIMENSIONS, Facts, Verdict

ROOT = Path(__file__).parents[2]

#: The sites that have a policy, in order.
SITES = tuple(sorted(file.parent.name for file in ROOT.glob("sites/*/policy.md")))

_LINE = re.compile(
    r"(?P<row>[A-Z]\d+|ours) (?P<sign>[+-]) (?P<anchor>[a-z0-9-]+|\*): (?P<flow>.+?)( if (?P<facts>.+))?\Z"
)
#: A word of a flow, with what stands in its parentheses.
WORD = re.compile(r"[^\s(]+(?:\([^)]*\))?")
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


@dataclass(frozen=True)
class Table:
    """What a site's policy is to answer: its table of flows, `SITE_flows.txt`, and what that does not show.

    Attributes:
        site: its folder in `sites`.
        in_order: the facts of a day on which all is in order.
        duties: an anchor, and the text of a duty that its sentence demands.
        closed: what a list leaves out: the row of the list, a flow, and the rule that refuses it.
        built: the rows that are built, so that what the policy answers is a part of how they are kept: its lines
            count as tests of those promises.
    """

    site: str
    in_order: Facts
    duties: Sequence[tuple[str, str]]
    closed: Sequence[tuple[str, str, str]]
    built: Collection[str]

    @cached_property
    def policy(self) -> Policy:
        """The site's policy."""
        return Policy.load(ROOT / "sites" / self.site / "policy.md")

    @cached_property
    def cases(self) -> list[Case]:
        """The lines of the table."""
        return cases((Path(__file__).parent / f"{self.site}_flows.txt").read_text("utf-8"), self.in_order)


def of_site(site: str) -> Table:
    """The table of a site, from the module of its own tests."""
    table: Table = import_module(f"tests.sites.test_{site}_policy").TABLE
    return table


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
    verb, category, *phrases = WORD.findall(flow)
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
