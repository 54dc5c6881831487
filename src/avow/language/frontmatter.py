"""The front matter of a policy: who publishes it, since when, and in which words it speaks.

Every key is checked; a key that is not known is a fault, never ignored. YAML aliases are refused: a policy is read
by people, and nested aliases are also the known way to make a small file fill the memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import yaml

from avow.language.forms import Declared, orders
from avow.language.predicates import Code, Fault, Predicate, Said, declare
from avow.language.suggest import did_you_mean
from avow.language.syntax import KEYWORDS, UNITS, Position
from avow.language.vocabulary import BUILT_IN, BUILT_IN_PREDICATES, KINDS, Vocabulary, Word, parents_of, spoken

#: Levels of brackets and indentation: a policy needs four.
LEVELS = 20

#: The front matter's section of each kind of word.
SECTIONS: dict[str, str] = {
    "categories": "category",
    "purposes": "purpose",
    "subjects": "subject",
    "roles": "role",
    "places": "place",
    "channels": "channel",
    "messages": "message",
    "recipients": "recipient",
    "cookies": "cookie",
    "forms": "form",
    "things": "thing",
    "events": "event",
    "predicates": "predicate",
}
_REQUIRED = ("site", "title", "version", "effective")
_KEYS = (*_REQUIRED, "contact", *SECTIONS, "renamed")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\Z")
_SITE = re.compile(r"[a-z][a-z0-9_]*\Z")
_SPAN = re.compile(r"([0-9]{1,15}) ([a-z]+)\Z")
_ARGUMENTS = re.compile(r"[0-9]{1,2}\Z")
_WORD_KEYS = ("key", "label", "under", "includes")
_EXTRA_KEYS = {
    "recipient": ("fields", "channels", "agreement"),
    "cookie": ("purpose", "within"),
    "form": ("arguments",),
    "predicate": ("arguments", "function", "fingerprint"),
}


@dataclass(frozen=True, slots=True)
class Contact:
    """Where questions go, as the policy publishes it."""

    email: str | None = None
    phone: str | None = None
    address: str | None = None

    def __bool__(self) -> bool:
        return bool(self.email or self.phone)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody outside: the categories that go there, and by which channels. A group of recipients has no fields."""

    name: str
    label: str
    fields: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    agreement: str | None = None


@dataclass(frozen=True, slots=True)
class Cookie:
    """A declared cookie. `seconds` is its lifetime; None lasts until the browser closes."""

    name: str
    label: str
    purpose: str
    seconds: int | None = None


@dataclass(slots=True)
class FrontMatter:
    """What the front matter says, as far as it could be read."""

    site: str = ""
    title: str = ""
    version: str = ""
    effective: date = date.min
    contact: Contact = field(default_factory=Contact)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    recipients: dict[str, Recipient] = field(default_factory=dict)
    cookies: dict[str, Cookie] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)  # a word of the version before to its word in this one
    predicates: dict[str, Predicate] = field(default_factory=dict)  # those that have a function
    code: dict[str, Code] = field(default_factory=dict)  # what answers them, where the policy's folder is known
    #: Where each word stands, by its kind and name; those that are built in or implied by dots stand nowhere.
    places: dict[tuple[str, str], Position] = field(default_factory=dict)


def read(text: str, fault: Fault) -> FrontMatter | None:
    """Read and check the front matter; `text` starts on the file's second line. Faults go to `fault`.

    None means that it could not be read at all, so that no word of the policy can be checked.
    """
    return _Reader(fault).read(text)


