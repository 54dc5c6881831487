"""The versions of a policy: each on record with its date, announced while it is young, readable afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from avow import Site
from avow.testing.clock import FrozenClock
from tests.site.conftest import Browser

FRONT = """---
site: fair
title: The fair
version: "{version}"
effective: {effective}
contact: {{email: desk@club.example}}
categories: {{wishes: user.content, contact: user.contact}}
purposes: {{asking: essential.service}}
subjects: {{customer: customer}}
roles: {{desk: {{label: desk}}}}
places: {{booth: {{label: the booth}}, privacy: {{label: this page}}}}
things: {{history: {{label: the versions}}, comparison: {{label: what changed}}}}
---

# The fair

We may collect wishes in the booth.

```avow #ask
may collect wishes from customer at booth
```

Versions stand here with their dates; a new one is announced in the booth for ten days, with what changed.

```avow #versions
must show history at privacy
must announce version at booth for 10 days
must show comparison at booth for 10 days
```
"""
MORE = """
We make <nothing> public.

```avow #private
never publish wishes, contact
```
"""
FIRST = FRONT.format(version="1", effective="2026-01-05")
SECOND = FRONT.format(version="2", effective="2026-11-22") + MORE
DAY = 24 * 3600


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def opened(tmp_path: Path, clock: FrozenClock) -> Iterator[Callable[[str], Browser]]:
    """Opens the fair with a policy, on the data of the time before."""
    sites: list[Any] = []

    def open(policy: str) -> Browser:
        for site in sites:
            site.close()
        (tmp_path / "policy.md").write_text(policy)
        site = Site(tmp_path / "policy.md", pages=tmp_path)
        (tmp_path / "booth.html").write_text('{% extends "page.html" %}{% block main %}Come in.{% endblock %}')
        (tmp_path / "bare.html").write_text("Come in.")

        @site.page("/booth", role="desk", purpose="asking", place="booth")
        def booth(work: Any) -> Any:
            return work.render("booth.html")

        @site.page("/bare", role="desk", purpose="asking", place="booth")
        def bare(work: Any) -> Any:
            return work.render("bare.html")

        site.open(tmp_path / "data", background=False, clock=clock)
        sites.append(site)
        return Browser(site.opened.app)

    yield open
    for site in sites:
        site.close()


@pytest.mark.promise("I13", "works")
def test_a_first_version_stands_with_its_date_and_is_not_announced(opened: Callable[[str], Browser]) -> None:
    browser = opened(FIRST)
    page = browser.get("/privacy").text
    assert "Version 1</strong>, in force since 5 January 2026" in page
    assert "/privacy/changes" not in page
    assert "has changed" not in browser.get("/booth").text
    assert browser.get("/privacy/changes").headers["location"] == "/privacy"
    assert browser.get("/privacy/versions/7").headers["location"] == "/privacy"
    assert browser.get("/bare").status_code == 200


@pytest.mark.promise("I13", "works")
def test_a_new_version_is_announced_and_the_old_one_stays_readable(opened: Callable[[str], Browser]) -> None:
    opened(FIRST)
    browser = opened(SECOND)
    booth = browser.get("/booth").text
    assert "version 2 is in force since 22 November 2026" in booth
    page = browser.get("/privacy").text
    assert page.index("Version 2</strong>") < page.index('<a href="/privacy/versions/1">Version 1</a>')
    old = browser.get("/privacy/versions/1").text
    assert "This is version 1, in force from 5 January 2026 to 22 November 2026" in old
    assert "public" not in old
    assert browser.get("/privacy/versions/2").headers["location"] == "/privacy"


@pytest.mark.promise("I13", "works")
def test_what_changed_is_told_sentence_by_sentence(opened: Callable[[str], Browser]) -> None:
    opened(FIRST)
    page = opened(SECOND).get("/privacy/changes").text
    assert "protects you at least as well" in page
    assert page.count('class="side new"') == 1, "only the sentence that is new"
    assert "We make &lt;nothing&gt; public." in page


@pytest.mark.promise("I13", "holds")
def test_a_page_without_the_announcement_does_not_leave_for_ten_days(
    opened: Callable[[str], Browser], clock: FrozenClock
) -> None:
    opened(FIRST)
    clock.advance(40 * DAY)
    browser = opened(SECOND)
    for status, days in ((403, 0), (403, 9), (200, 2)):
        clock.advance(days * DAY)
        assert browser.get("/bare").status_code == status
        assert ("has changed" in browser.get("/booth").text) == (status == 403)
    assert "Version 1</a>" in browser.get("/privacy").text, "the history stays"


def test_a_version_that_is_started_again_is_in_force_again(
    opened: Callable[[str], Browser], clock: FrozenClock
) -> None:
    """Going back to the text of before is refused by the comparison where it is weaker; else it is the one in force."""
    opened(FIRST)
    clock.advance(DAY)
    reworded = FIRST.replace("We may collect", "We may like to collect").replace('version: "1"', 'version: "1a"')
    opened(reworded)
    clock.advance(DAY)
    page = opened(FIRST).get("/privacy").text
    assert "Version 1</strong>" in page
    assert "/privacy/versions/1a" in page
