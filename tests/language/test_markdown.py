from __future__ import annotations

import html
import re
from pathlib import Path

from avow.engine import Policy
from avow.language import Rule, read, to_html
from avow.values import Sentence

LIBRARY = Path(__file__).parent / "library.md"
FRONT = "---\nsite: x\ntitle: t\nversion: 1\neffective: 2026-01-01\ncategories: {order: {}}\n---\n"


def fold(sentence: Sentence, rules: tuple[Rule, ...]) -> str:
    said = "; ".join(html.escape(rule.text) for rule in rules)
    return f'<details id="{sentence.anchor}">{said}</details>'


def test_each_block_becomes_its_fold_after_its_paragraph_or_within_its_list_item() -> None:
    policy = Policy.load(LIBRARY)
    page = to_html(policy, fold)
    assert page.startswith("<h1>Privacy at the lending library</h1>")
    assert "avow" not in page
    assert "site: library" not in page
    assert re.findall(r'<details id="([^"]+)">', page) == [sentence.anchor for sentence in policy.sentences]
    item = page[page.index("<li>") : page.index("</li>")]
    assert '<details id="you-see">may show contact, loan to reader at account when presented(link)</details>' in item


def test_raw_html_and_script_links_of_a_policy_stay_text() -> None:
    policy = Policy.parse(FRONT + "\n<script>x</script> [a](javascript:x) <b>\n\n```avow #a\nmay keep order\n```\n")
    page = to_html(policy, fold)
    assert "<script" not in page
    assert "<b>" not in page
    assert "href" not in page


def bound(body: str) -> list[tuple[str, int, str]]:
    return [(s.text, s.line, s.anchor) for s in read(FRONT + body).sentences]


def test_the_text_of_a_sentence_is_without_markup() -> None:
    body = "\nWe *keep*\n`your` [order](https://x.example).\n\n```avow #a\nmay keep order\n```\n"
    assert bound(body) == [("We keep your order.", 9, "a")]


def test_a_block_after_a_list_belongs_to_its_last_item() -> None:
    assert bound("- one\n\n```avow #a\nmay keep order\n```\n") == [("one", 8, "a")]


def test_a_block_in_a_quotation_or_nested_list_keeps_its_place() -> None:
    quotation = "> quoted\n>\n> ```avow #a\n> may kep order\n> ```\n"
    reading = read(FRONT + quotation + "\n- one\n  - two\n\n    ```avow #b\n    may keep order\n    ```\n")
    assert [s.text for s in reading.sentences] == ["quoted", "two"]
    (verb, unbound) = reading.diagnostics
    assert (verb.line, verb.column) == (11, 7)
    assert (unbound.line, unbound.message) == (14, "this paragraph has no `avow` block")


def test_line_ends_and_a_byte_order_mark_make_no_difference() -> None:
    source = LIBRARY.read_text("utf-8")
    dos = read("\ufeff" + source.replace("\n", "\r\n"))
    assert dos.diagnostics == []
    assert [s.line for s in dos.sentences] == [s.line for s in read(source).sentences]


def test_headings_need_no_block() -> None:
    assert read(FRONT + "# One\n\nTwo\n===\n\nThree.\n\n```avow #a\nmay keep order\n```\n").diagnostics == []
