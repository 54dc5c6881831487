"""`avow trace`: each promise row with the sentences and rules that make it and the tests that show it.

The rows are data (`sites/promises.yaml`); sentences name their rows in the policies (`sites/*/policy.md`); tests name
theirs with `@pytest.mark.promise("I2", "holds")`, or in a module's or class's `pytestmark`. Tests are found by reading
their source, not by running it.
"""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from avow.errors import SetupError

KINDS = ("works", "holds")

#: (row, kind) to the pytest ids of the tests that show it.
Tests = Mapping[tuple[str, str], list[str]]


@dataclass(frozen=True, slots=True)
class Promise:
    """One row of the table. `kinds` are letters: E enforced, A attested, N notice, I information.

    `works` and `holds` say what the row's two tests show; a row of information has neither.
    """

    row: str
    site: str
    kinds: tuple[str, ...]
    promise: str
    works: str | None = None
    holds: str | None = None


@dataclass(slots=True)
class Line:
    """One promise with what was found for it: anchors of sentences, texts of rules, ids of tests by kind."""

    promise: Promise
    sentences: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    tests: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def as_json(self) -> dict[str, object]:
        """The line as `avow trace --json` prints it."""
        row, site = self.promise.row, self.promise.site
        return {"row": row, "site": site, "sentences": self.sentences, "rules": self.rules, "tests": self.tests}


def read_promises(root: Path) -> tuple[Promise, ...]:
    """Every row of `sites/promises.yaml`, in its order. Raises SetupError when the table is not there."""
    file = root / "sites" / "promises.yaml"
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        help = "run `avow trace` at the root of the repository, or name it: --root DIR"
        raise SetupError(f"cannot read the promise table {file}: {error.strerror}", help=help) from None
    return tuple(
        Promise(item["id"], item["site"], tuple(item["kind"]), item["promise"], item.get("works"), item.get("holds"))
        for item in yaml.safe_load(text)
    )


def read_tests(root: Path, rows: frozenset[str]) -> Tests:
    """The marked tests under `tests/` and `sites/`. Raises SetupError for a mark of no known row or kind."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    files = sorted(file for folder in ("tests", "sites") for file in (root / folder).rglob("test_*.py"))
    for file in files:
        name = file.relative_to(root).as_posix()
        for test, row, kind, line in _marked(ast.parse(file.read_bytes(), name)):
            if row not in rows or kind not in KINDS:
                help = "a row of sites/promises.yaml and `works` or `holds`, for example promise('I2', 'holds')"
                raise SetupError(f"{name}:{line}: the mark promise({row!r}, {kind!r}) names no promise", help=help)
            identifier = f"{name}::{test}"
            if identifier not in found[row, kind]:
                found[row, kind].append(identifier)
    return found


def _marked(
    scope: ast.Module | ast.ClassDef, prefix: str = "", inherited: tuple[ast.expr, ...] = ()
) -> Iterator[tuple[str, str, str, int]]:
    """Every (test, row, kind, line) in a module or class, marks of the surrounding scopes included."""
    own = [
        node.value
        for node in scope.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _assigns_pytestmark(node)
    ]
    inherited = (*inherited, *own)
    for node in scope.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _marked(node, f"{prefix}{node.name}::", (*inherited, *node.decorator_list))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            for expression in (*inherited, *node.decorator_list):
                for row, kind, line in _promises(expression):
                    yield prefix + node.name, row, kind, line


def _assigns_pytestmark(node: ast.Assign | ast.AnnAssign) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in targets)


def _promises(expression: ast.expr) -> Iterator[tuple[str, str, int]]:
    """The promise marks anywhere in an expression: alone, in a list, or inside pytest.param(..., marks=...)."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.promise":
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            row, kind, *_ = [*(str(word.value) if isinstance(word, ast.Constant) else "" for word in given), "", ""]
            yield row, kind, node.lineno


def read_lines(root: Path) -> list[Line]:
    """One line per promise row. Raises SetupError for a sentence or mark of no known row, PolicyError as `check`."""
    from avow.engine import Policy

    promises = read_promises(root)
    lines = {promise.row: Line(promise) for promise in promises}
    for file in sorted(root.glob("sites/*/policy.md")):
        policy = Policy.load(file)
        for sentence in policy.sentences:
            for row in sentence.rows:
                if row not in lines:
                    place = f"{file.relative_to(root)}:{sentence.line}"
                    raise SetupError(f"{place}: `{row}` is no promise row", help="take one of sites/promises.yaml")
                lines[row].sentences.append(sentence.anchor)
                lines[row].rules += [rule.text for rule in policy.rules_of(sentence.anchor)]
    for (row, kind), tests in read_tests(root, frozenset(lines)).items():
        lines[row].tests[kind] += tests
    return list(lines.values())


def trace(root: Path, site: str | None, as_json: bool) -> int:
    """Print the lines, of one site or all, as a table or as JSON. Returns the exit status, 0."""
    lines = read_lines(root)
    if site is not None:
        sites = sorted({line.promise.site for line in lines})
        if site not in sites:
            raise SetupError(f"no promise is of a site `{site}`", help=f"the sites are {', '.join(sites)}")
        lines = [line for line in lines if line.promise.site == site]
    if as_json:
        print(json.dumps([line.as_json() for line in lines], indent=2, ensure_ascii=False))
    else:
        _print_table(lines)
    return 0


def _print_table(lines: list[Line]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("row", "site", "promise", "sentences", "rules", *KINDS, highlight=False)
    for line in lines:
        promise = line.promise
        counts = (len(line.rules), *(len(line.tests[kind]) for kind in KINDS))
        cells = [promise.row, promise.site, promise.promise, "\n".join(line.sentences) or "–"]
        table.add_row(*cells, *(str(count) if count else "–" for count in counts))
    Console(highlight=False).print(table)
    shown = sum(1 for line in lines if line.sentences and all(line.tests.values()))
    testable = sum(1 for line in lines if line.promise.works)
    print(f"{shown} of {testable} testable promises have a sentence, a `works` test and a `holds` test")
