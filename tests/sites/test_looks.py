"""That looking at a page finds what is wrong with it, so that finding nothing says something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .looks import WINDOWS, Looks

PAGE = '<!doctype html><html lang="en"><title>x</title><main><h1>x</h1>{}</main></html>'


def test_a_page_that_is_in_order_has_no_faults(page: Any, tmp_path: Path) -> None:
    looks = Looks(tmp_path)
    page.set_content(PAGE.format("<p>All is well."))
    looks.look(page, "well", shown=True)
    looks.look(page, "well too")
    assert looks.faults == []
    assert {file.name for file in tmp_path.iterdir()} == {f"well-{width}.png" for width in WINDOWS}


def test_each_fault_is_told_with_page_width_and_place(page: Any) -> None:
    looks = Looks()
    page.set_content(PAGE.format('<p style="width: 600px">Too wide. <input id="mute"><h4>Too deep</h4>'))
    looks.look(page, "ill")
    told = "\n".join(looks.faults)
    assert "ill at 1280 px: label at [['#mute']]" in told
    assert "ill at 375 px: label at [['#mute']]" in told
    assert "heading-order" in told, "what axe-core calls moderate counts too"
    assert "ill scrolls sideways at 375 px" in told
    assert "ill scrolls sideways at 1280 px" not in told
