"""Fuzzing of what reads policies: no input crashes it, and what is printed says what was read.

`tests.campaigns.fuzz` runs the two targets under atheris, guided by what they cover; the suite calls them with seeded
random bytes and mutations.
"""

from __future__ import annotations

from pathlib import Path

from avow.engine import Policy
from avow.errors import PolicyError
from avow.language import in_words, read, to_html
from avow.language.layout import layout
from avow.language.parser import Chunk, Node, SyntaxFault, chunks, parse

HERE = Path(__file__).parent
LIBRARY = HERE.parent / "language" / "library.md"
SNAPSHOTS = HERE.parent / "language" / "snapshots"
#: A larger file than any policy: beyond it time grows, and nothing else is to be found.
LARGEST = 20_000


#: A policy without faults that says something in every way.
SMALL = """\
---
site: x
title: x
version: "1"
effective: 2026-01-05
contact: {email: a@b.example}
categories: {a: {label: your a, includes: [b]}, b: user.name, a.c: {}}
purposes: {p: {}}
places: {s: {}}
recipients: {r: {fields: [a], channels: [https]}}
cookies: {k: {purpose: p, within: 3 days}}
messages: {m: {}}
predicates: {q: {arguments: 1}}
---
# T

One.

```avow #one A1 ours
may share a only with r for p when q(b) and not age < 13  # why
never share a otherwise
must show contact in m
```

- Two.

  ```avow #two
  may collect a.c, b at s
  never keep b within 2 days after q(a) except for p
  must ask a before collect(b)
  ```

Three.

```avow #three
no promise: "tells"
```
"""


def rules(data: bytes) -> None:
    """A block of rules: each statement parses or has one fault in its text; printing and parsing changes nothing."""
    text = data.decode("utf-8", "replace")[:LARGEST]
    for chunk in chunks(text, 1):
        node = _parsed(chunk)
        if isinstance(node, SyntaxFault):
            assert 1 <= node.at.line <= text.count("\n") + 1, "a fault stands in the text"
            assert node.at.column >= 1
            continue
        printed = str(node)
        again = parse(Chunk(printed, 1))
        assert again == node, "parsing what is printed gives the same statement"
        assert str(again) == printed


def _parsed(chunk: Chunk) -> Node | SyntaxFault:
    try:
        return parse(chunk)
    except SyntaxFault as fault:
        return fault


def files(data: bytes) -> None:
    """A whole file: it is read with or without faults, each of which can be shown; layout says the same."""
    text = data.decode("utf-8", "replace")[:LARGEST]
    reading = read(text)
    for fault in reading.diagnostics:
        assert str(fault)
        assert 1 <= fault.line <= reading.source.count("\n") + 1, "a fault stands in the file"
    for rule in reading.rules:
        assert in_words(rule, reading.front.vocabulary)
    try:
        laid_out = layout(text)
    except PolicyError:
        assert reading.diagnostics, "what has no fault can be laid out"
    else:
        assert layout(laid_out) == laid_out, "laying out twice changes nothing"
        assert [rule.text for rule in read(laid_out).rules] == [rule.text for rule in reading.rules]
    if not reading.diagnostics:
        policy = Policy.parse(text)
        assert to_html(policy, lambda sentence, rules: "")
        for category in policy.vocabulary.words["category"]:
            assert policy.judge("keep", category).sentences


TARGETS = {"rules": rules, "files": files}


def seeds(target: str) -> list[bytes]:
    """Good inputs to start from, and the broken policies of the snapshots."""
    library = LIBRARY.read_text("utf-8")
    if target == "rules":
        others = [b'no promise: "x"', b"attested by a every 2 days"]
        return [rule.text.encode() for rule in read(library).rules] + others
    broken = [path.read_text("utf-8").partition("\n====")[0] for path in sorted(SNAPSHOTS.glob("*.txt"))]
    return [text.encode() for text in (SMALL, *broken)]


#: Pieces that random changes seldom find by themselves.
WORDS = [
    "may ", "never ", "must ", "only ", "when ", "unless ", "otherwise", "except ", "and ", "or ", "not ", "with ",
    "to ", "for ", "at ", "within 3 days", "every 1 month", "before ", "after ", "(", ")", ", ", "age < 13", "no ",
    "promise: ", '"', "#", "attested by ", "```avow #a", "```\n", "~~~", "---\n", "- ", "> ", "  ", "\t", "\n\n",
    "site: x\n", "title: x\n", "version: x\n", "effective: 2026-01-05\n", "categories: {a: {}}\n", "under: [",
    "includes: ",     "{", "}", "[", "]", ": ", "&a ", "*a", "!!int ", "|\n", ">\n", "\r\n", "\ufeff", "\0", "1e9",
    "99999999999999999999",
]  # fmt: skip
