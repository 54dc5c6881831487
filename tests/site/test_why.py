"""Each mail says where it is told why it was sent; the page tells nothing of who follows the link."""

from __future__ import annotations

from typing import Any

import pytest

from avow.edge.acts import declared
from avow.site.versions import WHY

from .conftest import Browser


def test_the_page_names_the_sentences_that_permit_the_mail(browser: Browser) -> None:
    answer = browser.get(f"{WHY}/news")
    assert answer.status_code == 200
    assert "News goes to those who asked for it." in answer.text
    assert 'href="/privacy#news"' in answer.text
    assert "A notice may reach you by mail" not in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", ["nothing", "desk", "news.txt", "%3Cb%3E", "..%2Fnews"])
def test_a_mail_that_the_policy_does_not_know_is_said_to_be_none(browser: Browser, name: str) -> None:
    answer = browser.get(f"{WHY}/{name}")
    assert answer.status_code == 404
    assert "<b>" not in answer.text


def test_the_link_carries_no_secret_and_the_page_reads_nothing(site: Any) -> None:
    (route,) = (route for route in site.routes if getattr(route, "path", "").startswith(WHY))
    assert route.path == f"{WHY}/{{message}}"
    declaration = declared(route)
    assert declaration is not None
    assert not declaration.staff
