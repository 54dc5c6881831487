"""The outer form of a policy: front matter, paragraphs, and the `avow` block that follows each.

Every paragraph of the body counts, those in list items and quotations included; headings do not. A block belongs to
the paragraph that stands directly before it, in the same list item or right after the list.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from avow.language.suggest import nearest
from avow.language.syntax import Position
from avow.values import Sentence

_ANCHOR = re.compile(r"#[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_ROW = re.compile(r"[A-Z]{1,3}[0-9]{1,3}\Z")


@dataclass(slots=True)
class Block:
    """A fenced `avow` block: its info words, its content, the file's line of its fence, the indent of its lines."""

    info: str
    content: str
    line: int
    indent: int
    bound: bool = False

    @property
    def anchor(self) -> str | None:
        """The first word that starts with `#`, without it."""
        return next((word[1:] for word in self.info.split()[1:] if word.startswith("#")), None)


@dataclass(slots=True)
class Paragraph:
    """A paragraph or list item, as plain text, with the block that follows it."""

    text: str
    line: int
    block: Block | None = None


@dataclass(slots=True)
class Document:
    """A policy file, cut into its parts. `lines` is the source without line ends."""

    lines: list[str]
    front: str | None
    paragraphs: list[Paragraph]
    blocks: list[Block]
    other_code: list[Position]
    faults: list[tuple[Position, str, str | None]]

    def position(self, line: int) -> Position:
        """The whole text of a line, without the spaces around it."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return Position(line, len(text) - len(text.lstrip()) + 1, max(len(text.strip()), 1))


def reader() -> MarkdownIt:
    """CommonMark with front matter; raw HTML is text, so that a policy cannot smuggle a script into its page."""
    return MarkdownIt("commonmark", {"html": False}).use(front_matter_plugin)


def read(source: str) -> Document:
    """Cut a policy file into its parts; line ends must be newlines. Raises nothing: faults are collected."""
    document = Document(source.split("\n"), None, [], [], [], [])
    before: Paragraph | None = None  # the paragraph that a block standing here would belong to
    inside = False
    for token in reader().parse(source):
        if token.type == "front_matter":
            document.front = token.content
        elif token.type == "paragraph_open":
            inside = True
        elif token.type == "inline" and inside:
            inside = False
            before = Paragraph(plain(token), _line(token))
            document.paragraphs.append(before)
        elif token.type == "fence" and token.info.split()[:1] == ["avow"]:
            _bind(document, token, before)
            before = None
        elif token.type in ("fence", "code_block"):
            _other_code(document, token)
            before = None
        elif not token.type.endswith("_close") and token.type != "inline":
            before = None
    return document


def _bind(document: Document, token: Token, paragraph: Paragraph | None) -> None:
    line = _line(token)
    first = token.content.split("\n", 1)[0]
    raw = document.lines[line] if line < len(document.lines) else ""
    indent = len(raw) - len(first) if raw.endswith(first) else 0
    block = Block(token.info, token.content, line, indent, paragraph is not None)
    document.blocks.append(block)
    if paragraph is not None:
        paragraph.block = block
        return
    last = document.paragraphs[-1].block if document.paragraphs else None
    if last is not None:
        help = "put its rules into the block before it, or write the sentence that they mean between the two"
    else:
        help = "a block follows the paragraph or list item that it means"
    document.faults.append((document.position(line), "this block has no sentence", help))


def _other_code(document: Document, token: Token) -> None:
    at = document.position(_line(token))
    word = token.info.split()[0] if token.info.split() else ""
    help = "only `avow` blocks belong in a policy; write promises as text"
    if nearest(word, ["avow"]):
        help = "did you mean `avow`?"
    if not word and token.content.split(maxsplit=1)[:1] in (["may"], ["never"], ["must"]):
        help = "rules stand between ```avow #anchor and ```, below the paragraph that they mean"
    message = f"a code block in `{word}`" if word else "a code block that is not `avow`"
    document.faults.append((at, message, help))


def info_words(block: Block) -> tuple[tuple[str, ...], bool, list[str]]:
    """The promise rows of an info string, whether it says `ours`, and the words that it should not have."""
    rows: list[str] = []
    wrong: list[str] = []
    ours = anchor = False
    for word in block.info.split()[1:]:
        if word.startswith("#") and not anchor:
            anchor = True
            if not _ANCHOR.match(word):
                wrong.append(word)
        elif _ROW.match(word):
            rows.append(word)
        elif word == "ours":
            ours = True
        else:
            wrong.append(word)
    return tuple(rows), ours, wrong


def plain(token: Token) -> str:
    """The text of an inline token without its markup."""
    parts: list[str] = []
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type == "image":
            parts.append(plain(child))
    return "".join(parts).strip()


def _line(token: Token) -> int:
    return (token.map[0] if token.map else 0) + 1


class Published(Protocol):
    """What a page needs of a policy."""

    @property
    def source(self) -> str:
        """The Markdown source."""

    def sentence(self, anchor: str) -> Sentence:
        """The sentence of an anchor."""

    def rules_of(self, anchor: str) -> tuple[Any, ...]:
        """The rules of an anchor."""


def to_html(policy: Published, fold: Callable[[Sentence, tuple[Any, ...]], str]) -> str:
    """The policy as HTML; each `avow` block becomes what `fold` makes of its sentence and rules.

    `fold` returns HTML and escapes what it puts there. It stands where the block stands: after its paragraph, or
    within its list item.
    """

    def fence(_renderer: Any, tokens: list[Token], index: int, _options: Any, _env: Any) -> str:
        anchor = next(word[1:] for word in tokens[index].info.split() if word.startswith("#"))
        return fold(policy.sentence(anchor), policy.rules_of(anchor)) + "\n"

    markdown = reader()
    markdown.add_render_rule("fence", fence)
    return str(markdown.render(policy.source)).lstrip()
