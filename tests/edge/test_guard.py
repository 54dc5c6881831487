"""Opened values are found in whatever they are wrapped in, and nothing else is."""

from __future__ import annotations

import base64
import gc
import html
import json
import threading
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.edge.guard import ExitGuard, living

EMAIL, NAME = "ann.ohara@example.org", "Zoë O'Hara"
BODY = "<p>Brie de Meaux, $12.90</p>\n" * 400


def guard() -> ExitGuard:
    made = ExitGuard()
    made.watch("contact.email", EMAIL)
    made.watch("contact.name", NAME)
    return made


def wrapped(value: str) -> dict[str, bytes]:
    return {
        "text": f"Dear {value},".encode(),
        "shouted": value.upper().encode(),
        "mixed case": value.title().swapcase().encode(),
        "html": html.escape(f"<{value}>").encode(),
        "half in entities": "".join(f"&#{ord(c)};" if i % 3 else html.escape(c) for i, c in enumerate(value)).encode(),
        "json": json.dumps({"a": [value]}).encode(),
        "json in an attribute": html.escape(json.dumps({"a": value})).encode(),
        "javascript": "".join(f"\\u{ord(c):04X}" for c in value).encode(),
        "query": urllib.parse.urlencode({"q": value}).encode(),
        "path": urllib.parse.quote(f"/x/{value}/y").encode(),
        "every byte in percent": "".join(f"%{b:02X}" for b in value.encode()).encode(),
        "base64 at offset 0": base64.b64encode(f"{value}:pw".encode()),
        "base64 at offset 1": base64.b64encode(f"u{value}:pw".encode()),
        "base64 at offset 2": base64.b64encode(f"us{value}:pw".encode()),
        "base64 for urls": base64.urlsafe_b64encode(f"??>{value}".encode()),
        "wrapped base64": base64.encodebytes(b"x" * 45 + value.encode() + b"y" * 80),
        "hex": f"digest={value.encode().hex()}".encode(),
        "utf-16": f"a{value}".encode("utf-16"),
        "backwards": value[::-1].encode(),
        "exception": repr(ValueError(value)).encode(),
        "bytes": repr(value.encode()).encode(),
        "ascii": ascii(value).encode(),
    }


@pytest.mark.parametrize("value", [EMAIL, NAME, "12 Market Lane", "日本 東京都"])
@pytest.mark.parametrize("how", wrapped(""))
def test_a_value_is_found_in_the_middle_of_a_body(value: str, how: str) -> None:
    one = ExitGuard()
    one.watch("contact.address", value)
    body = BODY.encode() + b"\n" + wrapped(value)[how] + b"\n" + BODY.encode()
    assert one.search(body) == {"contact.address"}
    scrubbed = one.scrub(wrapped(value)[how].decode(errors="surrogateescape"))
    assert "<sealed contact.address>" in scrubbed
    assert not one.search(scrubbed.replace("<sealed contact.address>", "").encode(errors="surrogateescape"))


def test_an_innocent_body_holds_nothing() -> None:
    assert guard().search(BODY.encode()) == set()
    assert guard().scrub(BODY) == BODY
    assert ExitGuard().search(EMAIL.encode()) == set()


def test_all_categories_are_told() -> None:
    assert guard().search(f"{NAME} <{EMAIL}>".encode()) == {"contact.email", "contact.name"}


def test_short_values_are_not_watched_on_their_own() -> None:
    one = ExitGuard()
    one.watch("contact.name", " Bo ")
    one.watch("contact.name", "")
    assert one.search(b"Bo Peep") == set()


def test_each_line_of_an_address_is_watched_and_so_are_the_bare_digits_of_a_number() -> None:
    one = ExitGuard()
    one.watch("contact.address", "1 Market Lane\r\nExampleton")
    one.watch("contact.phone", "+1 (416) 555-0100")
    assert one.search(b"1 Market Lane<br>") == {"contact.address"}
    assert one.search(b"tel:14165550100") == {"contact.phone"}


def test_scrubbing_replaces_each_value_by_its_own_category_the_longest_first() -> None:
    one = guard()
    one.watch("account.name", "example")
    assert one.scrub(f"{EMAIL}, {NAME.upper()} at Example") == (
        "<sealed contact.email>, <sealed contact.name> at <sealed account.name>"
    )


def test_what_scrubbing_writes_is_not_scrubbed_again() -> None:
    one = ExitGuard()
    one.watch("contact.email", "sealed")
    one.watch("contact.name", "contact.email")
    assert one.scrub("sealed, contact.email") == "<sealed contact.email>, <sealed contact.name>"


def test_a_text_with_a_value_that_cannot_be_cut_out_is_withheld() -> None:
    tangled = "".join(f"&#{ord(c)};" if i % 2 else c for i, c in enumerate(EMAIL))
    assert guard().scrub(f"see {tangled} there") == "<sealed contact.email>"


def test_a_guard_that_watches_lives_as_long_as_somebody_refers_to_it() -> None:
    idle, busy = ExitGuard(), guard()
    assert busy in living()
    assert idle not in living()
    kept = id(busy)
    del busy
    gc.collect()
    assert kept not in map(id, living())


def test_one_thread_may_search_while_another_watches() -> None:
    one, failures = guard(), []

    def search() -> None:
        try:
            for _ in range(300):
                one.scrub(f"mail {EMAIL}")
                living()
        except RuntimeError as error:
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(100):
        one.watch("contact.name", f"Person {number}")
        guard()
    for thread in threads:
        thread.join()
    assert not failures


@given(st.text(min_size=4), st.text(), st.text())
def test_whatever_the_value_it_is_found_and_scrubbed(value: str, before: str, after: str) -> None:
    one = ExitGuard()
    one.watch("c", value)
    if len(value.strip()) >= 4:
        body = f"{before}{value}{after}"
        assert one.search(body.encode()) == {"c"}
        assert value.strip() not in one.scrub(body).replace("<sealed c>", "\n") or value.strip() in "<sealed c>"
