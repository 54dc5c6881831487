"""What the commands say of predicates with code: `check`, `ask`, `diff` and `fmt`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avow.cli.ask import ask
from avow.cli.check import check
from avow.cli.diff import diff
from avow.cli.fmt import fmt
from avow.errors import PolicyError
from avow.language.predicates import fingerprint
from tests.language.published import CODE, publish

FLOW = "share contact.address with carrier for shipping over https"


def test_check_lists_fingerprints_and_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = publish(tmp_path, code=CODE + "\nraise RuntimeError\n")
    assert check([policy], True) == 0
    (found,) = json.loads(capsys.readouterr().out)
    published = fingerprint(CODE + "\nraise RuntimeError\n")
    assert found["predicates"] == {
        "deliverable": {"function": "predicates.py:deliverable", "fingerprint": published},
        "cost": {"function": "predicates.py:cost", "fingerprint": published},
    }


def test_changed_code_fails_the_check_and_every_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = publish(tmp_path)
    (tmp_path / "predicates.py").write_text(CODE.replace("50", "51"))
    assert check([policy], False) == 1
    assert "the code of `deliverable` is no longer what the policy was published with" in capsys.readouterr().err
    with pytest.raises(PolicyError, match="the code of `cost` is no longer"):
        ask(policy, FLOW)


def test_a_question_may_suppose_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = publish(tmp_path)
    assert ask(policy, FLOW) == 1
    assert "`deliverable(contact.address)` is unknown" in capsys.readouterr().out
    assert ask(policy, f"{FLOW} when deliverable(contact.address)") == 0
    assert ask(policy, f"{FLOW} when not deliverable(contact.address)") == 1


def test_a_question_is_answered_by_the_code(tmp_path: Path) -> None:
    near = CODE.replace("    distance = facts", '    if facts.get("near"):\n        return True\n    distance = facts')
    policy = publish(tmp_path, code=near)
    assert ask(policy, f"{FLOW} when near") == 0
    assert ask(policy, f"{FLOW} when not near") == 1


def test_versions_are_compared_without_their_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new").mkdir()
    old, new = publish(tmp_path), publish(tmp_path / "new", code=CODE.replace("50", "500"))
    (tmp_path / "predicates.py").unlink()  # the code of an old version may be gone
    assert diff(old, new, False) == 5
    assert "Other code answers `deliverable`, on which #carrier depends." in capsys.readouterr().out
    assert diff(new, new, False, html=tmp_path / "page.html") == 0
    assert diff(old, new, True, html=tmp_path / "page.html") == 5
    assert "Other code decides" in (tmp_path / "page.html").read_text("utf-8")


def test_the_front_matter_keeps_its_layout(tmp_path: Path) -> None:
    policy = publish(tmp_path)
    before = policy.read_bytes()
    policy.write_bytes(before.replace(b"may share", b"may   share"))
    assert fmt([policy], False) == 0
    assert policy.read_bytes() == before
