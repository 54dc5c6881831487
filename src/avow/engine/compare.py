"""Compares two versions of a policy: whether the new one protects anything less than the old one.

    comparison = compare(old, new)
    comparison.verdict        # "not weaker", "weaker", "new purpose" or "incomparable"
    comparison.differences    # each with a witness: one flow, and what each version answers to it

The answer is exact: every flow in the words of either version, and all facts that conditions of either ask for, are
decided class by class. What cannot be decided within the limits is said to be so, and counts as incomparable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from avow.engine.clauses import OBJECT
from avow.engine.compare_boxes import Found, Path, Side
from avow.engine.compare_conditions import Domains, Known, Search
from avow.engine.compare_declared import Loosened, loosened, spoken_seconds
from avow.engine.compare_duties import Lapse, lapses
from avow.engine.compare_flows import Flows
from avow.engine.compare_result import OUTCOMES, Answer, Comparison, Difference, Kind, Outcome, Witness
from avow.engine.compare_spans import allowance
from avow.engine.compare_words import Words
from avow.engine.policy import Policy
from avow.language.english import atom_in_words, measure_in_words
from avow.language.rules import Rule
from avow.language.syntax import Compare, Fact, atoms
from avow.language.vocabulary import UnknownTerm
from avow.values import DIMENSIONS, Facts, Sentence, Verdict

_PREPOSITIONS = tuple(DIMENSIONS)
_NAMES = tuple(DIMENSIONS.values())
_NOTHING = "says nothing of the kind"


def compare(old: Policy, new: Policy) -> Comparison:
    """Compare a new version with an old one. Raises nothing."""
    differences = tuple(_Comparing(old, new).differences())
    return Comparison(
        new.site, new.title, old.version, new.version, old.effective.isoformat(), new.effective.isoformat(), differences
    )


class _Comparing:
    def __init__(self, old: Policy, new: Policy) -> None:
        self._words = Words(old.vocabulary, new.vocabulary, new.renamed, old.rules, new.rules)
        self._old = Side(old, self._words, old=True)
        self._new = Side(new, self._words, old=False)
        self._spellings = dict(self._spelled())

    def differences(self) -> Iterator[Difference]:
        """All differences, the gravest first; of those with the same witness, one."""
        told: dict[object, Difference] = {}
        for difference in self._all():
            witness = difference.witness
            key = difference.kind, witness.words, difference.outcome, difference.old.text, difference.new.text
            told.setdefault(key, difference)
        yield from sorted(told.values(), key=lambda d: -OUTCOMES.index(d.outcome))

    def _all(self) -> Iterator[Difference]:
        old, new, words = self._old, self._new, self._words
        for verb, found in Flows(old, new, words).findings():
            yield self._of_flow(verb, found)
        conditions = [c for side in (old, new) for c in side.conditions if c is not None]
        for lapse in lapses(old, new, words, Search(Domains.of(conditions))):
            yield self._of_lapse(lapse)
        for loose in loosened(old, new, words):
            yield self._of_declared(loose)

    # Flows.

    def _of_flow(self, verb: str, found: Found) -> Difference:
        finding = found.finding
        witness = self._witness(verb, found.path, finding.facts)
        before, now = _ask(self._old.policy, witness, old=True), _ask(self._new.policy, witness, old=False)
        before, now = self._to_the_point(finding.cause, before, now)
        kind: Kind = finding.kind
        outcome: Outcome = "weaker"
        unknown = next((value.old for _, value in found.path if not value.in_new), None)
        if kind == "undecided":
            outcome = "incomparable"
            summary = f"There are too many conditions to decide whether both versions answer alike to: {witness.words}."
        elif kind == "promise" and unknown is not None:
            kind, outcome = "term", "incomparable"
            summary = (
                f"The old version forbids us to {witness.words}; the new one has no word for {unknown}: "
                "declare what became of it under `renamed`."
            )
        elif kind == "promise":
            summary = (
                f"The old version forbids us to {witness.words}; the new one has no such sentence any more, and "
                "refuses it only for want of one that permits it."
            )
        elif kind in ("retention", "rate"):
            before, now = self._spans(kind, finding.cause, before, now)
            more = "longer" if kind == "retention" else "more often"
            summary = f"The new version permits us to {witness.words} {more} than the old one does."
        elif kind == "duty":
            rule = finding.cause
            before = Answer(True, f"it comes with a duty: `{rule.text}`", rule.sentence, rule.text)
            now = Answer(True, f"permitted, and {_NOTHING}", now.sentence, now.rule)
            summary = f"To {witness.words} comes with a duty in the old version that the new one does not demand."
        else:
            summary = f"The new version permits us to {witness.words}; the old one refuses it."
            if finding.fresh:
                outcome = "new purpose"
                summary += " The old version does not state that purpose for it."
        return Difference(kind, outcome, summary, witness, before, now)

    def _to_the_point(self, cause: Rule, before: Answer, now: Answer) -> tuple[Answer, Answer]:
        """Where a version refuses for want of a permission, the sentence that changed says more than the nearest."""
        if before.permitted is False and cause.modal == "may" and not before.text.startswith("forbidden"):
            before = replace(before, sentence=self._sentence(self._old, cause) or before.sentence)
        if now.permitted is False and now.text.startswith("no sentence permits"):
            text = "refused, but only for want of a permission: no sentence rules it out"
            now = Answer(False, text, self._sentence(self._new, cause), "")
        return before, now

    def _sentence(self, side: Side, rule: Rule) -> Sentence | None:
        return next((s for s in side.policy.sentences if s.anchor == rule.sentence.anchor), None)

    def _spans(self, kind: Kind, cause: Rule, before: Answer, now: Answer) -> tuple[Answer, Answer]:
        def told(rule: Rule | None) -> str:
            if rule is None:
                return "permitted"
            spans = allowance(rule)
            if kind == "rate":
                every = "as often as one likes" if spans.rate is None else f"once in {spoken_seconds(spans.rate)}"
                return f"permitted, {every}: `{rule.text}`"
            begin = f" {' and '.join(sorted(spans.start))}" if spans.start else ""
            return f"permitted, {spoken_seconds(spans.period)}{begin}: `{rule.text}`"

        earlier = next((rule for rule in self._old.policy.rules if rule.text == before.rule), None)
        return (
            Answer(True, told(earlier), before.sentence, before.rule),
            Answer(True, told(cause), cause.sentence, cause.text),
        )

    def _witness(self, verb: str, path: Path, facts: Known) -> Witness:
        said = dict(path)
        what = said[OBJECT]
        dimensions = {slot: value for slot, value in sorted(said.items()) if slot != OBJECT}
        old = {_NAMES[slot - 1]: value.old or "" for slot, value in dimensions.items()}
        new = {_NAMES[slot - 1]: value.new or "" for slot, value in dimensions.items()}
        spoken = [(_PREPOSITIONS[slot - 1], value.new or "", value.in_new) for slot, value in dimensions.items()]
        words = self._spoken(verb, (what.new or "", what.in_new), spoken, facts)
        return Witness(verb, what.old or "", what.new or "", old, new, self._both_spellings(facts), words)

    def _spoken(
        self, verb: str, what: tuple[str, bool], spoken: Iterable[tuple[str, str, bool]], facts: Facts
    ) -> str:  # fmt: skip
        parts = [verb.replace("_", " "), self._label(*what)]
        parts += [f"{preposition} {self._label(word, known)}" for preposition, word, known in spoken]
        told = " and ".join(self._state(key, value) for key, value in facts.items())
        return " ".join(part for part in parts if part) + (f", when {told}" if told else "")

    def _state(self, key: str, value: bool | float | None) -> str:
        """A fact in words, by those of the version that asks for it."""
        for side in (self._new, self._old):
            atom = next((a for c in side.clauses if c.condition for a in atoms(c.condition) if _key(a) == key), None)
            if isinstance(atom, Fact) and (value is None or isinstance(value, bool)):
                return atom_in_words(atom, value, side.policy.vocabulary)
            if isinstance(atom, Compare) and value is not None:
                return f"{measure_in_words(atom, side.policy.vocabulary)} is {value:.12g}"
        return f"`{key}` is {'unknown' if value is None else value}"

    def _label(self, word: str, known: bool) -> str:
        vocabulary = self._new.policy.vocabulary if known else self._old.policy.vocabulary
        bare, parenthesis, arguments = word.partition("(")
        return vocabulary.label(bare) + (f" ({arguments}" if parenthesis else "")

    def _spelled(self) -> Iterator[tuple[str, str]]:
        """Fact keys of the new version's words to those of the old version's."""
        for clause, condition in zip(self._old.clauses, self._old.conditions, strict=True):
            if clause.condition is not None and condition is not None:
                for own, other in zip(atoms(clause.condition), atoms(condition), strict=True):
                    if own != other:
                        yield _key(other), _key(own)

    def _both_spellings(self, facts: Known) -> Facts:
        more = {self._spellings[key]: value for key, value in facts.items() if key in self._spellings}
        return {**facts, **more}

    # Duties and declarations.

    def _of_lapse(self, lapse: Lapse) -> Difference:
        rule, duty = lapse.demand.rule, lapse.demand.duty
        said = {p: w for p, w in lapse.atom.items() if p}
        renamed = {p: self._words.text(w) for p, w in said.items()}
        object = duty.object or ""
        new_object = self._words.text(object)
        spoken = [(p, w, True) for p, w in renamed.items()]
        words = self._spoken(duty.verb, (new_object, True), spoken, lapse.facts)
        old, new = ({DIMENSIONS.get(p, p): w for p, w in side.items()} for side in (said, renamed))
        witness = Witness(duty.verb, object, new_object, old, new, self._both_spellings(lapse.facts), words, False)
        before = Answer(None, f"`{rule.text}`", rule.sentence, rule.text)
        if lapse.undecided:
            summary = f"There are too many conditions to decide whether it is still a duty to {words}."
            return Difference("undecided", "incomparable", summary, witness, before, before)
        if lapse.lost_word:
            summary = f"It was a duty to {words}; the new version has no word for {lapse.lost_word}."
            now = Answer(None, f"`{lapse.lost_word}` is not declared, nor under `renamed`", None, "")
            return Difference("term", "incomparable", summary, witness, before, now)
        if lapse.nearest is None:
            now = Answer(None, _NOTHING, None, "")
            summary = f"It was a duty to {words}; the new version does not demand it."
        else:
            other = lapse.nearest.rule
            now = Answer(None, f"`{other.text}`", other.sentence, other.text)
            summary = f"It was a duty to {words}; the new version demands less, or later."
        return Difference("duty", "weaker", summary, witness, before, now)

    def _of_declared(self, loose: Loosened) -> Difference:
        old_object, new_object = loose.object
        old = {name: word for name, word, _ in loose.dimensions}
        new = {name: word for name, _, word in loose.dimensions}
        by_name = {name: preposition for preposition, name in DIMENSIONS.items()}
        spoken = [(by_name[name], word, True) for name, word in new.items()]
        lost = loose.kind == "term"
        shown = ("", True) if loose.kind in ("attestation", "predicate") else (new_object, not lost)
        words = self._spoken(loose.verb, shown, spoken, {})
        if loose.kind == "attestation":
            words = f"vouch for #{new_object}"
        elif loose.kind == "predicate":
            words = f"go by the answer to `{new_object}`"
        witness = Witness(loose.verb, old_object, new_object, old, new, {}, words, False)
        sentences = [
            next((s for s in side.policy.sentences if s.anchor == loose.anchor), None)
            for side in (self._old, self._new)
        ]
        before = Answer(None, loose.before, sentences[0], loose.before)
        now = Answer(None, loose.now, sentences[1], loose.now)
        return Difference(loose.kind, loose.outcome, loose.summary, witness, before, now)


def _ask(policy: Policy, witness: Witness, *, old: bool) -> Answer:
    """What a version answers to a flow."""
    object = witness.old_object if old else witness.new_object
    dimensions = witness.old_dimensions if old else witness.new_dimensions
    verdict: Verdict | None
    try:
        verdict = policy.judge(witness.verb, object, facts=witness.facts, **dict(dimensions))
    except UnknownTerm as error:
        verdict = error.verdict
        return Answer(False, error.args[0], verdict.sentences[0] if verdict else None, verdict.rule if verdict else "")
    return Answer(verdict.permitted, verdict.reason, verdict.sentences[0], verdict.rule)


def _key(atom: object) -> str:
    return str(atom.term) if isinstance(atom, Fact) else str(getattr(atom, "word", atom))
