"""Looking at a page in a browser: at both widths, with axe-core, and with a picture at each where one is wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .conftest import ROOT

#: Widths of a desk and of a phone, each with the height of its window, in px.
WINDOWS = {1280: 900, 375: 812}

#: Where the pictures of the documentation are.
PICTURES = ROOT / "docs" / "screenshots"

#: The tallest picture, in px: what is further down is left out.
TALLEST = {1280: 1100, 375: 1200}

#: Bytes of the largest picture.
LARGEST = 300_000


@dataclass
class Looks:
    """What was seen so far: names of pages and states, those that have a picture in the documentation, and faults.

    `pictures` is the folder for the latter; without one none is taken.
    """

    pictures: Path | None = None
    names: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def look(self, page: Any, name: str, *, shown: bool = False, top: str = "body") -> None:
        """Look at a page as it stands at each width. Its pictures begin a little above the element `top`.

        Scripts have to run in it: axe-core is one.
        """
        from axe_playwright_python.sync_playwright import Axe

        assert name not in self.names, f"{name} was looked at before"
        self.names.append(name)
        self.shown += [name] if shown else []
        for width, height in WINDOWS.items():
            page.set_viewport_size({"width": width, "height": height})
            for violation in Axe().run(page).response["violations"]:
                where = [node["target"] for node in violation["nodes"]]
                self.faults.append(f"{name} at {width} px: {violation['id']} at {where}")
            wide, tall = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
            if wide > width:
                self.faults.append(f"{name} scrolls sideways at {width} px: it is {wide} px wide")
            if not shown or self.pictures is None:
                continue
            above = page.locator(top).evaluate("element => element.getBoundingClientRect().top + scrollY") - height / 4
            file = self.pictures / f"{name}-{width}.png"
            begin = max(0, min(above, tall - height))
            clip = {"x": 0, "y": begin, "width": width, "height": min(max(tall, height) - begin, TALLEST[width])}
            page.screenshot(path=str(file), full_page=True, clip=clip, animations="disabled")
