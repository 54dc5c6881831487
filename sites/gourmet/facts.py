"""What the shop knows of a record and of the person whose it is, for the conditions of its policy.

Each module tells what it knows; a new one is added here.
"""

from __future__ import annotations

from typing import Any

from avow import Facts, Work

from . import choice, maker
from .shop import site


@site.facts
def known(work: Work, record: Any, recipient: str | None) -> Facts:
    """The facts about one record, about to be shared with `recipient` if that is not None."""
    return {**choice.facts(work, record, recipient), **maker.facts(work, record, recipient)}
