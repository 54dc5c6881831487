"""Why a flow is permitted or refused, and what it would take to be otherwise: the shortest reason for each, in words.

    explanation = policy.explain("send", "newsletter", audience="contact.email", purpose="news", channel="smtps")
    explanation.permitted    False
    explanation.no.text      … it is not known whether the person has agreed to our newsletter
    explanation.yes.text     It is permitted if the person has agreed to our newsletter …

A shorter reason rests on fewer facts. Whatever no facts could change has no other side: it is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from avow.engine.clauses import OBJECT, Clause
from avow.engine.conditions import all_of, evaluate
from avow.engine.decide import Decider
from avow.engine.grounds import Atom, Changes, changes, grounds, holds
from avow.engine.reasons import NAMES, PREPOSITIONS, Flow, label, listed, spoken_flow
from avow.language.english import atom_in_words, in_words
from avow.language.rules import Rule
from avow.language.syntax import Condition, Fact, Not, Term
from avow.language.vocabulary import Vocabulary
from avow.values import Facts, Sentence, Verdict

#: What is told of a condition that has just been said, by its value.
_THAT = {True: "That is so here.", False: "That is not so here.", None: "Whether that is so is not known here."}


@dataclass(frozen=True, slots=True)
class Because:
    """One side of an explanation: its text, the rule it rests on, and that rule's sentence.

    `changes` holds the facts that would bring the other verdict about, on the side that does not prevail.
    """

    text: str
    rule: Rule
    changes: Changes = ()

    @property
    def sentence(self) -> Sentence:
        """The sentence of the rule."""
        return self.rule.sentence


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict on a flow with its reasons.

    The side that prevails says why; the other says what it would take, and is None if no facts could bring it about.
    """

    flow: str
    verdict: Verdict
    yes: Because | None
    no: Because | None

    @property
    def permitted(self) -> bool:
        """Whether the flow is permitted."""
        return self.verdict.permitted

    def __str__(self) -> str:
        why, instead = (self.yes, self.no) if self.permitted else (self.no, self.yes)
        return "\n".join(f"{name}: {side.text}" for name, side in (("why", why), ("instead", instead)) if side)


def explain(decider: Decider, flow: Flow, verdict: Verdict, facts: Facts) -> Explanation:
    """Explain the verdict on a flow, under the facts that it was given under."""
    explainer = _Explainer(decider, flow, facts)
    sides = explainer.permission() if verdict.permitted else explainer.refusal()
    return Explanation(spoken_flow(flow, decider.words), verdict, *sides)


