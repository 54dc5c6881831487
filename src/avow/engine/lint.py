"""Warnings about a policy that can be used: rules that do nothing, that others make idle, or that contradict.

    lint(reading) → warnings, in the order of the file

The rules are compared as the engine compares them with flows, clause by clause. A sentence that repeats a promise
keeps its own rule: a prohibition that a wider one of another sentence covers is no warning, unless it has a condition
or an exception, because then the two say different things. Prose and vocabulary are looked at by `language.prose` and
`language.unused`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from avow.engine.clauses import SLOT, Clause, clauses
from avow.engine.conditions import all_of
from avow.engine.grounds import ATOMS, possible, under
from avow.language import prose, unused
from avow.language.rules import Reading, Rule
from avow.language.syntax import Condition, Not, Position, atoms
from avow.language.verbs import FLOWS
from avow.values import Diagnostic

Warned = Iterator[tuple[Position, str, str]]


def lint(reading: Reading) -> list[Diagnostic]:
    """What an author should look at. A policy with faults gets no warnings: half its rules are missing."""
    if reading.diagnostics:
        return []
    linter = _Linter(reading)
    found = [
        *prose.unkept_promises(reading), *prose.several_promises(reading), *unused.unused_words(reading),
        *unused.unreachable_recipients(reading), *linter.without_effect(), *linter.shadowed(), *linter.contradictions(),
    ]  # fmt: skip
    warnings = {(at.line, message): reading.diagnostic(at, message, help, "warning") for at, message, help in found}
    return sorted(warnings.values(), key=lambda item: (item.line, item.column))


class _Linter:
    def __init__(self, reading: Reading) -> None:
        self._words = reading.front.vocabulary
        self._rules = [(rule, tuple(clauses((rule,), reading.attested, self._words))) for rule in reading.rules]
        self._permits = [clause for _, made in self._rules for clause in made if clause.effect == "permit"]

    def without_effect(self) -> Warned:
        """Rules that no flow can ever meet."""
        for rule, made in self._rules:
            if rule.condition and not can_hold(rule.condition):
                yield _at(rule), "the condition can never hold", "see which two parts of it exclude each other"
            if not made:
                yield _at(rule), "this rule is about no flow: no verb takes all that it names", "leave a phrase out"
            yield from self._idle_exception(rule, made)
            closing = [clause for clause in made if clause.effect == "close"]
            if closing and not any(_meet(clause, permit) for clause in closing for permit in self._permits):
                message = "`otherwise` closes a list that no `may` opens"
                yield _at(rule), message, "leave `otherwise` out: the rule then says the same"
            bound = [clause for clause in made if clause.duty and clause.duty.timing in ("before", "with")]
            if bound and not any(_meet(clause, permit) for clause in bound for permit in self._permits):
                message = "this duty is never owed: no `may` permits what it comes with"
                yield _at(rule), message, "write the `may`, or take the duty out"

    def _idle_exception(self, rule: Rule, made: Iterable[Clause]) -> Warned:
        for phrase in rule.exceptions:
            slot = SLOT[phrase.preposition]
            for clause in made:
                limit, taken = clause.limits.get(slot), clause.exceptions.get(slot)
                if limit and taken and limit.refs.isdisjoint(taken.refs):
                    message = f"`except {phrase}` takes nothing out: the rule is about other words there"
                    yield phrase.at, message, "take the exception out"
                    break

    def shadowed(self) -> Warned:
        """Rules that say nothing beside another one."""
        for index, (rule, made) in enumerate(self._rules):
            own = [clause for clause in made if clause.effect != "duty"] if rule.modal != "must" else []
            for other_index, (other, theirs) in enumerate(self._rules):
                if other is rule or not self._comparable(rule, other):
                    continue
                if rule.modal == "must":
                    covered = rule.text == other.text and other_index < index
                else:
                    covered = _covered(own, theirs) and (other_index < index or not _covered(theirs, own))
                if covered:
                    message = f"line {other.line} makes this rule idle"
                    help = f"#{other.sentence.anchor} says `{other.text}`; take one of the two out, or narrow the wider"
                    yield _at(rule), message, help
                    break

    def _comparable(self, rule: Rule, other: Rule) -> bool:
        """Whether the one being covered by the other is worth a warning."""
        if rule.modal != other.modal:
            return False
        if rule.modal == "may":
            return not any(phrase.only for phrase in rule.phrases)
        if rule.sentence is other.sentence:
            return True
        return rule.modal == "never" and bool(rule.condition or rule.exceptions)

    def contradictions(self) -> Warned:
        """Permissions that a prohibition takes back whenever they hold, and duties to do what is forbidden."""
        walls = [clause for _, made in self._rules for clause in made if clause.effect == "forbid" and not clause.duty]
        for rule, made in self._rules:
            if rule.modal == "may" and rule.condition:
                for wall in walls:
                    if self._taken_back(made, wall):
                        message = (
                            f"nothing is ever permitted here: line {wall.rule.line} forbids it under this condition"
                        )
                        help = f"#{wall.rule.sentence.anchor} says `{wall.rule.text}`; change one of the two"
                        yield _at(rule), message, help
                        break
            elif rule.modal == "must" and rule.verb in FLOWS:
                for wall in walls:
                    if self._forbidden_duty(rule, wall):
                        message = f"line {wall.rule.line} forbids what this rule demands"
                        help = f"#{wall.rule.sentence.anchor} says `{wall.rule.text}`; change one of the two"
                        yield _at(rule), message, help
                        break

    def _taken_back(self, made: Iterable[Clause], wall: Clause) -> bool:
        permits = [clause for clause in made if clause.effect == "permit"]
        if wall.condition is None or wall.exceptions or wall.rule in [clause.rule for clause in permits]:
            return False
        return all(
            clause.condition is not None
            and _inside(clause, wall)
            and not can_hold(all_of([clause.condition, Not(wall.condition)]))
            for clause in permits
        )

    def _forbidden_duty(self, rule: Rule, wall: Clause) -> bool:
        if wall.implied or wall.condition or wall.exceptions or rule.verb not in wall.verbs:
            return False
        flow = rule.statement
        said = clauses(
            (Rule(type(flow)("may", flow.verb, flow.objects, flow.phrases), rule.sentence),), (), self._words
        )
        return any(_inside(clause, wall) for clause in said if clause.effect == "permit")


def can_hold(condition: Condition | None) -> bool:
    """Whether some facts make a condition true. One with many atoms is taken to."""
    if condition is None:
        return True
    names = list(dict.fromkeys(atoms(condition)))
    if len(names) > ATOMS:
        return True
    worlds = (dict(zip(names, values, strict=True)) for values in product((True, False), repeat=len(names)))
    return any(under(condition, world) and possible(world) for world in worlds)


def _covered(own: Iterable[Clause], theirs: Iterable[Clause]) -> bool:
    """Whether each clause is covered by one of the others."""
    theirs = list(theirs)
    return all(any(_covers(other, clause) for other in theirs) for clause in own)


def _covers(wide: Clause, narrow: Clause) -> bool:
    if wide.effect != narrow.effect or not narrow.verbs <= wide.verbs:
        return False
    same = (str(wide.condition), str(wide.exceptions)) == (str(narrow.condition), str(narrow.exceptions))
    if not same and (wide.condition or wide.exceptions):
        return False
    return all(
        (inner := narrow.limits.get(slot)) is not None
        and inner.mode == limit.mode
        and (inner.refs >= limit.refs if limit.mode == "beyond" else inner.refs <= limit.refs)
        for slot, limit in wide.limits.items()
    )


def _inside(permit: Clause, wall: Clause) -> bool:
    """Whether every flow that a permission is about falls under a prohibition."""
    return permit.verbs <= wall.verbs and all(
        limit.mode in ("touching", "meeting")
        and (own := permit.limits.get(slot)) is not None
        and own.refs
        and own.refs <= limit.refs
        for slot, limit in wall.limits.items()
    )


def _meet(clause: Clause, permit: Clause) -> bool:
    """Whether a permission is about some flow that the clause is about."""
    return not clause.verbs.isdisjoint(permit.verbs) and all(
        slot not in permit.limits or not limit.refs.isdisjoint(permit.limits[slot].refs)
        for slot, limit in clause.limits.items()
        if limit.mode != "beyond"
    )


def _at(rule: Rule) -> Position:
    return Position(rule.line, rule.statement.at.column, len(rule.modal))
