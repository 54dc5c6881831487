"""Every enforced promise has a rule that was seen to fire: a flow that a rule of one of its sentences decides.

A refusal for want of a permission names the nearest sentence, but no rule of it decided anything: it does not count.
Neither does what the table says beside a flow: the sentences and duties are those of the verdict.
"""

from __future__ import annotations

from functools import cache

import pytest

from avow.cli.trace import read_promises
from avow.engine import Policy
from avow.values import Sentence

from .policy_table import ROOT, SITES, Case, judge, of_site


def deciding(policy: Policy, case: Case) -> list[Sentence]:
    """The sentences whose rules decide a flow, or whose duties come with it."""
    verdict = judge(policy, case.flow, case.facts)
    refused_for_want = not verdict.permitted and verdict.reason.startswith("no sentence permits")
    return [*([] if refused_for_want else verdict.sentences), *(duty.sentence for duty in verdict.duties)]


@cache
def fired(site: str) -> frozenset[str]:
    """The rows with a sentence that decides some flow of the site's table."""
    table = of_site(site)
    return frozenset(row for case in table.cases for sentence in deciding(table.policy, case) for row in sentence.rows)


def enforced() -> list[tuple[str, str]]:
    """Each site with each enforced row that its policy binds."""
    bound = {(site, row) for site in SITES for sentence in of_site(site).policy.sentences for row in sentence.rows}
    return [(p.site, p.row) for p in read_promises(ROOT) if "E" in p.kinds and (p.site, p.row) in bound]


@pytest.mark.parametrize(("site", "row"), enforced(), ids=lambda word: word)
def test_a_rule_of_the_row_decides_some_flow(site: str, row: str) -> None:
    assert row in fired(site)


def test_all_five_sites_are_asked_about_most_of_their_rows() -> None:
    asked = enforced()
    assert {site for site, _ in asked} == set(SITES)
    assert len(SITES) == 5
    assert len(asked) >= 60


def test_a_refusal_for_want_of_a_permission_fires_nothing() -> None:
    policy = Policy.parse(
        '---\nsite: x\ntitle: X\nversion: "1"\neffective: 2026-11-22\ncategories: {a: {}, b: {}}\nplaces: {here: {}}\n'
        "---\n\nWe ask for it here.\n\n```avow #ask I1\nmay collect a at here\n```\n\nWe keep no other.\n\n"
        "```avow #none I2\nnever keep b\n```\n"
    )

    def rows(flow: str) -> list[str]:
        case = Case(flow, "I1", True, "*", flow, {})
        return [row for sentence in deciding(policy, case) for row in sentence.rows]

    assert (rows("collect a at here"), rows("keep b"), rows("keep a"), rows("collect b at here")) == (
        ["I1"], ["I2"], [], [],
    )  # fmt: skip
