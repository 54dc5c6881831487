"""From the text of a block to its statements.

A block is cut into statements first (a line that is not indented starts one), so that a fault in one hides
no fault in another. The LALR table is shipped as `grammar.json`, because building it takes longer than
everything else that reading a policy does; it is used only while it belongs to this grammar and this lark.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import lark
from lark.grammar import Rule as GrammarRule
from lark.lexer import TerminalDef

from avow.language import syntax
from avow.language.suggest import nearest
from avow.language.syntax import Attested, NoPromise, Phrase, Position, Span, Statement, Term

GRAMMAR = Path(__file__).with_name("grammar.lark")
TABLE = Path(__file__).with_name("grammar.json")

Node = Statement | NoPromise | Attested


#: Digits of a number, and levels of parentheses. More than a policy needs; less than a float or the stack can hold.
DIGITS, LEVELS = 15, 20
_COMMENT = re.compile(r"#[^\n]*")
_MARKS = re.compile(r'"[^"\n]*"|#[^\n]*|[()]')


class SyntaxFault(Exception):
    """One statement that does not parse: where, what, and what may stand there."""

    def __init__(self, at: Position, message: str, help: str | None) -> None:
        super().__init__(message)
        self.at, self.message, self.help = at, message, help


@dataclass(frozen=True, slots=True)
class Chunk:
    """The text of one statement; `line` is the policy file's line of its first line, `indent` its block's indent."""

    text: str
    line: int
    indent: int = 0


def chunks(block: str, first_line: int, indent: int = 0) -> Iterator[Chunk]:
    """The statements of a block: each starts at the margin, indented lines continue it."""
    lines: list[str] = []
    start = first_line
    for number, line in enumerate(block.split("\n"), first_line):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            lines.append("")  # keeps the line count
        elif line[0] in " \t" and any(lines):
            lines.append(line)
        else:
            if any(lines):
                yield Chunk("\n".join(lines), start, indent)
            lines, start = [line], number
    if any(lines):
        yield Chunk("\n".join(lines), start, indent)


def parse(chunk: Chunk) -> Node:
    """Parse one statement. Raises SyntaxFault."""
    _levels(chunk)
    try:
        tree = _parser().parse(chunk.text)
    except lark.UnexpectedInput as error:
        raise _fault(error, chunk) from None
    try:
        return cast(Node, _Builder(chunk).transform(tree))
    except lark.exceptions.VisitError as error:
        if isinstance(error.orig_exc, SyntaxFault):
            raise error.orig_exc from None
        raise


def _levels(chunk: Chunk) -> None:
    """Refuse parentheses so deep that walking the tree would exhaust the stack."""
    level = 0
    for mark in _MARKS.finditer(chunk.text):
        level += {"(": 1, ")": -1}.get(mark[0], 0)
        if level > LEVELS:
            line = chunk.text.count("\n", 0, mark.start())
            column = mark.start() - chunk.text.rfind("\n", 0, mark.start())
            at = Position(chunk.line + line, column + chunk.indent, 1)
            raise SyntaxFault(at, f"parentheses stand more than {LEVELS} deep", "say it with fewer, or in two rules")


def build(*, strict: bool = False) -> lark.Lark:
    """The parser made from the grammar; with `strict`, any conflict is an error."""
    return lark.Lark(GRAMMAR.read_text("utf-8"), parser="lalr", lexer="basic", strict=strict)


def stamp() -> str:
    """What the shipped table must be made from to be used: this grammar, by this lark."""
    return hashlib.sha256(GRAMMAR.read_bytes() + lark.__version__.encode()).hexdigest()


def dump() -> str:
    """The content of `grammar.json` for the present grammar."""
    data, memo = build().memo_serialize([TerminalDef, GrammarRule])
    # The grammar's own text is not needed to parse, and a set has no order to reproduce.
    data["options"] = {key: value for key, value in data["options"].items() if key != "source_path"}
    return json.dumps({"stamp": stamp(), "data": data, "memo": memo}, separators=(",", ":"))


@cache
def _parser() -> lark.Lark:
    try:
        table = json.loads(TABLE.read_text("utf-8"))
        if table["stamp"] == stamp():
            memo = {int(key): value for key, value in table["memo"].items()}
            inner = table["data"]["parser"]["parser"]
            inner["tokens"] = {int(key): name for key, name in inner["tokens"].items()}
            inner["states"] = {
                int(state): {int(token): action for token, action in actions.items()}
                for state, actions in inner["states"].items()
            }
            loader = cast(Any, lark.Lark)
            return cast(lark.Lark, loader._load_from_dict(table["data"], memo))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # a table that cannot be used costs time, not correctness
    return build()


def _position(token: lark.Token, chunk: Chunk) -> Position:
    return Position((token.line or 1) + chunk.line - 1, (token.column or 1) + chunk.indent, max(len(token), 1))


class _Builder(lark.Transformer[lark.Token, Any]):
    """Turns lark's tree into ours, bottom up; each method is named after its grammar rule."""

    def __init__(self, chunk: Chunk) -> None:
        super().__init__()
        self._chunk = chunk

    def _at(self, token: lark.Token) -> Position:
        return _position(token, self._chunk)

    def no_promise(self, parts: list[lark.Token]) -> NoPromise:
        return NoPromise(str(parts[0])[1:-1].strip(), self._at(parts[0]))

    def attested(self, parts: list[Any]) -> Attested:
        return Attested(parts[0], parts[1], parts[0].at)

    def rule(self, parts: list[Any]) -> Statement:
        modal, verb, *rest = parts
        objects: tuple[Term, ...] = ()
        if rest and isinstance(rest[0], tuple):
            objects = rest.pop(0)
        phrases = tuple(part for part in rest if isinstance(part, Phrase))
        guard = next((part for part in rest if isinstance(part, syntax.Guard)), None)
        exceptions = rest[-1] if rest and isinstance(rest[-1], list) else []
        return Statement(
            cast(syntax.Modal, str(modal)), str(verb), objects, phrases, guard, tuple(exceptions), self._at(modal),
            self._at(verb),
        )  # fmt: skip

    def modal(self, parts: list[lark.Token]) -> lark.Token:
        return parts[0]

    prep = when = modal

    def phrase(self, parts: list[Any]) -> Phrase:
        only = len(parts) == 3
        preposition, content = parts[-2:]
        terms, span = ((), content) if isinstance(content, Span) else (content, None)
        return Phrase(str(preposition), terms, span, only, self._at(preposition))

    def exception(self, parts: list[Phrase]) -> list[Phrase]:
        return parts

    def guard(self, parts: list[Any]) -> syntax.Guard:
        return syntax.Guard("when" if parts[0] == "when" else "unless", parts[1])

    def otherwise(self, _: list[Any]) -> syntax.Guard:
        return syntax.Guard("otherwise")

    def fact(self, parts: list[Term]) -> syntax.Fact:
        return syntax.Fact(parts[0])

    def signed(self, parts: list[lark.Token]) -> syntax.Fact:
        token, at = parts[0], self._at(parts[0])
        anchor = _COMMENT.sub("", str(token)).partition("(")[2].removesuffix(")").strip()
        return syntax.Fact(Term(syntax.ATTESTED, (Term(anchor, at=at),), at))

    def compare(self, parts: list[Any]) -> syntax.Compare:
        word = Term(str(parts[0]), at=self._at(parts[0]))
        return syntax.Compare(word, cast(Any, str(parts[1])), parts[2])

    def negated(self, parts: list[syntax.Condition]) -> syntax.Not:
        return syntax.Not(parts[0])

    def all(self, parts: list[syntax.Condition]) -> syntax.AllOf:
        return syntax.AllOf(tuple(parts))

    def any(self, parts: list[syntax.Condition]) -> syntax.AnyOf:
        return syntax.AnyOf(tuple(parts))

    def terms(self, parts: list[Term]) -> tuple[Term, ...]:
        return tuple(parts)

    def term(self, parts: list[Any]) -> Term:
        return Term(str(parts[0]), tuple(parts[1:]), self._at(parts[0]))

    def named(self, parts: list[lark.Token]) -> syntax.Number:
        return syntax.Number(self._float(parts[1]), str(parts[0]))

    def number(self, parts: list[lark.Token]) -> syntax.Number:
        return syntax.Number(self._float(parts[0]))

    def span(self, parts: list[lark.Token]) -> Span:
        return Span(self._float(parts[0]), str(parts[1]), self._at(parts[0]))

    def _float(self, token: lark.Token) -> float:
        if len(token) > DIGITS:
            raise SyntaxFault(self._at(token), f"`{token}` is too long a number", f"write at most {DIGITS} digits")
        return float(token)


