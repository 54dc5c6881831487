"""The console: exact figures, for members of staff who have the role, and for nobody else."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.errors import Refused
from avow.testing.clock import FrozenClock
from tests.vault.club import club

from .conftest import Browser

PASSWORD = "kettle over the blue barn"
PATH = "/console/evidence"


@pytest.fixture
def watched(tmp_path: Path, store: str) -> Iterator[Any]:
    """The club with a console, on which twice something was refused."""
    site = club()
    assert site.console(role="courier", purpose="lending") == PATH
    site.open(tmp_path / "data", store=store, background=False, clock=FrozenClock())
    site.opened.staff_file.add("berta", PASSWORD, ("courier",))
    site.opened.staff_file.add("carl", PASSWORD, ("desk",))
    for _ in range(2):
        with pytest.raises(Refused), site.acting("desk", "lending") as work:
            work.unit.judge("keep", "card.number")
    site.opened.sequencer.run()
    yield site
    site.close()


def asked(site: Any, query: str = "", name: str | None = "berta") -> Any:
    token = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
    return Browser(site.opened.app).get(f"{PATH}{query}", **({"authorization": f"Basic {token}"} if name else {}))


def test_who_has_the_role_sees_exact_figures(watched: Any) -> None:
    answer = asked(watched)
    assert answer.status_code == 200
    assert "26 October 2026 to 22 November 2026" in answer.text
    start = answer.text.index('<article id="no-card">')
    assert "Refused <strong>2 times</strong>" in answer.text[start : answer.text.index("</article>", start)]


@pytest.mark.parametrize(("name", "status"), [(None, 401), ("nobody", 401), ("carl", 403)])
def test_nobody_else_sees_them(watched: Any, name: str | None, status: int) -> None:
    answer = asked(watched, name=name)
    assert (answer.status_code, "times" in answer.text) == (status, False)


def test_other_days_are_asked_for(watched: Any) -> None:
    answer = asked(watched, "?from=2026-01-01&to=2026-01-31")
    assert "1 January 2026 to 31 January 2026" in answer.text
    assert "Refused <strong>" not in answer.text


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("?from=yesterday", "These are no two days."),
        ("?to=9999-12-31", "These are no two days."),
        ("?from=0001-01-01&to=0001-01-01", "1 January 1"),
        ("?to=0001-01-02", "These are no two days."),
        ("?from=2026-02-02&to=2026-02-01", "The last day comes before the first one."),
    ],
)
def test_days_that_are_none_are_said(watched: Any, query: str, why: str) -> None:
    answer = asked(watched, query)
    assert why in answer.text
    assert answer.status_code == (200 if why == "1 January 1" else 422)
