"""`avow new` makes a site that is clean, runs, and keeps what its policy says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from avow.cli.fmt import fmt
from avow.cli.main import run
from avow.cli.new import STARTER, new
from avow.engine.lint import lint
from avow.language import read
from tests.left import left_in

CANARY = "Zebedee Quillfeather"
MAIL = "zebedee.quill@canary.example"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A new site, served as a process; its address and the folder that it was made in."""
    folder = tmp_path_factory.mktemp("new")
    new(folder / "letter_box", date(2026, 3, 1))
    process = subprocess.Popen(
        [sys.executable, "-m", "avow", "serve", "letter_box", "--port", "0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout
        said = "".join(line for line, _ in zip(process.stdout, range(3), strict=False))
        address = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert address, said
        yield address[0], folder
    finally:
        process.terminate()
        process.communicate(timeout=20)


def send(address: str, **typed: str) -> httpx.Response:
    with httpx.Client(base_url=address, trust_env=False) as browser:
        token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/").text)
        assert token
        return browser.post("/", data={"csrf": token[1], **typed}, headers={"origin": address})


def test_a_message_is_kept_sealed_and_shown_by_its_link_alone(served: tuple[str, Path]) -> None:
    address, folder = served
    answer = send(address, name=CANARY, email=MAIL, text="When do you <open>?")
    assert answer.status_code == 303
    page = httpx.get(address + answer.headers["location"], trust_env=False)
    assert f"Thank you, {CANARY}" in page.text
    assert "When do you &lt;open&gt;?" in page.text
    other = httpx.get(address + answer.headers["location"][:-4] + "AAAA", trust_env=False)
    assert other.status_code == 404
    assert CANARY not in other.text
    files = left_in(folder / "var" / "letter_box")
    assert {"site.db", "keyring", "ledger.checkpoint"} <= files.keys()
    stored = b"\0".join(files.values())
    assert CANARY.encode() not in stored
    assert MAIL.encode() not in stored


def test_a_form_that_is_not_in_order_comes_back_filled(served: tuple[str, Path]) -> None:
    answer = send(served[0], name=CANARY, email="nonsense", text="")
    assert answer.status_code == 422
    assert f'value="{CANARY}"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2


def test_the_policy_is_published_under_the_new_name(served: tuple[str, Path]) -> None:
    page = httpx.get(served[0] + "/privacy", trust_env=False).text
    assert "Privacy at Letter box" in page
    assert "1 March 2026" in page
    assert "hello@letter-box.example" in page
    assert "starter" not in page.lower()


def test_its_policy_is_clean_and_laid_out(tmp_path: Path) -> None:
    new(tmp_path / "letter_box")
    policy = tmp_path / "letter_box" / "policy.md"
    reading = read(policy.read_text("utf-8"))
    assert reading.diagnostics == []
    assert lint(reading) == []
    assert fmt([policy], check=True) == 0
    assert "starter" not in "".join(path.read_text("utf-8") for path in policy.parent.rglob("*.*")).lower()
    assert not lint(read((STARTER / "policy.md").read_text("utf-8")))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Letter-Box", "`Letter-Box` cannot be a site's name"),
        ("class", "`class` cannot be a site's name"),
        ("email", "`email` is the name of a Python module"),
        ("starlette", "`starlette` is the name of a Python module"),
        ("here", "is there already"),
        ("none/x", "cannot make"),
    ],
)
def test_a_name_that_will_not_do_is_refused_and_nothing_is_made(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "none").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert run(["new", str(tmp_path / name)]) == 1
    error, help = capsys.readouterr().err.splitlines()
    assert said in error
    assert help.startswith("  help: ")
    assert sorted(tmp_path.rglob("*")) == before
