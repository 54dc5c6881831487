"""The name under which a request asks: the site's own, or this machine's from within; nothing else is answered."""

from __future__ import annotations

import pytest

from avow.edge.host import is_own_host

INSIDE = {"client": ("127.0.0.1", 40_000), "server": ("127.0.0.1", 8000)}
OUTSIDE = {"client": ("192.0.2.7", 40_000), "server": ("198.51.100.1", 443)}


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("shop.example", "https://shop.example"),
        ("SHOP.example", "https://shop.example"),
        ("shop.example.", "https://shop.example"),
        ("shop.example:443", "https://shop.example"),
        ("shop.example", "https://shop.example:443"),
        ("shop.example:8443", "https://shop.example:8443"),
        ("192.0.2.9:8443", "https://192.0.2.9:8443"),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_the_sites_own_name_is_answered_from_anywhere(host: str, base: str) -> None:
    assert is_own_host(host, base, OUTSIDE)
    assert is_own_host(host, base, INSIDE)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:8000", "127.0.0.2"])
def test_this_machines_names_are_answered_within_this_machine_only(host: str) -> None:
    base = "https://shop.example"
    assert is_own_host(host, base, INSIDE)
    assert not is_own_host(host, base, OUTSIDE)
    assert not is_own_host(host, base, {**OUTSIDE, "client": ("127.0.0.1", 1)})
    assert not is_own_host(host, base, {**INSIDE, "client": ("192.0.2.7", 1)})
    assert not is_own_host(host, base, {})


@pytest.mark.parametrize(
    "host",
    [
        "", "rebound.example", "rebound.example:8000", "shop.example.evil.example", "evil.example/shop.example",
        "shop.example:80", "shop.example:x", "shop.example@evil.example", "localhost.evil.example",
        "127.0.0.1.evil.example", "shop.example?x", "shop.example#x", "[::1", "2130706433",
    ],
)  # fmt: skip
def test_any_other_name_is_not_answered(host: str) -> None:
    assert not is_own_host(host, "https://shop.example", INSIDE)
