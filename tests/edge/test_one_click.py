"""The POST by which a mail program ends a subscription is known, and nothing else passes for it."""

from __future__ import annotations

import pytest

from avow.edge.intake import Intake
from avow.edge.one_click import is_one_click

FORM = "application/x-www-form-urlencoded"
MULTI = 'multipart/form-data; boundary="b1"'
PART = b'--b1\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b1--\r\n'


def request(body: bytes, kind: str = FORM, method: str = "POST") -> Intake:
    return Intake(method, "/stop/x", "https://shop.example", "https", {"content-type": kind}, {}, body)


@pytest.mark.parametrize(("body", "kind"), [(b"List-Unsubscribe=One-Click", FORM), (PART, MULTI)])
def test_it_is_known_in_both_kinds_of_form(body: bytes, kind: str) -> None:
    assert is_one_click(request(body, kind))


@pytest.mark.parametrize(
    ("body", "kind", "method"),
    [
        (b"List-Unsubscribe=One-Click", FORM, "GET"),
        (b"List-Unsubscribe=One-Click", FORM, "PUT"),
        (b"List-Unsubscribe=one-click", FORM, "POST"),
        (b"List-Unsubscribe=One-Click&what=mail", FORM, "POST"),
        (b"what=mail", FORM, "POST"),
        (b"", FORM, "POST"),
        (b"List-Unsubscribe=One-Click", "text/plain", "POST"),
        (b"\xff\xfe", FORM, "POST"),
        (PART.replace(b"One-Click", b"Two"), MULTI, "POST"),
        (
            PART.replace(b"--b1--", b'--b1\r\nContent-Disposition: form-data; name="what"\r\n\r\nmail\r\n--b1--'),
            MULTI,
            "POST",
        ),
        (PART, "multipart/form-data", "POST"),
        (b"\xff" * 40, MULTI, "POST"),
        (PART, "multipart/form-data; boundary=\xff", "POST"),
    ],
)
def test_nothing_else_passes_for_it(body: bytes, kind: str, method: str) -> None:
    assert not is_one_click(request(body, kind, method))
