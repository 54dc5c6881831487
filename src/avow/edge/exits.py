"""The exit guard at the door of a unit: what was opened explicitly must not slip out beside the markers.

Every text that the unit opened is searched for, in its usual encodings, in the answer's body and
headers; card numbers are looked for whether or not anything was opened. A text found in the body is
judged as shown there; in a header, a cookie or a redirect nothing personal may stand at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avow.edge.guard import ExitGuard
from avow.errors import Refused

if TYPE_CHECKING:
    from avow.vault.unit import Unit


def guard_of(unit: Unit) -> ExitGuard | None:
    """What watches everything that the unit has opened so far; None when it has opened nothing."""
    return unit.guard if isinstance(unit.guard, ExitGuard) else None


def check_exits(unit: Unit, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Judge what of the opened texts stands in an answer, before markers are filled in.

    Raises:
        Refused: something opened stands in a header, or in a body where it may not be shown.
    """
    found = _undeclared(unit, body.decode("utf-8", "replace"))
    for _, value in headers:
        found |= _undeclared(unit, value.decode("latin-1"))
    undeclared = set(found)
    guard = guard_of(unit)
    if guard is not None:
        leaking = guard.search(b"\n".join(name + b": " + value for name, value in headers))
        if leaking:
            raise Refused(
                f"an opened `{min(leaking)}` stands in a header of the answer",
                help="headers, cookies and redirects carry nothing personal; show it in the page instead",
            )
        found |= guard.search(body)
    for category in sorted(found):
        foreign = category in undeclared or unit.is_foreign(category)
        audience = unit.audience(own=not foreign)
        unit.judge("show", category, audience=audience, place=unit.place, role=unit.role)


def _undeclared(unit: Unit, text: str) -> set[str]:
    return {category for inspector in unit.vault.exit_inspectors for category in inspector(text)}
