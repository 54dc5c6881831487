"""Checks one rule against the table of verbs and the words of the policy."""

from __future__ import annotations

from collections.abc import Iterable

from avow.language.frontmatter import declaration
from avow.language.rules import Reading, is_act, is_contact_data, object_kinds, phrase_kinds
from avow.language.suggest import did_you_mean, nearest
from avow.language.syntax import (
    ATTESTED,
    UNITS,
    Attested,
    Compare,
    Condition,
    Number,
    Phrase,
    Position,
    Span,
    Statement,
    Term,
    atoms,
)
from avow.language.verbs import DUTIES, FLOWS, NARROWING, TIMING
from avow.language.vocabulary import KINDS
from avow.values import DIMENSIONS

#: Words that an argument of a predicate may use for a part of the flow itself: `fills(recipient, order)`.
_SELF = tuple(DIMENSIONS.values())
_SPAN_ONLY = ("within", "every")
#: How many words of the right kind an error names.
SHOWN = 6


class RuleCheck:
    """Checks statements; faults go to the reading. One instance serves a whole policy."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._words = reading.front.vocabulary
        self._faults = 0
        self._signed: list[Term] = []  # the anchors in `attested(ANCHOR)`, to look up once all sentences are read

    def statement(self, rule: Statement) -> bool:
        """Check a rule; false if it has a fault."""
        self._faults = 0
        known = DUTIES if rule.modal == "must" else FLOWS
        if rule.verb not in known:
            help = did_you_mean(rule.verb, known)
            if rule.modal != "must" and rule.verb in DUTIES:
                help = f"`{rule.verb}` is a duty: write `must {rule.verb}`"
            self._fault(rule.verb_at, f"`{rule.verb}` is not a verb", help)
            return False
        self._objects(rule)
        self._phrases(rule)
        self._guard(rule)
        self._exceptions(rule)
        if rule.modal == "may":
            self._needs(rule)
        return not self._faults

    def attested(self, statement: Attested) -> None:
        """Check the role and the span of an attestation."""
        self._term(statement.role, ("role",))
        self._span(statement.every)

    def signatures(self) -> None:
        """Check that every `attested(ANCHOR)` names a sentence that is attested; to be called at the end."""
        signed = tuple(self._reading.attested)
        for anchor in self._signed:
            if anchor.name in signed:
                continue
            here = any(sentence.anchor == anchor.name for sentence in self._reading.sentences)
            message = f"nobody signs for #{anchor.name}" if here else f"no sentence has the anchor `#{anchor.name}`"
            near = nearest(anchor.name, signed)
            if near:
                help = f"did you mean `attested({near})`?"
            elif here or not signed:
                help = "write `attested by ROLE every SPAN` under the sentence that is meant"
            else:
                help = "attested are " + ", ".join(f"#{other}" for other in signed[:SHOWN])
            self._fault(anchor.at, message, help)

    def _fault(self, at: Position, message: str, help: str | None = None) -> None:
        self._faults += 1
        self._reading.fault(at, message, help)

    def _objects(self, rule: Statement) -> None:
        kinds = object_kinds(rule.verb, rule.modal)
        if not rule.objects:
            self._fault(rule.verb_at, f"`{rule.verb}` has no object", f"say what: {_a(kinds)}")
        for term in rule.objects:
            if rule.modal == "must" and is_contact_data(rule.verb, term):
                if not self._reading.front.contact:
                    help = "add `contact: {email: …, phone: …}` to the front matter"
                    self._fault(term.at, "the policy has no contact data to show", help)
            else:
                self._term(term, kinds)

    def _phrases(self, rule: Statement) -> None:
        seen: set[tuple[str, bool]] = set()
        for phrase in rule.phrases:
            key = phrase.preposition, phrase.span is not None
            if key in seen:
                self._fault(phrase.at, f"`{phrase.preposition}` is said twice", "list its words in one phrase")
            seen.add(key)
            if phrase.only and rule.modal != "may":
                self._fault(phrase.at, f"`only` belongs to a `may`, not to a `{rule.modal}`", "leave it out")
            elif phrase.only and phrase.preposition not in DIMENSIONS:
                help = "it stands before a word that a flow may have: `only for shipping`"
                self._fault(phrase.at, f"`only` cannot stand before `{phrase.preposition}`", help)
            if rule.modal == "must":
                self._duty_phrase(rule, phrase)
            else:
                self._flow_phrase(rule, phrase)

    def _flow_phrase(self, rule: Statement, phrase: Phrase) -> None:
        signature = FLOWS[rule.verb]
        word = phrase.preposition
        if word not in signature.takes:
            taken = ", ".join(f"`{name}`" for name in sorted(signature.takes))
            self._fault(phrase.at, f"`{rule.verb}` does not take `{word}`", f"it takes {taken}")
        elif phrase.span is not None:
            if word not in signature.spans:
                kinds = ("event",) if word in TIMING else signature.takes[word]
                help = f"`{word}` takes {_a(kinds)}"
                self._fault(phrase.span.at, f"no length of time belongs after `{word}`", help)
            self._span(phrase.span)
        elif word in _SPAN_ONLY:
            self._fault(phrase.at, f"a length of time belongs after `{word}`", _length(word, phrase))
        elif word in TIMING:
            for term in phrase.terms:
                self._happening(term)
        else:
            for term in phrase.terms:
                self._term(term, signature.takes[word])

    def _duty_phrase(self, rule: Statement, phrase: Phrase) -> None:
        word = phrase.preposition
        if phrase.span is not None:
            if word not in (*_SPAN_ONLY, "for"):
                self._fault(phrase.span.at, f"no length of time belongs after `{word}`", "say `within 3 days`")
            self._span(phrase.span)
            return
        if word in _SPAN_ONLY:
            self._fault(phrase.at, f"a length of time belongs after `{word}`", _length(word, phrase))
            return
        if word in NARROWING and (verbs := self._gated(rule)):
            self._narrowing(phrase, verbs)
            return
        for term in phrase.terms:
            if word in ("before", "with", "in", "after") and is_act(self._words, term):
                for argument in term.arguments:
                    if isinstance(argument, Term):
                        self._term(argument, FLOWS[term.name].objects)
            elif word in TIMING:
                self._happening(term, verbs=True)
            else:
                self._term(term, phrase_kinds(rule.verb, "must", word))

    def _gated(self, rule: Statement) -> list[str]:
        """The verbs of the flows that a duty comes before."""
        before = rule.phrase("before")
        return [term.name for term in before.terms if is_act(self._words, term)] if before else []

    def _narrowing(self, phrase: Phrase, verbs: list[str]) -> None:
        """A phrase that limits the flows which a duty comes before: each of them has to be able to say it."""
        for verb in verbs:
            taken = FLOWS[verb].takes.get(phrase.preposition)
            if taken is None:
                message = f"`{verb}` does not take `{phrase.preposition}`, so that this limits nothing"
                can = ", ".join(f"`{name}`" for name in NARROWING if name in FLOWS[verb].takes)
                self._fault(phrase.at, message, f"what comes before `{verb}` can be limited by {can}")
                return
            faults = self._faults
            for term in phrase.terms:
                self._term(term, taken)
            if self._faults > faults:
                return

    def _needs(self, rule: Statement) -> None:
        signature = FLOWS[rule.verb]
        given = {phrase.preposition for phrase in rule.phrases if phrase.terms}
        for group in signature.needs:
            if not given.intersection(group):
                wanted = " or ".join(f"`{word}`" for word in group)
                help = f"say `{group[0]} …`, {_a(signature.takes[group[0]])}"
                self._fault(rule.verb_at, f"`may {rule.verb}` needs {wanted}", help)
        if signature.condition and (rule.guard is None or rule.guard.condition is None):
            self._fault(rule.verb_at, f"`may {rule.verb}` needs a condition", "add `when …`")

    def _guard(self, rule: Statement) -> None:
        guard = rule.guard
        if guard is None:
            return
        if guard.condition is None:
            if rule.modal != "never":
                help = f"write `never {rule.verb} … otherwise`, or leave it out"
                self._fault(rule.at, f"`otherwise` belongs to a `never`, not to a `{rule.modal}`", help)
            return
        self._condition(guard.condition)

    def _exceptions(self, rule: Statement) -> None:
        if rule.exceptions and rule.modal != "never":
            help = "`except` takes something out of a `never`"
            self._fault(rule.exceptions[0].at, f"a `{rule.modal}` has no exceptions", help)
            return
        for phrase in rule.exceptions:
            if phrase.only or phrase.span is not None or phrase.preposition not in DIMENSIONS:
                self._fault(phrase.at, "an exception is a plain phrase", "write it like `except for shipping`")
            else:
                self._flow_phrase(rule, phrase)

    def _condition(self, condition: Condition) -> None:
        for atom in atoms(condition):
            if isinstance(atom, Compare):
                self._measured(atom.word)
                if isinstance(atom.value, Span):
                    self._span(atom.value)
            else:
                self._happening(atom.term)

    def _measured(self, word: Term) -> None:
        declared = self._words.words["predicate"].get(word.name)
        if declared is None:
            help = self._words.suggestion(word.name, ("predicate",))
            help = help or _declare("predicates", word.name, "arguments: 0")
            self._fault(word.at, f"`{word.name}` is not a declared measure", help)
        elif declared.arguments:
            help = f"write `{_called(word.name, declared.arguments)}`"
            self._fault(word.at, f"`{word.name}` answers yes or no and cannot be compared", help)

    def _happening(self, term: Term, *, verbs: bool = False) -> None:
        """A predicate or event, in a condition or after `before` and `after`."""
        predicate = self._words.words["predicate"].get(term.name)
        if term.name == ATTESTED:
            self._signed += [part for part in term.arguments if isinstance(part, Term)]
            return
        if predicate is not None:
            wanted = predicate.arguments or 0
            if len(term.arguments) != wanted:
                help = f"write `{_called(term.name, wanted)}`" + (
                    "" if wanted else f", or compare it: `{term.name} > 1`"
                )
                self._fault(term.at, f"`{term.name}` takes {wanted or 'no'} argument{'s' * (wanted != 1)}", help)
            for argument in term.arguments:
                self._argument(term, argument)
            return
        if term.name in self._words.words["event"] or (verbs and not term.arguments and self._known(term.name)):
            return
        names = [*self._words.names("predicate", "event"), *(FLOWS if verbs else ())]
        help = did_you_mean(term.name, names) or _declare("predicates", term.name, f"arguments: {len(term.arguments)}")
        self._fault(term.at, f"`{term.name}` is not a declared predicate or event", help)

    def _argument(self, term: Term, argument: object) -> None:
        if isinstance(argument, Span):
            self._span(argument)
        elif isinstance(argument, Term) and not self._known(argument.name) and argument.name not in _SELF:
            help = did_you_mean(argument.name, (*self._words.names(), *_SELF)) or _declare("things", argument.name, "")
            self._fault(argument.at, f"`{argument.name}` is not a declared word", help)

    def _known(self, name: str) -> bool:
        return self._words.kind_of(name) is not None

    def _term(self, term: Term, kinds: Iterable[str]) -> None:
        kinds = tuple(kinds)
        found = self._words.kind_of(term.name, kinds)
        if found is None:
            other = self._words.kind_of(term.name)
            if other is not None:
                self._fault(term.at, f"`{term.name}` is a {other}; here {_a(kinds)} belongs", self._there_are(kinds))
            else:
                help = self._words.suggestion(term.name, kinds) or declaration(kinds[0])
                what = " or ".join(kinds) if len(kinds) <= 3 else "word"
                self._fault(term.at, f"`{term.name}` is not a declared {what}", help)
        elif term.arguments and found != "form":
            help = f"only forms and predicates have arguments: write `{term.name}`"
            self._fault(term.at, f"the {found} `{term.name}` takes no arguments", help)
        elif term.arguments:
            named = {part.name for part in term.arguments if isinstance(part, Number)}
            for name in self._words.orders(term.name):
                if name not in named:
                    help = f"write it with a number, such as `{term.name}({name} 1)`"
                    self._fault(term.at, f"`{term.name}` does not say its `{name}`", help)

    def _there_are(self, kinds: tuple[str, ...]) -> str:
        """The first few words that belong here instead."""
        places = self._reading.front.places
        own = (name for kind in kinds for name in self._words.words[kind] if (kind, name) in places)
        names = list(dict.fromkeys([*own, *self._words.names(*kinds)]))
        if not names:
            return declaration(kinds[0])
        return "there are " + ", ".join(f"`{name}`" for name in names[:SHOWN]) + (" …" if len(names) > SHOWN else "")

    def _span(self, span: Span) -> None:
        if span.seconds is None:
            units = ("seconds", "minutes", "hours", "days", "weeks", "months", "years")
            help = did_you_mean(span.unit, units) or "use seconds, minutes, hours, days, weeks, months or years"
            self._fault(span.at, f"`{span.unit}` is not a unit of time", help)


def _length(word: str, phrase: Phrase) -> str:
    """How to write the length of time that a phrase lacks; `every month` lacks its number only."""
    unit = phrase.words[0].removesuffix("s")
    return f"write the number too: `{word} 1 {unit}`" if unit in UNITS else f"write it like `{word} 30 days`"


def _called(name: str, arguments: int | None) -> str:
    """How a predicate is written."""
    return f"{name}({', '.join('…' * (arguments or 0))})" if arguments else name


def _a(kinds: Iterable[str]) -> str:
    words = [f"a{'n' * (kind[0] in 'aeiou')} {kind}" for kind in kinds]
    if len(words) >= len(KINDS) - 2:
        return "a declared word"
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" or {words[-1]}"


def _declare(section: str, name: str, content: str) -> str:
    return f"declare it in the front matter: `{section}: {{{name}: {{{content}}}}}`"
