"""Looking at pages in a browser: at both widths, with axe-core, and pictures of some for the documentation.

With SCREENSHOTS=1 the pictures go to docs/screenshots, otherwise to a temporary folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from .conftest import ROOT

WIDTHS = (1280, 375)

#: Bytes of the largest picture.
LARGEST = 300_000


def look_at(
    page: Any, scratch: Path, pages: Mapping[str, Callable[[], object]], *, shown: Collection[str] = ()
) -> None:
    """Go to each page at each width; fail where axe-core finds something serious, or the page is too wide."""
    from axe_playwright_python.sync_playwright import Axe

    axe, found = Axe(), []
    folder = ROOT / "docs" / "screenshots" if os.environ.get("SCREENSHOTS") == "1" else scratch
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900 if width > 1000 else 812})
        for name, go in pages.items():
            go()
            found += [
                (name, width, violation["id"], [node["target"] for node in violation["nodes"]])
                for violation in axe.run(page).response["violations"]
                if violation["impact"] in ("serious", "critical")
            ]
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} scrolls sideways at {width} px: it is {wide} px wide"
            if name in shown:
                file = folder / f"{name}-{width}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=str(file), animations="disabled")
                assert file.stat().st_size < LARGEST, f"{file.name} is too large"
    assert not found
