"""What may be imported where, beside the contracts of import-linter; and what the quick commands load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.structure.tree import ROOT, files, name

HEAVY = {"sqlalchemy", "starlette", "httpx", "cryptography", "uvicorn", "jinja2", "rich", "psycopg", "httpcore", "h11"}
POLICIES = list(files("sites", suffix="policy.md"))

LOAD = """
import sys
from avow.cli import main
sys.argv = ["avow", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", *{module.partition(".")[0] for module in sys.modules})
"""


def loaded_by(*arguments: str) -> set[str]:
    """The top-level modules that one `avow` command loads."""
    done = subprocess.run([sys.executable, "-c", LOAD, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_the_version_is_answered_without_loading_anything() -> None:
    assert not loaded_by("--version") & (HEAVY | {"typer", "yaml", "lark"})


@pytest.mark.parametrize("policy", POLICIES, ids=name)
def test_a_policy_is_checked_without_driver_server_or_cipher(policy: object) -> None:
    assert not loaded_by("check", str(policy)) & HEAVY


def test_the_engine_and_the_floors_below_read_no_clock() -> None:
    pure = [*files("src/avow/engine", "src/avow/language", suffix=".py")]
    pure += [ROOT / "src/avow/values.py", ROOT / "src/avow/errors.py"]
    clocks = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter"}
    found = [
        f"{name(file)}:{call.lineno}: {ast.unparse(call)}"
        for file in pure
        for call in _calls(ast.parse(file.read_text()))
        if isinstance(call.func, ast.Attribute) and call.func.attr in clocks
    ]
    assert not found, "time is a value that the caller gives"


@pytest.mark.parametrize(
    ("opener", "floors"),
    [
        *((engine, {"store"}) for engine in ("create_engine", "create_async_engine", "sqlite3.connect")),
        *(
            (opener, {"outbound", "testing"})
            for opener in ("create_connection", "HTTPConnection", "HTTPSConnection", "httpx.Client", "SMTP", "SMTP_SSL")
        ),
        ("urlopen", set()),  # follows redirects and takes proxies from the environment
    ],
)
def test_only_some_floors_open_connections(opener: str, floors: set[str]) -> None:
    package = ROOT / "src/avow"
    found = {
        file.relative_to(package).parts[0]
        for file in files("src/avow", suffix=".py")
        for call in _calls(ast.parse(file.read_text()))
        if f".{ast.unparse(call.func)}".endswith(f".{opener}")
    }
    assert found <= floors


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))
