"""The canonical layout of a policy's blocks. Prose and front matter stay as they are, byte by byte.

    layout(source) → source, formatted

- One statement a line; one that is longer than WIDTH is continued, indented, before a phrase or its guard.
- One space between words, `, ` between terms; numbers without superfluous digits.
- The info string is `avow #anchor`, rows, `ours`; fences are three backticks; at most one empty line in a row.
- A comment behind a statement stays there if the two fit on a line, and else stands above it.

Laying out twice changes nothing, and what is read from the result is what was read from the source: both are checked
by tests with random policies, and the second at run time too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from markdown_it.token import Token

from avow.errors import AvowError, PolicyError
from avow.language.markdown import Block, info_words, reader
from avow.language.markdown import read as read_markdown
from avow.language.parser import Chunk, SyntaxFault, parse
from avow.language.syntax import Statement
from avow.values import Diagnostic

WIDTH = 120
_INDENT = "  "
_COMMENT = re.compile(r'"[^"\n]*"|(#[^\n]*)')
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


def layout(source: str, file: str = "policy.md") -> str:
    """The source with its blocks in canonical layout. Raises PolicyError if a statement does not parse."""
    mark = "\ufeff" if source.startswith("\ufeff") else ""
    body = source.removeprefix("\ufeff")
    ends = _LINE_ENDS.findall(body)
    lines = _LINE_ENDS.split(body)
    ends.append("")
    faults: list[Diagnostic] = []
    text = "\n".join(lines)
    for token in reversed(_blocks(text)):
        first, last = token.map or (0, 0)
        try:
            new = _block(token, lines[first])
        except SyntaxFault as fault:
            at = fault.at
            line = lines[at.line - 1].replace("\t", " ")
            faults.append(Diagnostic(file, at.line, at.column, at.width, fault.message, line, fault.help))
            continue
        end = ends[first] or "\n"
        # The last line keeps its own end: another, before an empty line, could read as one end of two characters.
        closing = ends[last - 1]
        lines[first:last] = new
        ends[first:last] = [end] * (len(new) - 1) + [closing]
    if faults:
        raise PolicyError(tuple(sorted(faults, key=lambda item: (item.line, item.column))))
    result = mark + "".join(line + end for line, end in zip(lines, ends, strict=True))
    if _said(result) != _said(source):
        raise AvowError(f"{file} cannot be laid out without changing what it says", help="please report this policy")
    return result


def _blocks(text: str) -> list[Token]:
    return [t for t in reader().parse(text) if t.type == "fence" and t.info.split()[:1] == ["avow"] and t.map]


def _block(token: Token, opening: str) -> list[str]:
    """The block's new lines, from its opening fence to its closing one, written or not. Raises SyntaxFault."""
    prefix = opening[: opening.index(token.markup)]
    # What a list item starts with is not repeated on its further lines.
    inner = re.sub(r"[^ \t>]", " ", prefix)
    width = WIDTH - len(inner.expandtabs(4))
    first = (token.map or (0, 0))[0] + 1
    body: list[str] = []
    for item in _items(token.content, first + 1, len(inner)):
        body += item.lines(width)
    while body and not body[-1]:
        body.pop()
    fence = "```" if "`" not in token.info else token.markup
    return [f"{prefix}{fence}{_info(token.info)}", *((inner + line).rstrip() for line in body), inner + fence]


def _info(info: str) -> str:
    words = info.split()
    rows, ours, wrong = info_words(Block(info, "", 1, 0))
    anchor = [word for word in words if word.startswith("#")]
    if wrong or len(anchor) > 1:
        return " ".join(words)
    return " ".join(["avow", *anchor, *rows, *(["ours"] if ours else [])])


