"""Markers: what a template writes where a sealed value will stand, and the filling in at the door.

A marker is U+E000, the unit's nonce (12 hex digits), a number of four digits, U+E001. Nonces are random and new for
each unit, so nobody can write a marker of somebody else's unit, and a page that was kept shows nobody's values.

Rules, each refused with the place when it is broken:

1. Every private-use mark on a page belongs to a whole marker of this unit. A marker that was cut, doubled, changed by
   a template filter, or that came from elsewhere stops the page.
2. In HTML a value stands in text, in <textarea>, or in a quoted attribute made of words (`edge.places`).
3. A page is filled in once, from left to right; values are never searched for markers, and marks inside a value are
   written so that no second pass takes them for markers.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from avow.edge.places import first_fault
from avow.errors import Refused

OPEN, CLOSE = "\ue000", "\ue001"
#: Most values on one page: the number has four digits.
LIMIT = 10_000

_NONCE = re.compile(r"[0-9a-f]{12}")
_BODY = 17  # nonce, number and CLOSE: what follows OPEN
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

ValueOf = Callable[[int], str]


def marker(nonce: str, number: int) -> str:
    """The marker of value `number` (0 to 9999) in the unit with `nonce` (12 lower-case hex digits).

    Raises ValueError when either is out of shape.
    """
    if not _NONCE.fullmatch(nonce) or not 0 <= number < LIMIT:
        raise ValueError(f"a marker needs a nonce of 12 hex digits and a number below {LIMIT}, got number {number}")
    return f"{OPEN}{nonce}{number:04d}{CLOSE}"


def numbers(page: str, nonce: str) -> list[int]:
    """The distinct numbers marked on `page`, in order of appearance. Raises Refused as `fill_text` does."""
    return list(dict.fromkeys(_split(page, nonce)[1]))


def fill_html(page: str, nonce: str, value_of: ValueOf, *, before: Callable[[list[int]], None] | None = None) -> str:
    """`page` with each marker replaced by its value, escaped for HTML.

    `before` is told the numbers of the markers once all of them may stand where they do, and before the first value
    is asked for; what it raises stops the page.

    Raises Refused, naming line and place, for a marker where no value may stand and for a foreign or broken one.
    Nothing has been asked of `before` and `value_of` by then.
    """
    texts, found = _split(page, nonce)
    marks, position = [], 0
    for text in texts[:-1]:
        position += len(text)
        marks.append(position)
        position += _BODY + 1
    fault = first_fault(page, marks)
    if fault is not None:
        raise Refused(
            f"a sealed value stands {fault[1]} (line {_line(page, fault[0])} of the page)",
            help='show it as text, in <textarea>, or in a quoted attribute of words: value="…", title="…", alt="…"',
        )
    if before is not None:
        before(found)
    return _join(texts, [_escape(value_of(number)) for number in found])


def fill_text(text: str, nonce: str, value_of: ValueOf) -> str:
    """Plain `text` (a mail, a file) with its markers replaced. Raises Refused for a foreign or broken marker."""
    texts, found = _split(text, nonce)
    return _join(texts, [without_marks(value_of(number)) for number in found])


def fill_header(text: str, nonce: str, value_of: ValueOf) -> str:
    """As `fill_text`, for one header line: also raises Refused for a line break or control character anywhere."""
    filled = fill_text(text, nonce, value_of)
    if _CONTROLS.search(filled):  # CR and LF would begin a header of the writer's choice
        raise Refused(
            "a header would contain a line break or another control character",
            help="take values for headers from single-line fields",
        )
    return filled


def without_marks(text: str) -> str:
    """`text` with U+E000 and U+E001 replaced by U+FFFD. For everything that comes in and is written into pages."""
    if OPEN in text or CLOSE in text:
        return text.replace(OPEN, "\ufffd").replace(CLOSE, "\ufffd")
    return text


def _split(page: str, nonce: str) -> tuple[list[str], list[int]]:
    """The texts around the markers of `page`, and the markers' numbers."""
    if not _NONCE.fullmatch(nonce):
        raise ValueError("a nonce has 12 lower-case hex digits")
    texts = page.split(OPEN)
    found = []
    if CLOSE in texts[0]:
        raise _broken(page, page.index(CLOSE))
    for index in range(1, len(texts)):
        body, rest = texts[index][:_BODY], texts[index][_BODY:]
        number = body[12:16]
        whole = body[:12] == nonce and body[16:] == CLOSE and number.isascii() and number.isdigit()
        if not whole or CLOSE in rest:
            raise _broken(page, sum(map(len, texts[:index])) + (index - 1) * (_BODY + 1))
        found.append(int(number))
        texts[index] = rest
    return texts, found


def _broken(page: str, position: int) -> Refused:
    return Refused(
        f"a marker near line {_line(page, position)} is broken or belongs to another unit of work",
        help="show sealed values without filters that cut or change them, render in the unit that shows the page, "
        "and pass incoming text through avow.edge.markers.without_marks",
    )


def _escape(value: str) -> str:
    escaped = html.escape(value)
    if OPEN in escaped or CLOSE in escaped:
        return escaped.replace(OPEN, "&#xe000;").replace(CLOSE, "&#xe001;")
    return escaped


def _join(texts: list[str], values: list[str]) -> str:
    parts = [""] * (2 * len(values) + 1)
    parts[::2], parts[1::2] = texts, values
    return "".join(parts)


def _line(page: str, position: int) -> int:
    return page.count("\n", 0, position) + 1
