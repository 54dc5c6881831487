"""Staff: who may come to a desk. Name and password come with each request (HTTP Basic, RFC 7617), so that a desk needs
no cookie; the transport is the one that customers' words come in over, encrypted or within this machine.

    desk = Staff(members, clock)
    desk.admit("Basic …", ("order_desk",))        # a Member, or Turned: the page to answer with instead

A wrong password costs as much as a right one, and an unknown name as much as a known one. After FREE wrong attempts in
a row a name has to wait, each time twice as long; what comes meanwhile is not looked at. Attempts are counted in
memory, by name alone: no address of a network is known here.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from avow.keys.passwords import hash_password, password_fits

log = logging.getLogger("avow.staff")

#: Wrong attempts in a row that cost no waiting; then seconds to wait, doubled up to the longest.
FREE, FIRST_WAIT, LONGEST_WAIT = 5, 30.0, 900.0

#: Names that nobody has and whose attempts are remembered; the oldest are forgotten first.
STRANGERS = 1_000

#: Bytes of the longest header that is looked at.
LARGEST = 2_048

_REALM = b'Basic realm="Staff", charset="UTF-8"'


@dataclass(frozen=True, slots=True)
class Member:
    """One member of staff: `roles` are words of the policy, `password` is a hash of `avow.keys.passwords`."""

    name: str
    roles: tuple[str, ...]
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Turned:
    """Somebody who is not let in: what the page says instead, and the headers that go with it."""

    status: int
    title: str
    words: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(slots=True)
class _Attempts:
    wrong: int = 0
    until: float = 0.0


class Staff:
    """The members of staff of one installation. `members` gives them by name as they stand now; `clock` unix seconds.

    Safe to share between threads; `admit` takes the time of a password hash and belongs into a worker thread.
    """

    def __init__(self, members: Callable[[], Mapping[str, Member]], clock: Callable[[], float]) -> None:
        self._members = members
        self._clock = clock
        self._lock = Lock()
        self._attempts: dict[str, _Attempts] = {}
        self._strangers: OrderedDict[str, _Attempts] = OrderedDict()
        # What is compared with when nobody has the name; and the key of what is remembered of right passwords.
        self._nobody = hash_password(secrets.token_urlsafe(24))
        self._key = secrets.token_bytes(32)
        self._right: dict[str, bytes] = {}

    def admit(self, authorization: str | None, roles: tuple[str, ...]) -> Member | Turned:
        """Let in who proves to be a member with one of `roles`. Nothing of the request is quoted in the answer."""
        known = _read(authorization)
        if known is None:
            return _asked("This page is for our staff. Please give your name and your password.")
        name, password = known
        member = self._members().get(name)
        wait = self._begin(name, member)
        if wait:
            seconds = str(int(wait) + 1)
            words = f"There were too many wrong attempts with this name. Please wait {seconds} seconds and try again."
            return Turned(429, "Please wait a moment", words, ((b"retry-after", seconds.encode()),))
        if not self._fits(password, member):
            log.warning("an attempt to come to a desk failed: wrong name or password")
            return _asked("This name and this password do not belong together. Please try again.")
        assert member is not None  # nobody's password fits nobody
        with self._lock:
            self._attempts.pop(name, None)
        if not set(roles) & set(member.roles):
            words = (
                "You are one of our staff, and this desk is not one of yours. Who looks after our staff can change it."
            )
            return Turned(403, "This is another desk", words)
        return member

    def _begin(self, name: str, member: Member | None) -> float:
        """Count an attempt before it is looked at, so that many at once are not one; the seconds to wait, if any."""
        now = self._clock()
        with self._lock:
            if member is not None:
                attempts = self._attempts.setdefault(name, _Attempts())
            else:
                attempts = self._strangers.setdefault(name, _Attempts())
                self._strangers.move_to_end(name)
                if len(self._strangers) > STRANGERS:
                    self._strangers.popitem(last=False)
            if now < attempts.until:
                return attempts.until - now
            attempts.wrong += 1
            if attempts.wrong >= FREE:
                attempts.until = now + min(FIRST_WAIT * 2 ** min(attempts.wrong - FREE, 16), LONGEST_WAIT)
        return 0.0

    def _fits(self, password: str, member: Member | None) -> bool:
        """Whether it is this member's password. A right one is recognised again without hashing it anew."""
        if member is None:
            password_fits(password, self._nobody)
            return False
        mark = hmac.digest(self._key, f"{member.password}\0{password}".encode("utf-8", "surrogatepass"), "sha256")
        if hmac.compare_digest(self._right.get(member.name, b""), mark):
            return True
        if not password_fits(password, member.password):
            return False
        self._right[member.name] = mark
        return True


def _asked(words: str) -> Turned:
    return Turned(401, "Staff only", words, ((b"www-authenticate", _REALM),))


def _read(authorization: str | None) -> tuple[str, str] | None:
    """Name and password of the header, or None where it holds none."""
    scheme, _, token = (authorization or "")[:LARGEST].partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(token.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None
