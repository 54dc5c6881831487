"""Where a peer is, and how long it may take: the two things every channel knows before it connects."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from avow.errors import SetupError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A peer's address, taken apart once. `path` has no trailing slash and may be empty."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str, schemes: Mapping[str, int]) -> Endpoint:
        """Read `url`; `schemes` maps each scheme that may be used to its default port.

        Raises SetupError for another scheme (a plain one, above all), for a missing host, and for user names,
        queries and fragments, which no channel sends.
        """
        allowed = " or ".join(f"{scheme}://" for scheme in schemes)
        wanted = f"write it as {allowed.replace('://', '://host:port')}"
        # urlsplit drops tabs and line ends without a word, and a host beyond ASCII may look like another one.
        if not url.isascii() or not url.isprintable() or " " in url:
            raise SetupError("the address of a peer holds a character that no address may hold", help=wanted)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise SetupError(f"the address of a peer cannot be read: {error}", help=wanted) from None
        if parts.scheme not in schemes:
            raise SetupError(f"a peer may be reached over {allowed} only, not over `{parts.scheme}`", help=wanted)
        if not parts.hostname:
            raise SetupError(f"the address of a peer over {parts.scheme} names no host", help=wanted)
        if parts.username is not None or parts.query or parts.fragment:
            raise SetupError(
                f"the address of the peer {parts.hostname} holds a user name, a query or a fragment",
                help="leave only scheme, host, port and path",
            )
        return cls(parts.scheme, parts.hostname, port or schemes[parts.scheme], parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """`host:port`, as it stands in URLs and Host headers."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


class Deadline:
    """The moment by which a whole exchange must be over.

    A timeout per read is no limit: a peer that sends one byte every few seconds would hold a worker for hours.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the deadline, more than 0. Raises TimeoutError when there are none."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline has passed")
        return seconds
