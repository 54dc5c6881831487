"""kill -9, or a full or broken disk, at each state-changing call of erasing, shredding, retention, backup and restore.

    python -m tests.campaigns.endings [EVERY]     every point, or each EVERYth; the figures as one line of JSON

The installation is a village post with six neighbours, of whom the first is erased. `disturbing` says how.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from tests.campaigns.disturbing import Campaign
from tests.campaigns.invariants import root_of, signed

#: What is killed in its middle; see `Deed` in `endings_warm`.
FLOWS = ("erase", "shred", "retention", "backup", "restore")

LIVING = [f"Name {number} Example" for number in range(1, 6)]


def violations(flow: str, facts: dict[str, Any]) -> list[str]:
    """What does not hold, in words; empty when everything does."""
    if "final" not in facts:
        return [f"it could not be gone on with: {facts.get('said', '')[-2000:]}"]
    return [*_everywhere(flow, facts), *_in_the_end(flow, facts["final"])]


def _everywhere(flow: str, facts: dict[str, Any]) -> Iterator[str]:
    """What holds as the crash left it, and in the end."""
    for stage in ("crash", "final"):
        left = facts[stage]
        if left is None:  # a restore that was killed before there was a database
            continue
        if left["trouble"]:
            yield f"{stage}: the ledger does not verify: {left['trouble']}"
        if not set(LIVING) <= set(left["names"]):
            yield f"{stage}: of those who live only {left['names']} open"
        if left["ownerless"]:
            yield f"{stage}: {left['ownerless']} records have no living owner"
        if left["first"] != left["key"]:
            yield f"{stage}: the first neighbour's records and key are not there together"
        if left["buried"] and left["first"]:
            yield f"{stage}: the first neighbour has a tombstone and is served"
    if flow == "erase" and facts["told"] and facts["crash"]["first"]:
        yield "the erasure was acknowledged, and the first neighbour is still there"
    stages = [facts[stage] for stage in ("crash", "final") if facts[stage] is not None]
    leaves = [bytes.fromhex(each) for each in stages[-1]["leaves"]]
    if stages[-1]["leaves"][: len(stages[0]["leaves"])] != stages[0]["leaves"]:
        yield "the ledger that the crash left is no prefix of the final one"
    for stage in stages:
        kept = signed(stage["kept"])
        if kept != (kept[0], root_of(leaves[: kept[0]])):
            yield "a checkpoint that was signed is none of the final ledger's"


def _in_the_end(flow: str, final: dict[str, Any]) -> Iterator[str]:
    if final["first"] != (flow in ("backup", "retention")):
        yield f"in the end the first neighbour is {'still' if final['first'] else 'not'} there"
    if flow in ("shred", "restore") and (final["unwraps"] or final["epochs"] != [final["newest"]]):
        yield f"in the end an old copy of the erased key unwraps, under one of the epochs {final['epochs']}"
    if flow == "shred" and not final["shredded"]:
        yield "in the end the tombstone does not say that the key is gone"
    if flow == "retention" and final["cards"]:
        yield f"in the end {final['cards']} cards are left that should be gone"
    if flow == "backup" and final["from_backup"] != ["Name 0 Example", *LIVING]:
        yield f"in the end the backup gives back {final['from_backup']}"


CAMPAIGN = Campaign("tests.campaigns.endings_warm", FLOWS, violations)

if __name__ == "__main__":
    sys.exit(CAMPAIGN.main())
