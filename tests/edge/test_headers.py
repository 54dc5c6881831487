"""What every response tells the browser."""

from __future__ import annotations

import pytest

from avow.edge.headers import security_headers


def directives(https: bool) -> dict[str, str]:
    policy = dict(security_headers(https))[b"content-security-policy"].decode()
    return {name: " ".join(rest) for name, *rest in (part.split() for part in policy.split(";"))}


@pytest.mark.parametrize("https", [True, False])
def test_nothing_but_the_site_itself_is_loaded_and_nobody_frames_it(https: bool) -> None:
    found = directives(https)
    assert found["default-src"] == found["base-uri"] == found["frame-ancestors"] == "'none'"
    allowed = {value for name, value in found.items() if name.endswith("-src") or name == "form-action"}
    assert allowed == {"'none'", "'self'"}
    assert ("upgrade-insecure-requests" in found) == https


def test_only_tls_promises_tls() -> None:
    assert b"strict-transport-security" not in dict(security_headers(False))
    value = dict(security_headers(True))[b"strict-transport-security"].decode()
    assert int(value.split("max-age=")[1].split(";")[0]) >= 365 * 24 * 60 * 60
    assert "includeSubDomains" in value


def test_pages_are_kept_by_no_cache_unless_they_are_said_to_be_impersonal() -> None:
    assert dict(security_headers(True))[b"cache-control"] == b"no-store"
    assert b"cache-control" not in dict(security_headers(True, personal=False))


def test_links_to_other_sites_tell_nothing_and_content_is_what_it_says() -> None:
    headers = dict(security_headers(True))
    assert headers[b"referrer-policy"] == b"same-origin"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"cross-origin-opener-policy"] == headers[b"cross-origin-resource-policy"] == b"same-origin"
    assert {feature.split("=")[1] for feature in headers[b"permissions-policy"].decode().split(", ")} == {"()"}


def test_each_header_is_sent_once_in_lower_case_and_the_list_is_the_callers_own() -> None:
    headers = security_headers(True)
    names = [name for name, _ in headers]
    assert len(names) == len(set(names))
    assert all(name == name.lower() for name in names)
    headers.clear()
    assert security_headers(True)
