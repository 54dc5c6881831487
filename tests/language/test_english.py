"""Rules read aloud: plain English, with the labels of the front matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from avow.language import in_words, read
from avow.language.english import condition_in_words, standing_in_words
from avow.language.parser import Chunk, parse
from avow.language.syntax import Attested, NoPromise, Statement

FRONT = """\
---
site: shop
title: Privacy at the shop
version: "1"
effective: 2026-01-05
contact: {email: a@b.example}
categories:
  name: {label: your name}
  address: {label: your address}
  card: {label: your card}
  age_group: {label: your age group}
purposes: {shipping: {label: bringing you the parcel}, news: {label: news}}
subjects: {customer: customer}
roles: {expert: {label: an expert}, clerk: {label: a clerk}, support_lead: {label: the head of support}}
places: {checkout: {label: the checkout}, home: {label: the home page}, letter: {label: our letters in the mail}}
messages: {newsletter: {label: the newsletter}}
recipients: {ups: {label: UPS, fields: [name], channels: [https]}, fedex: {label: FedEx}}
cookies: {cart: {label: what is in your cart, purpose: shipping}}
forms: {counts: {label: counts of many}, noise: {label: blurred figures, arguments: {epsilon: at_most}}}
things: {computer: {label: your computer}, practices: {label: our practices}, law: {label: the law}, draft: {}}
events: {ended: {label: the end of a session}}
predicates:
  verified: {label: it is verified, arguments: 1}
  trained: {label: this person is trained, arguments: 1}
  contains: {label: the one contains the other, arguments: 2}
  left: {label: some of it is left, arguments: 1}
  open_door: {label: the door is open, arguments: 0}
  demands: {label: a demand is in force, arguments: 1}
  bare: {arguments: 1}
  waiting: {label: the time since it came, arguments: 0}
---
"""
WORDS = read(FRONT).front.vocabulary


def said(rule: str) -> str:
    statement = parse(Chunk(rule, 1))
    assert isinstance(statement, Statement)
    return in_words(statement, WORDS)


def test_rules_read_as_english() -> None:
    """Each rule of read_aloud.txt, and the sentence below it."""
    lines = (Path(__file__).parent / "read_aloud.txt").read_text("utf-8").splitlines()
    assert lines
    for rule, sentence in zip(lines[::2], lines[1::2], strict=True):
        assert said(rule) == sentence.strip()


@pytest.mark.parametrize(
    ("condition", "clause"),
    [
        ("verified(card)", "your card is verified"),
        ("not verified(card)", "your card is not verified"),
        ("trained(subject)", "the person concerned is trained"),
        ("contains(name, card)", "your name contains your card"),
        ("not contains(name, card)", "it is not so that your name contains your card"),
        ("not left(card)", "it is not so that some of your card is left"),
        ("open_door", "the door is open"),
        ("demands(law)", "a demand is in force (the law)"),
        ("bare(law)", "`bare(law)` holds"),
        ("ended", "the end of a session has happened"),
        ("age < 13", "the person's age is less than 13"),
        ("not age < 13", "the person's age is at least 13"),
        ("waiting >= 90 days", "the time since it came is at least 90 days"),
        ("approved(2)", "2 people have approved it"),
        ("not approved(2)", "2 people have not approved it"),
        ("open_door and (age < 13 or verified(card))",
         "the door is open and either the person's age is less than 13 or your card is verified"),
        ("not (open_door and ended)",
         "it is not so that both the door is open and the end of a session has happened"),
        ("not (not open_door)", "the door is open"),
        ("presented(link)", "a secret link is presented"),
        ("mailed(version) and not returned(version)",
         "the policy version has been announced by mail and the person has not come back under the policy version"),
    ],
)  # fmt: skip
def test_a_condition_reads_as_a_clause(condition: str, clause: str) -> None:
    statement = parse(Chunk(f"may keep name when {condition}", 1))
    assert isinstance(statement, Statement)
    assert statement.guard is not None
    assert statement.guard.condition is not None
    assert condition_in_words(statement.guard.condition, WORDS) == clause


def test_a_signature_and_a_paragraph_without_promise_are_told_too() -> None:
    signed = parse(Chunk("attested by support_lead every 12 months", 1))
    assert isinstance(signed, Attested)
    assert standing_in_words(signed, WORDS) == (
        "The head of support must sign for this every 12 months; what it permits lapses without that."
    )
    assert standing_in_words(NoPromise("tells what it is"), WORDS) == "This promises nothing: tells what it is."


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parents[2].glob("sites/*/policy.md")), ids=lambda p: p.parent.name
)
def test_every_rule_of_the_published_policies_can_be_read_aloud(path: Path) -> None:
    reading = read(path.read_text("utf-8"), path.name)
    for rule in reading.rules:
        sentence = in_words(rule, reading.front.vocabulary)
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "_" not in sentence.split("`")[0], "a name stands where a label belongs"
        assert "  " not in sentence
