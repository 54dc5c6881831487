"""Whoever writes what is new, the driver itself or SQLAlchemy, a unit of work comes to the same end."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Text, event, func, inspect, select
from sqlalchemy.exc import DataError, IntegrityError, InvalidRequestError, SAWarning, StatementError
from sqlalchemy.orm import Mapped, foreign, relationship
from sqlalchemy.types import TypeDecorator

from avow import owner, plain

from .club import club
from .test_inserting import by_sqlalchemy, unit


class Lower(TypeDecorator[str]):
    """Text that the database makes small as it takes it."""

    impl = Text
    cache_ok = True

    def bind_expression(self, bound: Any) -> Any:
        return func.lower(bound)


@pytest.fixture(params=["by the driver", "by SQLAlchemy"])
def opened(request: pytest.FixtureRequest, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param == "by SQLAlchemy":
        by_sqlalchemy(monkeypatch)
    site: Any = club()

    class Card(site.Record):  # type: ignore[misc]
        __tablename__ = "club_card"
        reader: Mapped[str] = owner()
        number: Mapped[str] = plain("the number on it", unique=True)
        stamps: Mapped[int | None] = plain("how many stamps")
        paid: Mapped[bool] = plain("whether it is paid", default=False)
        shelf: Mapped[str | None] = plain("the shelf it stands on")
        word: Mapped[str | None] = plain("a word on it", type_=Lower())

    class Shelf(site.Record):  # type: ignore[misc]
        __tablename__ = "club_shelf"
        reader: Mapped[str] = owner()
        cards = relationship(Card, primaryjoin=lambda: foreign(Card.shelf) == Shelf.id)

    site.Card, site.Shelf = Card, Shelf
    site.open(tmp_path / "data", store=store, background=False)
    yield site
    site.close()


def card(site: Any, work: Any, number: str, **more: Any) -> Any:
    return work.collect(site.Card, person=more.pop("person", None) or work.person(), number=number, **more)


def stored(site: Any, *names: str) -> list[tuple[Any, ...]]:
    """The cards in the database, by their numbers, and what else is asked for."""
    columns = site.Card.__table__.c
    with site.opened.vault.store.reading() as connection:
        found = connection.execute(select(columns.number, *(columns[name] for name in names)).order_by(columns.number))
        return [tuple(row) for row in found]


def people(site: Any) -> int:
    with site.opened.vault.store.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(site.home.schema.person)) or 0)


def test_a_number_that_one_gives_up_is_free_for_another(opened: Any) -> None:
    with unit(opened) as work:
        made = card(opened, work, "1")
    with unit(opened) as work:
        first = work.db.get(opened.Card, (made.reader, made.id))
        work.update(first, number="2")
        card(opened, work, "1", person=first.avow_person)
    assert stored(opened) == [("1",), ("2",)]


def test_what_goes_may_come_again_under_its_key(opened: Any) -> None:
    with unit(opened) as work:
        made = card(opened, work, "1")
    with unit(opened) as work:
        first = work.db.get(opened.Card, (made.reader, made.id))
        work.db.delete(first)
        work.db.add(
            opened.Card(
                reader=made.reader, id=made.id, avow_person=first.avow_person, policy=made.policy, number="9"
            )
        )  # fmt: skip
    assert stored(opened) == [("9",)]


def test_who_goes_on_after_a_row_was_not_taken_writes_nothing(opened: Any) -> None:
    """Otherwise half of the unit would be kept, and its end would say that all is well."""
    with unit(opened) as work:
        card(opened, work, "1")

    def go_on() -> None:
        with unit(opened) as work:
            card(opened, work, "0")
            work.db.flush()
            twin = card(opened, work, "1")
            with suppress(IntegrityError):
                work.commit()
                raise AssertionError("it was taken")
            with suppress(InvalidRequestError):
                work.db.expunge(twin)

    with pytest.raises(InvalidRequestError, match="rolled back"):
        go_on()
    assert stored(opened) == [("1",)]
    assert people(opened) == 1


def test_what_a_failed_commit_left_behind_is_new_again(opened: Any) -> None:
    def fail(_session: Any) -> None:
        if failing:
            raise OSError(failing.pop())

    failing = ["once"]
    with unit(opened) as work:
        made = card(opened, work, "1")
        owner = made.avow_person
        event.listen(work.db, "before_commit", fail)
        with suppress(OSError):
            work.commit()
            raise AssertionError("it did not fail")
        work.db.rollback()
        assert inspect(made).transient
        work.db.add(owner)
        work.db.add(made)
        work.commit()
    assert stored(opened) == [("1",)]
    assert people(opened) == 1


def test_a_savepoint_that_is_given_up_takes_what_is_new_in_it_along(opened: Any) -> None:
    with unit(opened) as work:
        first = card(opened, work, "1")
        with work.db.begin_nested() as savepoint:
            second = card(opened, work, "2", person=first.avow_person)
            work.db.flush()
            savepoint.rollback()
        assert inspect(first).persistent
        assert inspect(second).transient
    assert stored(opened) == [("1",)]


def test_hooks_of_a_site_are_heard_as_ever(opened: Any) -> None:
    """They may ask the database, take something out, or put something in; each is told of what it listens to."""
    heard: list[str] = []

    def before(session: Any, context: Any, _objects: Any) -> None:
        session.scalars(select(opened.Member)).all()
        for each in list(session.new):
            if isinstance(each, opened.Card) and each.number == "out":
                session.expunge(each)
                other = {"reader": each.reader, "avow_person": each.avow_person, "policy": each.policy}
                session.add(opened.Card(id="a" * 32, number="in", **other))
        heard.append(type(context).__name__)

    def after(session: Any, _context: Any) -> None:
        heard.append(f"{len(session.scalars(select(opened.Card)).all())} cards")

    with unit(opened) as work:
        event.listen(work.db, "before_flush", before)
        event.listen(work.db, "after_flush", after)
        event.listen(work.db, "after_flush_postexec", lambda *_: heard.append("done"))
        event.listen(work.db, "pending_to_persistent", lambda _, each: heard.append(type(each).__name__))
        first = card(opened, work, "1")
        card(opened, work, "out", person=first.avow_person)
    assert stored(opened) == [("1",), ("in",)]
    assert heard[:2] == ["UOWTransaction", "2 cards"]
    assert sorted(heard[2:-1]) == ["Card", "Card", "SitePerson"]
    assert heard[-1] == "done"


def test_a_hook_that_comes_later_is_heard_too(opened: Any) -> None:
    numbers: list[str] = []

    def hear(_mapper: Any, _connection: Any, made: Any) -> None:
        numbers.append(made.number)

    with unit(opened) as work:
        card(opened, work, "1")
    event.listen(opened.Card, "before_insert", hear)
    with unit(opened) as work:
        card(opened, work, "2")
    assert numbers == ["2"]


def test_what_hangs_on_a_record_that_was_there_gets_its_key(opened: Any) -> None:
    with unit(opened) as work:
        shelf = work.collect(opened.Shelf, person=work.person())
    with unit(opened) as work:
        found = work.db.get(opened.Shelf, (shelf.reader, shelf.id))
        made = card(opened, work, "1", person=found.avow_person)
        found.cards.append(made)
    assert stored(opened, "shelf") == [("1", shelf.id)]


def test_values_are_stored_as_their_types_say(opened: Any) -> None:
    with unit(opened) as work:
        card(opened, work, "1", stamps=True, word="ABC")
    assert stored(opened, "stamps", "word") == [("1", 1, "abc")]


WRONG: dict[str, tuple[dict[str, Any], Any]] = {
    "one that its type does not know": ({"paid": "x"}, StatementError),
    "a number that is too large": ({"stamps": 2**70}, (OverflowError, DataError)),
    "text that is none": ({"word": "a\ud800"}, UnicodeEncodeError),
}


@pytest.mark.parametrize(("values", "raised"), WRONG.values(), ids=WRONG)
def test_a_value_that_cannot_be_stored_leaves_nothing(opened: Any, values: dict[str, Any], raised: Any) -> None:
    def write() -> None:
        with unit(opened) as work:
            work.collect(opened.Member, person=work.person(), name="Bob Example", email="bob@example.org")
            card(opened, work, "1", **values)

    with pytest.raises(raised):
        write()
    assert stored(opened) == []
    assert people(opened) == 0


def again(site: Any, work: Any, made: Any, **values: str) -> None:
    """One more card beside, with something of a card that is there."""
    person = work.db.get(site.person_class, made.reader)
    work.db.add(site.Card(**{"reader": made.reader, "policy": made.policy, "avow_person": person, **values}))


@pytest.mark.parametrize("same", ["id", "number"])
def test_what_is_there_twice_is_refused(opened: Any, same: str) -> None:
    with unit(opened) as work:
        made = card(opened, work, "1")
    twin = {"id": "b" * 32, "number": "2", same: getattr(made, same)}
    with pytest.raises(IntegrityError), unit(opened) as work:
        again(opened, work, made, **twin)
    assert stored(opened) == [("1",)]


def test_what_is_loaded_already_is_told_so(opened: Any) -> None:
    with unit(opened) as work:
        made = card(opened, work, "1")
    with unit(opened) as work:
        loaded = work.db.get(opened.Card, (made.reader, made.id))
        again(opened, work, loaded, id=made.id, number="2")
        with pytest.raises(SAWarning, match="conflicts with persistent instance"):
            work.commit()
        work.db.rollback()
    assert stored(opened) == [("1",)]
