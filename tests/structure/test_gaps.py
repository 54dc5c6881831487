"""The tool that proposes lines for a table of flows, on the toy policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from avow.engine import Policy
from tests.sites.policy_table import cases, hold
from tools.gaps import gaps, notices
from tools.loosen import loosenings

from .test_mutate import POLICY

ROWS = frozenset({"I2", "I3", "I7"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    policy = tmp_path / "policy.md"
    policy.write_text(POLICY)
    return policy


def test_a_table_with_the_proposed_lines_holds_and_lacks_nothing(file: Path) -> None:
    found = gaps(file, [], {}, ROWS)
    table = cases("\n".join(found.lines), {})
    assert {case.row for case in table} == {"I2", "I7"}
    for case in table:
        hold(Policy.load(file), case)
    assert gaps(file, table, {}, ROWS).lines == ()


def test_each_proposed_line_notices_a_loosening_that_no_other_line_does(file: Path) -> None:
    table = cases("\n".join(gaps(file, [], {}, ROWS).lines), {})
    for case in table:
        others = [other for other in table if other is not case]
        assert gaps(file, others, {}, ROWS).lines, case
        assert any(notices(Policy.parse(loosening.text), case) for loosening in loosenings(file))


def test_only_the_rows_asked_for_are_looked_at(file: Path) -> None:
    assert {line.split()[0] for line in gaps(file, [], {}, frozenset({"I7"})).lines} == {"I7"}
