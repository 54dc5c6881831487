"""One line of the ledger: what was decided or done, by which sentences, in which hour.

An entry holds words of the policy and nothing else: no value, no id of a person, record or attempt,
no time finer than the hour. What is written is checked for that: a name with a space, a mail address or a
card number is not a word, and makes no entry.

The body is canonical JSON (RFC 8785: sorted keys, no spaces, UTF-8), so that the same entry has
the same bytes and the same hash everywhere:

    {"event":"permitted","format":1,"hour":498765,"nonce":"…32 hex…","object":"contact.email",
     "policy":"…64 hex…","purpose":"shipping","recipient":"ups","sentences":["shared-with-carriers"],"verb":"share"}

`purpose`, `recipient` and `role` are left out where there is none. The nonce makes every entry unlike every
other: without it, whoever knows the policy could guess a body from its hash.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from avow.errors import LedgerError

#: The largest body in bytes: what C2SP tlog-tiles can hold in an entry bundle.
LARGEST: Final = 65_535

#: The largest body that is read in the quick way: what is longer would fill the memory for the few ways to say things.
_QUICK: Final = 4096

_WORD = r"[A-Za-z][A-Za-z0-9_.-]{0,99}"
_SHAPES: Final = {
    "event": re.compile(_WORD),
    "verb": re.compile(_WORD),
    "object": re.compile(rf"{_WORD}(?:, {_WORD})*"),
    "purpose": re.compile(_WORD),
    "recipient": re.compile(_WORD),
    "role": re.compile(_WORD),
    "policy": re.compile(r"[0-9a-f]{64}"),
    "nonce": re.compile(r"[0-9a-f]{32}"),
}
_ANCHOR: Final = re.compile(_WORD)
_OPTIONAL: Final = ("purpose", "recipient", "role")
_NONCE: Final = re.compile(rb"[0-9a-f]{32}")
_BEFORE_NONCE: Final = b'"nonce":"'
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


#: The digest of no policy, in an entry that rests on none.
_NO_POLICY: Final = "0" * 64


def commitment(body: bytes) -> bytes:
    """What the log says of an entry's body: its SHA-256, 32 bytes. The nonce keeps it from being guessed."""
    return hashlib.sha256(body).digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """A verdict or an event, in words of the policy.

    Args:
        event: permitted, refused, attempted, done, unknown, failed, started …
        verb: of the flow.
        object: of the flow; several are separated by a comma and a space.
        purpose: what for, if there is one.
        recipient: who outside, if there is one.
        role: in which role a member of staff did it, if one did; never who.
        sentences: the anchors it rests on.
        policy: SHA-256 of the version of the policy that decided, 64 hexadecimal digits.
        hour: whole hours since 1970-01-01 UTC.
        nonce: 16 random bytes, 32 hexadecimal digits.

    Raises:
        LedgerError: a part is not of its shape. The message does not repeat it: it may be personal.
    """

    event: str
    verb: str
    object: str
    purpose: str | None
    recipient: str | None
    sentences: tuple[str, ...]
    policy: str
    hour: int
    nonce: str
    role: str | None = None

    def __post_init__(self) -> None:
        for name, shape in _SHAPES.items():
            value = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            if type(value) is not str or not shape.fullmatch(value):
                _misshapen(name)
        if type(self.sentences) is not tuple or not all(
            type(a) is str and _ANCHOR.fullmatch(a) for a in self.sentences
        ):
            _misshapen("sentences")
        if type(self.hour) is not int or not 0 <= self.hour < 2**32:
            _misshapen("hour")

    def encode(self) -> bytes:
        """The canonical body.

        Raises:
            LedgerError: it is longer than 65,535 bytes.
        """
        parts: dict[str, Any] = {name: value for name in _SHAPES if (value := getattr(self, name)) is not None}
        parts |= {"format": 1, "hour": self.hour, "sentences": self.sentences}
        body = _canonical(parts).encode()
        if len(body) > LARGEST:
            raise LedgerError(
                f"a ledger entry has at most {LARGEST} bytes, this one {len(body)}",
                help="write its objects as several entries",
            )
        return body

    @classmethod
    def decode(cls, body: bytes) -> Entry:
        """The entry of a body.

        Raises:
            LedgerError: these are not the canonical bytes of an entry of format 1.
        """
        entry = None
        try:
            parts = json.loads(body)
            if parts.pop("format") == 1:
                parts["sentences"] = tuple(parts["sentences"])
                entry = cls(**{**dict.fromkeys(_OPTIONAL), **parts})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass  # told below, without the bytes
        # Another spelling of the same entry would have another hash: two bodies, one meaning.
        if entry is None or entry.encode() != body:
            raise LedgerError(
                "this is not a ledger entry of format 1 in its canonical bytes",
                help="verify the ledger; if it was written by a newer version of Avow, read it with that version",
            )
        return entry


def own_entry(event: str, verb: str, object: str, hour: int) -> Entry:
    """An entry of the ledger about itself, which rests on no policy."""
    return Entry(event, verb, object, None, None, (), _NO_POLICY, hour, secrets.token_hex(16))


def read_quickly(body: bytes) -> Entry:
    """The entry of a body, but for its nonce, which is all zeros.

    As sound as `Entry.decode`, and many times as quick where entries say the same: a canonical body has the key of its
    nonce once, since no word has a quotation mark; so with another nonce of the same shape it is canonical as well, and
    what is around the nonce has to be looked at only once.

    Raises:
        LedgerError: as `Entry.decode`.
    """
    start = body.find(_BEFORE_NONCE) + len(_BEFORE_NONCE)
    end = start + 32
    if len(body) <= _QUICK and start >= len(_BEFORE_NONCE) and _NONCE.fullmatch(body, start, end):
        found = _around(body[:start], body[end:])
        if found is not None:
            return found
    return Entry.decode(body)


@lru_cache(maxsize=4096)
def _around(before: bytes, after: bytes) -> Entry | None:
    try:
        return Entry.decode(b"%b%032d%b" % (before, 0, after))
    except LedgerError:
        return None  # the whole body is looked at, which says so


@lru_cache(maxsize=4096)  # in one hour a service says few different things
def around_nonce(
    event: str,
    verb: str,
    object: str,
    purpose: str | None,
    recipient: str | None,
    role: str | None,
    sentences: tuple[str, ...],
    policy: str,
    hour: int,
) -> tuple[bytes, bytes]:
    """The canonical body of an entry up to its nonce, and from there on; the arguments are those of `Entry`.

    Entries are written with every unit of work, and but for the nonce most are like one before.

    Raises:
        LedgerError: as `Entry` and `Entry.encode`.
    """
    nonce = "0" * 32
    entry = Entry(event, verb, object, purpose, recipient, sentences, policy, hour, nonce, role)
    before, after = entry.encode().split(b'"nonce":"%b' % nonce.encode())  # no word has a quotation mark
    return before + b'"nonce":"', after


def _misshapen(name: str) -> None:
    raise LedgerError(
        f"the `{name}` of a ledger entry is not of its shape",
        help="the ledger takes words of the policy, a digest, an hour and a nonce, never a value",
    )
