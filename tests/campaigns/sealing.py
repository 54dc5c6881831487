"""kill -9, or a full or broken disk, at each state-changing call of taking over what lies in the clear.

    python -m tests.campaigns.sealing [EVERY]     every point, or each EVERYth; the figures as one line of JSON

A library of nine readers and five orders is taken over in batches of four, and cleaned; then once more, after old code
has written some of them again. `disturbing` says how.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from tests.campaigns.disturbing import Campaign
from tests.campaigns.sealing_warm import WRITTEN, WRITTEN_AGAIN

#: See `Deed` in `sealing_warm`.
FLOWS = ("first", "again")


def violations(flow: str, facts: dict[str, Any]) -> list[str]:
    """What does not hold, in words; empty when everything does."""
    if "found" not in facts:
        return [f"it could not be gone on with: {facts.get('said', '')[-2000:]}"]
    found = [f"{stage}: {each}" for stage in ("crash", "final") for each in _everywhere(flow, facts[stage])]
    final = facts["final"]
    if final["clear"]:
        found.append(f"in the end {sorted(final['clear'])} lie in the clear")
    if flow == "again" and any(final["sealed"][key] != text for key, text in WRITTEN_AGAIN.items()):
        found.append("in the end what was written again is not what lies sealed")
    if facts["found"]:
        found.append(f"in the end the files hold {facts['found']}")
    if final["leaves"][: len(facts["crash"]["leaves"])] != facts["crash"]["leaves"]:
        found.append("the ledger that the crash left is no prefix of the final one")
    return found


def _everywhere(flow: str, left: dict[str, Any]) -> Iterator[str]:
    """What holds as the crash left it, and in the end."""
    clear, sealed = left["clear"], left["sealed"]
    if left["trouble"]:
        yield f"the ledger does not verify: {left['trouble']}"
    for key, text in WRITTEN.items():
        again = WRITTEN_AGAIN.get(key) if flow == "again" else None
        # What was written again: the new text waits in the clear beside the old one sealed, or has taken its place.
        good = [(None, text), (text, None)] if again is None else [(again, text), (None, again)]
        if (clear.get(key), sealed.get(key)) not in good:
            yield f"{key}: {'in the clear' if key in clear else 'empty'}, {'sealed' if key in sealed else 'not sealed'}"
    if left["records"] != left["named"]:
        yield f"{left['records']} records were made of {left['named']} rows"
    if left["people"] != left["owners"]:
        yield f"{len(left['people'])} people are there, and {len(left['owners'])} have a record"


CAMPAIGN = Campaign("tests.campaigns.sealing_warm", FLOWS, violations)

if __name__ == "__main__":
    sys.exit(CAMPAIGN.main())
