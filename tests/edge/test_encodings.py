"""Each encoding is made here by another hand than the one that lists them."""

from __future__ import annotations

import base64
import codecs
import email.message
import html
import json
import quopri
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.edge.encodings import readings, unwrapped, variants

VALUES = [
    "ann@example.org",
    "Zoë O'Hara & Söhne",
    "12 Market/Lane",
    'a "quoted" <name>',
    "+1 (416) 555-0100",
    "日本 東京都",
    "😀 Ann",
]
ENCODERS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda v: v.encode(),
    "upper": lambda v: v.upper().encode(),
    "lower": lambda v: v.lower().encode(),
    "url": lambda v: urllib.parse.quote(v, safe="").encode(),
    "url keeping slashes": lambda v: urllib.parse.quote(v).encode(),
    "form": lambda v: urllib.parse.urlencode({"": v}).encode()[1:],
    "entities": lambda v: html.escape(v).encode(),
    "decimal entities": lambda v: "".join(f"&#{ord(c)};" for c in v).encode(),
    "hex entities": lambda v: "".join(f"&#x{ord(c):x};" for c in v).encode(),
    "json": lambda v: json.dumps(v)[1:-1].encode(),
    "json in utf-8": lambda v: json.dumps(v, ensure_ascii=False)[1:-1].encode(),
    "repr": lambda v: repr(v)[1:-1].encode(),
    "bytes repr": lambda v: repr(v.encode())[2:-1].encode(),
    "hex": lambda v: v.encode().hex().encode(),
    "HEX": lambda v: v.encode().hex().upper().encode(),
    "utf-16-le": lambda v: v.encode("utf-16-le"),
    "utf-16-be": lambda v: v.encode("utf-16-be"),
    "reversed": lambda v: v[::-1].encode(),
    "quoted-printable": lambda v: codecs.encode(v.encode(), "quopri").replace(b"=\n", b""),
}


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("value", VALUES)
def test_every_usual_encoding_is_among_the_variants(name: str, value: str) -> None:
    assert ENCODERS[name](value) in variants(value)


@given(st.text(min_size=4).filter(lambda v: v.encode(errors="replace").decode() == v), st.binary(), st.binary())
def test_base64_of_something_longer_holds_one_of_the_variants_at_any_offset(
    value: str, before: bytes, after: bytes
) -> None:
    raw = before + value.encode() + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert any(needle in encode(raw) for needle in variants(value))


def test_the_three_offsets_of_base64_are_different_needles() -> None:
    bodies = [base64.b64encode(b"x" * offset + b"ann@example.org" + b"x" * 3) for offset in range(3)]
    found = [{needle for needle in variants("ann@example.org") if needle in body} for body in bodies]
    assert all(found)
    assert not found[0] & found[1]
    assert not found[1] & found[2]


@pytest.mark.parametrize("value", VALUES)
def test_readings_undo_mixed_spellings(value: str) -> None:
    every_other = "".join(f"&#0{ord(c)};" if i % 2 else c.replace("&", "&amp;") for i, c in enumerate(value))
    assert value.encode() in b"".join(readings(f"<p>{every_other}</p>".encode()))
    percent = "".join(f"%{byte:02x}" for byte in value.encode())
    assert value.encode() in b"".join(readings(percent.encode()))
    units = value.encode("utf-16-be").hex("-", 2).split("-")
    assert value.encode() in b"".join(readings("".join(f"\\u{unit.upper()}" for unit in units).encode()))
    assert value.encode() in b"".join(readings(quopri.encodestring(b"x" * 70 + value.encode(), quotetabs=True)))
    in_attribute = html.escape(json.dumps({"v": value}))
    assert value.encode() in b"".join(readings(in_attribute.encode())).replace(b'\\"', b'"')


def test_wrapped_base64_is_put_together_again() -> None:
    message = email.message.EmailMessage()
    message.set_content("x" * 50 + "ann@example.org" + "é" * 90, cte="base64")
    body = message.as_bytes()
    assert not any(needle in body for needle in variants("ann@example.org" + "é" * 90))
    assert any(needle in unwrapped(body) for needle in variants("ann@example.org" + "é" * 90))
    assert unwrapped(b"short\nlines\n") == b"short\nlines\n"


@given(st.binary(), st.text())
def test_nothing_makes_the_encodings_fail(data: bytes, value: str) -> None:
    assert list(readings(data)) == list(readings(data))
    assert b"" not in variants(value)
    unwrapped(data)
