"""The exit guard of one unit of work: what was opened explicitly is searched for wherever the unit writes.

A value that code opened is text like any other, and may be copied into a header, a log line or an exception by
mistake. The guard knows those values, in every usual encoding (`edge.encodings`), and finds them at the doors. It is a
net under careless code, not a wall against hostile code, which could encrypt what it takes out.
"""

from __future__ import annotations

import contextlib
import re
import threading
import weakref
from functools import cached_property

from avow.edge.encodings import readings, unwrapped, variants

#: Shorter values stand in too many innocent words to be searched for on their own.
SHORTEST = 4

_FORMATTED = re.compile(r"[\d ().+/-]+")
_living: weakref.WeakSet[ExitGuard] = weakref.WeakSet()
_living_lock = threading.Lock()


class ExitGuard:
    """Watches values and finds them again. Bodies must be searched before they are compressed.

    >>> guard = ExitGuard()
    >>> guard.watch("contact.email", "ann@example.org")
    >>> guard.search(b"/login?mail=ann%40example.org")
    {'contact.email'}
    >>> guard.scrub("no such user: ann@example.org")
    'no such user: <sealed contact.email>'
    """

    def __init__(self) -> None:
        # Replaced, never changed: another thread's log line may be searched meanwhile.
        self._watched: dict[str, str] = {}
        self._needles = _Needles({})

    def watch(self, category: str, value: str) -> None:
        """Search for `value` from now on, for each of its lines, and for the bare digits of a number.

        What is shorter than `SHORTEST` characters is not searched for. A value seen under two categories keeps the
        first one's name.
        """
        value = value.strip()
        parts = [value, *value.splitlines()]
        if _FORMATTED.fullmatch(value):  # a phone or card number written with other separators, or none
            parts.append("".join(filter(str.isdigit, value)))
        for part in dict.fromkeys(part.strip() for part in parts):
            if len(part) >= SHORTEST:
                self._watch(category, part)

    def search(self, data: bytes) -> set[str]:
        """The categories whose values are in `data`, in whatever encoding; empty when nothing is."""
        if not self._watched:
            return set()
        needles = self._sought()
        found = _found(needles.encoded, data)
        if (whole := unwrapped(data)) != data:
            found |= _found(needles.encoded, whole)
        for reading in readings(data):
            found |= _found(needles.plain, reading)
        return found

    def scrub(self, text: str) -> str:
        """`text` with each watched value replaced by `<sealed category>`.

        A text that holds one in a form that cannot be cut out is withheld as a whole.
        """
        if not self._watched:
            return text
        pattern, categories = self._sought().scrubber
        rest = pattern.sub("\n", text)
        hidden = self.search(_encoded(rest))
        if hidden:
            return f"<sealed {', '.join(sorted(hidden))}>"
        return pattern.sub(lambda match: f"<sealed {categories.get(match[0].lower(), 'value')}>", text)

    def _watch(self, category: str, value: str) -> None:
        with _living_lock:
            _living.add(self)
        self._watched = self._watched | {value: self._watched.get(value, category)}

    def _sought(self) -> _Needles:
        """What is watched in every form in which it is searched for: worked out when it is, which it often is not."""
        watched, needles = self._watched, self._needles
        if needles.watched is not watched:
            needles = self._needles = _Needles(watched)
        return needles


class _Needles:
    """The forms of some values, each with its category: the values by their categories are `watched`."""

    def __init__(self, watched: dict[str, str]) -> None:
        self.watched = watched
        self.plain: dict[bytes, str] = {}
        self.encoded: dict[bytes, str] = {}
        for value, category in watched.items():
            for form in (value, value.lower(), value.upper()):
                self.plain.setdefault(form.encode(errors="surrogatepass").lower(), category)
            for variant in variants(value):
                self.encoded.setdefault(variant.lower(), category)

    @cached_property
    def scrubber(self) -> tuple[re.Pattern[str], dict[str, str]]:
        """One pattern for all needles that are text, the longest first, and the category of each in lower case."""
        texts: dict[str, str] = {}
        for needle, category in self.encoded.items():
            with contextlib.suppress(UnicodeDecodeError):
                texts.setdefault(needle.decode(errors="surrogatepass").lower(), category)
        return re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))), re.IGNORECASE), texts


def _encoded(text: str) -> bytes:
    try:
        return text.encode(errors="surrogateescape")  # bytes that were no UTF-8 become themselves again
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")


def _found(needles: dict[bytes, str], data: bytes) -> set[str]:
    folded = data.lower()  # ASCII only; the upper and lower case of other letters are needles of their own
    return {category for needle, category in needles.items() if needle in folded}


def living() -> tuple[ExitGuard, ...]:
    """Every guard of this process that watches something and is still referred to, by a unit or by a traceback.

    A thread without a unit, or a server that reports an exception after the unit has ended, may still hold a value.
    """
    with _living_lock:
        return tuple(_living)
