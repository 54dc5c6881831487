"""Erasure beside reading, exporting, writing and sending: a slice of the campaign, and that the campaign notices."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from avow.vault.tombstones import Tombstone, token_of
from tests.campaigns import beside
from tests.campaigns.beside_history import Erasure, History, Operation, settled


@pytest.mark.campaign
def test_nothing_that_begins_after_an_erasure_gives_anything_and_who_lives_loses_nothing(
    store: str, tmp_path: Path
) -> None:
    figures = beside.Trial(tmp_path, store, people=18, processes=4, seed=int(time.time()), shreds=6).run()
    assert figures["violations"] == []
    assert figures["erased"] == 12
    assert figures["operations"].keys() == {"read", "export", "collect", "queue", "send"}
    assert figures["began_after"].keys() >= {"read", "export"}


# -- the campaign itself notices -----------------------------------------------------------------------


def test_a_process_that_gives_out_again_what_it_has_read_is_noticed(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'site.db'}"
    figures = beside.Trial(tmp_path, store, people=6, processes=2, seed=7, keeps=True).run()
    assert figures["late"] > 0
    assert any("a read of person" in found and "after they were erased" in found for found in figures["violations"])


def test_an_erasure_that_only_marks_is_noticed(tmp_path: Path) -> None:
    trial = beside.Trial(tmp_path, f"sqlite:///{tmp_path / 'site.db'}", people=6, processes=3, seed=7)

    def careless(identity: str) -> int:
        vault = trial.site.opened.vault
        vault.tombstones.add(Tombstone(token_of(vault.receipt_of(identity)), 1, vault.hour()))
        return time.monotonic_ns()

    trial._erase = careless  # type: ignore[method-assign]
    figures = trial.run()
    assert figures["late"] > 0
    assert figures["left"] >= 4 * 3  # at least the key, the record and the link of each
    assert any("rows are left of person 0" in found for found in figures["violations"])


ERASED = {0: Erasure(begin=100, acknowledged=200)}


def operation(kind: str = "read", person: int = 0, begin: int = 0, outcome: str = "value", **more: Any) -> Operation:
    return Operation(kind, person, begin, begin + 20, outcome, **more)


@pytest.mark.parametrize("kind", ["read", "export", "collect", "queue", "send"])
def test_what_begins_after_the_acknowledgement_must_give_nothing(kind: str) -> None:
    late = [operation(kind, begin=201), operation(kind, begin=201, outcome="other")]
    fine = [operation(kind, begin=199), operation(kind, begin=201, outcome="gone"), operation(kind, 1, begin=201)]
    history = History((*late, *fine), ERASED, {})
    assert history.late() == late
    assert history.lost() == []
    assert len(list(history.violations())) == 2


def test_what_fails_for_who_lives_or_before_their_erasure_began_is_a_violation() -> None:
    lost = [operation(person=1, outcome="gone"), operation(begin=50, outcome="failed"), operation(person=1, said="why")]
    fine = [operation(begin=90, outcome="gone"), operation(begin=300, outcome="failed", said="why")]
    history = History((*lost, *fine), ERASED, {})
    assert history.lost() == lost
    assert history.late() == []


def test_a_row_that_is_left_is_a_violation() -> None:
    assert list(History((), ERASED, {0: 2}).violations()) == ["2 rows are left of person 0, who was erased"]


def test_a_send_counts_as_its_peer_knows_it() -> None:
    first, second = operation("send", begin=10, send="a"), operation("send", begin=300, send="a")
    (one, again) = settled([first, second], [("a", 20), ("b", 310)])
    assert (one.outcome, again.outcome) == ("value", "failed")
