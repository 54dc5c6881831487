"""What is new is written by the driver as SQLAlchemy does it, and left to SQLAlchemy where it is more than columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, relationship

from avow import Sealed, owner, personal, plain
from avow.errors import SealedError
from avow.vault.inserting import Inserting

from .club import club


@pytest.fixture
def opened(store: str, tmp_path: Path) -> Iterator[Any]:
    """The club with a class of every kind of column; `site.heard` is what SQLAlchemy itself was given to insert."""
    site: Any = club()

    class Card(site.Record):  # type: ignore[misc]
        __tablename__ = "club_card"
        reader: Mapped[str] = owner()
        name: Mapped[Sealed | None] = personal("contact.name", field="card.name", optional=True)
        number: Mapped[str] = plain("the number on it", unique=True)
        colour: Mapped[str] = plain("its colour", default="green")
        stamps: Mapped[int | None] = plain("how many stamps")
        paid: Mapped[bool] = plain("whether it is paid", default=False)
        until: Mapped[date | None] = plain("how long it holds")
        price: Mapped[float | None] = plain("what it costs")

    site.Card, site.heard = Card, []
    site.open(tmp_path / "data", store=store, background=False)

    def hear(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT INTO club_", "INSERT INTO avow_person")):
            site.heard.append(statement.split()[2])

    event.listen(site.opened.vault.store.engine, "before_cursor_execute", hear)
    yield site
    site.close()


def unit(site: Any) -> Any:
    return site.acting("desk", "lending", place="hall", channel="https")


def rows(site: Any) -> list[dict[str, Any]]:
    """The cards as they lie in the database, without what is random."""
    table = site.Card.__table__
    with site.opened.vault.store.reading() as connection:
        found = connection.execute(select(table).order_by(table.c.number)).all()
    return [{n: v for n, v in row._mapping.items() if n not in ("reader", "id", "name", "number")} for row in found]


FULL = {"colour": "blue", "stamps": 3, "paid": True, "until": date(2027, 1, 31), "price": 2.5}


def by_sqlalchemy(patch: pytest.MonkeyPatch) -> None:
    """From here on SQLAlchemy writes everything."""
    patch.setattr(Inserting, "_rows", lambda _self, _flush: None)


@pytest.mark.parametrize("given", [FULL, {}, {"colour": None, "paid": None}])
def test_the_rows_are_those_that_sqlalchemy_writes(
    opened: Any, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("1", "2"):
        with unit(opened) as work:
            made = work.collect(opened.Card, person=work.person(), number=number, name="Ann", **given)
            work.commit()
            assert (made.colour, made.paid) == (given.get("colour") or "green", given.get("paid") or False)
            assert made.until == given.get("until")
            assert made.name.open() == "Ann"
            assert inspect(made).persistent
            assert inspect(made.avow_person).persistent
            assert work.db.get(opened.Card, (made.reader, made.id)) is made
        by_sqlalchemy(monkeypatch)
    assert opened.heard == ["avow_person", "club_card"], "those of the second unit"
    first, second = rows(opened)
    assert first == second


def test_many_at_once(opened: Any) -> None:
    with unit(opened) as work:
        person = work.person()
        for number in range(120):
            work.collect(opened.Card, person=person, number=f"{number:03d}")
    assert len(rows(opened)) == 120
    assert opened.heard == []


def test_what_is_new_beside_what_is_changed_or_goes_is_left_to_sqlalchemy(opened: Any) -> None:
    with unit(opened) as work:
        person = work.person()
        made = [work.collect(opened.Card, person=person, number=number) for number in ("1", "2", "3")]
    with unit(opened) as work:
        first, second = (work.db.get(opened.Card, (one.reader, one.id)) for one in made[:2])
        work.update(first, colour="red")
        work.db.delete(second)
        work.collect(opened.Card, person=first.avow_person, number="4")
    with unit(opened) as work:
        found = [(card.number, card.colour) for card in work.select(opened.Card)]
        assert sorted(found) == [("1", "red"), ("3", "green"), ("4", "green")]
    assert opened.heard == ["club_card"]


def test_a_row_that_the_database_does_not_take_leaves_nothing_of_its_unit(opened: Any) -> None:
    with unit(opened) as work:
        work.collect(opened.Card, person=work.person(), number="0042")
    with suppress(IntegrityError), unit(opened) as work:
        work.collect(opened.Member, person=work.person(), name="Bob Example", email="bob@example.org")
        work.collect(opened.Card, person=work.person(), number="0042")
        work.commit()
        raise AssertionError("it was taken")
    with unit(opened) as work:
        assert work.select(opened.Member) == []
        assert len(work.select(opened.Card)) == 1
        assert work.db.scalar(select(func.count()).select_from(opened.home.schema.person)) == 1


def test_what_is_plain_is_looked_into(opened: Any) -> None:
    with unit(opened) as work:
        member = work.collect(opened.Member, person=work.person(), name="Ann Example", email="ann@example.org")
        key = member.person, member.id

    def write() -> None:
        with unit(opened) as work:
            told = work.db.get(opened.Member, key)
            by_hand(opened, work, avow_person=told.avow_person, reader=key[0], number=told.name.open())

    with pytest.raises(SealedError, match="cannot go into a plain column"):
        write()


def by_hand(site: Any, work: Any, **values: Any) -> Any:
    made = site.Card(**{"id": "0" * 32, "policy": site.policy.digest, "number": "7", **values})
    work.db.add(made)
    return made


LEFT: dict[str, Callable[[Any, Any, Any], Any]] = {
    "an owner that only the relationship names": lambda site, work, ann: by_hand(site, work, avow_person=ann),
    "a value for the database to work out": lambda site, work, ann: by_hand(
        site, work, avow_person=ann, reader=ann.id, colour=func.lower("GREEN")
    ),
}


@pytest.mark.parametrize("make", LEFT.values(), ids=LEFT)
def test_what_is_not_columns_alone_is_left_to_sqlalchemy(opened: Any, make: Callable[..., Any]) -> None:
    with unit(opened) as work:
        ann = work.person()
        made = make(opened, work, ann)
        work.collect(opened.Loan, person=ann, name="Ann")
    assert "club_card" in opened.heard
    assert made.reader == ann.id
    assert rows(opened)[0]["colour"] == "green"


def test_a_hook_of_a_class_is_called(store: str, tmp_path: Path) -> None:
    site: Any = club()
    event.listen(site.Loan, "before_insert", lambda _mapper, _connection, loan: called.append(loan.id))
    called: list[str] = []
    site.open(tmp_path / "data", store=store, background=False)
    with unit(site) as work:
        made = work.collect(site.Loan, person=work.person(), name="Ann")
    assert called == [made.id]
    site.close()


def test_a_class_with_another_relationship_is_left_to_sqlalchemy(store: str, tmp_path: Path) -> None:
    site: Any = club()

    class Note(site.Record):  # type: ignore[misc]
        __tablename__ = "club_note"
        reader: Mapped[str] = owner()
        loan: Mapped[str | None] = plain("the id of a loan")
        about = relationship(
            site.Loan, primaryjoin=lambda: Note.loan == site.Loan.id, foreign_keys=lambda: [Note.loan], viewonly=False
        )

    site.open(tmp_path / "data", store=store, background=False)
    with unit(site) as work:
        person = work.person()
        loan = work.collect(site.Loan, person=person, name="Ann")
        note = work.collect(Note, person=person)
        note.about = loan
    with unit(site) as work:
        assert work.select(Note)[0].loan == loan.id
    site.close()
