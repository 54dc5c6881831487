"""Which unit of work the running code belongs to.

A thread or task that was started without one has none: it is refused, not served from a default.
`contextvars.copy_context().run(...)` carries the unit into a thread on purpose.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from avow.errors import Refused

if TYPE_CHECKING:
    from avow.vault.unit import Unit

UNIT: ContextVar[Unit | None] = ContextVar("avow_unit", default=None)


def current_unit() -> Unit:
    """The unit of work of this thread or task.

    Raises:
        Refused: there is none.
    """
    unit = UNIT.get()
    if unit is None:
        raise Refused(
            "personal information was touched outside a unit of work",
            help="open one with `site.acting(role, purpose)`; in a thread of your own, carry the context over",
        )
    return unit


def unit_if_any() -> Unit | None:
    """The unit of work of this thread or task, or None."""
    return UNIT.get()