class _Reader:
    """Walks the YAML nodes, because a fault needs the line that plain values no longer have."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._out = FrontMatter()
        self._included: dict[tuple[str, str], list[str]] = {}  # (kind, child) to the words that include it
        self._references: list[tuple[yaml.Node, str, str]] = []  # (node, kind, name) to look up at the end
        self._parents: list[tuple[yaml.Node, str, str]] = []  # those of them that put one word under another

    def read(self, text: str) -> FrontMatter | None:
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            level = 0
            for event in yaml.parse(text, Loader=loader):
                if isinstance(event, yaml.AliasEvent):
                    self._fault(_mark(event), "YAML aliases cannot be used in a policy", "write the value out")
                    return None
                level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if level > LEVELS:  # composing walks the tree on the stack
                    self._fault(_mark(event), f"the front matter is more than {LEVELS} levels deep", None)
                    return None
            root = yaml.compose(text, Loader=loader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            at = Position(mark.line + 2, mark.column + 1, 1) if mark else Position(2, 1, 1)
            self._fault(at, f"the front matter is not YAML: {getattr(error, 'problem', None) or 'unreadable'}", None)
            return None
        entries = self._mapping(root, _KEYS, "the front matter") if root else {}
        for key in _REQUIRED:
            if key not in entries:
                self._fault(Position(1, 1, 3), f"the front matter has no `{key}`", f"add a line `{key}: …`")
            elif not self._text(entries[key]):
                self._fault(_at(entries[key]), f"`{key}` is empty", "write its value after the colon")
        self._head(entries)
        self._built_in()
        for section, kind in SECTIONS.items():
            if section in entries:
                self._section(section, kind, entries[section])
        self._implied_parents()
        self._look_up()
        self._renamed(entries.get("renamed"))
        return self._out

    def _head(self, entries: Mapping[str, yaml.Node]) -> None:
        out = self._out
        if node := entries.get("site"):
            out.site = self._text(node)
            if not _SITE.match(out.site):
                self._fault(_at(node), f"`{out.site}` is not a site name", "use lower-case letters, digits and `_`")
        out.title = self._text(entries.get("title"))
        out.version = self._text(entries.get("version"))
        if node := entries.get("effective"):
            try:
                out.effective = date.fromisoformat(self._text(node))
            except ValueError:
                self._fault(_at(node), f"`{self._text(node)}` is not a date", "write it as year-month-day: 2026-11-22")
        if node := entries.get("contact"):
            parts = self._mapping(node, ("email", "phone", "address"), "contact")
            out.contact = Contact(**{key: self._text(value) for key, value in parts.items()})

    def _built_in(self) -> None:
        words = self._out.vocabulary.words
        for kind, labels in BUILT_IN.items():
            words[kind].update({name: Word(name, kind, label) for name, label in labels.items()})
        for name, count in BUILT_IN_PREDICATES.items():
            words["predicate"][name] = Word(name, "predicate", spoken(name), arguments=count)

    def _section(self, section: str, kind: str, node: yaml.Node) -> None:
        for name, value in self._mapping(node, None, section, names=True).items():
            self._word(kind, name, value)
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            name = f"cookie.{self._text(key_node)}" if kind == "cookie" else self._text(key_node)
            self._out.places.setdefault((kind, name), _at(key_node))

    def _word(self, kind: str, name: str, node: yaml.Node) -> None:
        keys = _WORD_KEYS + _EXTRA_KEYS.get(kind, ())
        parts: dict[str, yaml.Node] = {}
        key: str | None = None
        if isinstance(node, yaml.MappingNode):
            parts = self._mapping(node, keys, f"{kind} `{name}`")
            key = self._text(parts["key"]) if "key" in parts else None
        else:
            key = self._text(node) or None
        if key is not None and not _NAME.match(key):
            self._fault(_at(node), f"`{key}` is not a taxonomy key", "a key looks like `user.contact.email`")
        full = f"cookie.{name}" if kind == "cookie" else name
        label = self._text(parts.get("label")) or spoken(name)
        before = len(self._references)
        under = self._references_in(parts.get("under"), kind)
        arguments = self._predicate(name, parts) if kind == "predicate" else None
        word = Word(full, kind, label, key, under, arguments, self._orders(name, parts) if kind == "form" else ())
        words = self._out.vocabulary.words
        included = self._references_in(parts.get("includes"), kind)
        self._parents += self._references[before:]
        words[kind][full] = word
        if kind == "cookie":
            words["category"][full] = Word(full, "category", label, key)
            self._cookie(name, label, node, parts)
        elif kind == "recipient":
            fields = self._references_in(parts.get("fields"), "category")
            channels = self._references_in(parts.get("channels"), "channel")
            agreement = self._text(parts.get("agreement")) or None
            self._out.recipients[name] = Recipient(name, label, fields, channels, under, agreement)
        for child in included:  # `includes` on the parent is `under` on the child, which may be declared later
            self._included.setdefault((kind, child), []).append(full)

    def _cookie(self, name: str, label: str, node: yaml.Node, parts: Mapping[str, yaml.Node]) -> None:
        purpose = self._references_in(parts.get("purpose"), "purpose")
        if len(purpose) != 1:
            self._fault(_at(node), f"the cookie `{name}` has no purpose", "add `purpose:` with one declared purpose")
        seconds: int | None = None
        if "within" in parts:
            written = self._text(parts["within"])
            found = _SPAN.match(written)
            size = UNITS.get(found[2].removesuffix("s")) if found else None
            if found is None or size is None:
                self._fault(_at(parts["within"]), f"`{written}` is not a length of time", "write it like `30 days`")
            else:
                seconds = int(found[1]) * size
        self._out.cookies[name] = Cookie(name, label, purpose[0] if purpose else "", seconds)

    def _orders(self, name: str, parts: Mapping[str, yaml.Node]) -> Declared:
        """The orders of a form's arguments."""
        if "arguments" not in parts:
            return ()
        given = self._mapping(parts["arguments"], None, f"`arguments` of `{name}`", names=True)
        return orders({argument: (self._text(node), _at(node)) for argument, node in given.items()}, self._fault)

    def _references_in(self, node: yaml.Node | None, kind: str) -> tuple[str, ...]:
        """The names in a scalar or list, each to be looked up once all words are known."""
        if node is None:
            return ()
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        names = []
        for item in nodes:
            names.append(name := self._text(item))
            self._references.append((item, kind, name))
        return tuple(names)

    def _implied_parents(self) -> None:
        words = self._out.vocabulary.words
        for (kind, child), parents in self._included.items():
            if word := words[kind].get(child):
                words[kind][child] = replace(word, parents=(*word.parents, *parents))
        for kind in KINDS:
            for name in list(words[kind]):
                while name := name.rpartition(".")[0]:
                    words[kind].setdefault(name, Word(name, kind, spoken(name)))

    def _renamed(self, node: yaml.Node | None) -> None:
        """Words that the version before had under another name; comparing versions goes by it."""
        words = self._out.vocabulary
        for old, value in self._mapping(node, None, "renamed", names=True).items() if node else ():
            new = self._text(value)
            if words.kind_of(old):
                message, help = f"`{old}` is still a word of this version", "only a word that is gone was renamed"
                self._fault(_at(value), message, help)
            elif not words.kind_of(new):
                help = words.suggestion(new) or "write `old: new`, where `new` is a word of this version"
                self._fault(_at(value), f"`{new}` is not a declared word", help)
            else:
                self._out.renamed[old] = new

    def _look_up(self) -> None:
        vocabulary = self._out.vocabulary
        for node, kind, name in self._references:
            if name not in vocabulary.words[kind]:
                help = vocabulary.suggestion(name, (kind,)) or declaration(kind)
                self._fault(_at(node), f"`{name}` is not a declared {kind}", help)
        for node, kind, name in self._parents:
            word = vocabulary.words[kind].get(name)
            if word and _in_cycle(vocabulary, word):
                help = "take one `under` or `includes` of the circle out"
                self._fault(_at(node), f"`{name}` stands above itself", help)

    def _mapping(
        self, node: yaml.Node, known: Iterable[str] | None, what: str, *, names: bool = False
    ) -> dict[str, yaml.Node]:
        """The entries of a mapping node; with `known`, any other key is a fault; with `names`, keys are words."""
        if not isinstance(node, yaml.MappingNode):
            if not (isinstance(node, yaml.ScalarNode) and not node.value):
                self._fault(_at(node), f"{what} is not a mapping", "write `name: value` lines")
            return {}
        allowed = tuple(known) if known is not None else None
        entries: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = self._text(key_node)
            if key in entries:
                self._fault(_at(key_node), f"`{key}` stands twice in {what}", "keep one of the two")
            elif allowed is not None and key not in allowed:
                help = did_you_mean(key, allowed) or f"{what} may have: {', '.join(allowed)}"
                self._fault(_at(key_node), f"`{key}` is not a key of {what}", help)
            elif names and not self._is_name(key_node, key):
                continue
            else:
                entries[key] = value
        return entries

    def _is_name(self, node: yaml.Node, name: str) -> bool:
        if not _NAME.match(name):
            self._fault(_at(node), f"`{name}` is not a word", "words are lower-case letters, digits, `_` and `.`")
        elif name in KEYWORDS:
            self._fault(_at(node), f"`{name}` is a keyword of the rule language", "choose another short name")
        else:
            return True
        return False

    def _text(self, node: yaml.Node | None) -> str:
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self._fault(_at(node), "a single value belongs here", None)
            return ""
        return "" if node.tag.endswith(":null") else str(node.value).strip()

    def _predicate(self, name: str, parts: Mapping[str, yaml.Node]) -> int:
        """Note the function that answers a predicate, if there is one; returns the number of its arguments."""
        written = self._text(parts.get("arguments")) or "0"
        if not _ARGUMENTS.match(written):
            at = _at(parts["arguments"])
            self._fault(at, f"`{written}` is not a number of arguments", "write a number such as 1")
            written = "0"
        function, fingerprint = self._said(parts.get("function")), self._said(parts.get("fingerprint"))
        predicate = declare(name, int(written), function, fingerprint, self._fault)
        if predicate is not None:
            self._out.predicates[name] = predicate
        return int(written)

    def _said(self, node: yaml.Node | None) -> Said | None:
        return None if node is None else (self._text(node), _at(node))


def declaration(kind: str) -> str:
    """How to declare a word of this kind."""
    section = next(section for section, own in SECTIONS.items() if own == kind)
    return f"declare it in the front matter, under `{section}:`"


def _in_cycle(vocabulary: Vocabulary, word: Word) -> bool:
    pending, seen = list(parents_of(word)), set[str]()
    while pending:
        name = pending.pop()
        if name == word.name:
            return True
        if name not in seen and (above := vocabulary.words[word.kind].get(name)):
            seen.add(name)
            pending += parents_of(above)
    return False


def _mark(event: yaml.Event) -> Position:
    start = event.start_mark
    return Position(start.line + 2, start.column + 1, 1) if start else Position(2, 1, 1)


def _at(node: yaml.Node) -> Position:
    start, end = node.start_mark, node.end_mark
    width = end.column - start.column if end.line == start.line else 1
    return Position(start.line + 2, start.column + 1, max(width, 1))
