"""Templates that never hold a value, and the doors that fill their markers in.

`{{ order.email }}` writes a marker. The text is judged as it stands, the unit is committed, and only
then are the values written in, escaped for their place.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from avow.edge.markers import fill_html, fill_text, numbers
from avow.edge.notices import check_notices
from avow.vault.sealed import Sealed

if TYPE_CHECKING:
    from avow.vault.unit import Unit

#: Plain pages for sites that bring none of their own: `privacy.html`, `error.html`.
_BUILT_IN = Path(__file__).parent / "templates"


def environment(folder: Path | None) -> Environment:
    """The templates of a site: HTML is escaped by itself, an unknown name is an error."""
    return Environment(
        loader=FileSystemLoader([*([folder] if folder else []), _BUILT_IN]),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        finalize=_mark,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _mark(value: object) -> object:
    """Sealed values become markers in every template, also in mails, where nothing is escaped."""
    return Markup(value.__html__()) if isinstance(value, Sealed) else value  # noqa: S704  # a marker is no HTML


def fill_page(unit: Unit, page: str) -> str:
    """Judge every marker of a page, commit the unit, and write the values in."""

    def leave(shown: list[int]) -> None:
        unit.show(shown)
        unit.commit()

    return fill_html(page, unit.nonce, lambda number: reveal(unit, number), before=leave)


def fill_letter(unit: Unit, draft: str, place: str) -> str:
    """Judge every marker of a mail at `place` and write the values in; the sender commits before it leaves."""
    unit.show(numbers(draft, unit.nonce), place=place)
    check_notices(unit, draft, place)
    return fill_text(draft, unit.nonce, lambda number: reveal(unit, number))


def reveal(unit: Unit, number: int) -> str:
    """The text behind a marker that was judged."""
    return unit.marked[number]._reveal()
