"""`make mutate`: loosens each rule and each guard, one at a time, and expects the row's `holds` tests to notice.

Rules come from the policies (`tools/loosen.py`), guards from the patches in `tests/mutations.py`. Each is applied in a
scratch copy of the tree, never here. A loosening that no test notices is a survivor: the promise is not tested there.
A `holds` test that no loosening breaks proves nothing. Either makes the run fail.

    python -m tools.mutate [ROW,...]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from compileall import compile_dir
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue
from xml.etree import ElementTree as ET

from avow.errors import AvowError, SetupError
from tests.mutations import MUTATIONS, Mutation
from tools.loosen import loosenings

WORKERS = 2
SECONDS_PER_RUN = 900
SECONDS_FOR_ALL = 3600
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "var", "build", "dist")


@dataclass(frozen=True, slots=True)
class Change:
    """One loosening of one file: its whole new text, and the rows whose `holds` tests must notice."""

    rows: tuple[str, ...]
    file: str
    what: str
    text: str


@dataclass(slots=True)
class Report:
    """What the runs showed. Tests are pytest's (class, name) joined by `::`."""

    caught: int = 0
    survivors: list[str] = field(default_factory=list)
    broken_runs: list[str] = field(default_factory=list)
    untested_rows: set[str] = field(default_factory=set)
    tests: set[str] = field(default_factory=set)
    noticing: set[str] = field(default_factory=set)

    @property
    def idle_tests(self) -> list[str]:
        """The `holds` tests that no loosening broke."""
        return sorted(self.tests - self.noticing)

    @property
    def passed(self) -> bool:
        """Every loosening noticed, every test noticing."""
        return not (self.survivors or self.broken_runs or self.idle_tests)


def rule_changes(root: Path) -> Iterator[Change]:
    """Every looser version of every site's policy."""
    for file in sorted(root.glob("sites/*/policy.md")):
        name = file.relative_to(root).as_posix()
        for loosening in loosenings(file):
            yield Change(loosening.rows, name, f"{name}:{loosening.line}: {loosening.change}", loosening.text)


def guard_changes(root: Path, mutations: Iterable[Mutation]) -> Iterator[Change]:
    """Every listed patch. Raises SetupError when its text does not occur exactly once."""
    for mutation in mutations:
        text = (root / mutation.file).read_text(encoding="utf-8")
        count = text.count(mutation.find)
        if count != 1:
            help = "bring the patch in tests/mutations.py in line with the source"
            raise SetupError(f"{mutation.file}: `{mutation.find}` occurs {count} times, not once", help=help)
        what = f"{mutation.file}:{text[: text.index(mutation.find)].count(chr(10)) + 1}: {mutation.why}"
        yield Change((mutation.row,), mutation.file, what, text.replace(mutation.find, mutation.replace))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: pytest's status (0 passed, 1 failed, 5 no tests, -1 no end), its tests, the failed ones, its output.

    Each test has the rows whose promises it holds.
    """

    status: int
    tests: Mapping[str, frozenset[str]]
    failed: frozenset[str]
    output: str


def run_holds(
    tree: Path, rows: Iterable[str], files: Iterable[str] = (), options: Iterable[str] = (), *, limit: int
) -> Outcome:
    """Run the `holds` tests of some rows in a tree, for `limit` seconds; its own `src` goes before any installed one.

    With `files` only these are looked into for tests: reading all of them takes longer than running a row's.
    `options` are more of pytest's.
    """
    report = tree / "mutate-report.xml"
    report.unlink(missing_ok=True)
    selection = ",".join(f"{row}:holds" for row in rows)
    # No byte code is written: two edits within one second would leave a stale file behind.
    environment = {**os.environ, "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{tree}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    command += options
    try:
        done = subprocess.run(
            [*command, "--promise", selection, *sorted(files)],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(-1, {}, frozenset(), f"no end after {limit} seconds")
    cases = [*ET.parse(report).getroot().iter("testcase")] if report.exists() else []  # noqa: S314 - our own file
    names = [f"{case.get('classname')}::{case.get('name')}" for case in cases]
    tests = {name: _rows(case) for name, case in zip(names, cases, strict=True)}
    failed = (name for name, case in zip(names, cases, strict=True) if case.findall("failure") or case.findall("error"))
    return Outcome(done.returncode, tests, frozenset(failed), done.stdout + done.stderr)


def _rows(case: ET.Element) -> frozenset[str]:
    """The rows of a test's `holds` marks, which `conftest.py` writes into the report."""
    marks = (mark.get("value", "").split(":") for mark in case.iterfind("properties/property[@name='promise']"))
    return frozenset(row for row, kind in marks if kind == "holds")


