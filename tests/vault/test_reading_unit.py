"""A unit that only reads: it keeps nobody from writing, writes nothing itself, and is written down all the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from avow.edge.pages import fill_answer
from avow.errors import OnlyReads, Refused
from tests.noted import entries
from tests.vault.test_unit import count


def reading(site: Any) -> Any:
    return site.opened.unit("desk", "lending", place="hall", channel="https", reads=True)


def joins(site: Any) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        work.collect(site.Member, person=work.person(), name="Bob", email="bob@example.org")


def test_a_value_is_filled_in_only_when_its_entry_is_durable(site: Any, ann: tuple[str, str]) -> None:
    before = entries(site)
    with reading(site) as unit:
        unit.viewer = ann[0]
        page = f"<p>{unit.mark(unit.db.get(site.Member, ann).name)}</p>".encode()
        assert len(entries(site)) == len(before)
        assert fill_answer(unit, "text/html", page) == b"<p>Ann Example</p>"
        assert [(e.event, e.verb, e.object) for e in entries(site) if e not in before] == [
            ("permitted", "show", "contact.name")
        ]


def test_others_write_while_it_reads(site: Any, ann: tuple[str, str]) -> None:
    with reading(site) as unit:
        assert unit.db.get(site.Member, ann) is not None
        with ThreadPoolExecutor(1) as pool:
            pool.submit(joins, site).result(timeout=10)
    assert count(site, site.Member) == 2


WRITES: dict[str, Callable[[Any, Any, tuple[str, str]], object]] = {
    "a new record": lambda unit, kind, key: unit.collect(kind, person=unit.person(), name="Bob", email="b@example.org"),
    "a change": lambda unit, kind, key: unit.update(unit.db.get(kind, key), wishes="novels about wasps"),
    "a statement": lambda unit, kind, key: unit.db.execute(text("DELETE FROM club_member")),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_it_cannot_write(site: Any, ann: tuple[str, str], write: Callable[[Any, Any, tuple[str, str]], object]) -> None:
    with pytest.raises(OnlyReads), reading(site) as unit:
        write(unit, site.Member, ann)
    assert count(site, site.Member) == 1


def test_a_refusal_in_it_is_entered(site: Any, ann: tuple[str, str]) -> None:
    before = entries(site)
    with pytest.raises(Refused), reading(site) as unit:
        unit.db.get(site.Member, ann).name.open(purpose="advertising")
    assert [entry.event for entry in entries(site) if entry not in before] == ["refused"]
