"""`avow check` and `avow ask`, as functions and as a process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from avow.cli.ask import ask
from avow.cli.check import check

HERE = Path(__file__).parent
LIBRARY = HERE / "library.md"
BROKEN = "---\nsite: x\n---\n\nOne.\n\nTwo.\n\n```avow #a\nmay kep order\n```\n"


def test_check_counts_what_holds_the_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    assert check([LIBRARY], False) == 0
    out, err = capsys.readouterr()
    assert "13 sentences (11 enforced, 1 attested, 2 informational, 0 unbound), 22 rules" in out
    assert err == ""


def test_check_prints_every_fault_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.md"
    broken.write_text(BROKEN)
    assert check([LIBRARY, broken, tmp_path / "missing.md"], False) == 1
    out, err = capsys.readouterr()
    assert err.count("error:") == 6
    assert "broken.md: 5 errors" in out
    assert "1 unbound" in out


def test_check_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.md"
    broken.write_text(BROKEN)
    assert check([LIBRARY, broken, tmp_path / "missing.md"], True) == 1
    good, bad, missing = json.loads(capsys.readouterr().out)
    assert (good["ok"], good["errors"], good["sentences"], good["rules"]) == (True, [], 13, 22)
    assert good["coverage"]["attested"] == ["desk-opens"]
    assert bad["coverage"]["unbound"] == ["line 5: One."]
    assert bad["errors"][-1] == {
        "line": 10, "column": 5, "message": "`kep` is not a verb", "help": "did you mean `keep`?",
    }  # fmt: skip
    assert (missing["ok"], len(missing["errors"])) == (False, 1)


WARNED = "A shelf.\n\n```avow #shelf\nmay keep loan.title for lending\nmay keep loan for lending\n```\n"


def test_warnings_are_shown_and_fail_only_if_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "policy.md"
    file.write_text(LIBRARY.read_text("utf-8") + "\n" + WARNED)
    assert check([file], False) == 0
    out, err = capsys.readouterr()
    assert "policy.md: no errors, 1 warning" in out
    assert err.startswith("warning: line 161 makes this rule idle\n")
    assert check([file], False, strict=True) == 1
    out, err = capsys.readouterr()
    assert "policy.md: 1 error\n" in out
    assert err.startswith("error: line 161 makes this rule idle\n")


def test_warnings_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "policy.md"
    file.write_text(LIBRARY.read_text("utf-8") + "\n" + WARNED)
    assert check([file], True) == 0
    (mild,) = json.loads(capsys.readouterr().out)
    assert check([file], True, strict=True) == 1
    (strict,) = json.loads(capsys.readouterr().out)
    assert (mild["ok"], mild["errors"], [item["line"] for item in mild["warnings"]]) == (True, [], [160])
    assert (strict["ok"], strict["errors"], strict["warnings"]) == (False, mild["warnings"], [])


def test_each_sentence_is_shown_with_its_rules_in_english(capsys: pytest.CaptureFixture[str]) -> None:
    assert check([LIBRARY], False, explain=True) == 0
    out = capsys.readouterr().out
    assert (
        """\
#desk-opens (line 91) L3
  at the desk only a librarian opens it, to lend and to remind.
    → Only a librarian may open contact and what you borrowed for lending.
    → We must lock a terminal at the desk within 5 minutes after nobody at the desk.
    → The lending desk must sign for this every 12 months; what it permits lapses without that.
"""
        in out
    )
    assert "    → This promises nothing: introduces the list.\n" in out


@pytest.mark.parametrize(
    ("flow", "status", "said"),
    [
        ("share contact.name with county for lending over sftp", 0, "permitted by #county"),
        ("share contact.name with county for lending", 1, "forbidden by the `only` of #county"),
        ("share contact.email with county for lending", 1, "forbidden by #county, which closes the list"),
        ("show loan to reader at account when presented(link)", 0, "permitted by #you-see"),
        ("show loan to reader at account when not presented(link)", 1, "`presented(link)` is false"),
        ("show loan to reader at account", 1, "`presented(link)` is unknown"),
        ("log visit.time at catalogue for statistics", 0, "duty: must show contact at catalogue (#questions)"),
        ("share contact.name with acme for lending", 2, "`acme` is not a recipient of the policy"),
        ("share contact.name wiht county", 2, "did you mean `with`?"),
        ("share contact.name, loan with county", 2, "a flow has one object"),
        ("keep loan within 3 days", 2, "`within 3 days` is not a part of a flow"),
        ("keep loan unless consented(news)", 2, "facts are given as"),
        ("keep loan when age < 3", 2, "`age < 3` is not a fact that is true or false"),
    ],
)
def test_ask_tells_the_verdict_its_sentence_and_its_duties(
    flow: str, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(LIBRARY, flow) == status
    out, err = capsys.readouterr()
    assert said in out + err


def test_a_fault_in_a_flow_is_shown_under_what_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    ask(LIBRARY, "share contact.name wiht county")
    lines = capsys.readouterr().err.split("\n")
    flow, caret = lines[3], lines[4]
    assert flow[caret.index("^") : caret.rindex("^") + 1] == "wiht"


def test_check_loads_no_heavy_part() -> None:
    code = (
        "import sys; from pathlib import Path; from avow.cli.check import check\n"
        "status = check([Path(sys.argv[1])], False)\n"
        "print(sorted({'sqlalchemy', 'starlette', 'httpx', 'cryptography'} & set(sys.modules))); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(LIBRARY)], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
