"""Reads the source of predicates without running it: the function's signature, and what a pure function does not use.

What is refused here are mistakes, not attacks: the code runs in the service's process with all its rights. Imports
are limited because a fingerprint covers one file: what that file imports from elsewhere could change without it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from avow.language.suggest import did_you_mean

#: What a file of predicates may import: parts of Python that know no clock, chance, file or network, and our types.
IMPORTS = (
    "__future__", "avow.Facts", "avow.values", "bisect", "collections", "collections.abc", "dataclasses", "datetime",
    "decimal", "enum", "fractions", "functools", "itertools", "math", "operator", "re", "string", "typing",
)  # fmt: skip
#: Built-in functions that reach out of a pure function, or around this check.
REACHING = frozenset(
    ("__import__", "breakpoint", "compile", "eval", "exec", "globals", "input", "locals", "open", "print", "vars")
)
CLOCKS = frozenset(("now", "today", "utcnow"))

#: A message and how to put it right.
Told = tuple[str, str | None]


class Reader:
    """The source of one file: its text, its syntax tree (empty if it has none), and what is wrong with it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.tree = ast.Module([], [])
        self.faults: list[Told] = []
        try:
            self.tree = ast.parse(text, file)
        except SyntaxError as error:
            self.faults.append((f"`{file}` line {error.lineno or 1} is not Python: {error.msg}", "correct the line"))
        except (ValueError, RecursionError, MemoryError):  # a null byte; thousands of nested brackets
            self.faults.append((f"`{file}` cannot be read as Python", "save it as plain text, nested less deeply"))
        else:
            self.faults += [(f"`{file}` line {line} {what}", help) for line, what, help in _impure(self.tree)]

    @property
    def readable(self) -> bool:
        """Whether it is Python at all."""
        return bool(self.tree.body) or not self.faults


@dataclass(slots=True)
class Signature:
    """Where a function begins and whether it gives a number; or what is wrong with it."""

    line: int = 0
    measures: bool = False
    faults: list[Told] = field(default_factory=list)


def inspect(reader: Reader, name: str, arguments: int) -> Signature:
    """The signature of the function `name`, which has to take the facts and `arguments` texts."""
    found = Signature()
    if not reader.readable:
        return found
    defined = [node for node in reader.tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    own = [node for node in defined if node.name == name]
    if not own:
        help = did_you_mean(name, [node.name for node in defined])
        found.faults.append((f"`{reader.file}` has no function `{name}`", help or f"write {_wanted(name, arguments)}"))
        return found
    function = own[-1]
    found.line = function.lineno
    try:
        returned = _members(function.returns)
        wrong = list(_wrong(function, len(own), arguments, returned))
    except RecursionError:
        returned, wrong = set(), ["has annotations that are nested too deeply"]
    found.measures = returned == {"float", "None"}
    for what in wrong:
        told = f"`{name}` (`{reader.file}` line {function.lineno}) {what}"
        found.faults.append((told, f"write {_wanted(name, arguments)}"))
    return found


def _wanted(name: str, arguments: int) -> str:
    names = [f"argument{number if arguments > 1 else ''}: str" for number in range(1, arguments + 1)]
    number = "" if arguments else "; `-> float | None` if it is to be compared with a number"
    return f"`def {name}({', '.join(['facts: Facts', *names])}) -> bool | None`{number}"


def _wrong(
    function: ast.FunctionDef | ast.AsyncFunctionDef, times: int, arguments: int, returned: set[str]
) -> Iterator[str]:
    if times > 1:
        yield "is defined twice"
    if isinstance(function, ast.AsyncFunctionDef):
        yield "is `async`: it cannot wait for anything"
    if function.decorator_list:
        yield "has a decorator, which would put something else in its place"
    said = function.args
    if said.vararg or said.kwarg or said.kwonlyargs or said.defaults:
        yield "has `*`, `**`, keyword-only or default parameters"
    given = [*said.posonlyargs, *said.args]
    if len(given) != arguments + 1:
        wanted = f"the facts and {_counted(arguments, 'argument')} make {arguments + 1}"
        yield f"has {_counted(len(given), 'parameter')}; {wanted}"
    elif [_members(each.annotation) for each in given] != [{"Facts"}, *[{"str"}] * arguments]:
        yield "is not annotated `Facts` for the facts" + (" and `str` for each argument" if arguments else "")
    if returned != {"bool", "None"} and not (returned == {"float", "None"} and not arguments):
        yield "does not say `-> bool | None`, where None is unknown"


def _members(annotation: ast.expr | None) -> set[str]:
    """The names in an annotation, those that `|` joins one by one: `values.Facts` is `Facts`."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        quoted = annotation.value
        try:
            annotation = ast.parse(quoted, mode="eval").body
        except (SyntaxError, ValueError):
            return {quoted}
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _members(annotation.left) | _members(annotation.right)
    if isinstance(annotation, ast.Attribute):
        return {annotation.attr}
    return set() if annotation is None else {ast.unparse(annotation)}


def _impure(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """What plainly is no part of a pure function: its line, what it does, what to do."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name in _imported(node):
                if name not in IMPORTS:
                    help = f"a predicate may import: {', '.join(IMPORTS[1:])}"
                    yield node.lineno, f"imports `{name}`, which its fingerprint would not cover", help
        elif isinstance(node, ast.Name) and node.id in REACHING:
            yield node.lineno, f"uses `{node.id}`", "a predicate is a pure function of the facts and its arguments"
        elif isinstance(node, ast.Global):
            yield node.lineno, "changes a global name", "a predicate keeps nothing between two calls"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield node.lineno, f"asks for `{node.func.attr}`", "time is a fact: let the unit of work supply it"


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.module == "avow" and not node.level:
        return [f"avow.{alias.name}" for alias in node.names]
    return ["." * node.level + (node.module or "")]


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'s' * (number != 1)}"
