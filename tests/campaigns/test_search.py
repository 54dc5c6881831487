"""The search for canaries finds what it is to find, and the judgement on a purchase notices a leak."""

from __future__ import annotations

import base64
import binascii
import html
import json
import quopri
import secrets
import urllib.parse

import pytest

from avow.testing.canaries import Search
from tests.campaigns.canaries import purchase, visit
from tests.campaigns.purchases import Service, buying, judge


def written(text: str) -> dict[str, bytes]:
    """A text within other text, in the encodings of the issue, written by the standard library."""
    told = f"To: {text}; "
    raw = told.encode()
    coded = {
        "plain": raw,
        "upper case": told.upper().encode(),
        "lower case": told.lower().encode(),
        "url, needed": urllib.parse.quote(told).encode(),
        "url, form": urllib.parse.urlencode({"to": told}).encode(),
        "url, all": "".join(f"%{byte:02x}" for byte in raw).encode(),
        "html, needed": html.escape(told).encode(),
        "html, named": told.encode("ascii", "namereplace"),
        "html, decimal": "".join(f"&#{ord(letter)};" for letter in told).encode(),
        "html, references": told.encode("ascii", "xmlcharrefreplace"),
        "html, hex": "".join(f"&#x{ord(letter):X};" for letter in told).encode(),
        "json": json.dumps({"to": told}).encode(),
        "json, all": "".join(f"\\u{ord(letter):04x}" for letter in told).encode(),
        "hex": raw.hex().encode(),
        "hex, upper": raw.hex().upper().encode(),
        "quoted-printable": quopri.encodestring(raw),
        "quoted-printable, header": binascii.b2a_qp(raw, header=True),
        "quoted-printable, all": "".join(f"={byte:02X}" for byte in raw).encode(),
        "utf-16-le": told.encode("utf-16-le"),
        "utf-16-be": told.encode("utf-16-be"),
        "reversed": told[::-1].encode(),
    }
    for offset in range(3):
        coded[f"base64, {offset}"] = base64.b64encode(b"?" * offset + raw)
        coded[f"base64, urlsafe, {offset}"] = base64.urlsafe_b64encode(b">" * offset + raw)
        coded[f"base64, in lines, {offset}"] = base64.encodebytes(b"\xff" * (60 + offset) + raw * 2)
    return coded


def test_the_search_finds_a_canary_of_every_field_in_every_encoding() -> None:
    canaries = {**purchase(), **visit()}
    search = Search(canaries)
    for canary in canaries.values():
        for encoding, data in written(canary.value).items():
            assert search.fields(b"\0\xffpadding" * 100 + data + b"\0more") >= {canary.field}, (canary, encoding)


def test_the_search_finds_a_part_and_nothing_that_is_not_there() -> None:
    canaries = {**purchase(), **visit()}
    search = Search(canaries)
    for canary in canaries.values():
        if not canary.short:
            assert search.fields(canary.core.encode()) == {canary.field}
    others = [canary.value.encode() for _ in range(50) for canary in purchase().values() if not canary.short]
    assert search.fields(b"\n".join([*others, secrets.token_hex(5000).encode(), secrets.token_bytes(50_000)])) == set()


def test_a_short_value_counts_beside_text_and_not_among_bytes() -> None:
    code = purchase()["card_code"]
    search, value = Search({"card_code": code}), code.value.encode()
    junk = b"\xfe\x01\xfe\x01"
    for text in (value, b'{"c":"' + value + junk, junk + value + b" here" + junk, junk + value, value + junk):
        assert search.fields(text) == {"card_code"}, text
    assert search.fields(junk + value + junk) == set()


@pytest.mark.parametrize("file", ["site.db", "site.db-wal", "log and output", "carrier", "page"])
def test_a_leak_is_noticed_wherever_it_is(service: Service, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with buying(service) as buyer:
        buyer.checkout()
        service.wait_until_quiet()
        hidden = base64.b64encode(b"!" + buyer.typed["note"].encode())
        if file == "carrier":
            monkeypatch.setattr(service.peers.ups, "tapped", [*service.peers.ups.tapped, hidden])
        elif file == "page":
            buyer.seen[0]._content = hidden
        else:
            left = service.left(buyer.since)
            monkeypatch.setattr(service, "left", lambda since=0: {**left, file: left[file] + hidden})
        with pytest.raises(AssertionError, match="'note', 'base64'"):
            judge(buyer, service)
