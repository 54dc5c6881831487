"""The desks in a browser: who is not let in, and who works without a mouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Gourmet
from .staff import PASSWORD
from .test_gourmet_report import served

MEMBER = {"username": "staff", "password": PASSWORD}


@pytest.fixture
def base(gourmet: Gourmet) -> Iterator[str]:
    """The shop behind a server, with a member of staff."""
    gourmet.opened.staff_file.add(MEMBER["username"], PASSWORD, ("order_desk", "service_desk"))
    with served(gourmet) as where:
        yield where


def test_who_gives_no_password_reads_why_and_where_to(chromium: Any, base: str, gourmet: Gourmet) -> None:
    """The browser's own window comes first; who closes it reads this. A driven browser has no window, so it gets the
    page without the header that opens one."""
    answer = gourmet.customer().get("/desk")
    assert answer.status_code == 401
    context = chromium.new_context()
    page = context.new_page()
    page.route(f"{base}/desk", lambda route: route.fulfill(body=answer.text, content_type="text/html"))
    page.goto(f"{base}/desk")
    assert page.get_by_role("heading", level=1).inner_text() == "Staff only"
    assert page.get_by_text("Please give your name and your password").is_visible()
    assert page.get_by_role("link", name="To the shelves").is_visible()
    context.close()


def test_the_telephone_form_is_walked_through_by_keyboard(chromium: Any, base: str) -> None:
    context = chromium.new_context(http_credentials=MEMBER)
    page = context.new_page()
    page.goto(f"{base}/desk/phone")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "() => [document.activeElement.id || document.activeElement.innerText,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert here[1] != "none", here
        seen.append(here[0])
        if here[0] == "Order and pay":
            break
    order_of = [
        seen.index(name) for name in ("of_comte", "of_crackers", "name", "note", "carrier", "card_number", "card_code")
    ]
    assert order_of == sorted(order_of)
    assert seen[-1] == "Order and pay"
    context.close()
