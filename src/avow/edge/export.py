"""What somebody takes with them: everything that is held about them, as JSON that programs can read.

The text holds markers where values will stand; the door judges them once more and fills them in, as it does on pages.
The format is described in `docs/formats.md`.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from avow.edge.markers import without_marks
from avow.errors import SetupError
from avow.vault.sealed import Sealed

if TYPE_CHECKING:
    from avow.engine import Policy
    from avow.vault.holdings import Holdings, Item, Value

#: The name of the format. It changes when a program that reads it would have to.
FORMAT = "avow-export 1"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


def exported(held: Holdings, policy: Policy, hour: int) -> str:
    """The JSON text of an export made in `hour` since 1970, under `policy`; values are markers yet."""
    content = {
        "format": FORMAT,
        "made": moment(hour),
        "policy": {
            "site": policy.site,
            "title": policy.title,
            "version": policy.version,
            "effective": policy.effective.isoformat(),
            "sha256": policy.digest,
        },
        "accepted": list(held.accepted),
        "standings": [
            {"what": each.what, "version": each.version, "since": moment(each.hour), "at": each.place}
            for each in held.standings
        ],
        "records": [_record(item) for item in held.items],
        "sent": [
            {"as": each.way, "what": each.name, "for": each.purpose, "state": each.state} for each in held.sendings
        ],
        "secret_links": held.links,
        "log_entries": held.log,
        "other_rows": held.others,
    }
    # Marks have to stay as they are, or the door would not find them.
    return json.dumps(_unmarked(content), ensure_ascii=False, indent=1, default=_mark) + "\n"


def download(content: str | bytes, name: str, kind: str = "application/json") -> Response:
    """An answer that browsers save as a file of this name instead of showing it. No cache keeps it: see `headers`.

    `kind` is its media type.

    Raises:
        SetupError: the name is more than letters, digits, dots and dashes.
    """
    if not _NAME.fullmatch(name):
        raise SetupError(f"`{name}` is no name for a file to take along", help="letters, digits, dots and dashes")
    return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


def moment(hour: int) -> str:
    """An hour since 1970 as ISO 8601: `2026-11-22T11:00Z`."""
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%H:00Z")


def _record(item: Item) -> dict[str, Any]:
    return {
        "what": item.kind,
        "id": item.id,
        "own": item.own,
        "version": item.version,
        "values": [_value(value) for value in item.values],
        "notes": [{"what": note.why, "content": note.content} for note in item.notes],
    }


def _value(value: Value) -> dict[str, Any]:
    told = {
        "what": value.label,
        "category": value.category,
        "collected": moment(value.hour),
        "at": value.place,
        "version": value.version,
    }
    if value.sealed is not None:
        return {**told, "text": value.sealed}
    return {**told, "closed": value.reason, "sentences": [sentence.text for sentence in value.sentences]}


def _unmarked(content: Any) -> Any:
    """The same without marks in its texts: a plain column holds whatever was written into it."""
    if isinstance(content, str):
        return without_marks(content)
    if isinstance(content, dict):
        return {_unmarked(key): _unmarked(value) for key, value in content.items()}
    return [_unmarked(each) for each in content] if isinstance(content, list) else content


def _mark(value: object) -> str:
    """A sealed value as a marker."""
    if isinstance(value, Sealed):
        return value.__html__()
    raise TypeError(f"a {type(value).__name__} does not belong into an export")
