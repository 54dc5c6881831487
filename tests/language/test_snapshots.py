"""Broken policies and exactly what is said about them. Each snapshot holds the policy's body and, below it, the output.

AVOW_SNAPSHOTS=write pytest tests/language/test_snapshots.py    rewrites them; read the difference before you commit it
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from avow.language import read

FOLDER = Path(__file__).parent / "snapshots"
CUT = "\n======== what is said ========\n"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_errors_say_what_was_wrong_where_and_what_to_do(path: Path) -> None:
    policy, _, expected = path.read_text("utf-8").partition(CUT)
    found = read(policy, "policy.md").diagnostics
    said = "\n\n".join(map(str, found)) + "\n"
    if os.environ.get("AVOW_SNAPSHOTS") == "write":
        path.write_text(policy + CUT + said, "utf-8")
        expected = said
    assert found, "the policy of a snapshot is broken"
    assert said == expected


def test_there_are_thirty() -> None:
    assert len(list(FOLDER.glob("*.txt"))) >= 30
