"""A record found by its key is found as SQLAlchemy finds it, by a statement that was made once."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, literal_column, select
from sqlalchemy.exc import InvalidRequestError, NoResultFound
from sqlalchemy.orm import Mapped, Session, column_property, reconstructor, with_loader_criteria

from avow import owner, plain
from avow.testing.clock import FrozenClock

from .club import club
from .office import Office

Key = tuple[str, str]

#: Ways to ask for a record that is there: the plain one, and those that SQLAlchemy itself is left to answer.
WAYS: dict[str, Callable[[Session, Any, Key], Any]] = {
    "by its key": lambda db, kind, key: db.get(kind, key),
    "as one that is there": lambda db, kind, key: db.get_one(kind, key),
    "by a list": lambda db, kind, key: db.get(kind, list(key)),
    "by names": lambda db, kind, key: db.get(kind, {"person": key[0], "id": key[1]}),
    "anew": lambda db, kind, key: db.get(kind, key, populate_existing=True),
    "to be changed": lambda db, kind, key: db.get(kind, key, with_for_update=True),
}


@pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS.keys())
def test_every_way_finds_the_same_record_with_its_owner(site: Any, ann: Key, ask: Callable[..., Any]) -> None:
    with site.acting("desk", "lending") as work:
        found = ask(work.db, site.Member, ann)
        assert (found.person, found.id, found.avow_person.id) == (*ann, ann[0])
        assert found.name.open() == "Ann Example"
        assert ask(work.db, site.Member, ann) is found
        assert work.db.scalars(select(site.Member)).one() is found


def test_what_is_loaded_is_not_asked_for_again(site: Any, ann: Key) -> None:
    asked: list[str] = []
    engine = site.opened.vault.store.engine
    with site.acting("desk", "lending") as work:
        loaded = work.db.get(site.Member, ann)
        event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        assert work.db.get(site.Member, ann) is loaded
        assert asked == []
        work.db.expire(loaded)
        assert work.db.get(site.Member, ann) is loaded
        assert len(asked) == 1


def test_records_of_one_person_have_one_owner(site: Any, ann: Key) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.db.get(site.Member, ann)
        loan = work.collect(site.Loan, person=member.avow_person, name="Ann")
        key = loan.reader, loan.id
    with site.acting("desk", "lending") as work:
        owner = work.db.get(site.person_class, ann[0])
        assert work.db.get(site.Member, ann).avow_person is owner
        assert work.db.get(site.Loan, key).avow_person is owner
    with site.acting("desk", "lending") as work:
        assert work.db.get(site.Loan, key).avow_person is work.db.get(site.Member, ann).avow_person
        assert not work.db.dirty
        assert not work.db.new


def test_a_class_is_told_that_it_was_loaded_and_what_is_no_column_is_looked_up(store: str, tmp_path: Path) -> None:
    site: Any = club()
    built: list[str] = []

    class Shelf(site.Record):  # type: ignore[misc]
        __tablename__ = "club_shelf"
        reader: Mapped[str] = owner()
        called: Mapped[str] = plain("what the shelf is called", name="shelf_name")
        long = column_property(func.length(literal_column("shelf_name")))

        @reconstructor
        def build(self) -> None:
            built.append(self.called)

    site.open(tmp_path / "data", store=store, background=False)
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        made = work.collect(Shelf, person=work.person(), called="by the door")
        key = made.reader, made.id
    with site.acting("desk", "lending") as work:
        found = work.db.get(Shelf, key)
        assert (found.called, found.long, built) == ("by the door", 11, ["by the door"])
    site.close()


def test_what_is_not_there_is_none(site: Any, ann: Key) -> None:
    with site.acting("desk", "lending") as work:
        for key in ((ann[0], "0" * 32), ("0" * 32, ann[1]), (ann[0], None)):
            assert work.db.get(site.Member, key) is None
        with pytest.raises(NoResultFound):
            work.db.get_one(site.Member, (ann[0], "0" * 32))
        assert work.db.get(site.Loan, ann) is None
        assert work.db.get(type(work.db.get(site.Member, ann).avow_person), ann[0]).id == ann[0]


def test_a_key_of_another_length_is_refused(site: Any, ann: Key) -> None:
    with site.acting("desk", "lending") as work:
        for key in ((*ann, ann[1]), ann[0]):
            with pytest.raises(InvalidRequestError, match="Incorrect number of values"):
                work.db.get(site.Member, key)


def test_whoever_asks_for_a_lock_gets_it(site: Any, ann: Key) -> None:
    asked: list[str] = []
    event.listen(site.opened.vault.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    with site.acting("desk", "lending") as work:
        assert work.db.get(site.Member, ann, with_for_update={}).id == ann[1]
    assert "FOR UPDATE" in asked[-1] or site.opened.vault.store.dialect == "sqlite"
    assert asked[-1].startswith("SELECT")


def test_a_site_may_narrow_what_is_found(site: Any, ann: Key) -> None:
    def narrow(state: Any) -> None:
        state.statement = state.statement.options(
            with_loader_criteria(site.Member, lambda member: member.shelf == "nowhere", include_aliases=True)
        )

    with site.acting("desk", "lending") as work:
        event.listen(work.db, "do_orm_execute", narrow)
        assert work.db.get(site.Member, ann) is None
    with site.acting("desk", "lending") as work:
        assert work.db.get(site.Member, ann) is not None


def test_a_site_may_hear_what_is_loaded(site: Any, ann: Key) -> None:
    heard: list[Any] = []
    with site.acting("desk", "lending") as work:
        event.listen(work.db, "loaded_as_persistent", lambda _, each: heard.append(each))
        found = work.db.get(site.Member, ann)
        assert found in heard


def test_what_was_just_made_is_found(site: Any, ann: Key) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        made = work.collect(site.Loan, person=work.person(), name="Bob")
        assert work.db.get(site.Loan, (made.reader, made.id)) is made


def test_a_site_that_is_closed_leaves_nothing_in_memory(store: str, tmp_path: Path, clock: FrozenClock) -> None:
    """Neither those who listen to its sessions nor the statements that were made once hold it."""
    office = Office(tmp_path / "data", store, clock, lambda: store)
    with office.site.acting("desk", "mailing", place="counter") as work:
        made = work.collect(office.site.Letter, person=work.person(), words="dear Bob")
        key = made.owner_id, made.id
    with office.site.acting("desk", "mailing") as work:
        assert work.db.get(office.site.Letter, key).words.open() == "dear Bob"
    left = [weakref.ref(one) for one in (office.vault, office.site, office.site.home, office.site.Letter)]
    office.site.close()
    del office, work, made
    gc.collect()
    assert [one() for one in left] == [None] * 4
