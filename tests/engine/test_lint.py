"""What `avow check` warns of, each with a policy that earns it and one that nearly does."""

from __future__ import annotations

from pathlib import Path

import pytest

from avow.engine.lint import can_hold, lint
from avow.language import read
from avow.language.parser import Chunk, parse
from avow.language.syntax import Statement

FRONT = """\
---
site: x
title: x
version: "1"
effective: 2026-01-05
contact: {email: a@b.example}
categories: {contact: {}, contact.email: {}, order: {}, card: {}}
purposes: {shipping: {}, news: {}}
subjects: {customer: customer}
places: {checkout: {}}
messages: {newsletter: {}}
recipients: {ups: {fields: [contact], channels: [https]}}
things: {notice: {}}
---

Everything is used here.

```avow #all
may show contact, order, card, notice at checkout for shipping, news
may send newsletter to contact.email when consented(newsletter)
may share contact.email with ups for shipping
```
"""


IDLE = "`except for shipping` takes nothing out: the rule is about other words there"


def warned(*blocks: str, front: str = FRONT, prose: str = "We say so.") -> list[str]:
    text = front + "".join(f"\n{prose}\n\n```avow #s{number}\n{block}\n```\n" for number, block in enumerate(blocks))
    reading = read(text)
    assert not reading.diagnostics, [str(fault) for fault in reading.diagnostics]
    return [item.message for item in lint(reading)]


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        # a permission that a wider one makes idle
        (["may keep contact.email for shipping", "may keep contact"], "line B makes this rule idle"),
        (["may keep contact", "may keep contact"], "line A makes this rule idle"),
        (["may keep contact when age > 18", "may keep contact"], "line B makes this rule idle"),
        (["may keep contact.email for shipping", "may keep contact for news"], None),
        (["may keep contact", "may keep contact.email only for shipping"], None),
        (["may keep contact when age > 18", "may keep contact when age > 16"], None),
        (["may use contact for news", "may open contact.email for news"], "line A makes this rule idle"),
        # prohibitions: within one sentence, or with a condition that means nothing beside the other
        (["never keep card\nnever keep card for news"], "line A makes this rule idle"),
        (["never keep card", "never keep card for news"], None),
        (["never keep card", "never keep card when age < 13"], "line A makes this rule idle"),
        (["never keep card", "never keep contact when age < 13"], None),
        (["must show notice at checkout\nmust show notice at checkout"], "line A makes this rule idle"),
        # rules without effect
        (["may keep order when age < 13 and age > 16"], "the condition can never hold"),
        (["never keep order when valid and not valid"], "the condition can never hold"),
        (["may keep order when age < 13 or age > 16"], None),
        (["never keep card for news except for shipping"], IDLE),
        (["never keep card except for shipping"], None),
        (["never keep card otherwise"], "`otherwise` closes a list that no `may` opens"),
        (["never show card otherwise"], None),
        (["must ask card before collect(card)"], "this duty is never owed: no `may` permits what it comes with"),
        (["must ask card before show(card)"], None),
        (["must offer notice in newsletter"], None),
        # contradictions
        (["may keep order when consented(news)", "never keep order when consented(news)"],
         "nothing is ever permitted here: line B forbids it under this condition"),
        (["may keep order when age < 10", "never keep order when age < 13"],
         "nothing is ever permitted here: line B forbids it under this condition"),
        (["may keep order when age < 16", "never keep order when age < 13"], None),
        (["may keep order when consented(news)", "never keep order for news when consented(news)"], None),
        (["must destroy card within 3 days", "never destroy card"], "line B forbids what this rule demands"),
        (["must destroy card within 3 days", "never destroy order"], None),
        (["must destroy card within 3 days", "never destroy card for news"], None),
    ],
)  # fmt: skip
def test_rules_are_compared(blocks: list[str], message: str | None) -> None:
    front = FRONT.replace("things:", "predicates: {valid: {arguments: 0}}\nthings:")
    first = front.count("\n") + 5
    message = message and message.replace("line A", f"line {first}").replace("line B", f"line {first + 6}")
    found = warned(*blocks, front=front)
    assert [item for item in found if item != "no rule uses the predicate `valid`"] == ([message] if message else [])


