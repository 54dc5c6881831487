"""`avow outbox`: how an installation's sends stand, and sending again what had failed."""

from __future__ import annotations

import time
from pathlib import Path

from avow.cli.installation import database
from avow.errors import SetupError


def outbox(data: Path, store: str | None, again: str | None) -> int:
    """Say how the sends of the installation in `data` stand; first put back those to `again` that failed.

    The exit status is 3 if sends have failed for good, else 0.

    Raises:
        StoreError, SetupError: there is no outbox there, or nothing to `again` that failed.
    """
    from avow.outbox.queue import put_back, standings

    with database(data, store, "outbox") as (opened, schema):
        if again is not None:
            with opened.writing() as connection:
                count = put_back(connection, schema, again, time.time())
            if not count:
                raise SetupError(
                    f"nothing to `{again}` has failed", help="run `avow outbox` without --again to see what has"
                )
            print(f"{count} to {again} will be sent again, under the same ids.")
        with opened.reading() as connection:
            found = standings(connection, schema)
    for each in found:
        print(f"{each.name}: {each.count} {_WORDS[each.state]}" + (f": {each.note}" if each.note else ""))
    if not found:
        print("Nothing was ever sent.")
    return 3 if any(each.state == "failed" for each in found) else 0


_WORDS = {
    "ready": "waiting",
    "attempted": "under way",
    "done": "delivered",
    "failed": "failed for good",
    "refused": "refused by the policy when they were about to leave",
}
