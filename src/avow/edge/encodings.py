r"""The shapes in which a value travels without looking like itself: what the exit guard searches for.

Two directions, since neither is enough alone. `variants` writes a value in each usual encoding; that finds what cannot
be decoded in place (base64 inside something longer, hex, UTF-16, reversed). `readings` decodes what is searched; that
finds what has too many spellings to list (`&#97;nn`, `%41nn`, `\u0041nn`).
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterator
from html.entities import codepoint2name
from urllib.parse import quote, quote_plus, unquote_to_bytes

_JSON_ESCAPE = re.compile(rb"((?:\\u[0-9a-fA-F]{4})+)|\\x([0-9a-fA-F]{2})|\\(.)", re.DOTALL)
_JSON_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
# Base64 and hex in mails and PEM files are broken into lines of 60 to 76.
_WRAP = re.compile(rb"\n(?<=[A-Za-z0-9+/_-]{40}\n)(?=[A-Za-z0-9+/_-])")


def variants(value: str) -> tuple[bytes, ...]:
    """`value` in each encoding, as it is and in upper and lower case; distinct, the plain one first.

    Plain UTF-8 and Latin-1; URL (RFC 3986, and forms with `+`); HTML entities (named, decimal, hex); JSON and Python
    escapes; base64 (RFC 4648, both alphabets) at the three offsets at which it can begin within a longer text; hex;
    quoted-printable; UTF-16, both byte orders; reversed.
    """
    found: dict[bytes, None] = {}
    for cased in dict.fromkeys((value, value.upper(), value.lower())):
        found.update(dict.fromkeys(_as_text(cased)))
        found.update(dict.fromkeys(_as_bytes(cased)))
    found.pop(b"", None)
    return tuple(found)


def readings(data: bytes) -> Iterator[bytes]:
    """`data` with its HTML entities, then also its URL escapes, then also its JSON escapes undone; and, from the
    start, its quoted-printable. Readings that change nothing are left out.
    """
    text = data
    if b"&" in text:
        text = html.unescape(text.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        yield text
    if b"%" in text or b"+" in text:
        text = unquote_to_bytes(text.replace(b"+", b" "))
        yield text
    if b"\\" in text:
        text = _JSON_ESCAPE.sub(_unescaped, text)
        yield text
    if b"=" in data:
        yield binascii.a2b_qp(data)


def unwrapped(data: bytes) -> bytes:
    """`data` with the line breaks inside long base64 or hex taken out."""
    return _WRAP.sub(b"", data.replace(b"\r", b"")) if b"\n" in data else data


def _as_text(text: str) -> Iterator[bytes]:
    raw = text.encode(errors="surrogatepass")
    plain_json = json.dumps(text, ensure_ascii=False)[1:-1]
    yield raw
    yield text.encode("latin-1", errors="replace") if text.isprintable() and max(text, default="") < "\u0100" else raw
    for escaped in (quote(raw), quote(raw, safe=""), quote_plus(raw), quote_plus(raw, safe="@")):
        yield escaped.encode()
        yield re.sub("%..", lambda match: match[0].lower(), escaped).encode()
    for entities in (
        html.escape(text),
        html.escape(text, quote=False),
        html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        "".join(f"&{codepoint2name[ord(c)]};" if ord(c) in codepoint2name else c for c in text),
        "".join(f"&#{ord(c)};" for c in text),
        "".join(f"&#x{ord(c):x};" for c in text),
        "".join(f"&#x{ord(c):X};" for c in text),
        plain_json,
        plain_json.replace("/", "\\/"),
        json.dumps(text)[1:-1],
        repr(text)[1:-1],
        ascii(text)[1:-1],
        repr(raw)[2:-1],
    ):
        yield entities.encode(errors="surrogatepass")
    yield from (text.encode(f"utf-16-{order}", errors="surrogatepass") for order in ("le", "be"))
    yield text[::-1].encode(errors="surrogatepass")


def _as_bytes(text: str) -> Iterator[bytes]:
    raw = text.encode(errors="surrogatepass")
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for quote_tabs in (False, True):
        yield binascii.b2a_qp(raw, quotetabs=quote_tabs).replace(b"=\n", b"")
    for offset in range(3):
        # The bytes before the value share its first letters, those after it the last one: only what is the value's
        # own is kept.
        first, last = (offset * 8 + 5) // 6, (offset + len(raw)) * 8 // 6
        for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * offset + raw)[first:last]


def _unescaped(match: re.Match[bytes]) -> bytes:
    if match[1]:
        units = bytes.fromhex(match[1].replace(b"\\u", b"").decode())
        return units.decode("utf-16-be", errors="replace").encode()
    if match[2]:
        return bytes.fromhex(match[2].decode())
    return _JSON_LETTERS.get(match[3], match[3])
