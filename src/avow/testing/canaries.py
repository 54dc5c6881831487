"""Canaries: a value for each personal field that occurs nowhere else, and the search for it in whatever encoding.

The encodings are written out here by hand, apart from the product's own list (`avow.edge.encodings`): the one that
guards and the one that accuses must not share a mistake.

    ann = phrased({"email": "{}@mail.example"})
    Search(ann).fields(database)
"""

from __future__ import annotations

import base64
import re
import secrets
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: Letters of the cores: in both cases, so that upper and lower are encodings; none that hex or card numbers know.
_LETTERS = "ghjkmnpqrstvwxyzGHJKMNPQRSTVWXYZ"

#: A short value with no letter or digit at its ends, but for those of an escape (%20, =20) before it. The value comes
#: first and what stands before it is looked at afterwards: so a search skips to the value.
_ALONE = rb"%(it)s(?:(?<![0-9A-Za-z.]%(it)s)|(?<=[%%=][0-9A-Fa-f]{2}%(it)s))(?![0-9A-Za-z])"

#: What a text is made of, and how many bytes of it stand before or behind a short value that is part of one.
_TEXT, _BESIDE = frozenset(b"\t\r\n" + bytes(range(0x20, 0x7F))), 4

#: Bytes of the blocks by which needles are looked up: one lies, aligned, within any needle twice as long but one.
_LONG, _SHORT = 8, 4

#: Bytes below which a text may be a mail or a page, in which lines are joined before it is searched once more.
FOLDED = 200_000

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/]{6,}")
_STANDARD = bytes.maketrans(b"-_", b"+/")

_NAMED = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "ë": "&euml;", "é": "&eacute;",
    "@": "&commat;", ".": "&period;", "-": "&hyphen;", "/": "&sol;", ",": "&comma;", ":": "&colon;", "?": "&quest;",
    "=": "&equals;",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Canary:
    """One value. `core` is its part that is random and survives every partial copy; short ones have none of their own.

    A short value (a card's code, its expiry) is searched for, as it stands and in what base64 holds, only where no
    letter or digit touches it: four digits stand in every long number, and their base64 in that of many. There has to
    be text beside it, since megabytes of ciphertext hold every four bytes by chance.
    """

    field: str
    value: str
    core: str

    @property
    def short(self) -> bool:
        """Whether it is too short to be unique on its own."""
        return len(self.value) < 8

    def needles(self) -> Iterator[tuple[str, bytes]]:
        """What to search for: the name of the encoding, and the bytes."""
        for text in dict.fromkeys((self.value, self.core)):
            for name, found in encodings(text):
                if not self.short or (len(found) >= 5 and name != "base64"):
                    yield name, found


