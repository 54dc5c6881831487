"""The name under which a request asks for the site.

A page of somebody else can be served under a name that leads to this machine a moment later (DNS rebinding); the
visitor's browser then takes the answers for that page's own. So a request is answered only under the site's own name,
or, where both ends of the connection are this machine, under a name that cannot lead anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def is_own_host(host: str, base: str, scope: Mapping[str, Any]) -> bool:
    """Whether `host` (the Host header) names the site that is reached at `base`, or this machine from within."""
    asked = _split(f"//{host}")
    own = urlsplit(base)
    if asked is None or own.hostname is None:
        return False
    name, port = asked
    usual = _PORTS.get(own.scheme)
    if name == own.hostname and (port or usual) == (own.port or usual):
        return True
    ends = [scope.get("client"), scope.get("server")]
    return is_loopback(name) and all(end and is_loopback(end[0]) for end in ends)


def is_loopback(name: str) -> bool:
    """Whether a host's name or address leads to this machine and cannot be made to lead elsewhere."""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _split(address: str) -> tuple[str, int | None] | None:
    """Name in lower case, and port if there is one; None for what is no host."""
    try:
        parts = urlsplit(address)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or parts.path or parts.query or parts.fragment or parts.username is not None:
        return None
    return name.removesuffix("."), port
