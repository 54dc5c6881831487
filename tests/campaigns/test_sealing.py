"""kill -9 and failing calls in taking over: each value is in the clear or sealed, never neither or both, never twice.

The suite disturbs every thirtieth call; KILL_POINTS=all, as in `make soak`, each.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns import sealing


@pytest.mark.campaign
def test_everything_holds_after_a_kill_at_every_call(tmp_path: Path, record_property: Callable[..., None]) -> None:
    every = 1 if os.environ.get("KILL_POINTS") == "all" else 30
    figures = sealing.CAMPAIGN.run(tmp_path / "lanes", every=every)
    record_property("points", figures.points)
    assert figures.violations == []
    assert set(figures.by_flow) == set(sealing.FLOWS)
    assert figures.points > 700 // every
    assert figures.killed + figures.failed > 0.8 * figures.points  # fewer pages were written than when it was counted


# -- the check itself notices --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each flow leaves that nobody disturbs."""
    with sealing.CAMPAIGN.lanes(tmp_path_factory.mktemp("held") / "lanes", count=1) as (lane,):
        facts = {flow: lane.run(flow, None)[0] for flow in sealing.FLOWS}
    assert [found for flow, left in facts.items() for found in sealing.violations(flow, left)] == []
    return facts


HARMS: list[tuple[str, str, Callable[[Any], object], str]] = [
    ("first", "crash", lambda left: left["sealed"].pop("reader 1 name"), "reader 1 name: empty, not sealed"),
    ("first", "crash", lambda left: left["sealed"].update({"reader 1 name": "Ann"}), "reader 1 name: empty, sealed"),
    ("first", "crash", lambda left: left["clear"].update({"reader 1 name": "Reader-001 Example"}), "clear, sealed"),
    ("first", "crash", lambda left: left.update(records=15), "15 records were made of 14 rows"),
    ("first", "crash", lambda left: left["people"].pop(), "8 people are there, and 9 have a record"),
    ("first", "crash", lambda left: left.update(trouble="entry 3"), "the ledger does not verify: entry 3"),
    ("first", "crash", lambda left: left.update(leaves=["00"]), "no prefix of the final one"),
    ("again", "final", lambda left: left["clear"].update({"reader 1 email": "again001@example.org"}), "in the clear"),
    (
        "again",
        "final",
        lambda left: left["sealed"].update({"reader 4 email": "reader004@example.org"}),
        "written again",
    ),
]


@pytest.mark.parametrize(("flow", "stage", "harm", "said"), HARMS, ids=[said for *_, said in HARMS])
def test_a_harm_is_noticed(
    held: dict[str, Any], flow: str, stage: str, harm: Callable[[Any], object], said: str
) -> None:
    facts = copy.deepcopy(held[flow])
    harm(facts[stage])
    assert any(said in found for found in sealing.violations(flow, facts))


def test_a_text_in_a_file_is_noticed(held: dict[str, Any]) -> None:
    facts = {**held["first"], "found": ["reader 1 name"]}
    assert sealing.violations("first", facts) == ["in the end the files hold ['reader 1 name']"]


def test_a_command_that_does_not_go_on_is_noticed() -> None:
    assert "could not be gone on with: why" in sealing.violations("first", {"said": "why"})[0]