@dataclass(slots=True)
class _Item:
    """A statement with the comments in it, or lines of comment and empty lines between statements."""

    line: int
    indent: int
    text: list[str] = field(default_factory=list)
    standing: list[str] = field(default_factory=list)

    def lines(self, width: int) -> list[str]:
        """Canonical lines. Raises SyntaxFault."""
        if not any(self.text):
            return self.standing
        node = parse(Chunk("\n".join(self.text), self.line, self.indent))
        behind = [found[1].rstrip() for line in self.text for found in _COMMENT.finditer(line) if found[1]]
        above = self.standing + behind
        spoken = str(node)
        if len(above) == len(behind) == 1 and len(spoken) + len(behind[0]) + 2 <= width:
            return [f"{spoken}  {behind[0]}"]
        if len(spoken) <= width or not isinstance(node, Statement):
            return [*above, spoken]
        return [*above, *_wrapped(node, width)]


def _items(content: str, first: int, indent: int) -> Iterator[_Item]:
    """Cut a block as `parser.chunks` does, but keep comments and empty lines."""
    statement = _Item(first, indent)
    waiting: list[tuple[int, str]] = []  # since the statement's last line: they are inside it if it goes on
    for number, line in enumerate(content.split("\n"), first):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            waiting.append((number, bare))
        elif line[0] in " \t" and statement.text:
            statement.standing += [comment for _, comment in waiting if comment]
            statement.text += [""] * len(waiting) + [line]
            waiting = []
        else:
            if statement.text:
                yield statement
            yield from _between(waiting, indent, begun=bool(statement.text))
            statement, waiting = _Item(number, indent, [line]), []
    if statement.text:
        yield statement
    yield from _between(waiting, indent, begun=bool(statement.text))


def _between(waiting: list[tuple[int, str]], indent: int, *, begun: bool) -> Iterator[_Item]:
    """Comments and single empty lines between statements; none before the first."""
    kept: list[str] = []
    for _, text in waiting:
        if text or (kept[-1] if kept else begun):
            kept.append(text)
    if kept:
        yield _Item(waiting[0][0], indent, [], kept)


def _wrapped(node: Statement, width: int) -> Iterator[str]:
    """The statement over several lines, broken before phrases, the guard and the exception, else between words."""
    head = f"{node.modal} {node.verb} " + ", ".join(map(str, node.objects))
    pieces = [head.strip(), *map(str, node.phrases)]
    if node.guard:
        pieces.append(str(node.guard))
    if node.exceptions:
        pieces.append("except " + " ".join(map(str, node.exceptions)))
    line = ""
    for piece in pieces:
        joined = f"{line} {piece}".strip() if not line.startswith(_INDENT) else f"{line} {piece}"
        if len(joined) <= width and line:
            line = joined
            continue
        if line:
            yield line
        line = (_INDENT if line else "") + piece
        while len(line) > width:
            cut = line.rfind(" ", len(_INDENT) + 1, width + 1)
            if cut < 0:
                cut = line.find(" ", width)
            if cut < 0:
                break
            yield line[:cut]
            line = _INDENT + line[cut + 1 :]
    yield line


def _said(source: str) -> object:
    """What a policy says, without its layout: the prose, and each block's statements and comments."""
    text = _LINE_ENDS.sub("\n", source.removeprefix("\ufeff"))
    lines = text.split("\n")
    blocks = []
    for token in reversed(_blocks(text)):
        first, last = token.map or (0, 0)
        lines[first:last] = ["\0"]
        items = list(_items(token.content, 1, 0))
        nodes = [parse(Chunk("\n".join(item.text), 1)) for item in items if any(item.text)]
        comments = sorted(
            comment.strip()
            for line in token.content.split("\n")
            for comment in ([line.strip()] if line.strip().startswith("#") else
                            [found[1] for found in _COMMENT.finditer(line) if found[1]])
        )  # fmt: skip
        blocks.append((nodes, comments, sorted(token.info.split())))
    return [line for line in lines if line], blocks, [paragraph.text for paragraph in read_markdown(text).paragraphs]