@pytest.mark.parametrize(
    ("declared", "warning"),
    [
        ("events: {closed: {}}", "no rule uses the event `closed`"),
        ("forms: {counts: {}}", "no rule uses the form `counts`"),
        ("predicates: {valid: {arguments: 0}}", "no rule uses the predicate `valid`"),
        ("channels: {fax: {}}", "no rule uses the channel `fax`"),
        ("cookies: {cart: {purpose: news}}", "no rule uses the cookie `cookie.cart`"),
        ("roles: {clerk: {}}", None),
    ],
)
def test_a_word_that_nothing_uses_is_told(declared: str, warning: str | None) -> None:
    assert warned(front=FRONT.replace("things:", f"{declared}\nthings:")) == ([warning] if warning else [])


def test_a_word_is_used_by_those_around_it_and_by_arguments() -> None:
    front = FRONT.replace("order: {}", "order: {}, order.note: {}, wide: {includes: [order]}").replace(
        "things:", "cookies: {cart: {purpose: news}}\nevents: {ended: {}}\npredicates: {fills: {arguments: 2}}\nthings:"
    )
    rules = "may set cookie for news when fills(recipient, ups)\nmay keep order within 2 days after ended"
    assert warned(rules, front=front) == []


def test_a_recipient_without_channel_is_told() -> None:
    front = FRONT.replace("channels: [https]", "label: UPS")
    assert warned(front=front) == ["the recipient `ups` has fields and no channel: nothing can be sent there"]
    assert warned(front=front.replace("fields: [contact], ", "")) == []


@pytest.mark.parametrize(
    ("prose", "reason", "warning"),
    [
        ("We never sell it.", "tells", "“never” sounds like a promise, but #s0 has no rule"),
        ("Only you see it.", "tells", "“Only” sounds like a promise, but #s0 has no rule"),
        ("It *will not* be kept\nfor at most a day.", "tells", "“will not” sounds like a promise, but #s0 has no rule"),
        ("A machine that never sleeps.", "'never' speaks of a machine", None),
        ("A machine that never sleeps.", "never mind", "“never” sounds like a promise, but #s0 has no rule"),
        ("This page is about the shop.", "tells", None),
    ],
)
def test_prose_that_sounds_like_a_promise_needs_a_rule(prose: str, reason: str, warning: str | None) -> None:
    assert warned(f'no promise: "{reason}"', prose=prose) == ([warning] if warning else [])


def test_two_promises_over_one_block_are_told_where_the_second_stands() -> None:
    prose = "We never sell it.\nIt will not be\nkept either."
    reading = read(FRONT + f"\n{prose}\n\n```avow #two\nnever keep card for news\n```\n")
    (item,) = lint(reading)
    assert item.message == "#two stands over 2 sentences that promise something: “never” and “will not”"
    assert (item.line, item.column, item.width) == (25, 4, 8)
    assert warned("never keep card for news", prose="We never sell it, e.g. to a bank, and never lend it.") == []


def test_a_policy_with_faults_gets_no_warnings() -> None:
    reading = read(FRONT + "\nMore.\n\n```avow #more\nmay kep order\n```\n")
    assert reading.diagnostics
    assert lint(reading) == []


@pytest.mark.parametrize(
    ("condition", "possible"),
    [
        ("age < 13 and age >= 13", False),
        ("age <= 13 and age >= 13", True),
        ("age > 12.5 and not age >= 12.4", False),
        ("consented(a) and (not consented(a) or objected(a))", True),
        ("since < 1 day and since > 23 hours", True),
        ("since < 1 day and since > 24 hours", False),
    ],
)
def test_whether_a_condition_can_hold(condition: str, possible: bool) -> None:
    statement = parse(Chunk(f"may keep a when {condition}", 1))
    assert isinstance(statement, Statement)
    assert statement.guard is not None
    assert can_hold(statement.guard.condition) is possible


def test_the_library_of_the_tests_is_clean() -> None:
    path = Path(__file__).parents[1] / "language" / "library.md"
    assert lint(read(path.read_text("utf-8"), path.name)) == []
