"""Templates that never hold a value, and the doors that fill their markers in.

`{{ order.email }}` writes a marker. The text is judged as it stands, the unit is committed, and only
then are the values written in, escaped for their place.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from avow.edge.markers import CLOSE, OPEN, fill_html, fill_text, numbers
from avow.edge.notices import check_notices
from avow.errors import Refused
from avow.vault.record import Record
from avow.vault.sealed import Sealed

if TYPE_CHECKING:
    from avow.vault.unit import Unit

#: Plain pages for sites that bring none of their own: the policy's, its versions', errors'.
_BUILT_IN = Path(__file__).parent / "templates"
#: Their style.
STATIC = Path(__file__).parent / "static"

#: The first byte sequence of every marker, U+E000 in UTF-8.
_MARK = "\ue000".encode()


class _Environment(SandboxedEnvironment):
    """No template reaches for names with an underscore, nor into the interpreter."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As the sandbox has it, which for a record comes down to this: a record is no function, class or frame."""
        return attr[:1] != "_" if isinstance(obj, Record) else super().is_safe_attribute(obj, attr, value)


def environment(folder: Path | None) -> Environment:
    """The templates of a site: HTML is escaped by itself, an unknown name is an error."""
    made = _Environment(
        loader=FileSystemLoader([*([folder] if folder else []), _BUILT_IN]),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        finalize=_mark,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["day"] = day
    return made


def day(date: date) -> str:
    """A date as pages tell it: `22 November 2026`."""
    return f"{date.day} {date:%B %Y}"


def _mark(value: object) -> object:
    """Sealed values become markers in every template, also in mails, where nothing is escaped."""
    return Markup(value.__html__()) if isinstance(value, Sealed) else value  # noqa: S704  # a marker is no HTML


def fill_answer(unit: Unit, kind: str, body: bytes) -> bytes:
    """Judge every marker of an answer, commit the unit, and write the values in, escaped for the kind of text.

    Values stand in HTML, plain text and JSON strings; in any other kind nobody knows how to escape them.

    Raises:
        Refused: a marker stands where no value may, or its value may not be shown here.
    """

    def leave(shown: list[int]) -> None:
        unit.show(shown)
        unit.commit()

    if kind == "text/html":
        return fill_html(body.decode(), unit.nonce, lambda number: reveal(unit, number), before=leave).encode()
    if _MARK not in body:
        unit.commit()
        return body
    if kind not in ("text/plain", "application/json"):
        raise Refused(
            f"a sealed value stands in an answer of the kind `{kind or 'unknown'}`",
            help="values are written into text/html, text/plain and strings of application/json",
        )
    text = body.decode()
    leave(numbers(text, unit.nonce))
    if kind == "text/plain":
        return fill_text(text, unit.nonce, lambda number: reveal(unit, number)).encode()
    return fill_text(text, unit.nonce, lambda number: _within_json(reveal(unit, number))).encode()


def _within_json(value: str) -> str:
    """A value as it stands between the quotes of a JSON string; marks in it are written so that they are none."""
    text = json.dumps(value, ensure_ascii=False)[1:-1]
    return text.replace(OPEN, "\\ue000").replace(CLOSE, "\\ue001")


def fill_letter(unit: Unit, draft: str, place: str) -> str:
    """Judge every marker of a mail at `place` and write the values in; the sender commits before it leaves."""
    unit.show(numbers(draft, unit.nonce), place=place)
    check_notices(unit, draft, place)
    return fill_text(draft, unit.nonce, lambda number: reveal(unit, number))


def reveal(unit: Unit, number: int) -> str:
    """The text behind a marker that was judged."""
    return unit.marked[number]._reveal()
