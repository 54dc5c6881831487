"""A page that lacks what the policy says must be shown there does not leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.responses import HTMLResponse

from avow import Site
from avow.edge.notices import shows
from tests.site.conftest import Browser

POLICY = """---
site: booth
title: The booth
version: "1"
effective: 2026-11-22
contact: {email: desk@club.example, phone: "+1 555 0100"}
categories: {wishes: user.content}
purposes: {asking: essential.service}
subjects: {customer: customer}
roles: {desk: {label: desk}}
places: {booth: {label: the booth, includes: [inside]}, inside: {label: inside}, street: {label: the street}}
things: {opening_hours: {label: opening hours}}
---

We may collect wishes in the booth.

```avow #ask
may collect wishes from customer at booth
```

Each page of the booth links to this policy, says how to reach us and when we are open.

```avow #shown
must show policy at booth
must show contact at booth
must show opening_hours at booth
```
"""

LINK, WAYS, HOURS = '<a href="/privacy">', "desk@club.example or +1 555 0100", '<p data-notice="opening_hours">'


@pytest.fixture
def booth(tmp_path: Path) -> Any:
    (tmp_path / "policy.md").write_text(POLICY)
    site: Any = Site(tmp_path / "policy.md")
    for place in ("inside", "street"):

        @site.page(f"/{place}", role="desk", purpose="asking", place=place)
        def page(work: Any) -> HTMLResponse:
            return HTMLResponse("".join((LINK, WAYS, HOURS)[int(n)] for n in work.query["with"]))

    site.open(tmp_path / "data", background=False)
    yield site
    site.close()


def test_a_page_with_all_its_notices_leaves(booth: Any) -> None:
    assert Browser(booth.opened.app).get("/inside?with=012").status_code == 200


@pytest.mark.parametrize(("given", "missing"), [("12", "policy"), ("02", "contact"), ("01", "opening_hours")])
def test_a_page_without_one_is_withheld(booth: Any, given: str, missing: str) -> None:
    browser = Browser(booth.opened.app)
    assert browser.get(f"/inside?with={given}").status_code == 403
    assert browser.get(f"/street?with={given}").status_code == 200  # nothing is demanded there
    assert not shows(booth.policy, "nothing", missing)
