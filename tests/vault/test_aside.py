"""What is shown beside the matter of a page: judged by a purpose and by facts of its own, and opening nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avow.edge.pages import fill_answer
from avow.errors import Refused

from .lodge import lodge

GREETING = "presented(cookie.token)"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    site = lodge(tmp_path / "lodge")
    site.open(tmp_path / "data", background=False)
    with site.acting("porter", "lodging", place="gate", channel="https") as work:
        for name in ("Ann Example", "Bo Example"):
            person = work.person()
            work.collect(site.Guest, person=person, name=name)
            work.collect(site.Stay, person=person, what=f"the stay of {name}")
    yield site
    site.close()


def guest(work: Any, name: str) -> Any:
    return next(guest for guest in work.select(work._opened.site.Guest) if guest.name._reveal() == name)


def stay(work: Any, whose: Any) -> Any:
    kind = work._opened.site.Stay
    return work.select(kind, kind.person == whose.person)[0]


def shown(work: Any, text: str) -> str:
    return fill_answer(work.unit, "text/html", f"<p>{text}</p>".encode()).decode()


def test_a_greeting_stands_on_a_page_about_somebody_elses_matter(site: Any) -> None:
    with site.acting("porter", "lodging", place="room") as work:
        ann, bo = guest(work, "Ann Example"), guest(work, "Bo Example")
        work.recognise(stay(work, bo), "presented(link)")
        greeting = work.aside(ann, GREETING, purpose="greeting")
        page = shown(work, f"{greeting.name.__html__()} reads {stay(work, bo).what.__html__()}")
    assert page == "<p>Ann Example reads the stay of Bo Example</p>"


def test_what_entitles_to_a_greeting_entitles_to_nothing_else(site: Any) -> None:
    """Neither by the greeting's own fact, nor by what somebody else has shown on the same page."""
    for recognised in (False, True):
        with site.acting("porter", "lodging", place="room") as work:
            ann, bo = guest(work, "Ann Example"), guest(work, "Bo Example")
            if recognised:
                work.recognise(bo, "presented(link)")
            aside = work.aside(ann, GREETING, purpose="greeting")
            for value in (ann.name, stay(work, ann).what):
                with pytest.raises(Refused):
                    shown(work, value.__html__())
            with pytest.raises(Refused):
                shown(work, work.aside(stay(work, ann), GREETING, purpose="greeting").what.__html__())
            with pytest.raises(Refused):
                shown(work, work.aside(ann, "presented(nothing)", purpose="greeting").name.__html__())
            with pytest.raises(Refused):
                shown(work, work.aside(ann, GREETING, purpose="lodging").name.__html__())
            assert aside.may_show("name")
            assert not aside.may_show("word")


def test_an_aside_gives_its_own_fields_and_heeds_what_is_known_of_their_owner(site: Any) -> None:
    with site.acting("porter", "lodging", place="gate") as work:
        ann = guest(work, "Ann Example")
        aside = work.aside(ann, GREETING, purpose="greeting")
        assert aside.badge is None
        for name in ("person", "avow_person", "objects", "nothing"):
            with pytest.raises(AttributeError, match=name):
                getattr(aside, name)
        assert repr(aside.name) == "<sealed name>"
        assert aside.name.owner == ann.person
        work.update(ann, objects=True)
        objecting = work.aside(ann, GREETING, purpose="greeting")
        assert not objecting.may_show("name")
        with pytest.raises(Refused):
            shown(work, objecting.name.__html__())


def test_a_fact_is_forgotten_with_the_person_who_showed_it(site: Any) -> None:
    with site.acting("porter", "lodging", place="room") as work:
        ann, bo = guest(work, "Ann Example"), guest(work, "Bo Example")
        work.recognise(ann, "presented(link)")
        work.recognise(ann, GREETING)
        assert {"presented(link)", GREETING} <= work.unit.facts.keys()
        work.recognise(bo, GREETING)
        assert "presented(link)" not in work.unit.facts
        with pytest.raises(Refused):
            shown(work, stay(work, bo).what.__html__())
        work.person()
        assert GREETING not in work.unit.facts
