"""The signature that a predicate's function must have, and what a pure function does not use."""

from __future__ import annotations

import pytest

from avow.language.signature import Reader, inspect

LONGER = """\
import math, re
from collections.abc import Mapping
from avow import Facts
from avow.values import Facts
def ok(facts: Facts) -> bool | None:
    def more(*some, **others):
        return len(some)
    return more() > 1
"""


def told(code: str, arguments: int = 1) -> list[str]:
    """Everything that is said about the function `ok` of a file."""
    reader = Reader("predicates.py", code)
    return [message for message, _ in [*reader.faults, *inspect(reader, "ok", arguments).faults]]


@pytest.mark.parametrize(
    ("code", "arguments", "measures"),
    [
        ("def ok(facts: Facts, one: str) -> bool | None: ...", 1, False),
        ("def ok(facts: 'Facts', /, one: 'str') -> 'None | bool': ...", 1, False),
        ("def ok(facts: avow.Facts, one: str, two: str) -> bool | None: ...", 2, False),
        ("def ok(facts: Facts) -> bool | None: ...", 0, False),
        ("def ok(facts: Facts) -> float | None: ...", 0, True),
        (LONGER, 0, False),
    ],
)
def test_a_function_of_the_facts_and_texts_will_do(code: str, arguments: int, measures: bool) -> None:
    found = inspect(Reader("predicates.py", code), "ok", arguments)
    assert (found.faults, found.measures) == ([], measures)
    assert code.split("\n")[found.line - 1].startswith("def ok")


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("def ok(facts: Facts) -> bool | None: ...", "has 1 parameter; the facts and 1 argument make 2"),
        ("def ok(facts: Facts, a: str, b: str) -> bool | None: ...", "has 3 parameters"),
        ("def ok() -> bool | None: ...", "has no parameters"),
        ("def ok(facts: Facts, one: str = '') -> bool | None: ...", "default parameters"),
        ("def ok(facts: Facts, *one: str) -> bool | None: ...", "has `*`"),
        ("def ok(facts: Facts, one: str, **more: str) -> bool | None: ...", "has `*`"),
        ("def ok(facts: Facts, *, one: str) -> bool | None: ...", "keyword-only"),
        ("def ok(facts, one: str) -> bool | None: ...", "is not annotated `Facts` for the facts and `str`"),
        ("def ok(facts: dict, one: str) -> bool | None: ...", "is not annotated"),
        ("def ok(facts: Facts, one: int) -> bool | None: ...", "is not annotated"),
        ("def ok(facts: Facts, one: '(') -> bool | None: ...", "is not annotated"),
        ("def ok(facts: Facts, one: str): ...", "does not say `-> bool | None`"),
        ("def ok(facts: Facts, one: str) -> bool: ...", "does not say `-> bool | None`"),
        ("def ok(facts: Facts, one: str) -> str | None: ...", "does not say `-> bool | None`"),
        ("def ok(facts: Facts, one: str) -> float | None: ...", "does not say `-> bool | None`"),
        ("async def ok(facts: Facts, one: str) -> bool | None: ...", "is `async`"),
        ("@cache\ndef ok(facts: Facts, one: str) -> bool | None: ...", "has a decorator"),
        (2 * "def ok(facts: Facts, one: str) -> bool | None: ...\n", "is defined twice"),
        ("def ok(facts: Facts, one: str) -> " + "a | " * 3000 + "None: ...", "predicates.py"),
    ],
)
def test_any_other_signature_is_told_with_the_right_one(definition: str, said: str) -> None:
    reader = Reader("predicates.py", definition)
    faults = [*reader.faults, *inspect(reader, "ok", 1).faults]
    assert any(said in message for message, _ in faults), faults
    help = "write `def ok(facts: Facts, argument: str) -> bool | None`"
    assert all(found in (help, "save it as plain text, nested less deeply") for _, found in faults)


def test_a_number_is_offered_to_what_takes_no_arguments() -> None:
    ((_, help),) = inspect(Reader("predicates.py", "def ok(facts: Facts) -> int | None: ..."), "ok", 0).faults
    assert help == (
        "write `def ok(facts: Facts) -> bool | None`; `-> float | None` if it is to be compared with a number"
    )


@pytest.mark.parametrize("code", ["", "okk = 1", "class ok: ...", "if True:\n    def ok(facts): ...", "ok = max"])
def test_what_is_not_defined_at_the_margin_is_missing(code: str) -> None:
    assert told(code) == ["`predicates.py` has no function `ok`"]


def test_a_near_name_is_offered() -> None:
    ((_, help),) = inspect(Reader("predicates.py", "def within_scop(): ..."), "within_scope", 0).faults
    assert help == "did you mean `within_scop`?"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import os", "imports `os`, which its fingerprint would not cover"),
        ("import time, math", "imports `time`"),
        ("import os.path", "imports `os.path`"),
        ("from random import random", "imports `random`"),
        ("from . import areas", "imports `.`"),
        ("from .areas import NEAR", "imports `.areas`"),
        ("from areas import NEAR", "imports `areas`"),
        ("import avow", "imports `avow`"),
        ("from avow import Site", "imports `avow.Site`"),
        ("LIST = open('list').read()", "uses `open`"),
        ("__import__('os')", "uses `__import__`"),
        ("exec('1')", "uses `exec`"),
        ("print(1)", "uses `print`"),
        ("def f():\n    global x\n    x = 1", "changes a global name"),
        ("from datetime import date\nTODAY = date.today()", "asks for `today`"),
    ],
)
def test_what_a_fingerprint_does_not_cover_is_not_used(line: str, said: str) -> None:
    (found,) = told(f"{line}\ndef ok(facts: Facts, one: str) -> bool | None: ...")
    assert said in found


@pytest.mark.parametrize("code", ["def ok(:", "x = '\0'", "(" * 5000, "x = " + "-" * 200_000 + "1"])
def test_what_is_no_python_is_told_once(code: str) -> None:
    (found,) = told(code)
    assert found.startswith("`predicates.py` ")
