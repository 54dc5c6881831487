"""Reasons in plain words: why a flow was permitted or refused, and what would have to differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from avow.engine.clauses import FORM, OBJECT, SLOT, Clause, done
from avow.engine.conditions import said, told
from avow.engine.grounds import lacking
from avow.language.rules import Rule
from avow.language.syntax import atoms
from avow.language.vocabulary import Vocabulary
from avow.values import DIMENSIONS, Sentence

PREPOSITIONS = tuple(DIMENSIONS)
NAMES = ("object", *DIMENSIONS.values())

#: Verb, object and dimensions, as `judge` was given them.
Flow = tuple[str | None, ...]


def sentences(clauses: Iterable[Clause]) -> tuple[Sentence, ...]:
    """The sentences of the clauses, each once, in their order."""
    return tuple(dict.fromkeys(clause.rule.sentence for clause in clauses))


def spoken_flow(flow: Flow, words: Vocabulary) -> str:
    """A flow in words: `share name with UPS for shipping`."""
    parts = [str(flow[0]), label(str(flow[1]), words)]
    for preposition, word in zip(PREPOSITIONS, flow[2:], strict=True):
        if word is not None:
            parts.append(f"{preposition} {label(word, words)}")
    return " ".join(parts)


def label(word: str, words: Vocabulary) -> str:
    """What a flow's word is called, with its arguments: `statistics with noise (epsilon 1)`."""
    bare, parenthesis, arguments = word.partition("(")
    return words.label(bare) + (f" ({arguments}" if parenthesis else "")


def listed(said: Sequence[str]) -> str:
    """`one`, `one and another`, `one, another and a third`."""
    return said[0] if len(said) == 1 else ", ".join(said[:-1]) + f" and {said[-1]}" if said else ""


def permitted(clauses: Sequence[Clause]) -> str:
    """Why a flow is permitted."""
    return f"permitted by #{clauses[0].rule.sentence.anchor}: `{clauses[0].rule.text}`{_also(clauses)}"


def forbidden(clauses: Sequence[Clause]) -> str:
    """Why a flow is forbidden."""
    first = clauses[0]
    if first.effect == "close":
        return f"forbidden by {_closing(clauses)}: `{first.rule.text}`"
    if first.duty is not None:
        gate = f"`{done(first.duty)}` is not known to be true"
        return f"not yet: #{first.rule.sentence.anchor} demands `{first.rule.text}`, and {gate}{_also(clauses)}"
    only = "the `only` of " if first.implied else ""
    return f"forbidden by {only}#{first.rule.sentence.anchor}: `{first.rule.text}`{_also(clauses)}"


def closed(clauses: Sequence[Clause], permits: Sequence[Clause], states: Sequence[bool | None]) -> str:
    """Why an `otherwise` forbids what these permissions would permit, had their conditions been met.

    `states` are the values of their atoms, permission by permission. The one that lacks the least is named.
    """
    unmet: list[tuple[Clause, list[str]]] = []
    left = iter(states)
    for clause in permits:
        assert clause.condition is not None
        known = dict(zip(names := list(atoms(clause.condition)), islice(left, len(names)), strict=True))
        unmet.append((clause, [said(atom, known[atom]) for atom in lacking(clause.condition, known)]))
    nearest, facts = min(unmet, key=lambda each: len(each[1]))
    return f"forbidden by {_closing(clauses)}; #{nearest.rule.sentence.anchor} would permit it, but {listed(facts)}"


def unmet(clause: Clause, flow: Flow, known: Iterable[bool | None], words: Vocabulary) -> str:
    """Why a permission does not permit whose condition is not known to be true; `known` are its atoms' values."""
    assert clause.condition is not None
    what, anchor = spoken_flow(flow, words), clause.rule.sentence.anchor
    needed, facts = clause.condition, ", ".join(told(clause.condition, known))
    return f"no sentence permits to {what} here: #{anchor} needs `{needed}`, and {facts}"


def unpermitted(clause: Clause, flow: Flow, differing: Callable[[], Sequence[int]], words: Vocabulary) -> str:
    """Why nothing permits a flow, told by the nearest permission and the slots in which it differs."""
    rule = clause.rule
    parts = [] if flow[0] in clause.verbs else [f"verb ({rule.verb}, not {flow[0]})"]
    for slot in differing():
        word = flow[slot + 1]
        here = "not stated here" if word is None else f"not {label(word, words)}"
        parts.append(f"{NAMES[slot]} ({_said(rule, slot, words)}, {here})")
    told = " and ".join(parts)
    return f"no sentence permits to {spoken_flow(flow, words)}; the nearest, #{rule.sentence.anchor}, differs in {told}"


def _said(rule: Rule, slot: int, words: Vocabulary) -> str:
    """The words that a rule has in a slot. What `link` and `use` put elsewhere is told by the object."""
    if slot == OBJECT:
        return " or ".join(words.label(str(term)) for term in rule.objects)
    phrase = rule.statement.phrase(PREPOSITIONS[slot - 1])
    if slot == FORM and phrase is None:
        return "as it is"
    terms = phrase.terms if phrase else rule.objects if rule.verb == "link" else ()
    return " or ".join(words.label(str(term)) for term in terms) or "the person concerned"


def _anchors(clauses: Sequence[Clause]) -> list[str]:
    return [f"#{sentence.anchor}" for sentence in sentences(clauses)]


def _also(clauses: Sequence[Clause]) -> str:
    """The sentences that say the same as the first."""
    others = _anchors(clauses)[1:]
    return f"; also by {listed(others)}" if others else ""


def _closing(clauses: Sequence[Clause]) -> str:
    anchors = _anchors(clauses)
    return f"{listed(anchors)}, which close{'s' * (len(anchors) == 1)} the list"


assert len(NAMES) == len(SLOT) + 1
