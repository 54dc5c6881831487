"""Avow runs the privacy policy that you publish.

    from avow import Site, owner, personal, plain

The names below are what a service needs; each is imported when it is first used, so that a program
that only reads a policy loads no database driver and no web framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avow.edge.acts import acts as acts
    from avow.edge.form import Form as Form
    from avow.edge.incoming import Incoming as Incoming
    from avow.engine import Policy as Policy
    from avow.errors import AvowError as AvowError
    from avow.errors import Refused as Refused
    from avow.keys.passwords import hash_is_dated as hash_is_dated
    from avow.keys.passwords import hash_password as hash_password
    from avow.keys.passwords import password_fits as password_fits
    from avow.site import Site as Site
    from avow.site import Work as Work
    from avow.site.demo import Demo as Demo
    from avow.values import Facts as Facts
    from avow.vault.age import ask_age as ask_age
    from avow.vault.columns import moment as moment
    from avow.vault.columns import owner as owner
    from avow.vault.columns import party as party
    from avow.vault.columns import personal as personal
    from avow.vault.columns import plain as plain
    from avow.vault.correcting import correct as correct
    from avow.vault.sealed import Sealed as Sealed

_HOMES = {
    "AvowError": "avow.errors",
    "Demo": "avow.site.demo",
    "Facts": "avow.values",
    "Form": "avow.edge.form",
    "Incoming": "avow.edge.incoming",
    "Policy": "avow.engine",
    "Refused": "avow.errors",
    "Sealed": "avow.vault.sealed",
    "Site": "avow.site",
    "Work": "avow.site",
    "acts": "avow.edge.acts",
    "ask_age": "avow.vault.age",
    "correct": "avow.vault.correcting",
    "hash_is_dated": "avow.keys.passwords",
    "hash_password": "avow.keys.passwords",
    "moment": "avow.vault.columns",
    "owner": "avow.vault.columns",
    "party": "avow.vault.columns",
    "password_fits": "avow.keys.passwords",
    "personal": "avow.vault.columns",
    "plain": "avow.vault.columns",
}

__all__ = [
    "AvowError",
    "Demo",
    "Facts",
    "Form",
    "Incoming",
    "Policy",
    "Refused",
    "Sealed",
    "Site",
    "Work",
    "acts",
    "ask_age",
    "correct",
    "hash_is_dated",
    "hash_password",
    "moment",
    "owner",
    "party",
    "password_fits",
    "personal",
    "plain",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'avow' has no attribute '{name}'")
