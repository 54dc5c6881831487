"""The words of a policy: what kinds there are, which words stand for which, and their display labels.

A word stands for itself and for every word below it: `contact` for `contact.email` (by its dots), and whatever the
front matter places there by `under` or `includes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from avow.errors import Refused
from avow.language.forms import Declared, Orders
from avow.language.suggest import did_you_mean
from avow.values import Verdict

#: Kinds of words, in the order in which a bare word is looked up when its place does not tell its kind.
KINDS = (
    "category", "cookie", "message", "recipient", "purpose", "subject", "role", "place", "channel", "form", "thing",
    "event", "predicate",
)  # fmt: skip

#: Words that every policy has. Those of the front matter with the same name replace the label.
BUILT_IN: dict[str, dict[str, str]] = {
    "category": {"cookie": "cookies"},
    "cookie": {"cookie": "cookies"},
    "subject": {"person": "a person"},
    "place": {"mail": "a mail", "rest": "rest (in storage)", "transit": "transit"},
    "channel": {
        "https": "an encrypted web connection (HTTPS)",
        "http": "an unencrypted web connection",
        "loopback": "a connection within this machine",
        "smtps": "an encrypted mail connection",
        "sftp": "an encrypted file transfer (SFTP)",
    },
    "thing": {"version": "the policy version", "policy": "the policy", "link": "a secret link"},
}
#: Predicates that the library itself can answer, and how many arguments each takes.
BUILT_IN_PREDICATES: dict[str, int] = {
    "consented": 1, "objected": 1, "withdrawn": 1, "presented": 1, "accepted": 1, "returned": 1, "mailed": 1,
    "weaker": 1, "approved": 1, "discovered": 1, "assigned": 1, "attested": 1, "age": 0,
}  # fmt: skip


class UnknownTerm(Refused):
    """A flow was asked about in words that the policy does not have. Nothing is permitted by such a flow.

    Correct the call, or declare the word in the policy's front matter. `verdict` holds the nearest sentence.
    """

    def __init__(self, message: str, verdict: Verdict | None = None, *, help: str | None = None) -> None:
        super().__init__(message, verdict, help=help)


@dataclass(frozen=True, slots=True)
class Word:
    """One declared word. `key` is its key in the shared taxonomy (fideslang), if it has one.

    `arguments` is how many a predicate takes; `orders` are those of a form's arguments.
    """

    name: str
    kind: str
    label: str
    key: str | None = None
    parents: tuple[str, ...] = ()
    arguments: int | None = None
    orders: Declared = ()


@dataclass(slots=True)
class Vocabulary:
    """All words of one policy, by kind."""

    words: dict[str, dict[str, Word]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    _labels: dict[tuple[str, str | None], str] = field(default_factory=dict, repr=False)
    _below: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict, repr=False)

    def names(self, *kinds: str) -> Iterator[str]:
        """The names of all words of these kinds (of every kind, if none is given)."""
        for kind in kinds or KINDS:
            yield from self.words[kind]

    def kind_of(self, name: str, kinds: Iterable[str] = KINDS) -> str | None:
        """The first of `kinds` that has a word of this name."""
        return next((kind for kind in kinds if name in self.words[kind]), None)

    def below(self, kind: str, name: str) -> frozenset[str]:
        """The word itself and every word that it stands for."""
        found = self._below.get((kind, name))
        if found is None:
            self._settle(kind)
            found = self._below.get((kind, name), frozenset((name,)))
        return found

    def covers(self, kind: str, wide: str, narrow: str) -> bool:
        """Whether `wide` stands for `narrow` (as every word does for itself)."""
        return narrow in self.below(kind, wide)

    def overlaps(self, kind: str, one: str, other: str) -> bool:
        """Whether some word is stood for by both."""
        return not self.below(kind, one).isdisjoint(self.below(kind, other))

    def orders(self, form: str) -> Orders:
        """The order of each argument of a form that has one."""
        word = self.words["form"].get(form)
        return dict(word.orders) if word else {}

    def label(self, name: str, kind: str | None = None) -> str:
        """How a page or a reason calls the word; an unknown word is called by its own name."""
        found = self._labels.get((name, kind))
        if found is None:
            known = kind or self.kind_of(name)
            word = self.words[known].get(name) if known else None
            found = word.label if word else spoken(name)
            if word:  # undeclared names are without end
                self._labels[name, kind] = found
        return found

    def suggestion(self, name: str, kinds: Iterable[str] = KINDS) -> str | None:
        """A `did you mean` line for a word that none of `kinds` has."""
        return did_you_mean(name, self.names(*kinds))

    def _settle(self, kind: str) -> None:
        """Compute `below` for every word of the kind; parents may form a graph but, once checked, no cycle."""
        words = self.words[kind]
        below: dict[str, set[str]] = {name: {name} for name in words}
        for name in words:
            pending, seen = list(parents_of(words[name])), {name}
            while pending:
                parent = pending.pop()
                if parent not in seen and parent in words:
                    seen.add(parent)
                    below[parent].add(name)
                    pending += parents_of(words[parent])
        for name, all_below in below.items():
            self._below[kind, name] = frozenset(all_below)


def parents_of(word: Word) -> tuple[str, ...]:
    """The words directly above: the one its dots name, those the front matter names, and `person` above subjects."""
    dotted = word.name.rpartition(".")[0]
    everyone = ("person",) if word.kind == "subject" and word.name != "person" else ()
    return (*((dotted,) if dotted else ()), *word.parents, *everyone)


def spoken(name: str) -> str:
    """A readable form of a short name, for words without a label."""
    return name.replace(".", " ").replace("_", " ")
