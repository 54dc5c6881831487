"""Strategies for statements, as trees: any that the grammar has, whether or not their words mean something."""

from __future__ import annotations

from hypothesis import strategies as st

from avow.language import syntax
from avow.language.syntax import (
    AllOf,
    AnyOf,
    Attested,
    Compare,
    Condition,
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

words = st.from_regex(r"[a-z][a-z0-9_]{0,6}(\.[a-z][a-z0-9_]{0,4})?", fullmatch=True).filter(
    lambda word: word not in syntax.KEYWORDS
)
amounts = st.one_of(
    st.integers(0, 10**15 - 1).map(float), st.integers(0, 10**9).map(lambda n: n / 10**5), st.just(0.0000001)
)
spans = st.builds(Span, amounts, words)
numbers = st.builds(Number, amounts)
terms = st.recursive(
    st.builds(Term, words),
    lambda inner: st.builds(
        Term,
        words,
        st.lists(st.one_of(inner, spans, st.builds(Number, amounts, st.none() | words)), max_size=3).map(tuple),
    ),
    max_leaves=4,
)
lists = st.lists(terms, min_size=1, max_size=3).map(tuple)
anchors = st.from_regex(r"[a-z][a-z0-9]{0,4}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
signed = anchors.map(lambda anchor: Term(syntax.ATTESTED, (Term(anchor),)))
conditions: st.SearchStrategy[Condition] = st.recursive(
    st.builds(Fact, terms | signed)
    | st.builds(Compare, st.builds(Term, words), st.sampled_from(["<", "<=", ">", ">="]), numbers | spans),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)
prepositions = st.sampled_from(syntax.PREPOSITIONS)
phrases = st.builds(Phrase, prepositions, lists, st.none(), st.booleans()) | st.builds(
    Phrase, prepositions, st.just(()), spans, st.booleans()
)
rules = st.builds(
    Statement,
    st.sampled_from(["may", "never", "must"]),
    words,
    st.just(()) | lists,
    st.lists(phrases, max_size=4).map(tuple),
    st.none() | st.just(Guard("otherwise")) | st.builds(Guard, st.sampled_from(["when", "unless"]), conditions),
    st.lists(phrases, max_size=2).map(tuple),
)
reasons = st.text(st.characters(codec="utf-8", exclude_characters='"\n\r\0'), max_size=20).map(str.strip)
statements = rules | st.builds(NoPromise, reasons) | st.builds(Attested, terms, spans)
