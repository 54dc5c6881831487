"""The page of forms: its examples are rules of the sites, and its mistakes are told as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from avow.engine import Policy
from avow.errors import PolicyError
from avow.language.verbs import FLOWS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "forms.md").read_text("utf-8")
FORM = re.compile(
    r"### (?P<title>.+)\n\n(?P<meaning>.+)\n\n- (?P<site>\w+), `#(?P<anchor>[a-z0-9-]+)`:\n  `(?P<example>.+)`\n"
    r"- wrong: `(?P<wrong>.+)`\n\n  > (?P<message>.+?) *\n  > help: (?P<help>.+)\n"
)
FORMS = [match.groupdict() for match in FORM.finditer(PAGE)]
#: The words of the shop's policy, with one sentence to follow.
WORDS = (ROOT / "sites" / "gourmet" / "policy.md").read_text("utf-8").partition("\n# ")[0]


def test_every_form_of_the_page_is_read() -> None:
    assert len(FORMS) == PAGE.count("\n### ") >= 35
    titles = " ".join(form["title"] for form in FORMS)
    assert [verb for verb in FLOWS if verb not in titles] == []
    for word in ("may", "never", "must", "only", "otherwise", "except", "when", "unless", "attested", "no promise"):
        assert f"`{word}" in titles


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["title"])
def test_the_example_is_a_statement_of_its_site(form: dict[str, str]) -> None:
    policy = Policy.load(ROOT / "sites" / form["site"] / "policy.md")
    rules = [rule.text for rule in policy.rules_of(form["anchor"])]
    assert form["example"] in rules or f"\n{form['example']}\n" in policy.source


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["title"])
def test_the_mistake_is_told_as_the_page_says(form: dict[str, str]) -> None:
    block = f"```avow #here\nmay log visit.time at shop for selection\n{form['wrong']}\n```\n"
    with pytest.raises(PolicyError) as refusal:
        Policy.parse(f"{WORDS}\n# Title\n\nA sentence.\n\n{block}")
    first = refusal.value.diagnostics[0]
    assert (first.message, first.help) == (form["message"], form["help"])