def core() -> str:
    """Twelve random letters, of both cases: 60 bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(12))


def card_number() -> str:
    """A number that a card might have (issuer prefix, 16 digits, check digit) and none does that is not by chance."""
    digits = [4, *(secrets.randbelow(10) for _ in range(14))]
    doubled = sum(sum(divmod(2 * d, 10)) if place % 2 == 0 else d for place, d in enumerate(digits))
    return "".join(map(str, (*digits, -doubled % 10)))


def phrased(texts: Mapping[str, str]) -> dict[str, Canary]:
    """A canary for each text, by its name; `{}` in it is the core, in lower case where the text is an address."""
    found = {}
    for name, text in texts.items():
        letters = core().lower() if "@" in text else core()
        found[name] = Canary(name, text.format(letters), letters)
    return found


def known(field: str, value: str) -> Canary:
    """A canary of a value that was not made up here, such as a secret link; all of it is its core."""
    return Canary(field, value, value)


class Search:
    """Looks for canaries.

    >>> Search({"note": Canary("note", "ring twice", "ring twice")}).hits(b"cmluZyB0d2ljZQ==")
    {('note', 'base64')}
    """

    def __init__(self, canaries: Mapping[str, Canary]) -> None:
        self._needles: list[tuple[str, str, bytes]] = []
        self._short: list[tuple[str, str, re.Pattern[bytes]]] = []
        for canary in canaries.values():
            known: dict[bytes, str] = {}
            for encoding, needle in sorted(canary.needles(), key=lambda each: len(each[1])):
                if not any(shorter in needle for shorter in known):  # what holds it is found by it
                    known[needle] = encoding
            self._needles += [(canary.field, encoding, needle) for needle, encoding in known.items()]
            if canary.short:
                for encoding, text in (("plain", canary.value), ("reversed", canary.value[::-1])):
                    pattern = re.compile(_ALONE % {b"it": re.escape(text.encode())})
                    self._short.append((canary.field, encoding, pattern))
        shorts = {c.value.encode() for c in canaries.values() if c.short}
        shorts |= {short[::-1] for short in shorts}
        self._needles = [each for each in self._needles if each[2] not in shorts]
        self._by_block: dict[int, dict[int, set[int]]] = {_LONG: {}, _SHORT: {}}
        for number, (_, _, needle) in enumerate(self._needles):
            size = _LONG if len(needle) >= 2 * _LONG - 1 else _SHORT
            for start in range(len(needle) - size + 1):
                block = int.from_bytes(needle[start : start + size], "little")
                self._by_block[size].setdefault(block, set()).add(number)
        self._tiny = {number for number, each in enumerate(self._needles) if len(each[2]) < 2 * _SHORT - 1}

    def hits(self, data: bytes) -> set[tuple[str, str]]:
        """The fields whose canaries are in `data`, each with the encoding in which it is there."""
        found: set[tuple[str, str]] = set()
        for text in dict.fromkeys((data, _unfolded(data) if len(data) < FOLDED else data)):
            found |= {(field, encoding) for field, encoding, needle in self._possible(text) if needle in text}
            found |= {(field, encoding) for field, encoding, pattern in self._short if _within(text, pattern)}
            if self._short:
                decoded = b"\n".join(_decoded(text))
                found |= {(field, "base64") for field, _, pattern in self._short if _within(decoded, pattern)}
        return found

    def _possible(self, text: bytes) -> Iterator[tuple[str, str, bytes]]:
        """The needles that may be in a text: those of which it has a block, at a place that the block's size divides.

        Looking for each of thousands of needles in a log of megabytes would take minutes.
        """
        numbers = set(self._tiny)
        for (size, known), letter in zip(self._by_block.items(), "QI", strict=True):
            blocks = set(struct.unpack_from(f"<{len(text) // size}{letter}", text))
            for block in known.keys() & blocks:
                numbers |= known[block]
        return (self._needles[number] for number in numbers)

    def fields(self, data: bytes) -> set[str]:
        """The fields whose canaries are in `data`."""
        return {field for field, _ in self.hits(data)}


def _within(data: bytes, short: re.Pattern[bytes]) -> bool:
    """Whether a short value is there, at the border of nothing but text on one of its sides."""
    return any(
        _TEXT.issuperset(data[max(0, at.start() - _BESIDE) : at.start()])
        or _TEXT.issuperset(data[at.end() : at.end() + _BESIDE])
        for at in short.finditer(data)
    )


def _unfolded(data: bytes) -> bytes:
    """Lines joined as in mails: base64 is broken at 76 columns, quoted-printable by `=` at the end of a line."""
    return data.replace(b"=\r\n", b"").replace(b"=\n", b"").replace(b"\r\n", b"").replace(b"\n", b"")


def _decoded(data: bytes) -> Iterator[bytes]:
    """What may be base64, undone from each of the four letters at which it may begin."""
    for run in set(_BASE64_RUN.findall(data.translate(_STANDARD))):
        for start in range(4):
            whole = (len(run) - start) // 4 * 4
            yield base64.b64decode(run[start : start + whole])


def encodings(text: str) -> Iterator[tuple[str, bytes]]:
    """`text` in each encoding of the issue, by name; some have several spellings."""
    raw = text.encode()
    for cased in dict.fromkeys((text, text.upper(), text.lower())):
        name = "plain" if cased == text else "upper case" if cased == text.upper() else "lower case"
        yield name, cased.encode()
        yield "latin-1", cased.encode("latin-1", "ignore")
    for digits in ("%%%02X", "%%%02x"):
        yield "url, all", "".join(digits % byte for byte in raw).encode()
        for kept in ("", "/", "@", "/@:", "/@:?=&,'"):
            for space in ("%20", "+"):
                yield "url, needed", "".join(_percent(byte, digits, kept, space) for byte in raw).encode()
    yield "html, decimal", "".join(f"&#{ord(letter)};" for letter in text).encode()
    for form in ("&#x%x;", "&#x%X;", "&#X%X;", "&#x%04x;"):
        yield "html, hex", "".join(form % ord(letter) for letter in text).encode()
    yield "html, named", "".join(_NAMED.get(letter, letter) for letter in text).encode()
    for marks in (
        {"&": "&amp;", "<": "&lt;", ">": "&gt;"},
        {'"': "&quot;", "'": "&#x27;"},
        {'"': "&#34;", "'": "&#39;"},
    ):
        table = {"&": "&amp;", "<": "&lt;", ">": "&gt;", **marks}
        yield "html, needed", "".join(table.get(letter, letter) for letter in text).encode()
    units = [int.from_bytes(text.encode("utf-16-be")[n : n + 2], "big") for n in range(0, 2 * len(text), 2)]
    for form in ("\\u%04x", "\\u%04X"):
        yield "json, all", "".join(form % unit for unit in units).encode()
        needed = "".join(letter if ord(letter) < 128 else form % ord(letter) for letter in text)
        yield "json, needed", needed.replace('"', '\\"').encode()
    yield "json, needed", text.replace("\\", "\\\\").replace('"', '\\"').encode()
    yield "python", "".join(chr(b) if 32 <= b < 127 else f"\\x{b:02x}" for b in raw).encode()
    yield "python", "".join(c if ord(c) < 127 else f"\\x{ord(c):02x}" for c in text).encode()
    for offset in range(3):
        yield "base64", _base64(raw, offset).encode()
        yield "base64", _base64(raw, offset).replace("+", "-").replace("/", "_").encode()
    yield "hex", "".join(f"{byte:02x}" for byte in raw).encode()
    yield "hex", "".join(f"{byte:02X}" for byte in raw).encode()
    yield "quoted-printable, all", "".join(f"={byte:02X}" for byte in raw).encode()
    for space in (" ", "=20", "_"):
        yield "quoted-printable", "".join(_quoted(byte, space) for byte in raw).encode()
    for cased in dict.fromkeys((text, text.upper(), text.lower())):
        yield "utf-16", cased.encode("utf-16-le")
        yield "utf-16", cased.encode("utf-16-be")
    yield "reversed", text[::-1].encode()
    yield "reversed", text.lower()[::-1].encode()


def _percent(byte: int, digits: str, kept: str, space: str) -> str:
    letter = chr(byte)
    if byte < 128 and (letter.isalnum() or letter in "-._~" or letter in kept):
        return letter
    return space if letter == " " else digits % byte


def _quoted(byte: int, space: str) -> str:
    if byte == 32:
        return space
    return chr(byte) if 33 <= byte < 127 and byte != 61 else f"={byte:02X}"


def _base64(raw: bytes, offset: int) -> str:
    """The letters that only `raw` decides when `offset` unknown bytes stand before it, and others after it."""
    bits = "0" * (8 * offset) + "".join(f"{byte:08b}" for byte in raw)
    first, last = -(-8 * offset // 6), len(bits) // 6
    return "".join(_BASE64[int(bits[6 * n : 6 * n + 6], 2)] for n in range(first, last))
