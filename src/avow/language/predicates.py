"""Custom predicates: words of conditions that a Python function answers, published with the policy.

    predicates:
      deliverable: {arguments: 1, function: "predicates.py:deliverable", fingerprint: "sha256:…"}

The front matter names the function and the fingerprint of its file, so that the policy's text alone says what was
published: other code under the same text is a fault, never a silent change. The fingerprint is the SHA-256 of the
whole file as UTF-8, its line ends line feeds, because a function is no more than the helpers that it calls.

Nothing is run here. What was hashed is kept as text, and that text is what the engine compiles: a file that is swapped
afterwards changes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from avow.language.signature import Reader, inspect
from avow.language.syntax import Compare, Position, Statement, Term, atoms
from avow.language.vocabulary import BUILT_IN_PREDICATES

Fault = Callable[[Position, str, str | None], None]
#: What the front matter says for a key, and where.
Said = tuple[str, Position]

#: The largest file of predicates, in bytes.
LARGEST = 256 * 1024
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}\Z")
_FUNCTION = re.compile(r"(?P<file>[\w.+-]+(/[\w.+-]+)*\.py):(?P<function>[^\W\d]\w*)\Z")


@dataclass(frozen=True, slots=True)
class Predicate:
    """A declared predicate that has a function.

    `file` is relative to the policy's folder, with `/`. `fingerprint` is `sha256:` and 64 hexadecimal digits, as the
    policy was published with it, or empty if the front matter has none that can be read (a fault).
    """

    name: str
    arguments: int
    file: str
    function: str
    fingerprint: str
    at: Position
    fingerprint_at: Position


@dataclass(frozen=True, slots=True)
class Code:
    """What answers one predicate: the text of the whole file, and the line of the function in it.

    `measures` tells whether it gives a number; otherwise it answers yes or no.
    """

    predicate: Predicate
    text: str
    line: int
    measures: bool


def declare(
    name: str, arguments: int, function: Said | None, fingerprint: Said | None, fault: Fault
) -> Predicate | None:  # fmt: skip
    """The predicate that the front matter describes, if it has a function that can be one; faults go to `fault`."""
    if function is None:
        if fingerprint is not None:
            fault(fingerprint[1], f"`{name}` has a fingerprint and no function", 'add `function: "predicates.py:…"`')
        return None
    text, at = function
    if name in BUILT_IN_PREDICATES:
        fault(at, f"`{name}` is a word of every policy; its answer is not replaced by a function",
              "choose another word for what the function answers")  # fmt: skip
        return None
    found = _FUNCTION.match(text)
    if found is None or ".." in PurePosixPath(found["file"]).parts:
        fault(at, f"`{text}` is no function beside the policy",
              f"write `predicates.py:{name}`: a file in the policy's folder or below, a function in it")  # fmt: skip
        return None
    digest, digest_at = fingerprint or ("", at)
    known = digest if _FINGERPRINT.match(digest) else ""
    return Predicate(name, arguments, found["file"], found["function"], known, at, digest_at)


def check(predicates: Iterable[Predicate], folder: Path | None, fault: Fault) -> dict[str, Code]:
    """The code of the predicates, by their names; without a folder, none. Faults go to `fault`.

    Those are: a file that is missing, too large or outside the folder, a function that is missing, that has another
    signature than it needs or that is plainly not pure, a fingerprint that is missing or is not that of the file.
    """
    code: dict[str, Code] = {}
    readers: dict[str, Reader | Unreadable] = {}
    for predicate in predicates:
        if folder is None:
            if not predicate.fingerprint:
                fault(*_unprinted(predicate, None))
            continue
        if predicate.file not in readers:
            readers[predicate.file] = _reader(folder, predicate.file)
        reader = readers[predicate.file]
        if isinstance(reader, Unreadable):
            fault(predicate.at, reader.message, reader.help)
            continue
        actual = fingerprint(reader.text)
        faults = [(predicate.at, *said) for said in reader.faults]
        signature = inspect(reader, predicate.function, predicate.arguments)
        faults += [(predicate.at, *said) for said in signature.faults]
        if not predicate.fingerprint:
            faults.append(_unprinted(predicate, actual))
        elif predicate.fingerprint != actual:
            message = f"the code of `{predicate.name}` is no longer what the policy was published with"
            help = f'if it is meant, raise `version` and write `fingerprint: "{actual}"`; if not, put the code back'
            faults.append((predicate.fingerprint_at, message, help))
        for each in faults:
            fault(*each)
        if not faults:
            code[predicate.name] = Code(predicate, reader.text, signature.line, signature.measures)
    return code


def misused(statements: Iterable[Statement], code: dict[str, Code]) -> Iterator[tuple[Position, str, str]]:
    """Rules that compare what answers yes or no, or ask for a yes or no what gives a number."""
    for statement in statements:
        for term, compared in asked(statement):
            found = code.get(term.name)
            if found is None or found.measures is compared:
                continue
            if compared:
                help = f"write `{term.name}`, or let its function return `float | None`"
                yield term.at, f"`{term.name}` answers yes or no and cannot be compared", help
            else:
                yield term.at, f"`{term.name}` is a number, not a yes or no", f"compare it: `{term.name} > 1`"


def asked(statement: Statement) -> Iterator[tuple[Term, bool]]:
    """The words that a rule asks the facts for, each with whether it compares it with a number."""
    condition = statement.guard.condition if statement.guard else None
    for atom in atoms(condition) if condition else ():
        yield (atom.word, True) if isinstance(atom, Compare) else (atom.term, False)
    for phrase in statement.phrases:
        if phrase.preposition in ("before", "after"):
            yield from ((term, False) for term in phrase.terms)


def fingerprint(text: str) -> str:
    """The fingerprint of a file's text, whose line ends are line feeds."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8')).hexdigest()}"


