"""Rules put back into English, with the labels of the front matter, so that an author reads what was bound to what.

    in_words(rule, words)
    → We may share your name and your address with UPS or FedEx, only for bringing you the parcel and only over HTTPS.

A label is written as it stands within a sentence: `your name`, `the checkout`, `a librarian`. The label of a predicate
is a clause, in which `it`, `this person` or `them` stands for the argument: `it is verified`, `nothing goes beyond it`;
with two arguments `the one` and `the other` do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from avow.language.forms import Orders
from avow.language.rules import Rule, is_act, is_contact_data, object_kinds, phrase_kinds, reference
from avow.language.syntax import (
    ATTESTED,
    AllOf,
    AnyOf,
    Argument,
    Attested,
    Compare,
    Condition,
    Fact,
    NoPromise,
    Not,
    Number,
    Phrase,
    Span,
    Statement,
    Term,
)
from avow.language.verbs import FLOWS, NARROWING
from avow.language.vocabulary import KINDS, Vocabulary, spoken
from avow.values import DIMENSIONS

#: What the built-in predicates say of their argument.
_PREDICATES = {
    "consented": "the person has agreed to {}",
    "objected": "the person has objected to {}",
    "withdrawn": "the consent to {} has been withdrawn",
    "presented": "{} is presented",
    "accepted": "the person has accepted {}",
    "returned": "the person has come back under {}",
    "mailed": "{} has been announced by mail",
    "weaker": "{} is weaker than the one before",
    "approved": "{} people have approved it",
    "discovered": "{} has come to light",
    "assigned": "{} is assigned to whoever does it",
}
#: What an argument says that stands for a part of the flow itself.
_SELF = {
    "recipient": "the recipient",
    "audience": "whoever sees it",
    "source": "whoever it comes from",
    "subject": "the person concerned",
    "purpose": "the purpose",
    "place": "the place",
    "role": "whoever does it",
    "medium": "what is searched",
    "channel": "the connection",
    "form": "the form",
}
_VERBS = {"ask": "ask for", "warn": "warn of"}
_COMPARED = {"<": "less than", "<=": "at most", ">": "more than", ">=": "at least"}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_ON = re.compile(r"\b(page|pages|site|form|forms|telephone|phone)\b")
_IN = re.compile(r"\b(mail|mailbox|report|reports|attachment|mails)\b")
_GAP = re.compile(r"\b(it|this person|them)\b")
_AUXILIARY = re.compile(r"\b(has|have|is|are|was|were|can|will|may|must)\b")
#: Facts that the language adds, for a rate and for a gate.
_STANDING = re.compile(r"(due|done)\((.+)\)\Z")
_INDEFINITE = re.compile(r"(some|each|every|all|any|nobody|nothing|no)\b")


def in_words(rule: Rule | Statement, words: Vocabulary) -> str:
    """A rule as an English sentence."""
    return _Speaker(rule.statement if isinstance(rule, Rule) else rule, words).sentence()


def condition_in_words(condition: Condition, words: Vocabulary) -> str:
    """A condition as a clause: `the person has agreed to the newsletter and the person's age is at least 16`."""
    return _clause(condition, words)


def atom_in_words(atom: Fact | Compare, value: bool | None, words: Vocabulary) -> str:
    """An atom with its value as a clause; None is unknown."""
    if value is None:
        return f"it is not known whether {_clause(atom, words)}"
    return _clause(atom, words) if value else _negated(atom, words)


def measure_in_words(condition: Compare, words: Vocabulary) -> str:
    """What a comparison measures: `the person's age`."""
    name = condition.word.name
    return "the person's age" if name == "age" else words.label(name, "predicate")


def standing_in_words(statement: Attested | NoPromise, words: Vocabulary) -> str:
    """What a signature or a `no promise` says, as an English sentence."""
    if isinstance(statement, NoPromise):
        return f"This promises nothing: {statement.reason}."
    role = words.label(str(statement.role), "role")
    return capital(f"{role} must sign for this every {_span(statement.every)}; what it permits lapses without that.")


class _Speaker:
    """Puts one rule into words."""

    def __init__(self, rule: Statement, words: Vocabulary) -> None:
        self._rule = rule
        self._words = words
        self._and = "or" if rule.modal == "never" else "and"

    def sentence(self) -> str:
        rule = self._rule
        by = rule.phrase("by")
        subject = self._terms(by, "or") if by else "we"
        if by and by.only:
            subject = f"only {subject}"
        verb = _VERBS.get(rule.verb, rule.verb)
        modal = "never" if rule.modal == "never" and not by else "may never" if rule.modal == "never" else rule.modal
        parts = [f"{subject} {modal} {verb} {self._objects()}"]
        said = [self._phrase(phrase) for phrase in self._ordered() if phrase is not by]
        only = [text for text in said if text.startswith("only ")]
        text = " ".join(parts + [text for text in said if text not in only])
        text += "".join(f"{', ' if index == 0 else ' and '}{each}" for index, each in enumerate(only))
        if rule.exceptions:
            text += ", except " + " ".join(self._phrase(phrase) for phrase in rule.exceptions)
        return capital(text + self._guard() + ".")

    def _ordered(self) -> list[Phrase]:
        """The phrases, with lengths of time before the event that they count from, and what limits a gate behind it."""
        spans = [phrase for phrase in self._rule.phrases if phrase.span]
        events = [phrase for phrase in self._rule.phrases if not phrase.span and phrase.preposition in _EVENTS]
        gated = self._rule.modal == "must" and any(is_act(self._words, t) for p in events for t in p.terms
                                                   if p.preposition == "before")  # fmt: skip
        limits = [p for p in self._rule.phrases if gated and p.preposition in NARROWING and not p.span]
        return [p for p in self._rule.phrases if p not in spans + events + limits] + spans + events + limits

    def _guard(self) -> str:
        guard = self._rule.guard
        if guard is None:
            return ""
        if guard.condition is None:
            return ", except as this policy permits"
        clause = _clause(guard.condition, self._words)
        if guard.word == "unless":
            return f", unless {clause}"
        return f", provided that {clause}" if self._rule.modal == "may" else f", if {clause}"

    def _objects(self) -> str:
        kinds = object_kinds(self._rule.verb, self._rule.modal)
        said = [
            "our contact details" if self._rule.modal == "must" and is_contact_data(self._rule.verb, term)
            else self._label(term, kinds) for term in self._rule.objects
        ]  # fmt: skip
        return listed(said, self._and)

    def _phrase(self, phrase: Phrase) -> str:
        only = "only " if phrase.only else ""
        word = phrase.preposition
        if phrase.span:
            return only + self._length(word, phrase.span)
        if word in ("before", "after", "with", "in") and any(is_act(self._words, term) for term in phrase.terms):
            opening = "whenever" if word in ("with", "in") else word
            return f"{opening} {listed([self._happening(term) for term in phrase.terms], 'or')}"
        if word in _EVENTS:
            return f"{word} {listed([self._happening(term) for term in phrase.terms], self._events_joint(word))}"
        if word == "at":
            kinds = phrase_kinds(self._rule.verb, self._rule.modal, word)
            return only + listed([self._place(term, kinds) for term in phrase.terms], self._joint)
        return f"{only}{word} {self._terms(phrase, self._joint)}"

    @property
    def _joint(self) -> str:
        return "and" if self._rule.modal == "must" else "or"

    def _events_joint(self, word: str) -> str:
        """A permission waits for all of several events, a prohibition lasts until all; else the first one counts."""
        if self._rule.modal == "must" or any(phrase.span for phrase in self._rule.phrases):
            return "or"
        return "and" if (word == "after") is (self._rule.modal == "may") else "or"

    def _length(self, word: str, span: Span) -> str:
        duty = self._rule.modal == "must"
        if word == "every":
            return f"every {_span(span)}" if duty else f"at most once every {_span(span)}"
        if word == "within":
            return f"within {span}" if duty or self._rule.verb in ("destroy", "erase") else f"for at most {span}"
        return f"{word} {span}"

    def _place(self, term: Term, kinds: Sequence[str]) -> str:
        if term.name == "rest":
            return "while stored"
        if term.name == "transit":
            return "while on the way"
        return placed(self._label(term, kinds))

    def _happening(self, term: Term) -> str:
        """What `before` and `after` count from: an act of ours, an event, or that a predicate holds."""
        if is_act(self._words, term):
            kinds = FLOWS[term.name].objects
            objects = [self._label(part, kinds) for part in term.arguments if isinstance(part, Term)]
            return f"we {_VERBS.get(term.name, term.name)} {listed(objects, 'or') or 'anything'}"
        if term.name in self._words.words["predicate"]:
            return _fact(term, self._words)
        if term.name == "version":
            return "each new version of the policy"
        return self._label(term, ("event", *KINDS))

    def _terms(self, phrase: Phrase, joint: str) -> str:
        kinds = phrase_kinds(self._rule.verb, self._rule.modal, phrase.preposition)
        return listed([self._label(term, kinds) for term in phrase.terms], joint)

    def _label(self, term: Term, kinds: Sequence[str]) -> str:
        return _label(term, kinds, self._words)


_EVENTS = ("before", "after")


def _label(term: Term, kinds: Iterable[str], words: Vocabulary) -> str:
    found = reference(words, Term(term.name), kinds)
    kind = found[0] if found else None
    label = words.label(term.name, kind)
    if term.name.startswith("cookie."):
        return f"the cookie “{term.name.removeprefix('cookie.')}” ({label})"
    if kind in ("subject", "role") and label == spoken(term.name):
        label = f"the {label}"
    if term.arguments:
        orders = words.orders(term.name) if kind == "form" else {}
        label += f" ({', '.join(_strictness(part, orders) for part in term.arguments)})"
    return label


def _strictness(argument: Argument, orders: Orders) -> str:
    """An argument of a form; where it has an order, `epsilon at most 1`."""
    if isinstance(argument, Number) and argument.name and argument.name in orders:
        return f"{argument.name} {orders[argument.name].replace('_', ' ')} {Number(argument.value)}"
    return str(argument)


def _clause(condition: Condition, words: Vocabulary, *, within: bool = False) -> str:
    if isinstance(condition, Fact):
        return _fact(condition.term, words)
    if isinstance(condition, Compare):
        return _compare(condition, condition.operator, words)
    if isinstance(condition, Not):
        return _negated(condition.part, words)
    joint, both = ("and", "both") if isinstance(condition, AllOf) else ("or", "either")
    text = f" {joint} ".join(_clause(part, words, within=True) for part in condition.parts)
    return f"{both} {text}" if within else text


def _negated(condition: Condition, words: Vocabulary) -> str:
    if isinstance(condition, Compare):
        return _compare(condition, _OPPOSITE[condition.operator], words)
    if isinstance(condition, Not):
        return _clause(condition.part, words, within=True)
    if isinstance(condition, (AllOf, AnyOf)):
        return f"it is not so that {_clause(condition, words, within=True)}"
    clause = _fact(condition.term, words)
    if _INDEFINITE.match(clause) or not _AUXILIARY.search(clause):
        return f"it is not so that {clause}"
    return _AUXILIARY.sub(r"\1 not", clause, count=1)


def _compare(condition: Compare, operator: str, words: Vocabulary) -> str:
    return f"{measure_in_words(condition, words)} is {_COMPARED[operator]} {condition.value}"


def _fact(term: Term, words: Vocabulary) -> str:
    word = words.words["predicate"].get(term.name)
    if term.name == ATTESTED:
        return f"the signature for #{term.arguments[0]} is in force"
    standing = _STANDING.match(term.name)
    if standing:
        due, done = f"it is time again for what #{standing[2]} permits", f"we have done this before: {standing[2]}"
        return due if standing[1] == "due" else done
    if word is None:
        return f"{words.label(term.name, 'event')} has happened"
    said = [_argument(part, words) for part in term.arguments]
    if term.name in _PREDICATES and word.label == spoken(term.name):
        return _PREDICATES[term.name].format(*said)
    label = word.label
    if len(said) == 2 and "the one" in label and "the other" in label:
        return label.replace("the one", said[0], 1).replace("the other", said[1], 1)
    if len(said) == 1 and _GAP.search(label):
        return _GAP.sub(lambda _: said[0], label, count=1)
    if label == spoken(term.name):  # a name is no clause: quote the rule
        return f"`{term}` holds"
    return f"{label} ({', '.join(said)})" if said else label


def _argument(argument: Argument, words: Vocabulary) -> str:
    if isinstance(argument, Number):
        return str(argument)
    if isinstance(argument, Span):
        return str(argument)
    if argument.name in _SELF and words.kind_of(argument.name) is None:
        return _SELF[argument.name]
    return _label(argument, KINDS, words)


def _span(span: Span) -> str:
    """After `every`: `every month`, `every 3 months`."""
    return span.unit.removesuffix("s") if span.amount == 1 else str(span)


def placed(label: str) -> str:
    """A place by its label, with the preposition that fits: `on the page of your order`, `at a desk of ours`."""
    return f"{'in' if _IN.search(label) else 'on' if _ON.search(label) else 'at'} {label}"


def listed(said: Sequence[str], joint: str) -> str:
    """Several things in one phrase: `your name, your street and your city`."""
    return said[0] if len(said) == 1 else ", ".join(said[:-1]) + f" {joint} {said[-1]}" if said else ""


def capital(text: str) -> str:
    """A text as it begins a sentence."""
    return text[:1].upper() + text[1:]


assert set(_SELF) == set(DIMENSIONS.values())