_SPELLED = {
    "WORD": "a word",
    "SIGNED": "`attested(ANCHOR)`",
    "NUMBER": "a number",
    "STRING": 'a reason in "quotes"',
    "CMP": "`<`, `<=`, `>` or `>=`",
    "COMMA": "`,`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "COLON": "`:`",
    "$END": "the end of the statement",
}


def _fault(error: lark.UnexpectedInput, chunk: Chunk) -> SyntaxFault:
    if isinstance(error, lark.UnexpectedToken):
        return _unexpected(error, chunk)
    line = getattr(error, "line", 1)
    column = getattr(error, "column", 1)
    text = chunk.text.split("\n")[line - 1]
    character = text[column - 1 : column]
    at = Position(chunk.line + line - 1, column + chunk.indent, 1)
    help = _CHARACTERS.get(character)
    if character.isupper() and (word := re.match(r"\w+", text[column - 1 :])):
        help = f"write it in small letters: `{word[0].lower()}`"
    help = help or 'words are lower-case letters, digits, `_` and `.`; a reason stands in "double quotes" on one line'
    return SyntaxFault(at, f"`{character}` cannot stand here", help)


def _unexpected(error: lark.UnexpectedToken, chunk: Chunk) -> SyntaxFault:
    token = error.token
    expected = sorted(error.accepts or error.expected)
    before = chunk.text[: token.start_pos] if token.type != "$END" and token.start_pos is not None else chunk.text
    after_number = bool(re.search(r"\d\s*$", before))
    if token.type == "$END":
        last = chunk.text.rstrip()
        line = last.count("\n")
        column = len(last) - (last.rfind("\n") + 1)
        at = Position(chunk.line + line, column + chunk.indent, 1)
        help = "expected a unit of time, as in `3 days`" if after_number else f"expected {_listed(expected)}"
        return SyntaxFault(at, "the statement stops too early", help)
    at = _position(token, chunk)
    if str(token) == syntax.ATTESTED and "SIGNED" in expected:
        help = "write `attested(ANCHOR)`: the anchor of one sentence that says `attested by …`, without `#`"
        return SyntaxFault(at, "after `attested` stands one anchor in parentheses", help)
    if "WORD" in expected and str(token) in syntax.KEYWORDS:
        comma = before.rstrip().endswith(",")
        help = "take the comma before it out" if comma else "a word of the front matter belongs here"
        return SyntaxFault(at, f"`{token}` is a keyword and cannot be used as a word here", help)
    if token.type in ("AND", "OR") and {"AND", "OR"} & set(expected):
        return SyntaxFault(at, "`and` and `or` are mixed", "put one of them in parentheses: `a and (b or c)`")
    near = nearest(str(token), (name.lower() for name in expected)) if token.type == "WORD" else None
    help = f"did you mean `{near}`?" if near else f"expected {_listed(expected)}"
    if token.type == "WORD" and str(token).removesuffix("s") in syntax.UNITS and not after_number:
        help = f"write the number in digits: `2 {token}`"
    return SyntaxFault(at, f"unexpected `{token}`", help)


_QUOTES = 'a reason stands between straight quotes: "…"'
_CHARACTERS = dict.fromkeys("“”„'‘’«»", _QUOTES) | {
    '"': 'a reason ends with `"` on the same line',
    ";": "each statement has a line of its own",
    "-": "write words with `_`: `order_note`",
    "=": "compare with `<`, `<=`, `>` or `>=`",
}


def _listed(expected: Iterable[str]) -> str:
    names = set(expected)
    prepositions = {name.upper() for name in syntax.PREPOSITIONS}
    words = [_SPELLED.get(name, f"`{name.lower()}`") for name in sorted(names - prepositions)]
    if prepositions <= names:
        words.append("a preposition (" + ", ".join(syntax.PREPOSITIONS) + ")")
    else:
        words += [f"`{name.lower()}`" for name in sorted(names & prepositions)]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


if __name__ == "__main__":
    TABLE.write_text(dump(), "utf-8")
