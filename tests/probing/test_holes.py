"""A probe finds every hole that is planted, and says of each what it is; of a healthy site it says nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from avow.testing.probing.finding import Report
from avow.testing.probing.run import FAMILIES, probe_policy
from tests.probing.door_holes import ENTRANCE, LEAVING, SAYING, STARTING
from tests.probing.holes import KEEPING, REST, RULES, SHOWING
from tests.probing.planting import Hole, planted
from tests.probing.service_holes import SERVICE

CELLAR = Path(__file__).with_name("cellar.md")
#: `make soak` gives another each time: every second hole is planted, and more than fifty are. All of them:
#: `python -m tests.campaigns.holes`.
SEED = int(os.environ.get("SOAK_SEED", "0"))
HOLES = (*RULES, *KEEPING, *SHOWING, *REST, *ENTRANCE, *SAYING, *LEAVING, *STARTING)


def probed(*families: str) -> Report:
    return probe_policy(CELLAR, only=families, each=24, most=6)


def test_there_are_holes_of_many_kinds_and_each_is_another() -> None:
    kinds = {hole.kind for hole in HOLES}
    assert len(kinds) == len(HOLES)
    assert len(HOLES) + len(SERVICE) >= 100
    assert len(HOLES[::2]) + len(SERVICE) >= 50, "so many are planted in each run of the tests"
    assert len({(hole.where, hole.find, hole.replace) for hole in HOLES}) == len(HOLES)
    assert {hole.family for hole in HOLES} == {*FAMILIES}, "every family of probes finds some"


def test_nothing_is_found_where_no_hole_is_planted() -> None:
    report = probed()
    assert report.holes == []
    assert report.total > 600
    assert all(count for count in report.rules.values()), "each rule of this policy is probed"


@pytest.mark.campaign
@pytest.mark.parametrize("hole", HOLES[SEED % 2 :: 2], ids=str)
def test_a_hole_is_found_and_named(hole: Hole) -> None:
    find(hole)


def find(hole: Hole) -> None:
    """Plant a hole, and see that the probe finds it and says what it is."""
    with planted(hole):
        report = probed(hole.family)
    found = [each for each in report.holes if each.probe == hole.probe]
    assert found, f"{hole.kind}: only {[str(each) for each in report.holes]}"
    assert all(each.tried and each.expected and each.happened and each.look for each in found)
    if hole.sentence:
        assert any(hole.sentence in each.sentences for each in found), [str(each) for each in found]
    assert "CANARY" not in str(found).upper(), "a report tells of categories, and holds no value"
