"""Custom predicates at work: the functions that a policy was published with answer words of its conditions.

    facts = policy.facts({"distance": 12.0})
    facts.get("deliverable(address)")      # what `predicates.py:deliverable` says to these facts, asked once

A function sees what the unit of work supplied, read-only, and not what other functions answer: it may call them
instead. So nothing can go round in a circle, no answer depends on which was asked first, and the fingerprint of a file
covers all that its answers depend on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

from avow.errors import PolicyError, SetupError
from avow.language.predicates import Code, Predicate
from avow.language.rules import Reading
from avow.values import NO_FACTS, Diagnostic, Facts

log = logging.getLogger("avow.predicates")

Answer = bool | float | None


@dataclass(frozen=True, slots=True)
class _Function:
    code: Code
    call: Callable[..., Any]


class Predicates:
    """The functions of one policy. Safe to share between threads."""

    def __init__(self, reading: Reading) -> None:
        """Load the code that was checked.

        Raises:
            PolicyError: it cannot be loaded, or puts something else in a function's place.
        """
        self.declared: Mapping[str, Predicate] = MappingProxyType(reading.front.predicates)
        self._functions = dict(_load(reading))
        self._reported: set[tuple[str, str]] = set()

    def facts(self, base: Facts, supposed: Facts = NO_FACTS) -> Facts:
        """The facts of `base`, and answers to the words that have a function; see `Policy.facts`."""
        if not self.declared:
            return {**base, **supposed} if supposed else base
        for key in base:
            declared = self.declared.get(key.partition("(")[0])
            if declared is not None:
                raise SetupError(
                    f"`{key}` was given as a fact, and is for the policy's own code to answer "
                    f"(`{declared.file}`, `{declared.function}`)",
                    help="leave it out, and give the facts that the function asks for",
                )
        return _Answers(base, supposed, self._ask) if self._functions or supposed else base

    def _ask(self, key: str, facts: Facts) -> Answer:
        """What the function of a word says; None, for unknown, if it fails or gives something else.

        Raises KeyError if the word has no function.
        """
        name, arguments = _parts(key)
        function = self._functions[name]
        if len(arguments) != function.code.predicate.arguments:
            raise KeyError(key)
        try:
            value = function.call(facts, *arguments)
        except Exception as error:  # noqa: BLE001 - whatever a function raises, its answer is unknown
            self._report(function.code, f"failed with {type(error).__name__}{_line(error, function.call)}")
            return None
        wanted = (float, int) if function.code.measures else bool
        if value is None or (type(value) is bool if wanted is bool else _is_number(value)):
            return value  # type: ignore[no-any-return]  # its type was looked at
        self._report(
            function.code, f"gave `{type(value).__name__}`, {'no yes or no' if wanted is bool else 'no number'}"
        )
        return None

    def _report(self, code: Code, what: str) -> None:
        """Say once what is wrong with a function. Neither its message nor a traceback: they may hold facts."""
        predicate = code.predicate
        if (predicate.name, what) not in self._reported:
            self._reported.add((predicate.name, what))
            log.error("the predicate %s (%s, %s) %s: its answer counts as unknown, which denies",
                      predicate.name, predicate.file, predicate.function, what)  # fmt: skip


class _Answers(Mapping[str, Answer]):
    """Facts of one moment: each function is asked at most once for each spelling of its word."""

    __slots__ = ("_answers", "_ask", "_base", "_view")

    def __init__(self, base: Facts, supposed: Facts, ask: Callable[[str, Facts], Answer]) -> None:
        self._base = base
        self._view = MappingProxyType(base)
        self._answers: dict[str, Answer] = dict(supposed)
        self._ask = ask

    def __getitem__(self, key: str) -> Answer:
        if key in self._base:
            return self._base[key]
        if key not in self._answers:
            self._answers[key] = self._ask(key, self._view)
        return self._answers[key]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._base, **self._answers})

    def __len__(self) -> int:
        return len({**self._base, **self._answers})


def _load(reading: Reading) -> Iterator[tuple[str, _Function]]:
    modules: dict[str, ModuleType] = {}
    faults: list[Diagnostic] = []
    for name, code in reading.front.code.items():
        predicate = code.predicate
        try:
            module = modules.get(predicate.file) or _run(code)
        except Exception as error:  # noqa: BLE001 - whatever it raises is a fault of the policy
            message = f"the code of `{name}` cannot be loaded: {type(error).__name__}: {error}"
            help = f"correct `{predicate.file}`, and write its new fingerprint"
            faults.append(reading.diagnostic(predicate.at, message, help))
            continue
        modules[predicate.file] = module
        found = module.__dict__.get(predicate.function)
        if type(found) is FunctionType and found.__code__.co_firstlineno == code.line:
            yield name, _Function(code, found)
        else:
            message = f"`{predicate.function}` is not the function any more that `{predicate.file}` defines"
            faults.append(reading.diagnostic(predicate.at, message, "do not give its name to anything else"))
    if faults:
        raise PolicyError(tuple(faults))


def _run(code: Code) -> ModuleType:
    """Run a file as a module that nobody can import, and that leaves nothing behind.

    What is compiled is the text that was hashed. Its name is no path, so that a traceback never shows lines of a file
    that has been exchanged since.
    """
    predicate = code.predicate
    module = ModuleType(f"avow_predicates_{predicate.fingerprint[-16:]}")
    compiled = compile(code.text, f"<{predicate.file}>", "exec", dont_inherit=True)
    exec(compiled, module.__dict__)  # noqa: S102 - the code that the policy is published with; this is its purpose
    return module


@lru_cache(maxsize=1024)  # rules ask for the same few words again and again
def _parts(key: str) -> tuple[str, tuple[str, ...]]:
    """A word and its arguments as they are spelled: `fits(parcel(2), van)` has two."""
    name, parenthesis, rest = key.partition("(")
    if not parenthesis:
        return name, ()
    arguments, depth = [""], 0
    for character in rest.removesuffix(")"):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            arguments.append("")
        else:
            arguments[-1] += character
    return name, tuple(argument.strip() for argument in arguments)


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and value == value


def _line(error: Exception, function: Callable[..., Any]) -> str:
    """Where in the file an error arose."""
    own, line, trace = function.__code__.co_filename, None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == own:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f" at line {line}" if line else ""