class _Explainer:
    def __init__(self, decider: Decider, flow: Flow, facts: Facts) -> None:
        self._decider = decider
        self._flow = flow
        self._facts = facts
        self._words: Vocabulary = decider.words
        matched = decider.match(flow)
        self._prohibitions, self._permissions, self._closings = (matched.clauses(number) for number in range(3))

    def permission(self) -> tuple[Because, Because | None]:
        """Why yes, and what would make it no."""
        given = [c for c in self._permissions if c.condition is None or evaluate(c.condition, self._facts) is True]
        best = min(given, key=lambda clause: len(self._grounds(clause, known=True)))
        yes = Because(self._told(best.rule, self._grounds(best, known=True)), best.rule)
        threats = [(found, c) for c in self._prohibitions if c.condition and (found := self._change(c, True))]
        if not threats:
            return yes, None
        found, threat = min(threats, key=lambda each: len(each[0]))
        text = f"It is refused if {self._clauses(found)}: {self._bare(threat.rule)}"
        return yes, Because(text, threat.rule, found)

    def refusal(self) -> tuple[Because | None, Because]:
        """What would make it yes, and why no."""
        forbidding = [c for c in self._prohibitions if self._may_hold(c)]
        closing = [] if forbidding else [c for c in self._closings if self._may_hold(c)]
        for clauses in (forbidding, closing):
            if clauses:
                best = min(clauses, key=lambda clause: len(self._grounds(clause, known=False)))
                no = Because(self._forbids(best), best.rule)
                yes = self._remedy(self._prohibitions)
                return yes or (None if forbidding or self._permissions else self._nearest()), no
        if self._permissions:
            best = min(self._permissions, key=lambda clause: len(self._change(clause, True) or ()))
            assert best.condition is not None
            missing = grounds(best.condition, self._facts, False, known=False)
            no = Because(self._told(best.rule, missing), best.rule)
            return self._remedy(self._prohibitions, told=best.rule), no
        yes = self._nearest()
        return yes, Because(f"No sentence permits to {spoken_flow(self._flow, self._words)}.", yes.rule)

    def _remedy(self, forbidding: Sequence[Clause], told: Rule | None = None) -> Because | None:
        """The fewest changes that would take every prohibition away and make one permission hold.

        `told` is a rule that the reader has just been shown.
        """
        if any(clause.condition is None for clause in forbidding):
            return None
        lifted: list[Condition] = [Not(clause.condition) for clause in forbidding if clause.condition]
        best: tuple[Changes, Clause] | None = None
        for clause in self._permissions:
            together = all_of([*lifted, *([clause.condition] if clause.condition else ())])
            found = () if together is None else changes(together, self._facts, True)
            if found is not None and (best is None or len(found) < len(best[0])):
                best = found, clause
        if best is None:
            return None
        rule = best[1].rule
        by = "." if rule is told else f": {self._bare(rule)}"
        return Because(f"It is permitted if {self._clauses(best[0])}{by}", rule, best[0])

    def _forbids(self, clause: Clause) -> str:
        if clause.duty is not None:
            return f"Not yet: {self._said(clause.rule)} That this was done is not known."
        if clause.implied:
            return f"{self._said(clause.rule)} {self._excluded(clause)}"
        told = self._told(clause.rule, self._grounds(clause, known=False))
        return " ".join([told, *self._unsaid(clause)])

    def _unsaid(self, clause: Clause) -> Iterator[str]:
        """What a prohibition names and the flow leaves open, so that it may be meant."""
        silent = [
            f"the {NAMES[number]}" for number, limit in clause.limits.items()
            if limit.mode == "touching" and self._flow[number + 1] is None
        ]  # fmt: skip
        if silent:
            one = len(silent) == 1
            said = f"{listed(silent)} {'is' if one else 'are'} not said here"
            yield f"{said[0].upper()}{said[1:]}, so {'it' if one else 'they'} may be just that."

    def _excluded(self, clause: Clause) -> str:
        """What `only` shuts out: the slot that is beyond its list."""
        number = next((number for number, limit in clause.limits.items() if limit.mode == "beyond"), None)
        if number is None:  # `may use … only to …`: a mail has an address there, and nobody else to be shown to
            return "Here the address that a mail goes to is used."
        word = self._flow[number + 1]
        name = NAMES[number]
        if word is None:
            return f"Here the {name} is not said."
        return f"Here the {name} is {label(word, self._words)}."

    def _nearest(self) -> Because:
        clause, differing = self._decider.nearest_permission(self._flow)
        parts = [] if self._flow[0] in clause.verbs else [f"the verb (here {self._flow[0]})"]
        for number in differing:
            word = self._flow[number + 1]
            here = "not said here" if word is None else f"here {label(word, self._words)}"
            parts.append(f"{'the object' if number == OBJECT else f'`{PREPOSITIONS[number - 1]}`'} ({here})")
        text = f"Nearest to it is permitted: {self._said(clause.rule)} It differs in {listed(parts)}."
        return Because(text, clause.rule)

    def _may_hold(self, clause: Clause) -> bool:
        return clause.condition is None or holds(clause.condition, self._facts, True, known=False)

    def _grounds(self, clause: Clause, *, known: bool) -> tuple[Atom, ...]:
        return () if clause.condition is None else grounds(clause.condition, self._facts, True, known=known)

    def _change(self, clause: Clause, want: bool) -> Changes | None:
        """What would make the clause's condition known to be `want`; None if nothing would."""
        if clause.condition is None:
            return () if want else None
        return changes(clause.condition, self._facts, want)

    def _told(self, rule: Rule, atoms: Iterable[Atom]) -> str:
        chosen = list(atoms)
        if chosen == [rule.condition]:  # it was said a moment ago
            return f"{self._said(rule)} {_THAT[evaluate(chosen[0], self._facts)]}"
        known = listed([self._atom(atom, evaluate(atom, self._facts)) for atom in chosen])
        return f"{self._said(rule)} Here {known}." if known else self._said(rule)

    def _said(self, rule: Rule) -> str:
        return _with_anchor(in_words(rule, self._words), rule)

    def _bare(self, rule: Rule) -> str:
        """A rule without its condition, which has just been told in other words."""
        return _with_anchor(in_words(replace(rule.statement, guard=None), self._words), rule)

    def _clauses(self, found: Changes) -> str:
        return listed([self._atom(atom, value) for atom, value in found])

    def _atom(self, atom: Atom, value: bool | None) -> str:
        own = _own_fact(atom.term) if isinstance(atom, Fact) else None
        if own is None:
            return atom_in_words(atom, value, self._words)
        return own if value else f"it is not {'known' if value is None else 'so'} that {own}"


def _own_fact(term: Term) -> str | None:
    """The facts that the engine asks for by itself, in words."""
    name, _, rest = term.name.partition("(")
    inner = rest.removesuffix(")")
    return {
        "due": f"enough time has passed since #{inner} was last made use of",
        "done": f"`{inner}` has been done",
    }.get(name) if rest else None  # fmt: skip


def _with_anchor(text: str, rule: Rule) -> str:
    return f"{text.removesuffix('.')} (#{rule.sentence.anchor})."
