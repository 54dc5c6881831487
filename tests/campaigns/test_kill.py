"""kill -9 at every state-changing call of one checkout on SQLite: the six invariants hold after each.

The suite kills at every call of a checkout whose payment is answered, and at every eighth of one whose outcome must be
asked for; KILL_POINTS=all, as in `make soak`, at every call of both.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from avow.errors import SetupError
from tests.campaigns import kill
from tests.campaigns.invariants import Crash, violations


@pytest.mark.campaign
def test_the_invariants_hold_after_a_kill_at_every_call(tmp_path: Path, record_property: Callable[..., None]) -> None:
    every = 1 if os.environ.get("KILL_POINTS") == "all" else 8
    figures = kill.run(tmp_path / "lanes", every={"answered": 1, "asked later": every})
    record_property("points", figures.points)
    assert figures.violations == []
    assert figures.by_call.keys() >= {"write", "pwrite64", "fdatasync", "fsync", "rename", "unlink", "connect"}
    assert figures.points > 200
    assert figures.killed > 0.8 * figures.points  # fewer pages were written than in the run that was counted


def test_a_missing_strace_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = pytest.raises(SetupError, match=r"strace is not installed\n.*tools/debian-packages")
    with missing, kill.lanes(tmp_path):
        pass


# -- the check itself notices --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Crash:
    """What an undisturbed checkout leaves, and recovery, and the same order once more."""
    with kill.lanes(tmp_path_factory.mktemp("held") / "lanes", count=1) as (lane,):
        crash = lane.checkout("asked later")
    assert violations(crash) == []
    return crash


def _drop_entries(crash: Crash, stage: str, event: str, word: str) -> None:
    snapshot = crash.facts[stage]
    for entries in (snapshot["entries"], snapshot["pending"]):
        entries[:] = [e for e in entries if e["event"] != event or word not in e["object"]]


def _attempts_after_sockets(crash: Crash) -> None:
    _drop_entries(crash, "crash", "attempted", "ups")


def _page_before_entry(crash: Crash) -> None:
    _drop_entries(crash, "crash", "permitted", "contact.name")


def _send_unknown_to_database(crash: Crash) -> None:
    crash.facts["crash"]["sends"].clear()


def _key_row_left(crash: Crash) -> None:
    crash.facts["recovered"]["persons"].append("0" * 32)


def _key_row_lost(crash: Crash) -> None:
    crash.facts["crash"]["persons"].pop()


def _does_not_open(crash: Crash) -> None:
    crash.facts["opened"] = {"error": "a sealed value does not open"}


def _ledger_rewritten(crash: Crash) -> None:
    crash.facts["crash"]["leaves"][-1] = "0" * 64


def _checkpoint_ahead(crash: Crash) -> None:
    snapshot = crash.facts["crash"]
    origin, size, *rest = snapshot["kept"].split("\n")
    snapshot["kept"] = "\n".join((origin, f"9{size}", *rest))


def _charged_twice(crash: Crash) -> None:
    crash.finally_arrived.payments.append("another")


def _second_mail(crash: Crash) -> None:
    crash.finally_arrived.mails.append("<another@shop.example>")


def _ordered_twice(crash: Crash) -> None:
    crash.facts["final"]["orders"].append({"ticket": crash.ticket, "status": "paid", "customer": "", "id": ""})


def _stuck(crash: Crash) -> None:
    crash.facts["recovered"]["orders"][-1]["status"] = "unknown"


def _no_outcome(crash: Crash) -> None:
    _drop_entries(crash, "recovered", "done", "confirmation")


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (_attempts_after_sockets, "a socket to ups was opened"),
        (_page_before_entry, "no entry of what it showed"),
        (_send_unknown_to_database, "nothing durable tells of it"),
        (_key_row_left, "recovered: persons and owners of records differ"),
        (_key_row_lost, "crash: persons and owners of records differ"),
        (_does_not_open, "a value does not open"),
        (_ledger_rewritten, "no prefix of the final one"),
        (_checkpoint_ahead, "the checkpoint outside is none of the final ledger's"),
        (_charged_twice, "charged 2 times"),
        (_second_mail, "2 different Message-IDs"),
        (_ordered_twice, "not one that is paid"),
        (_stuck, "stays unknown"),
        (_no_outcome, "attempts of send confirmation"),
    ],
)
def test_each_violation_is_noticed(held: Crash, harm: Callable[[Crash], None], found: str) -> None:
    harmed = copy.deepcopy(held)
    harm(harmed)
    assert any(found in violation for violation in violations(harmed)), violations(harmed)
