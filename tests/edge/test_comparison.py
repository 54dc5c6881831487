"""The comparison as a page: it says everything in words, side by side, and trusts no policy's text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import get_args

import pytest

from avow.edge.comparison import TITLES, comparison_html, comparison_page
from avow.engine import Policy
from avow.engine.compare import compare
from avow.engine.compare_result import Kind

POLICY = """\
---
site: fruit
title: Privacy at the fruit shop
version: "1"
effective: 2026-01-05
categories: {contact.email: {label: "your <b>e-mail</b> address"}}
purposes: {shipping: {}, advertising: {}}
recipients: {carrier: {label: our carrier}}
cookies: {cart: {purpose: shipping, within: 30 days}}
---

Our carrier gets it to "bring" you the <script>parcel</script>.

```avow #carrier
may share contact.email with carrier for shipping
may set cookie.cart for shipping
```
"""


def changed(*changes: tuple[str, str]) -> str:
    text = POLICY.replace('"1"', '"2"')
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return comparison_page(compare(Policy.parse(POLICY), Policy.parse(text)))


class Outline(HTMLParser):
    """Headings and classes in their order, and every tag that was opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.classes: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.classes += [value or "" for name, value in attrs if name == "class"]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_each_difference_has_both_sides_with_their_sentences_and_answers() -> None:
    page = changed(("for shipping\nmay set", "for shipping, advertising\nmay set"))
    outline = Outline(page)
    said = " ".join("".join(outline.text).split())
    assert outline.classes.count("side old") == outline.classes.count("side new") == 1
    assert outline.tags.count("h1") == 1
    assert "Until now (version 1) Refused" in said
    assert "From now on (version 2) Permitted" in said
    assert "We write to you before that begins" in said
    assert "How we know" in said


def test_what_a_policy_says_is_escaped() -> None:
    page = changed(("for shipping\nmay set", "for shipping, advertising\nmay set"))
    assert "<b>e-mail" not in page
    assert "&lt;b&gt;e-mail&lt;/b&gt;" in page
    assert "script" not in Outline(page).tags
    assert "&lt;script&gt;parcel" in page


def test_what_has_no_sentence_is_told_openly() -> None:
    page = changed(("within: 30 days", "within: 90 days"))
    assert "<p>Lasts 30 days.</p>" in page
    assert "<p>Lasts 90 days.</p>" in page
    assert "<details>" not in page


def test_versions_that_protect_alike_are_said_to() -> None:
    same = compare(Policy.parse(POLICY), Policy.parse(POLICY))
    assert comparison_html(same).startswith('<p class="verdict">The new version protects you at least as well')
    assert Outline(comparison_html(same)).tags == ["p"]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_difference_has_a_title(kind: Kind) -> None:
    assert TITLES[kind]
