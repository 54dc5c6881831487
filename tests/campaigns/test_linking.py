"""The attacker's game: a slice of it, and that the attacker wins against a service that is less careful."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from avow.ledger.waiting import WaitingSeal
from tests.campaigns.linking import Game


@pytest.mark.campaign
def test_who_has_database_copies_and_log_matches_no_better_than_by_chance(tmp_path: Path) -> None:
    for game in ("first", "second"):  # one of some hundred is over the bound by chance, and not two in a row
        figures = Game(tmp_path / game, people=160, hours=8, seed=int(time.time())).run()
        assert figures["targets"] > 250
        if abs(figures["sigma"]) < figures["bound"]:
            return
    pytest.fail(f"the attacker does better than by chance: {figures}")


# -- the attacker is no fool --------------------------------------------------------------------------


def test_the_attacker_wins_where_entries_come_into_the_log_one_by_one(tmp_path: Path) -> None:
    def at_once(site: Any) -> None:
        site.opened.sequencer.run()

    figures = Game(tmp_path, people=80, hours=4, seed=7, careless=at_once).run()
    assert figures["sigma"] > 2 * figures["bound"]
    assert figures["hits"] > figures["targets"] // 3


def test_the_attacker_gains_where_an_hour_is_parted_in_two(tmp_path: Path) -> None:
    """As it was while a backup integrated everything at once."""
    count = 0

    def in_the_middle(site: Any) -> None:
        nonlocal count
        count += 1
        if count % 4 == 0:
            site.opened.sequencer.run()

    figures = Game(tmp_path, people=160, hours=8, seed=7, careless=in_the_middle).run()
    assert figures["sigma"] > figures["bound"]


def test_the_attacker_gains_where_what_waits_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WaitingSeal, "seal", lambda self, identity, body: body)
    monkeypatch.setattr(WaitingSeal, "unseal", lambda self, identity, body: body)
    figures = Game(tmp_path, people=300, hours=100, seed=7).run()
    assert figures["sigma"] > figures["bound"], figures
    assert "waiting" in figures["best"]
