"""Retention: what the policy says must be gone is gone in time; what cannot be carried out is told at the start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Mapped

from avow import Sealed, Site, moment, owner, party, personal
from avow.errors import SetupError
from avow.ledger.entry import Entry
from avow.testing.clock import FrozenClock
from avow.vault.retention import BATCH, carry_out, due

from .post import post

DAY = 86_400


@pytest.fixture
def site(store: str, tmp_path: Path, clock: FrozenClock) -> Iterator[Any]:
    site = post()
    site.open(tmp_path / "data", store=store, background=False, clock=clock)
    yield site
    site.close()


def collect(site: Any, kind: str, count: int = 1, **values: Any) -> list[str]:
    with site.acting("desk", "mailing", place="counter") as work:
        made = [work.collect(getattr(site, kind), person=work.person(), **values) for _ in range(count)]
        return [record.owner_id for record in made]


def people(site: Any) -> set[str]:
    with site.opened.vault.store.reading() as connection:
        return set(connection.scalars(select(site.home.schema.person.c.id)))


def test_who_asked_to_be_erased_is_after_the_time_to_think_it_over(site: Any, clock: FrozenClock) -> None:
    (ann,) = collect(site, "Neighbour", name="Ann", email="a@example.org", asked=clock())
    (bob,) = collect(site, "Neighbour", name="Bob", email="b@example.org")
    clock.advance(7 * DAY - 1)
    assert carry_out(site.opened.vault) == 0
    clock.advance(1)
    assert carry_out(site.opened.vault) == 1
    assert people(site) == {bob}
    assert ann not in people(site)
    assert len(site.opened.vault.tombstones.read()) == 1


def test_a_wish_taken_back_is_not_carried_out(site: Any, clock: FrozenClock) -> None:
    collect(site, "Neighbour", name="Ann", email="a@example.org", asked=clock())
    with site.acting("desk", "mailing") as work:
        work.update(work.select(site.Neighbour)[0], asked=None)
    clock.advance(100 * DAY)
    assert carry_out(site.opened.vault) == 0


def test_a_record_that_holds_nothing_else_goes_as_a_whole_a_day_before_the_last(site: Any, clock: FrozenClock) -> None:
    collect(site, "Card", words="happy birthday", arrived=clock())
    clock.advance(89 * DAY - 1)
    assert carry_out(site.opened.vault) == 0
    clock.advance(1)
    assert carry_out(site.opened.vault) == 1
    with site.acting("desk", "mailing") as work:
        assert work.select(site.Card) == []
    assert len(people(site)) == 1  # the person stays


def test_of_a_record_that_holds_more_only_what_is_named_is_taken_out(site: Any, clock: FrozenClock) -> None:
    collect(site, "Photo", picture="…", shows="Ann", arrived=clock())
    clock.advance(90 * DAY)
    assert carry_out(site.opened.vault) == 1
    with site.acting("desk", "mailing") as work:
        photo = work.select(site.Photo)[0]
        assert (photo.picture, photo.shows.open(), photo.arrived) == (None, "Ann", None)
    assert carry_out(site.opened.vault) == 0


def test_more_than_one_batch_is_done(site: Any, clock: FrozenClock) -> None:
    collect(site, "Card", BATCH + 5, words="one of many", arrived=clock())
    clock.advance(90 * DAY)
    assert carry_out(site.opened.vault) == BATCH + 5


def test_the_service_does_it_by_itself_and_the_ledger_says_by_which_sentence(site: Any, clock: FrozenClock) -> None:
    collect(site, "Card", words="happy birthday", arrived=clock())
    collect(site, "Neighbour", name="Ann", email="a@example.org", asked=clock())
    clock.advance(90 * DAY)
    site.opened.background.round()
    with site.opened.vault.store.reading() as connection:
        entries = [Entry.decode(bytes(b)) for b in connection.scalars(select(site.home.schema.entry.c.body))]
    assert {(e.verb, e.object, e.sentences) for e in entries if e.event == "done"} == {
        ("destroy", "letter", ("ninety",)),
        ("erase", "customer", ("erase",)),
    }


def test_what_is_next_is_shown_and_what_is_overdue(site: Any, clock: FrozenClock) -> None:
    assert due(site.opened.vault) == []
    now = clock()
    collect(site, "Card", 2, words="happy birthday", arrived=now)
    collect(site, "Neighbour", name="Ann", email="a@example.org", asked=now)
    found = [(one.task.deadline.duty.verb, one.waiting, one.first - now, one.overdue) for one in due(site.opened.vault)]
    assert found == [("erase", 1, 7 * DAY, 0), ("destroy", 2, 89 * DAY, 0)]
    clock.advance(31 * DAY)
    assert [one.overdue for one in due(site.opened.vault)] == [1, 0]


# -- what cannot be carried out is told at the start -------------------------------------------------


def refused(tmp_path: Path, declare: Any) -> str:
    site: Any = Site(Path(__file__).parent / "post.md")
    declare(site)
    with pytest.raises(SetupError) as error:
        site.open(tmp_path / "data", background=False)
    site.close()
    return str(error.value)


def test_an_event_that_no_record_tells_of_is_named(tmp_path: Path) -> None:
    said = refused(tmp_path, lambda site: None)
    assert "`must erase customer within 30 days after asked` (#erase): no record says when that is" in said
    assert 'moment("arrived", …)' in said


def test_what_has_to_go_must_be_able_to_go(tmp_path: Path) -> None:
    def declare(site: Any) -> None:
        class Photo(site.Record):  # type: ignore[misc]
            __tablename__ = "post_photo"
            person: Mapped[str] = owner()
            picture: Mapped[Sealed] = personal("letter.picture", field="photo.picture")
            shows: Mapped[Sealed] = personal("contact.name", field="photo.shows")
            arrived: Mapped[float | None] = moment("arrived", "when it came")
            asked: Mapped[float | None] = moment("asked", "when they asked", after=timedelta(days=30))

        class Note(site.Record):  # type: ignore[misc]
            __tablename__ = "post_note"
            person: Mapped[str] = owner()
            arrived: Mapped[float | None] = moment("arrived", "when it came")

    said = refused(tmp_path, declare)
    assert "`post_photo.picture` is taken out by `must destroy letter within 90 days after arrived`" in said
    assert "it has to be optional" in said
    assert "`post_photo.asked` waits longer than `must erase customer within 30 days after asked` allows" in said
    assert "`post_note` holds no `letter` that could be destroyed" in said


def test_nobody_is_erased_because_they_were_left_a_record_of_who_was(tmp_path: Path) -> None:
    def declare(site: Any) -> None:
        class Deal(site.Record):  # type: ignore[misc]
            __tablename__ = "post_deal"
            one: Mapped[str] = owner(erased="keep")
            two: Mapped[str | None] = party(erased="keep")
            words: Mapped[Sealed] = personal("letter", field="deal.words")
            asked: Mapped[float | None] = moment("asked", "when one of them asked to be erased")
            arrived: Mapped[float | None] = moment("arrived", "when it came")

    said = refused(tmp_path, declare)
    assert "`post_deal` changes hands when its owner is erased, and `must erase customer within 30 days" in said
    assert "put `asked` into a record that is deleted with its owner" in said
    assert "arrived" not in said