@contextmanager
def scratch_trees(root: Path, count: int) -> Iterator[SimpleQueue[Path]]:
    """Copies of the tree, handed out one per running test process."""
    with tempfile.TemporaryDirectory(prefix="avow-mutate-") as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            tree = Path(shutil.copytree(root, Path(folder) / str(number), ignore=LEFT_OUT))
            for sources in ("src", "sites"):  # by hash: the byte code of a source that was changed is not used
                compile_dir(tree / sources, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
            trees.put(tree)
        yield trees


def mutate(root: Path, mutations: Iterable[Mutation], only: frozenset[str] = frozenset()) -> Report:
    """Apply every change of the rows asked for (all, when none is named), print each result, return the report."""
    report = Report()
    changes = [*rule_changes(root), *guard_changes(root, mutations)]
    if unbound := sorted(only - {row for change in changes for row in change.rows}):
        help = "`avow trace` shows the rows that have rules; guards are listed in tests/mutations.py"
        raise SetupError(f"nothing to loosen for {', '.join(unbound)}", help=help)
    if only:
        changes = [change for change in changes if only & set(change.rows)]
    with scratch_trees(root, WORKERS) as trees, ThreadPoolExecutor(WORKERS) as pool:
        rows = {row for change in changes for row in change.rows if not only or row in only}
        found = _as_it_is(trees, rows)
        report.tests |= found.keys()
        tests = {row: {test for test in found if row in found[test]} for row in rows}
        report.untested_rows |= {row for row in rows if not tests[row]}
        homes = {row: {file for test in tests[row] if (file := _home(root, test))} for row in rows if tests[row]}
        changes = [change for change in changes if set(change.rows) - report.untested_rows]

        def attempt(change: Change) -> Outcome:
            # Where every test has noticed something already, it is enough to see that one notices this too.
            known = set[str]().union(*(tests.get(row, set()) for row in change.rows)) <= report.noticing
            return _try(trees, change, homes, first=known)

        running = {pool.submit(attempt, change): change for change in changes}
        for number, done in enumerate(as_completed(running), start=1):
            print(f"[{number}/{len(changes)}] {_note(report, running[done], done.result())}", flush=True)
    return report


def _home(tree: Path, test: str) -> str | None:
    """The file of a test, by what the report calls it: `tests.edge.test_guard::test_x`, classes included."""
    parts = test.partition("::")[0].split(".")
    for end in range(len(parts), 0, -1):
        file = "/".join(parts[:end]) + ".py"
        if (tree / file).is_file():
            return file
    return None


def _as_it_is(trees: SimpleQueue[Path], rows: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """All `holds` tests of some rows, each with its rows. Raises SetupError if one fails before anything is changed."""
    tree = trees.get()
    try:
        outcome = run_holds(tree, sorted(rows), (), ("-n", str(WORKERS), "--dist", "loadfile"), limit=SECONDS_FOR_ALL)
    finally:
        trees.put(tree)
    if outcome.status not in (0, 5):
        raise SetupError(f"`holds` tests fail before anything is loosened\n{outcome.output}")
    return outcome.tests


def _try(trees: SimpleQueue[Path], change: Change, homes: Mapping[str, set[str]], *, first: bool) -> Outcome:
    tree = trees.get()
    file = tree / change.file
    original = file.read_bytes()
    try:
        file.write_text(change.text, encoding="utf-8")
        rows = tuple(row for row in change.rows if row in homes)
        files = set[str]().union(*(homes[row] for row in rows))
        return run_holds(tree, rows, files, ("-x",) if first else (), limit=SECONDS_PER_RUN)
    finally:
        file.write_bytes(original)
        trees.put(tree)


def _note(report: Report, change: Change, outcome: Outcome) -> str:
    what = f"{', '.join(change.rows)}  {change.what}"
    if outcome.status == 1 and outcome.failed:
        report.caught += 1
        report.noticing |= outcome.failed
        return f"caught by {len(outcome.failed)}  {what}"
    if outcome.status == 0:
        report.survivors.append(what)
        return f"SURVIVED  {what}"
    report.broken_runs.append(what)
    return f"BROKEN RUN  {what}\n{outcome.output}"


def main(arguments: list[str]) -> int:
    """Run, print the summary, return 0 when every loosening was noticed and every test noticed one."""
    try:
        report = mutate(Path.cwd(), MUTATIONS, frozenset(row for word in arguments for row in word.split(",")))
    except AvowError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for title, lines in (
        ("survived: no `holds` test noticed", report.survivors),
        ("could not be run: the loosened code does not start", report.broken_runs),
        ("proves nothing: no loosening breaks the test", report.idle_tests),
        ("row without a `holds` test, not tried", sorted(report.untested_rows)),
    ):
        for line in lines:
            print(f"{title}: {line}")
    print(
        f"{report.caught} loosenings caught, {len(report.survivors)} survived, {len(report.broken_runs)} broken; "
        f"{len(report.noticing & report.tests)} of {len(report.tests)} `holds` tests noticed one"
    )
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
