"""Weakens a policy in every way it knows, one rule and one way at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from avow.engine import Policy
from avow.language.rules import Rule
from avow.language.syntax import AllOf, AnyOf, Compare, Condition, Guard, Not, Number, Phrase, Span, Statement, Term
from avow.language.verbs import FLOWS
from avow.language.vocabulary import parents_of
from avow.values import DIMENSIONS


@dataclass(frozen=True)
class Mutation:
    """One weakened policy. `rule` is the rule that was weakened, None if it was a declaration."""

    way: str
    where: str
    rule: Rule | None
    text: str


Way = Callable[[Policy, Rule], Iterator[Statement | None]]


def mutations(policy: Policy) -> Iterator[Mutation]:
    """All mutations; some do not pass the checker, and some change nothing because another rule says the same."""
    for rule in policy.rules:
        for way in WAYS[rule.modal]:
            for number, statement in enumerate(way(policy, rule)):
                name = way.__name__.replace("_", " ")
                where = f"line {rule.line}, {number}: {rule.text} -> {statement}"
                yield Mutation(name, where, rule, rewritten(policy.source, rule, statement))
    yield from declared(policy)


def rewritten(source: str, rule: Rule, statement: Statement | None) -> str:
    """The policy's source with another statement in place of a rule's."""
    lines = source.split("\n")
    start = rule.line - 1
    margin = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    end = start + 1
    while end < len(lines) and lines[end].startswith(margin + " "):
        end += 1
    # A block that would say nothing keeps its sentence, which then promises nothing.
    alone = lines[start - 1].lstrip().startswith("```") and lines[end].strip() == "```"
    told = 'no promise: "said so once"' if alone else ""
    lines[start:end] = [margin + (str(statement) if statement else told)]
    return "\n".join(lines)


# What every rule has: objects, phrases, a guard.


def drop(policy: Policy, rule: Rule) -> Iterator[None]:
    yield None


def narrow_objects(policy: Policy, rule: Rule) -> Iterator[Statement]:
    if len(rule.objects) > 1:
        for term in rule.objects:
            yield replace(rule.statement, objects=tuple(t for t in rule.objects if t != term))
    below = sorted(policy.vocabulary.below("category", rule.objects[0].name) - {rule.objects[0].name})
    if len(below) > 1:
        yield replace(rule.statement, objects=(Term(below[0]), *rule.objects[1:]))


def narrow_phrases(policy: Policy, rule: Rule) -> Iterator[Statement]:
    for phrase in rule.phrases:
        if len(phrase.terms) > 1:
            yield with_phrase(rule, phrase, replace(phrase, terms=phrase.terms[1:]))


def with_phrase(rule: Rule, phrase: Phrase, other: Phrase | None) -> Statement:
    phrases = (other if p is phrase else p for p in rule.phrases)
    return replace(rule.statement, phrases=tuple(p for p in phrases if p is not None))


# `never`


def add_unless(policy: Policy, rule: Rule) -> Iterator[Statement]:
    if rule.guard is None:
        yield replace(rule.statement, guard=Guard("unless", Compare(Term("age"), ">=", Number(77))))


def add_exception(policy: Policy, rule: Rule) -> Iterator[Statement]:
    named = {p.preposition for p in (*rule.phrases, *rule.exceptions)}
    kind = policy.vocabulary.words
    if "for" not in named and "for" in FLOWS[rule.verb].takes and not rule.exceptions and kind["purpose"]:
        yield replace(rule.statement, exceptions=(Phrase("for", (Term(min(kind["purpose"])),)),))


# `may`


def add_object(policy: Policy, rule: Rule) -> Iterator[Statement]:
    known = [name for name in policy.vocabulary.names(*FLOWS[rule.verb].objects) if "(" not in name]
    said = {str(t) for t in rule.objects}
    for name in [n for n in known if n not in said][:: max(1, len(known) // 2)]:
        yield replace(rule.statement, objects=(*rule.objects, Term(name)))


def widen_phrase(policy: Policy, rule: Rule) -> Iterator[Statement]:
    for phrase in rule.phrases:
        if phrase.preposition in DIMENSIONS and phrase.terms:
            names = policy.vocabulary.names(*FLOWS[rule.verb].takes[phrase.preposition])
            other = next((n for n in sorted(names) if n not in phrase.words), None)
            if other:
                yield with_phrase(rule, phrase, replace(phrase, terms=(*phrase.terms, Term(other))))


def drop_phrase(policy: Policy, rule: Rule) -> Iterator[Statement]:
    for phrase in rule.phrases:
        yield with_phrase(rule, phrase, None)


def drop_only(policy: Policy, rule: Rule) -> Iterator[Statement]:
    for phrase in rule.phrases:
        if phrase.only:
            yield with_phrase(rule, phrase, replace(phrase, only=False))


def under_a_wider_term(policy: Policy, rule: Rule) -> Iterator[Statement]:
    words = policy.vocabulary.words
    for position, term in enumerate(rule.objects):
        for kind in FLOWS[rule.verb].objects:
            for above in parents_of(words[kind][term.name]) if term.name in words[kind] else ():
                objects = (*rule.objects[:position], Term(above), *rule.objects[position + 1 :])
                yield replace(rule.statement, objects=objects)
    for phrase in rule.phrases:
        for term in phrase.terms if phrase.preposition in DIMENSIONS else ():
            for kind in FLOWS[rule.verb].takes[phrase.preposition]:
                for above in parents_of(words[kind][term.name]) if term.name in words[kind] else ():
                    rest = tuple(t for t in phrase.terms if t != term)
                    yield with_phrase(rule, phrase, replace(phrase, terms=(Term(above), *rest)))


def drop_when(policy: Policy, rule: Rule) -> Iterator[Statement]:
    if rule.guard is not None:
        yield replace(rule.statement, guard=None)


def ease_condition(policy: Policy, rule: Rule) -> Iterator[Statement]:
    condition = rule.condition
    if condition is None or rule.guard is None:
        return
    easier = (rule.guard.word == "when") is (rule.modal == "may")
    for other in eased(condition, easier):
        yield replace(rule.statement, guard=Guard(rule.guard.word, other))


def eased(condition: Condition, easier: bool) -> Iterator[Condition]:
    """The condition made true more (or less) often: a part left out, a threshold moved."""
    if isinstance(condition, Not):
        yield from (Not(part) for part in eased(condition.part, not easier))
    elif isinstance(condition, Compare) and isinstance(condition.value, Number):
        up = condition.operator in ("<", "<=")
        step = 3 if up is easier else -3
        yield replace(condition, value=Number(condition.value.value + step))
    elif isinstance(condition, (AllOf, AnyOf)):
        if isinstance(condition, AllOf) is easier:
            for part in condition.parts:
                rest = tuple(p for p in condition.parts if p is not part)
                yield rest[0] if len(rest) == 1 else type(condition)(rest)
        for index, part in enumerate(condition.parts):
            for other in eased(part, easier):
                yield type(condition)((*condition.parts[:index], other, *condition.parts[index + 1 :]))
    elif not isinstance(condition, Compare) and easier:
        term = condition.term
        if term.name == "approved" and isinstance(term.arguments[0], Number) and term.arguments[0].value > 1:
            yield replace(condition, term=replace(term, arguments=(Number(term.arguments[0].value - 1),)))


def loosen_form(policy: Policy, rule: Rule) -> Iterator[Statement]:
    for phrase in rule.phrases:
        for term in phrase.terms:
            for index, part in enumerate(term.arguments):
                if phrase.preposition == "as" and isinstance(part, Number):
                    value = part.value * 2 if part.name == "epsilon" else part.value - 1
                    arguments = (*term.arguments[:index], replace(part, value=value), *term.arguments[index + 1 :])
                    terms = tuple(replace(t, arguments=arguments) if t is term else t for t in phrase.terms)
                    yield with_phrase(rule, phrase, replace(phrase, terms=terms))


def stretch(policy: Policy, rule: Rule) -> Iterator[Statement]:
    for phrase in rule.phrases:
        if phrase.span is not None:
            often = phrase.preposition == "every" and rule.modal == "may"
            amount = phrase.span.amount / 2 if often else phrase.span.amount * 2
            if rule.modal == "must" and phrase.preposition == "for":
                amount = phrase.span.amount / 2
            yield with_phrase(rule, phrase, replace(phrase, span=Span(amount, phrase.span.unit)))


WAYS: dict[str, list[Way]] = {
    "never": [drop, narrow_objects, narrow_phrases, add_unless, add_exception, ease_condition],
    "may": [add_object, widen_phrase, drop_phrase, under_a_wider_term, drop_when, ease_condition, loosen_form, stretch,
            drop_only],
    "must": [drop, narrow_objects, narrow_phrases, add_unless, stretch],
}  # fmt: skip


# Declarations.


def declared(policy: Policy) -> Iterator[Mutation]:
    source = policy.source
    for recipient in policy.recipients.values():
        if not recipient.fields:
            text = source.replace("\nrecipients:\n", f"\nrecipients:\n  newcomer: {{under: {recipient.name}}}\n", 1)
            yield Mutation("add a recipient under a parent", recipient.name, None, text)
    for cookie in policy.cookies.values():
        if cookie.seconds:
            for found in re.finditer(rf"  {cookie.name}: .*within: (\d+) ", source):
                text = source[: found.start(1)] + "999" + source[found.end(1) :]
                yield Mutation("a cookie lives longer", cookie.name, None, text)
    for anchor, attested in policy.attested.items():
        looser = replace(attested, every=Span(attested.every.amount * 2, attested.every.unit))
        lines = source.split("\n")
        at = attested.at.line - 1
        margin = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        for way, told in (("a signature is renewed less often", str(looser)), ("a signature is dropped", "")):
            alone = lines[at - 1].lstrip().startswith("```") and lines[at + 1].strip() == "```"
            changed = [*lines[:at], margin + (told or ('no promise: "none"' if alone else "")), *lines[at + 1 :]]
            yield Mutation(way, anchor, None, "\n".join(changed))
