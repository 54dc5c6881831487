"""What each site's policy permits and refuses, row by row of its table of flows, and which sentence says so.

A policy may have been loosened for this run (`make mutate`): that it lost a sentence is noticed by a test, and does
not keep the tests from being collected.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .policy_table import SITES, WORD, Table, demanded, hold, judge, of_site, rows, tells_contact

TABLES = [of_site(site) for site in SITES]

#: Each policy.
every_site = pytest.mark.parametrize("table", TABLES, ids=SITES)


def by_row(kind: str) -> Iterator[object]:
    """The rows that a table shows from one side, `works` or `holds`; built ones count as tests of the promise."""
    for table in TABLES:
        shown = {case.row for case in table.cases if case.permitted is (kind == "works")}
        for row in sorted(shown, key=lambda row: (row[0], len(row), row)):
            marks = [pytest.mark.promise(row, kind)] if row in table.built else []
            yield pytest.param(table, row, marks=marks, id=f"{table.site}-{row}")


def by_list() -> Iterator[object]:
    """Flows that a list leaves out, each with the rule that closes it; those of built rows count as `holds`."""
    for table in TABLES:
        for row, flow, rule in table.closed:
            marks = [pytest.mark.promise(row, "holds")] if row in table.built else []
            yield pytest.param(table, flow, rule, marks=marks, id=f"{table.site}-{flow}")


def by_duty() -> Iterator[object]:
    """Duties by the anchor of their sentence; those of built rows count as tests that these hold."""
    for table in TABLES:
        # A policy that was loosened may have lost the sentence, which the test itself notices.
        bound = {sentence.anchor: sentence.rows for sentence in table.policy.sentences}
        for anchor, text in table.duties:
            marks = [pytest.mark.promise(row, "holds") for row in bound.get(anchor, ()) if row in table.built]
            yield pytest.param(table, anchor, text, marks=marks, id=f"{table.site}-{anchor}-{text}")


@pytest.mark.parametrize(("table", "row"), list(by_row("works")))
def test_what_a_row_lets_happen_is_permitted(table: Table, row: str) -> None:
    for case in table.cases:
        if case.row == row and case.permitted:
            hold(table.policy, case)


@pytest.mark.parametrize(("table", "row"), list(by_row("holds")))
def test_what_a_row_forbids_is_refused_by_its_sentence(table: Table, row: str) -> None:
    for case in table.cases:
        if case.row == row and not case.permitted:
            hold(table.policy, case)


@every_site
def test_every_row_is_bound(table: Table) -> None:
    """A sentence may go without a row only if it is an addition, or promises nothing."""
    policy = table.policy
    assert not policy.coverage().unbound
    assert {row for sentence in policy.sentences for row in sentence.rows} == rows(policy.site)
    assert all(s.rows or s.ours or s.kind == "informational" for s in policy.sentences)


@every_site
def test_each_enforced_row_is_shown_from_both_sides(table: Table) -> None:
    """By a permitted and a refused flow (a row of duties alone by the first), of which one names a sentence of it."""
    policy = table.policy
    for row in rows(policy.site, "E"):
        own = [case for case in table.cases if case.row == row]
        decided = any(row in rule.sentence.rows and rule.modal != "must" for rule in policy.rules)
        sides = {True, False} if decided else {True}
        assert {case.permitted for case in own} >= sides, f"{row} is shown from one side only"
        fired = {anchor for case in own if (anchor := case.anchor) != "*"}
        assert any(row in policy.sentence(anchor).rows for anchor in fired), f"no decision fires a rule of {row}"


@every_site
def test_every_sentence_with_rules_decides_some_flow(table: Table) -> None:
    """No `may` and no `never` stands there on which no verdict of the table rests."""
    flows = {rule.sentence.anchor for rule in table.policy.rules if rule.modal != "must"}
    assert flows - {case.anchor for case in table.cases} == set()


@every_site
def test_every_fact_of_the_table_is_one_that_a_rule_asks_for(table: Table) -> None:
    """A fact that no rule asks for would be a misspelt one. Gates, signatures and rates are not looked at."""
    asked = " ".join(rule.text for rule in table.policy.rules)
    facts = {fact for fact in table.in_order if not fact.startswith(("done(", "attested(", "due("))}
    assert {fact for fact in facts if fact not in asked} == set()


@pytest.mark.parametrize("table", [of_site(site) for site in ("mailhost", "members")], ids=lambda table: table.site)
def test_every_word_of_a_permitted_flow_counts(table: Table) -> None:
    """Leave out where, what for or by whom, and the same flow is refused."""
    loose = []
    for case in filter(lambda case: case.permitted, table.cases):
        words = WORD.findall(case.flow)
        shorter = [" ".join(words[:at] + words[at + 2 :]) for at in range(2, len(words), 2)]
        loose += [flow for flow in shorter if judge(table.policy, flow, case.facts).permitted]
    assert not loose


@pytest.mark.parametrize(("table", "flow", "rule"), list(by_list()))
def test_a_list_is_closed_by_its_rule(table: Table, flow: str, rule: str) -> None:
    assert judge(table.policy, flow, table.in_order).rule == rule


@pytest.mark.parametrize(("table", "anchor", "duty"), list(by_duty()))
def test_a_sentence_demands_its_duty(table: Table, anchor: str, duty: str) -> None:
    assert duty in demanded(table.policy, anchor)


@every_site
def test_the_policy_says_where_questions_go(table: Table) -> None:
    assert tells_contact(table.policy, "questions")
