from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avow.language import parser
from avow.language.parser import Chunk, Node, SyntaxFault, chunks, parse
from avow.language.syntax import (
    AnyOf,
    Attested,
    Compare,
    Fact,
    Guard,
    NoPromise,
    Not,
    Number,
    Phrase,
    Span,
    Statement,
    Term,
)
from tests.language.statements import statements

SAMPLES = """\
may share contact.name, contact.address only with ups, fedex, drop_shipper for shipping over https
may share order with drop_shipper for fulfilment
        only over smtps, https, sftp when fills(recipient, order)   # one order
# a comment between
never use contact, wishes when objected(other_uses) except for fulfilment

must stop session within 1 second after withdrawn(session)
may share demographics only as statistics(epsilon 1, group 20) with partners every 3 months
never share message.content otherwise
attested by support_lead every 12 months
may keep x when attested(own-conduct) or not attested( only )
may keep x when (a or not b) and not (c and d) and age >= 16.5 and since < 30 days
no promise: "tells # what it is"
must acknowledge practices by staff after version
"""


def test_the_grammar_has_no_conflict_that_lark_would_resolve_silently() -> None:
    assert parser.build(strict=True).parse("may keep order").data == "rule"


def test_the_shipped_table_belongs_to_the_grammar_and_parses_as_the_grammar_does() -> None:
    """If this fails after a change of grammar.lark: python -m avow.language.parser."""
    assert json.loads(parser.TABLE.read_text("utf-8"))["stamp"] == parser.stamp()
    shipped, built = parser._parser(), parser.build()
    assert shipped is not built
    for chunk in chunks(SAMPLES, 1):
        assert shipped.parse(chunk.text) == built.parse(chunk.text)


@pytest.mark.parametrize("content", ["", "{}", '{"stamp": "other"}', "[1]", "not json"])
def test_a_table_that_cannot_be_used_falls_back_to_the_grammar(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "grammar.json"
    table.write_text(content)
    monkeypatch.setattr(parser, "TABLE", table)
    parser._parser.cache_clear()
    try:
        assert str(parse(Chunk("may keep order", 1))) == "may keep order"
    finally:
        parser._parser.cache_clear()


def test_a_statement_starts_at_the_margin_and_indented_lines_continue_it() -> None:
    cut = list(chunks(SAMPLES, 10))
    assert [chunk.line for chunk in cut] == [10, 11, 14, 16, 17, 18, 19, 20, 21, 22, 23]
    assert str(parse(cut[1])) == (
        "may share order with drop_shipper for fulfilment only over smtps, https, sftp when fills(recipient, order)"
    )


def test_positions_count_from_the_file_and_include_the_indent_of_the_block() -> None:
    (chunk,) = chunks("may share\n  order wiht ups", 7, indent=4)
    with pytest.raises(SyntaxFault) as fault:
        parse(chunk)
    assert (fault.value.at.line, fault.value.at.column, fault.value.at.width) == (8, 13, 4)


def test_the_tree_holds_what_was_written() -> None:
    rule = parse(Chunk("may share a.b only with c for d within 2 days when e(f, g 2) or not h < 3 weeks", 1))
    assert rule == Statement(
        "may", "share", (Term("a.b"),),
        (Phrase("with", (Term("c"),), only=True), Phrase("for", (Term("d"),)), Phrase("within", span=Span(2, "days"))),
        Guard("when", AnyOf((
            Fact(Term("e", (Term("f"), Number(2, "g")))), Not(Compare(Term("h"), "<", Span(3, "weeks"))),
        ))),
    )  # fmt: skip
    assert parse(Chunk('no promise: " why "', 1)) == NoPromise("why")
    assert parse(Chunk("attested by lead every 12 months", 1)) == Attested(Term("lead"), Span(12, "months"))


@settings(max_examples=300)
@given(statements)
def test_parsing_what_is_printed_gives_the_same_statement(statement: Node) -> None:
    assert parse(Chunk(str(statement), 1)) == statement


@settings(max_examples=300)
@given(
    st.text(max_size=60) | st.lists(st.sampled_from(["may", "for", "a", ",", "(", "only", "3", "\n "])).map(" ".join)
)
def test_any_text_parses_or_faults_within_itself(text: str) -> None:
    for chunk in chunks(text, 1):
        with contextlib.suppress(SyntaxFault):
            parse(chunk)
            continue
        with pytest.raises(SyntaxFault) as fault:
            parse(chunk)
        assert 1 <= fault.value.at.line <= text.count("\n") + 1
        assert fault.value.at.column >= 1


def test_attested_takes_an_anchor_with_its_hyphens_even_one_that_is_a_keyword() -> None:
    rule = parse(Chunk("never keep x when attested(own-conduct) and attested( only )", 1))
    assert isinstance(rule, Statement)
    assert str(rule.guard) == "when attested(own-conduct) and attested(only)"
    for written in ("attested(a, b)", "attested x", "attested(Own)", "attested()"):
        with pytest.raises(SyntaxFault, match="after `attested` stands one anchor in parentheses") as fault:
            parse(Chunk(f"may keep x when {written}", 1))
        assert (fault.value.at.column, fault.value.at.width) == (17, 8)


@pytest.mark.parametrize(("written", "seconds"), [("1 second", 1), ("2 days", 172800), ("1 month", 2592000)])
def test_a_span_knows_its_seconds(written: str, seconds: float) -> None:
    amount, unit = written.split()
    assert Span(float(amount), unit).seconds == seconds
    assert Span(1, "blink").seconds is None


@pytest.mark.parametrize(
    ("rule", "column", "said"),
    [
        ("may keep order within 1234567890123456 days", 23, "`1234567890123456` is too long a number"),
        ("may keep order when " + "(" * 21 + "a" + ")" * 21, 41, "parentheses stand more than 20 deep"),
        ("may keep " + "a(" * 21 + "a" + ")" * 21, 51, "parentheses stand more than 20 deep"),
    ],
)
def test_what_no_policy_needs_is_a_fault_and_no_crash(rule: str, column: int, said: str) -> None:
    with pytest.raises(SyntaxFault) as fault:
        parse(Chunk(rule, 1))
    assert (fault.value.message, fault.value.at.column) == (said, column)


def test_parentheses_in_a_comment_or_a_reason_do_not_count() -> None:
    assert parse(Chunk("may keep order # " + "(" * 30, 1)) == parse(Chunk("may keep order", 1))
    assert parse(Chunk(f'no promise: "{"(" * 30}"', 1)) == NoPromise("(" * 30)


def test_numbers_are_printed_as_they_can_be_read() -> None:
    for written in ("0.0000001", "999999999999999", "0.1234567890123", "1.50"):
        (number,) = parse(Chunk(f"may keep a(x {written})", 1)).objects[0].arguments  # type: ignore[union-attr]
        assert isinstance(number, Number)
        assert float(str(number).split()[1]) == float(written)
