"""Patterns of personal information that nobody told us of: payment card numbers, and codes that are called so.

A card number is taken for one only when issuer prefix, length and check digit agree; the check digit alone would
accept one tracking number in ten. Numbers of these kinds are left alone: parts of digests and UUIDs, tracking numbers
of 20 and more digits, and 13-digit numbers, which are EAN barcodes (Visa's were retired).

Prefixes and lengths: ISO/IEC 7812 ranges as the card networks publish them. Check digit: ISO/IEC 7812-1 annex B.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Issuer prefixes with the lengths in use: Visa, Mastercard, American Express, Diners Club, Discover, JCB, UnionPay,
#: Maestro, Mir.
_ISSUERS = re.compile(
    r"""4 (?:\d{15} | \d{18})
      | (?: 5[1-5]\d\d | 222[1-9] | 22[3-9]\d | 2[3-6]\d\d | 27[01]\d | 2720 ) \d{12}
      | 3[47] \d{13}
      | 3(?: 0[0-5] | 6\d | [89]\d ) \d{11}
      | 3(?: 0[0-5]\d | 6\d\d | [89]\d\d | 095 | 52[89] | 5[3-8]\d ) \d{12,15}
      | (?: 6011 | 64[4-9]\d | 65\d\d | 62\d\d | 81\d\d ) \d{12,15}
      | (?: 50\d\d | 5[6-8]\d\d | 6304 | 6759 | 676[1-3] | 220[0-4] ) \d{12,15}""",
    re.VERBOSE | re.ASCII,
)
_SHORTEST, _LONGEST = 14, 19

# What stands between the groups of one number: blanks, dashes, dots, and the same in URLs and entities.
_SEPARATOR = r"(?:[ \t.+_\u00a0\u2002-\u2015\u202f\u2212-]{1,3}|%20|%2[dD]|%C2%A0|&nbsp;|&\#(?:32|160|45);)"
_RUN = re.compile(rf"\d++(?:{_SEPARATOR}\d++)*+")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}")
_GROUP = re.compile(rf"(?:{_SEPARATOR})?+(\d++)")
_HEX_BEFORE = re.compile(r"[0-9A-Fa-f-]*\Z")
_HEX_AFTER = re.compile(r"[0-9A-Fa-f-]*")
_HEX_WORD = re.compile(r"[0-9-]*[A-Fa-f][0-9A-Fa-f-]*")
_CODE = re.compile(
    r"\b(?:cv[vc]2?|csc|card(?:['’]s)? code|(?<!door )(?<!gate )security code)\b"
    r"[ \t]{0,3}(?:is\b|[:=#(-])?[ \t]{0,3}\d{3,4}(?!\d)",
    re.IGNORECASE,
)
_DIGEST = 32  # characters of the shortest digest or UUID
_USPS = re.compile(r"9[1-5]\d{18,20}", re.ASCII)


def find_cards(text: str) -> list[tuple[int, int]]:
    """The (start, end) of each card number in `text`, in order, not overlapping. Takes time linear in its length."""
    found: list[tuple[int, int]] = []
    for run in _RUN.finditer(text):
        start, end = run.span()
        if end - start >= _SHORTEST:
            found.extend(_cards_of(text, _unescaped_start(text, start), end))
    return found


def contains_card(text: str) -> bool:
    """True when `text` holds a card number."""
    return bool(find_cards(text))


_BETWEEN = re.compile(r"(?<=\d)[\W_]{1,4}(?=\d)")


def contains_typed_card(text: str) -> bool:
    """Whether digits that a person typed make a card number, whatever stands between their groups.

    For what comes in, where a question too many is answered by typing on. What goes out is full of figures that stand
    next to one another; there `contains_card` knows the usual spellings.
    """
    return contains_card(_BETWEEN.sub("", text))


def contains_card_code(text: str) -> bool:
    """True when `text` calls three or four digits a card's security code: by themselves they could be anything."""
    return _CODE.search(text) is not None


def _unescaped_start(text: str, start: int) -> int:
    r"""An escape in front of a number must not lend it its digits: %204242…, \u00204242…."""
    for escape in _ESCAPE.finditer(text, max(0, start - 5), start + 4):
        if escape.start() < start < escape.end():
            return escape.end()
    return start


def _cards_of(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The cards among the groups of digits of one run: each begins and ends with a group."""
    groups = [match.span(1) for match in _GROUP.finditer(text, start, end)]
    if _USPS.fullmatch("".join(_digits(text, group) for group in groups[:8])) and len(groups) <= 8:
        return
    end_of_last = 0
    for first, (start, _) in enumerate(groups):
        if start < end_of_last:
            continue
        digits = ""
        for group in groups[first : first + _LONGEST]:
            digits += _digits(text, group)
            if len(digits) > _LONGEST:
                break
            if _is_card(digits) and _is_spelling(groups, start, group[1]) and not _in_digest(text, start, group[1]):
                end_of_last = group[1]
                yield start, end_of_last
                break


def _is_spelling(groups: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether somebody writes a card so: in groups of three and more, or all of it spaced out; not a row of a table."""
    sizes = [last - first for first, last in groups[: _LONGEST + 1] if start <= first < end] or [end - start]
    return min(sizes) >= 3 or (max(sizes) <= 2 and (start, end) == (groups[0][0], groups[-1][1]))


def _digits(text: str, group: tuple[int, int]) -> str:
    """At most 20 digits of a group, in ASCII."""
    return "".join(str(int(digit)) for digit in text[group[0] : min(group[1], group[0] + _LONGEST + 1)])


def _is_card(digits: str) -> bool:
    if len(digits) < _SHORTEST or not _ISSUERS.fullmatch(digits):
        return False
    from stdnum import luhn

    return bool(luhn.is_valid(digits))


def _in_digest(text: str, start: int, end: int) -> bool:
    """Whether the digits are part of a longer hexadecimal word."""
    before = _HEX_BEFORE.search(text, max(0, start - _DIGEST), start)
    after = _HEX_AFTER.match(text, end, min(len(text), end + _DIGEST))
    word = (before[0] if before else "") + text[start:end] + (after[0] if after else "")
    return len(word) >= _DIGEST and bool(_HEX_WORD.fullmatch(word))