class Unreadable(Exception):
    """A file of predicates that cannot be used."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


def _unprinted(predicate: Predicate, actual: str | None) -> tuple[Position, str, str]:
    message = f"the function of `{predicate.name}` has no fingerprint"
    if predicate.fingerprint_at != predicate.at:
        message = f"the fingerprint of `{predicate.name}` is not `sha256:` and 64 hexadecimal digits"
    written = f'write `fingerprint: "{actual}"`' if actual else "`avow check` says what it has to be"
    return predicate.fingerprint_at, message, f"{written}: the policy is published with its code"


def _reader(folder: Path, file: str) -> Reader | Unreadable:
    try:
        return Reader(file, _text(folder, file))
    except Unreadable as error:
        return error


def _text(folder: Path, file: str) -> str:
    """The text of a file in a folder. Raises Unreadable."""
    try:
        here = folder.resolve()
        path = (here / file).resolve(strict=True)
        if not path.is_relative_to(here):  # a link would let the code of one policy be changed from elsewhere
            raise Unreadable(f"`{file}` leads out of the policy's folder", "put the file itself beside the policy")
        if not path.is_file():  # reading a pipe would wait for ever
            raise Unreadable(f"`{file}` is not a file", "name the file that holds the function")
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            message = f"`{file}` is larger than {LARGEST // 1024} KiB"
            raise Unreadable(message, "a predicate is a few lines: keep its file to what it needs")
        return data.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        message, help = f"there is no file `{file}` beside the policy", "write the file, or correct its name"
    except UnicodeDecodeError as error:
        message, help = f"`{file}` is not UTF-8 text: byte {error.start} is wrong", "save the file as UTF-8"
    except OSError as error:
        message, help = f"cannot read `{file}`: {error.strerror}", "check the file and its permissions"
    except RuntimeError:  # how Python before 3.13 tells that links go round in a circle
        message, help = f"`{file}` is a link that leads to itself", "put the file itself beside the policy"
    raise Unreadable(message, help)
