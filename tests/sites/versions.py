"""The shop under other versions of its policy: copies of it, each with a policy changed from the present one."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from .conftest import SHOP

#: What makes the present version the one before.
BEFORE = 'version: "1"\neffective: 2026-11-22', 'version: "0.9"\neffective: 2026-03-01'


def shop_under(change: Callable[[str], str], folder: Path) -> Path:
    """A copy of the shop in `folder` whose policy `change` has made of the present one."""
    # A name of its own: a module that was imported once is not read again.
    copy = shutil.copytree(SHOP, folder / f"shop_{secrets.token_hex(6)}")
    file = copy / "policy.md"
    file.write_text(change(file.read_text("utf-8")), "utf-8")
    return copy


def numbered(text: str) -> str:
    """The policy as the version before."""
    return replaced(text, *BEFORE)


def earlier(text: str) -> str:
    """No offers were sent, then."""
    return replaced(numbered(text), "may send offer, survey to contact.email", "may send survey to contact.email")


def looser(text: str) -> str:
    """No offers were sent, and the measures were looked at more seldom."""
    text = replaced(earlier(text), "Once a year our security officer", "Every other year our security officer")
    return replaced(text, "must verify personal every 1 year", "must verify personal every 2 years")


def replaced(text: str, now: str, then: str) -> str:
    """A text with something else in the place of what it has once."""
    assert text.count(now) == 1, now
    return text.replace(now, then)
