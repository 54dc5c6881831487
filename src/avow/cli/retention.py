"""`avow retention due`: what the policy says must be gone, and when it will be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from avow.cli.installation import opened


def due(site: Path, data: Path | None, store: str | None) -> int:
    """Show what is next; the exit status is 3 if something should be gone by now, else 0.

    Raises:
        AvowError: there is no installation, or it cannot be used.
    """
    from avow.vault.retention import due as waiting

    with opened(site, data, store, reads=True) as installation:
        found, rules = waiting(installation.vault), installation.vault.tasks
    for each in found:
        deadline = each.task.deadline
        first = datetime.fromtimestamp(each.first, UTC).strftime("%Y-%m-%d %H:%M UTC")
        late = f", {each.overdue} of them OVERDUE" if each.overdue else ""
        print(f"{deadline.duty.text}  (#{deadline.duty.sentence.anchor})")
        print(f"    {each.waiting} in {each.task.record.__table__.name}, the first at {first}{late}")
    if not found:
        print("Nothing waits." if rules else "The policy has nothing destroyed or erased in time.")
    return 3 if any(each.overdue for each in found) else 0
