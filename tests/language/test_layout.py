"""Laying out a policy: canonical blocks, prose untouched, nothing lost, and a second time changes nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avow.errors import PolicyError
from avow.language import read
from avow.language.layout import layout
from avow.language.markdown import read as read_markdown
from avow.language.parser import Node, chunks, parse
from tests.language.statements import statements

HERE = Path(__file__).parent
MESSY = """\
---
site:   shop     # kept as it is
---

Prose   stays  as it is,
  with its odd spaces.

~~~avow   ours  G8   #one

# first


# second
may   keep a,b   ,c
      for x        # why
never keep a   otherwise
   # inside
     # and this


must  show a.very.long.name, another.very.long.name, a.third.very.long.name
  at the.place.of.it, the.other.place before b when (c)
~~~

- item

  ```avow #two
     may keep   a     within 05.50  days # short

  ```
> quoted
>
> ```avow   #three
> no    promise :   "why   so"
> ```
"""
NEAT = """\
---
site:   shop     # kept as it is
---

Prose   stays  as it is,
  with its odd spaces.

```avow #one G8 ours
# first

# second
may keep a, b, c for x  # why
never keep a otherwise
# inside
# and this

must show a.very.long.name, another.very.long.name, a.third.very.long.name at the.place.of.it, the.other.place before b
  when c
```

- item

  ```avow #two
  may keep a within 5.5 days  # short
  ```
> quoted
>
> ```avow #three
> no promise: "why   so"
> ```
"""


def test_blocks_are_laid_out_and_prose_is_not() -> None:
    assert layout(MESSY) == NEAT
    assert layout(NEAT) == NEAT


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_the_byte_order_mark_stay(end: str) -> None:
    assert layout("\ufeff" + MESSY.replace("\n", end)) == "\ufeff" + NEAT.replace("\n", end)


def test_a_block_without_a_closing_fence_gets_one() -> None:
    assert layout("One.\n\n```avow #one\nmay  keep a") == "One.\n\n```avow #one\nmay keep a\n```"
    assert layout("- One.\n  ```avow #one\n  may  keep a\n\nTwo.\n") == (
        "- One.\n  ```avow #one\n  may keep a\n  ```\nTwo.\n"
    )
    assert layout("One.\n\n```avow #one") == "One.\n\n```avow #one\n```"


def test_a_comment_that_does_not_fit_behind_its_statement_stands_above_it() -> None:
    long = "# " + "x" * 110
    assert (
        layout(f"One.\n\n```avow #one\nmay keep a {long}\n```\n") == f"One.\n\n```avow #one\n{long}\nmay keep a\n```\n"
    )


def test_statements_that_do_not_parse_are_all_told_and_nothing_is_laid_out() -> None:
    with pytest.raises(PolicyError) as error:
        layout(
            "One.\n\n```avow #one\nmay   keep\n  a for\n```\n\n- Two.\n\n  ```avow #two\n  may  keep , a\n  ```\n",
            "x.md",
        )
    assert [(item.file, item.line, item.column) for item in error.value.diagnostics] == [
        ("x.md", 5, 7),
        ("x.md", 11, 13),
    ]


@pytest.mark.parametrize("path", [HERE / "library.md", *sorted(HERE.parents[1].glob("sites/*/policy.md"))], ids=str)
def test_the_published_policies_say_the_same_afterwards(path: Path) -> None:
    source = path.read_text("utf-8")
    before, after = read(source), read(layout(source))
    assert [(rule.text, rule.sentence.anchor) for rule in after.rules] == [
        (rule.text, rule.sentence.anchor) for rule in before.rules
    ]
    assert [s.text for s in after.sentences] == [s.text for s in before.sentences]
    assert [item.message for item in after.diagnostics] == [item.message for item in before.diagnostics]
    assert layout(layout(source)) == layout(source)


def untidy(statement: Node, chance: random.Random) -> str:
    """The statement as somebody in a hurry writes it: odd spaces, continued lines, comments."""
    if '"' in str(statement):
        return str(statement).replace("no promise:", chance.choice(["no promise:", "no   promise  :", "no\n promise:"]))
    gaps = [" ", " ", "  ", "\n  ", "\n\t", "  # why (so\n  ", "\n\n    ", '\n # said "here"\n   ']
    words = str(statement).replace(",", " ,").replace("(", " ( ").replace(")", " ) ").split()
    text = words[0]
    for word in words[1:]:
        text += chance.choice(gaps) + word
    return text + chance.choice(["", "", "   # done", "\n# between", "\n\n\n"])


def policy(blocks: list[list[Node]], chance: random.Random) -> str:
    """A policy of these blocks under paragraphs, list items and quotations."""
    parts = [f"---\nsite: x{chance.choice(['', '   # y'])}\n---\n"]
    for number, block in enumerate(blocks):
        body = "\n".join(untidy(statement, chance) for statement in block)
        fence = chance.choice(["```", "````", "~~~"])
        info = chance.choice(["avow #a-{} G1 ours", "avow   ours #a-{}  G1", " avow G1  #a-{} "]).format(number)
        indent, head = chance.choice([("", ""), ("  ", "- "), ("   ", "1. "), ("> ", "> "), ("  ", "")])
        lines = [fence + info, *body.split("\n"), fence]
        prose = chance.choice(["A   sentence.", "One.\nTwo", "*So*  `it` is\\."]).split("\n")
        if (indent, head) == ("  ", ""):
            parts.append("\n".join([*prose, "", *(f" {line}" for line in lines)]))
        else:
            first, *rest = prose
            parts.append("\n".join([head + first, *(indent + line for line in [*rest, "", *lines])]))
    return "\n\n".join(parts) + chance.choice(["", "\n", "\n\n"])


def statements_of(source: str) -> list[list[Node]]:
    return [[parse(chunk) for chunk in chunks(block.content, 1)] for block in read_markdown(source).blocks]


@settings(max_examples=150)
@given(st.lists(st.lists(statements, min_size=1, max_size=4), min_size=1, max_size=5), st.integers(0, 2**32))
def test_any_file_says_the_same_after_laying_out_and_a_second_time_changes_nothing(
    blocks: list[list[Node]], seed: int
) -> None:
    source = policy(blocks, random.Random(seed))
    assert statements_of(source) == blocks
    result = layout(source)
    assert statements_of(result) == blocks
    assert layout(result) == result
    before, after = read_markdown(source), read_markdown(result)
    assert [paragraph.text for paragraph in after.paragraphs] == [paragraph.text for paragraph in before.paragraphs]
    assert [p.block is not None for p in after.paragraphs] == [p.block is not None for p in before.paragraphs]


def test_a_block_with_mixed_line_ends_is_laid_out_once() -> None:
    """The end of its last line and an empty line after it must not become one line end of two characters."""
    source = "A.\n\n```avow #a\rmay  keep a\n```\n\nB.\n"
    laid_out = layout(source)
    assert laid_out == "A.\n\n```avow #a\rmay keep a\r```\n\nB.\n"
    assert layout(laid_out) == laid_out
