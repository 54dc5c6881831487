"""The `avow` command as a whole: what it prints, where, and with which status."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from avow.cli.main import app, run
from avow.errors import AvowError, PolicyError, SetupError
from avow.values import Diagnostic


def avow(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "avow", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "check"]], ids=" ".join)
def test_the_version_is_that_of_the_installed_package(arguments: list[str]) -> None:
    done = avow(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"avow {version('avow')}\n", "")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {command} " in out for command in ("check", "ask", "serve", "probe", "trace", "ledger"))


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["check"], ["ask", "policy.md"], ["ledger"]], ids=" ".join)
def test_wrong_usage_ends_with_status_2(arguments: list[str]) -> None:
    assert run(arguments) == 2


def raising(monkeypatch: pytest.MonkeyPatch, error: AvowError) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr("avow.cli.trace.trace", fail)


def test_an_error_is_told_in_words_with_help_and_without_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, SetupError("port 8000 is taken", help="choose another: --port 8001"))
    assert run(["trace"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: port 8000 is taken\n  help: choose another: --port 8001\n"


def test_a_policy_error_shows_each_diagnostic_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = tuple(Diagnostic("policy.md", line, 1, 5, "unknown verb `shrae`", "shrae x") for line in (3, 7))
    raising(monkeypatch, PolicyError(faults))
    assert run(["trace"]) == 1
    err = capsys.readouterr().err
    assert err.count("error: unknown verb `shrae`") == 2
    assert "error: error:" not in err


def test_a_fault_of_the_program_itself_is_not_dressed_up_as_one_of_the_user() -> None:
    with pytest.raises(ZeroDivisionError):
        run_failing()


def run_failing() -> None:
    @app.command(hidden=True)
    def fault() -> None:
        1 / 0  # noqa: B018

    try:
        run(["fault"])
    finally:
        app.registered_commands.pop()


def test_the_data_folder_is_named_after_the_site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import avow.cli.serve

    seen: dict[str, object] = {}

    def record(site: Path, **options: object) -> int:
        seen.update(options, site=site)
        return 0

    monkeypatch.setattr(avow.cli.serve, "serve", record)
    assert run(["serve", str(tmp_path / "bakery"), "--port", "0", "--local-peers"]) == 0
    assert seen["data"] == Path("var/bakery")
    assert (seen["host"], seen["port"], seen["local_peers"]) == ("127.0.0.1", 0, True)
    assert (seen["store"], seen["cert"], seen["key"], seen["endpoints"]) == (None, None, None, None)
