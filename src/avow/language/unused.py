"""Finds declared words that no rule uses, and recipients that nothing can reach.

A word is used if a rule or the front matter names it, or a word above it, or one below it. Roles and subjects may
stand unused: routes and flows name them, and the policy has to know them.
"""

from __future__ import annotations

from collections.abc import Iterator

from avow.language.rules import Reading, object_kinds, phrase_kinds, reference
from avow.language.syntax import ATTESTED, Fact, Phrase, Position, Term, atoms
from avow.language.verbs import FLOWS
from avow.language.vocabulary import KINDS

_FREE = ("role", "subject")
Warned = Iterator[tuple[Position, str, str]]


def unused_words(reading: Reading) -> Warned:
    """The words that a policy declares and never uses."""
    words = reading.front.vocabulary
    used = _used(reading)
    for (kind, name), at in reading.front.places.items():
        if kind in _FREE or name not in words.words[kind]:
            continue
        around = {other for other in words.words[kind] if name in words.below(kind, other)} | words.below(kind, name)
        if not any((kind, other) in used for other in around):
            message = f"no rule uses the {kind} `{name}`"
            yield at, message, "take it out, or write the rule that it was meant for"


def unreachable_recipients(reading: Reading) -> Warned:
    """The recipients that get something, and by no channel."""
    for name, recipient in reading.front.recipients.items():
        if recipient.fields and not recipient.channels:
            message = f"the recipient `{name}` has fields and no channel: nothing can be sent there"
            help = "add `channels: [https]`, or whichever the policy permits"
            yield reading.front.places.get(("recipient", name), Position(1, 1, 1)), message, help


def _used(reading: Reading) -> set[tuple[str, str]]:
    used: set[tuple[str, str]] = set()
    words = reading.front.vocabulary

    def use(term: Term, kinds: tuple[str, ...]) -> None:
        found = reference(words, Term(term.name), kinds)
        if found is not None:
            used.add(found)
            if found[0] in ("category", "cookie") and found[1].split(".")[0] == "cookie":
                used.update({("category", found[1]), ("cookie", found[1])})
        for argument in term.arguments if term.name != ATTESTED else ():  # no anchor is a word
            if isinstance(argument, Term):
                use(argument, FLOWS[term.name].objects if found is None and term.name in FLOWS else KINDS)

    for rule in reading.rules:
        for term in rule.objects:
            use(term, object_kinds(rule.verb, rule.modal))
        for phrase in (*rule.phrases, *rule.exceptions):
            for term in phrase.terms:
                use(term, _kinds(rule.verb, rule.modal, phrase))
        for atom in atoms(rule.condition) if rule.condition else ():
            use(atom.term if isinstance(atom, Fact) else atom.word, ("predicate", "event", *KINDS))
    used.update(("role", str(statement.role)) for statement in reading.attested.values())
    for recipient in reading.front.recipients.values():
        used.update(("category", name) for name in recipient.fields)
        used.update(("channel", name) for name in recipient.channels)
    used.update(("purpose", cookie.purpose) for cookie in reading.front.cookies.values())
    return used


def _kinds(verb: str, modal: str, phrase: Phrase) -> tuple[str, ...]:
    if phrase.preposition in ("before", "after"):
        return ("event", "predicate", *KINDS)
    return phrase_kinds(verb, modal, phrase.preposition)
