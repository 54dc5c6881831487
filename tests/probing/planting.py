"""Planting a hole: a patch of one function's source, applied in this process and taken back after the test.

The source of the function is read, one piece of it that occurs once is replaced, and the code is compiled and put into
the same function object: whoever has imported it runs the patched code. So a hole is planted as `make mutate` plants
one, and a hundred of them cost no process each.
"""

from __future__ import annotations

import importlib
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any


@dataclass(frozen=True, slots=True)
class Hole:
    """A hole of one kind.

    Attributes:
        kind: what it lets happen.
        where: `module:function` or `module:Class.method`.
        find, replace: the piece of its source, which occurs once, and what stands there instead.
        family: the family of probes that has to find it.
        probe: the name of the probe, and with it of the finding.
        sentence: an anchor that a finding has to name; empty where the guard is the same for every site.
    """

    kind: str
    where: str
    find: str
    replace: str
    family: str
    probe: str
    sentence: str = ""

    def __str__(self) -> str:
        return self.kind


@contextmanager
def planted(hole: Hole) -> Iterator[None]:
    """The patch, while the block lasts."""
    function = _function(hole.where)
    before = function.__code__
    function.__code__ = _patched(function, hole)
    try:
        yield
    finally:
        function.__code__ = before


def _function(where: str) -> FunctionType:
    module, _, path = where.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = inspect.getattr_static(found, name)
    found = getattr(found, "__func__", getattr(found, "fget", None) or found)
    assert isinstance(found, FunctionType), where
    return found


def _patched(function: FunctionType, hole: Hole) -> CodeType:
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(hole.find) == 1, f"{hole.kind}: found {source.count(hole.find)} times in {hole.where}"
    changed = source.replace(hole.find, hole.replace)
    frame = f"from __future__ import annotations\nclass Frame:\n{textwrap.indent(changed, '    ')}"
    scope: dict[str, Any] = {}
    exec(compile(frame, hole.where, "exec"), {**function.__globals__}, scope)
    made = inspect.getattr_static(scope["Frame"], function.__name__)
    made = getattr(made, "__func__", getattr(made, "fget", None) or made)
    code: CodeType = made.__code__
    assert code.co_freevars == function.__code__.co_freevars, hole.kind
    return code
