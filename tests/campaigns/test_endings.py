"""kill -9 and failing calls in erasing, shredding, retention, backup, restore: who lives opens, who was erased is gone.

The suite disturbs every sixteenth call; KILL_POINTS=all, as in `make soak`, each.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns import endings


@pytest.mark.campaign
def test_everything_holds_after_a_kill_at_every_call(tmp_path: Path, record_property: Callable[..., None]) -> None:
    every = 1 if os.environ.get("KILL_POINTS") == "all" else 16
    figures = endings.CAMPAIGN.run(tmp_path / "lanes", every=every)
    record_property("points", figures.points)
    assert figures.violations == []
    assert set(figures.by_flow) == set(endings.FLOWS)
    assert figures.points > 800 // every
    assert figures.killed + figures.failed > 0.8 * figures.points  # fewer pages were written than when it was counted


# -- the check itself notices --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each flow leaves that nobody disturbs."""
    with endings.CAMPAIGN.lanes(tmp_path_factory.mktemp("held") / "lanes", count=1) as (lane,):
        facts = {flow: lane.run(flow, None)[0] for flow in endings.FLOWS}
    assert [found for flow, left in facts.items() for found in endings.violations(flow, left)] == []
    return facts


HARMS: list[tuple[str, str, str, object, str]] = [
    ("erase", "crash", "names", ["Name 1 Example"], "of those who live only"),
    ("erase", "crash", "first", True, "the erasure was acknowledged"),
    ("erase", "final", "first", True, "in the end the first neighbour is still there"),
    ("shred", "final", "key", True, "records and key are not there together"),
    ("shred", "final", "unwraps", True, "an old copy of the erased key unwraps"),
    ("shred", "final", "epochs", [1, 2], "under one of the epochs [1, 2]"),
    ("shred", "final", "shredded", None, "the tombstone does not say"),
    ("retention", "final", "cards", 2, "2 cards are left"),
    ("retention", "final", "trouble", "entry 3", "the ledger does not verify: entry 3"),
    ("backup", "final", "from_backup", ["Name 0 Example"], "the backup gives back"),
    ("backup", "final", "ownerless", 1, "1 records have no living owner"),
    ("restore", "final", "names", [], "of those who live only"),
    ("restore", "final", "first", True, "has a tombstone and is served"),
    ("erase", "final", "leaves", ["00"], "no prefix"),
]


@pytest.mark.parametrize(("flow", "stage", "what", "value", "found"), HARMS)
def test_each_violation_is_noticed(
    held: dict[str, Any], flow: str, stage: str, what: str, value: object, found: str
) -> None:
    facts = copy.deepcopy(held[flow])
    facts[stage][what] = value
    assert any(found in violation for violation in endings.violations(flow, facts)), endings.violations(flow, facts)


def test_a_flow_that_cannot_be_gone_on_with_is_a_violation() -> None:
    assert endings.violations("erase", {"said": "Traceback"}) == ["it could not be gone on with: Traceback"]
