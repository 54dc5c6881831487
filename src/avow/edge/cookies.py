"""Cookies by declaration: each is judged when it is read and when it is written.

A handler sees no Cookie header and no Set-Cookie header of its own making leaves: what the policy
does not declare, or not for the purpose at hand, is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avow.edge.intake import Intake
from avow.errors import SetupError

if TYPE_CHECKING:
    from avow.vault.unit import Unit

#: RFC 6265 4.1.1: octets that may stand in a cookie's value.
_ALLOWED = frozenset(map(chr, (0x21, *range(0x23, 0x2C), *range(0x2D, 0x3B), *range(0x3C, 0x5C), *range(0x5D, 0x7F))))

#: Bytes of the longest value.
LONGEST = 2000


class Cookies:
    """The cookies of one request and its response."""

    def __init__(self, unit: Unit, intake: Intake) -> None:
        self._unit = unit
        self._intake = intake
        self._written: dict[str, str] = {}

    def read(self, name: str) -> str | None:
        """The value that the browser sent, when the policy permits to use it for the unit's purpose.

        Raises:
            Refused: the cookie is not declared, or not for this purpose.
        """
        value = self._intake.cookie(name)
        if value is not None:
            self._unit.judge("open", self._term(name), role=self._unit.role, place=self._unit.place)
        return value

    def write(self, name: str, value: str) -> None:
        """Set a cookie, with the lifetime that the policy declares for it.

        Raises:
            Refused: the cookie is not declared, or not for this purpose.
            SetupError: the value cannot stand in a cookie.
        """
        self._unit.judge("set", self._term(name), place=self._unit.place)
        if not _ALLOWED.issuperset(value) or len(value) > LONGEST:
            raise SetupError(
                f"the value of cookie `{name}` cannot stand in a cookie",
                help=f"use letters, digits and dashes, at most {LONGEST} characters",
            )
        seconds = self._unit.vault.policy.cookies[name].seconds
        lifetime = f"; Max-Age={seconds}" if seconds else ""
        self._written[name] = f"{name}={value}; Path=/{lifetime}; HttpOnly; SameSite=Lax{self._secure()}"

    def forget(self, name: str) -> None:
        """Have the browser delete a cookie. Needs no permission: less is kept afterwards."""
        self._written[name] = f"{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{self._secure()}"

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The Set-Cookie headers that were permitted."""
        return [(b"set-cookie", value.encode("ascii")) for value in self._written.values()]

    def _term(self, name: str) -> str:
        return cookie_term(self._unit, name)

    def _secure(self) -> str:
        return "; Secure" if self._intake.channel == "https" else ""


def cookie_term(unit: Unit, name: str) -> str:
    """The policy's term for a cookie; one that it does not declare is any cookie at all, which nothing permits."""
    return f"cookie.{name}" if name in unit.vault.policy.cookies else "cookie"
