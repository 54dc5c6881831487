"""Everything that is held about somebody: found by whose each row is, judged value by value, told in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, String, Table, text
from sqlalchemy.orm import Mapped

from avow import Refused, Sealed, Site, owner, party, personal, plain
from avow.errors import SealedError, SetupError
from avow.outbox.queue import put
from avow.testing.clock import FrozenClock
from avow.vault.holdings import OF_ANOTHER, Holdings, Item
from tests.site.conftest import Browser

ANN, BOB = {"name": "Ann “A” Example", "email": "ann@example.org"}, {"name": "Bob Example", "email": "bob@example.org"}
COUNTER = {"place": "counter"}


POLICY = Path(__file__).parent / "chest.md"


def chest(policy: Path = POLICY) -> Any:
    """A fresh site with records on `site.Drawer`, `Letter` and `Parcel`, and the pages of a counter."""
    site: Any = Site(policy)

    class Drawer(site.Record):  # type: ignore[misc]
        """A drawer of one customer.

        It has a lock.
        """

        __tablename__ = "chest_drawer"
        person: Mapped[str] = owner()
        name: Mapped[Sealed] = personal("contact.name", field="drawer.name")
        email: Mapped[Sealed] = personal("contact.email", field="drawer.email", lookup="email")
        lock: Mapped[Sealed | None] = personal("lock", field="drawer.lock", optional=True)
        row: Mapped[int] = plain("in which row it is", default=3)

    class Letter(site.Record):  # type: ignore[misc]
        __tablename__ = "chest_letter"
        __label__ = "A letter"
        writer: Mapped[str] = owner()
        words: Mapped[Sealed] = personal("letter", field="letter.words")
        colour: Mapped[str | None] = plain("the colour of its ink")

    class Parcel(site.Record):  # type: ignore[misc]
        __tablename__ = "chest_parcel"
        sender: Mapped[str] = owner(erased="anonymise")
        receiver: Mapped[str | None] = party(erased="anonymise")
        sent_by: Mapped[Sealed | None] = personal("contact.name", field="parcel.sent_by", optional=True)
        sent_to: Mapped[Sealed | None] = personal("contact.name", field="parcel.sent_to", optional=True, of="receiver")
        weight: Mapped[int] = plain("its weight in grams", default=20)

    def held(work: Any) -> Any:
        drawer = work.presented(Drawer, work.path["secret"])
        return work.export(work.holdings(drawer, fact="presented(link)"), "chest.json")

    def careless(work: Any) -> Any:
        work.presented(Drawer, work.path["secret"])
        [other] = [drawer for drawer in work.select(Drawer) if drawer.owner_id != work.unit.viewer]
        work.unit.facts.pop("presented(link)")
        return work.export(work.holdings(other, fact="presented(link)"), "chest.json")

    for path, place, handler in (
        ("/held/{secret}", "counter", held),
        ("/hall/{secret}", "hall", held),
        ("/careless/{secret}", "counter", careless),
    ):
        site.page(path, role="desk", purpose="keeping", place=place)(handler)
    site.Drawer, site.Letter, site.Parcel = Drawer, Letter, Parcel
    return site


@pytest.fixture
def opening(store: str, tmp_path: Path, clock: FrozenClock) -> Iterator[Callable[[Any], Any]]:
    """Opens a site on the store, and closes it in the end."""
    opened: list[Any] = []

    def open_site(site: Any) -> Any:
        site.open(tmp_path / "data", store=store, background=False, clock=clock)
        opened.append(site)
        return site

    yield open_site
    for site in opened:
        site.close()


class Chest:
    """Ann's drawer with a letter and a parcel for Bob, and his drawer; the secrets of their links."""

    def __init__(self, site: Any) -> None:
        self.site = site
        with self.acting() as work:
            ann, bob = work.person(), work.person()
            self.ann, self.bob = ann.id, bob.id
            mine = work.collect(site.Drawer, person=ann, lock="left, left, right", **ANN)
            theirs = work.collect(site.Drawer, person=bob, **BOB)
            work.collect(site.Letter, person=ann, words="dear Bob", colour="green")
            work.collect(site.Parcel, person=ann, receiver=bob.id, sent_by="Ann E.", sent_to="Bob E.")
            self.secrets = {"ann": work.secret(mine), "bob": work.secret(theirs)}

    def acting(self) -> Any:
        return self.site.acting("desk", "keeping", **COUNTER)

    def drawer(self, work: Any, person: str) -> Any:
        """Their drawer, as who has its link comes to it."""
        return work.presented(self.site.Drawer, self.secrets[person])

    def held(self, person: str) -> Holdings:
        """What is held about somebody, without the texts."""
        with self.acting() as work:
            found: Holdings = work.holdings(self.drawer(work, person), fact="presented(link)")
            return found

    def taken(self, person: str) -> Any:
        """What somebody takes along."""
        answer = Browser(self.site.opened.app).get(f"/held/{self.secrets[person]}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def change(self, statement: str) -> None:
        """Write into the database behind the service's back."""
        with self.site.opened.vault.store.writing() as connection:
            assert connection.execute(text(statement)).rowcount


@pytest.fixture
def drawers(opening: Callable[[Any], Any]) -> Chest:
    return Chest(opening(chest()))


def kinds(held: Holdings) -> dict[str, Item]:
    return {item.kind: item for item in held.items}


# -- works --------------------------------------------------------------------------------------------


def test_all_that_is_theirs_is_told_with_where_when_and_under_which_version(drawers: Chest, clock: FrozenClock) -> None:
    held = drawers.held("ann")
    assert sorted(kinds(held)) == ["A drawer of one customer.", "A letter", "Parcel"]
    drawer = kinds(held)["A drawer of one customer."]
    assert [(note.why, note.content) for note in drawer.notes] == [("in which row it is", 3)]
    hour = int(clock() // 3600)
    assert {(value.label, value.place, value.version, value.hour) for value in drawer.values} == {
        (label, "the counter", "1", hour) for label in ("your name", "your e-mail address", "the lock of your drawer")
    }
    assert (held.accepted, held.links, held.others) == (("1",), 1, {})


def test_what_they_take_along_holds_each_value_that_may_be_shown(drawers: Chest) -> None:
    taken = drawers.taken("ann")
    texts = {value.get("text") for record in taken["records"] for value in record["values"]}
    assert texts == {*ANN.values(), "dear Bob", "Ann E.", None}
    assert taken["format"] == "avow-export 1"
    assert taken["policy"]["version"] == "1"
    assert taken["policy"]["title"] == "Privacy of the chest"
    assert taken["made"] == "2026-11-18T11:00Z"


def test_the_answer_is_a_file_that_no_cache_keeps(drawers: Chest) -> None:
    answer = Browser(drawers.site.opened.app).get(f"/held/{drawers.secrets['ann']}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="chest.json"'
    assert answer.headers["cache-control"] == "no-store"


def test_whom_a_record_concerns_gets_what_is_of_them_and_no_more(drawers: Chest) -> None:
    parcel = kinds(drawers.held("bob"))["Parcel"]
    assert (parcel.own, parcel.notes) == (False, ())
    taken = drawers.taken("bob")
    texts = {value.get("text") for record in taken["records"] for value in record["values"]}
    assert texts == {*BOB.values(), "Bob E."}


def test_what_goes_out_about_them_is_told_in_words(drawers: Chest) -> None:
    with drawers.acting() as work:
        put(work.unit, "share", "carrier", drawers.drawer(work, "ann"), purpose="keeping")
    assert drawers.taken("ann")["sent"] == [
        {"as": "share", "what": "the carrier", "for": "keeping things for you", "state": "waits to be sent"}
    ]
    assert drawers.taken("bob")["sent"] == []


def test_a_class_that_is_added_later_appears_by_itself(opening: Callable[[Any], Any]) -> None:
    site = chest()

    class Wish(site.Record):  # type: ignore[misc,name-defined]
        __tablename__ = "chest_wish"
        maker: Mapped[str] = owner()
        words: Mapped[Sealed] = personal("letter", field="wish.words")

    drawers = Chest(opening(site))
    with drawers.acting() as work:
        work.collect(Wish, person=drawers.drawer(work, "ann").avow_person, words="a larger drawer")
    assert "Wish" in kinds(drawers.held("ann"))
    assert "a larger drawer" in json.dumps(drawers.taken("ann"))
    assert "Wish" not in kinds(drawers.held("bob"))


def test_a_table_that_avow_gets_later_appears_by_itself(opening: Callable[[Any], Any]) -> None:
    site = chest()
    later = Table(
        "avow_later",
        site.home.metadata,
        Column("id", String(8), primary_key=True),
        Column("owner", String(32), ForeignKey("avow_person.id"), nullable=False),
    )
    drawers = Chest(opening(site))
    with site.opened.vault.store.writing() as connection:
        connection.execute(later.insert().values(id="1", owner=drawers.ann))
    assert drawers.held("ann").others == {"avow_later": 1}
    assert drawers.held("bob").others == {}


def test_a_record_is_removed_with_its_links_and_what_waits_of_it(drawers: Chest) -> None:
    with drawers.acting() as work:
        drawers.drawer(work, "ann")
        [letter] = work.select(drawers.site.Letter)
        work.secret(letter)
        put(work.unit, "share", "carrier", letter, purpose="keeping")
    assert (drawers.held("ann").links, len(drawers.held("ann").sendings)) == (2, 1)
    with drawers.acting() as work:
        drawers.drawer(work, "ann")
        work.remove(work.select(drawers.site.Letter)[0])
    held = drawers.held("ann")
    assert "A letter" not in kinds(held)
    assert (held.links, held.sendings) == (1, ())
    assert "dear Bob" not in json.dumps(drawers.taken("ann"))


# -- holds --------------------------------------------------------------------------------------------


@pytest.mark.promise("I1", "holds")
def test_what_no_sentence_lets_them_see_is_named_with_the_reason_and_stays_closed(drawers: Chest) -> None:
    [closed] = [value for value in kinds(drawers.held("ann"))["A drawer of one customer."].values if not value.sealed]
    assert closed.category == "lock"
    assert [sentence.anchor for sentence in closed.sentences] == ["lock"]
    taken = json.dumps(drawers.taken("ann"))
    assert "left, left, right" not in taken
    assert "The lock of a drawer we show to nobody." in taken


@pytest.mark.promise("I1", "holds")
def test_what_an_earlier_version_keeps_closed_stays_closed(opening: Callable[[Any], Any], tmp_path: Path) -> None:
    """A newer version that shows more holds for what comes after it; the rest of what is held is shown all the same."""
    earlier = tmp_path / "earlier.md"
    text = POLICY.read_text(encoding="utf-8").replace('version: "1"', 'version: "0.9"')
    earlier.write_text(text.replace("may show contact, letter to", "may show contact.name, letter to"))
    drawers = Chest(opening(chest(earlier)))
    drawers.site.close()
    drawers.site = opening(chest())
    values = kinds(drawers.held("ann"))["A drawer of one customer."].values
    shown = {value.category: (value.sealed is not None, value.version) for value in values}
    assert shown == {"contact.name": (True, "0.9"), "contact.email": (False, "0.9"), "lock": (False, "0.9")}
    assert "collected under version 0.9" in next(value.reason for value in values if value.category == "contact.email")
    taken = json.dumps(drawers.taken("ann"))
    assert "dear Bob" in taken
    assert ANN["email"] not in taken


@pytest.mark.promise("I1", "holds")
def test_what_tells_of_somebody_else_stays_closed_to_the_owner(drawers: Chest) -> None:
    parcel = kinds(drawers.held("ann"))["Parcel"]
    assert [(value.sealed is None, value.reason) for value in parcel.values] == [(False, ""), (True, OF_ANOTHER)]
    assert "Bob E." not in json.dumps(drawers.taken("ann"))


def test_nothing_of_others_is_in_it(drawers: Chest) -> None:
    taken = json.dumps(drawers.taken("bob"), ensure_ascii=False)
    assert not [text for text in (*ANN.values(), "Ann E.", "dear Bob", "left, left, right", "green") if text in taken]


@pytest.mark.promise("I1", "holds")
def test_at_another_place_every_value_stays_closed(drawers: Chest) -> None:
    answer = Browser(drawers.site.opened.app).get(f"/hall/{drawers.secrets['ann']}")
    values = [value for record in answer.json()["records"] for value in record["values"]]
    assert len(values) == 6
    assert not [value for value in values if "text" in value]


@pytest.mark.promise("I1", "holds")
def test_a_page_that_asks_for_nobody_in_particular_gets_nothing(drawers: Chest) -> None:
    answer = Browser(drawers.site.opened.app).get(f"/careless/{drawers.secrets['ann']}")
    assert answer.status_code == 403
    with drawers.acting() as work, pytest.raises(Refused, match=r"nobody has shown `presented\(link\)` here"):
        work.holdings(work.select(drawers.site.Drawer)[0], fact="presented(link)")


@pytest.mark.promise("I1", "holds")
@pytest.mark.parametrize(("table", "column"), [("chest_letter", "writer"), ("chest_drawer", "person")])
def test_a_row_that_was_moved_to_somebody_else_opens_for_neither(drawers: Chest, table: str, column: str) -> None:
    """By raw SQL: whose a value is, is sealed into it."""
    drawers.change(f"DELETE FROM chest_drawer WHERE person = '{drawers.bob}'")
    drawers.change(f"UPDATE {table} SET {column} = '{drawers.bob}' WHERE {column} = '{drawers.ann}'")
    with drawers.acting() as work:
        work.unit.facts["presented(link)"] = True
        [moved] = work.select(drawers.site.Letter if table == "chest_letter" else drawers.site.Drawer)
        assert moved.owner_id == drawers.bob
        with pytest.raises(SealedError):
            work.holdings(moved, fact="presented(link)")


@pytest.mark.promise("I1", "holds")
def test_a_label_that_was_changed_is_not_told(drawers: Chest) -> None:
    """By raw SQL: the place lies in the clear within the envelope, and is sealed all the same."""
    with drawers.acting() as work:
        [letter] = work.select(drawers.site.Letter)
        envelope = letter.words._envelope.replace(b"counter", b"balcony")
    with drawers.site.opened.vault.store.writing() as connection:
        connection.execute(text("UPDATE chest_letter SET words = :words"), {"words": envelope})
    with drawers.acting() as work, pytest.raises(SealedError):
        work.holdings(drawers.drawer(work, "ann"), fact="presented(link)")


def test_no_value_of_it_gets_into_the_log(drawers: Chest, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        drawers.taken("ann")
        repr(drawers.held("ann"))
    assert "dear Bob" not in caplog.text
    assert "dear Bob" not in repr(drawers.held("ann"))


@pytest.mark.promise("I1", "holds")
def test_a_mark_in_a_plain_column_is_no_value(drawers: Chest) -> None:
    mark = "00000000000a0000"
    drawers.change(f"UPDATE chest_letter SET colour = '\ue000{mark}\ue001'")
    assert f"�{mark}�" in json.dumps(drawers.taken("ann"), ensure_ascii=False)


@pytest.mark.promise("I1", "holds")
def test_a_record_that_may_not_be_changed_is_not_removed(drawers: Chest) -> None:
    with drawers.acting() as work:
        drawer = drawers.drawer(work, "ann")
        with pytest.raises(Refused):
            work.remove(drawer)
    with drawers.acting() as work, pytest.raises(Refused):  # nobody has shown anything
        work.remove(work.select(drawers.site.Letter)[0])
    assert sorted(kinds(drawers.held("ann"))) == ["A drawer of one customer.", "A letter", "Parcel"]


def test_what_somebody_else_has_a_part_in_is_not_removed_for_one(drawers: Chest) -> None:
    with drawers.acting() as work:
        drawers.drawer(work, "ann")
        with pytest.raises(SetupError, match="somebody else's too"):
            work.remove(work.select(drawers.site.Parcel)[0])


@pytest.mark.parametrize("state", ["attempted", "unknown"])
def test_a_record_is_not_removed_while_the_outcome_of_an_exchange_about_it_is_to_come(
    drawers: Chest, state: str
) -> None:
    with drawers.acting() as work:
        [letter] = work.select(drawers.site.Letter)
        exchange = drawers.site.home.schema.exchange
        about = {"owner": letter.owner_id, "record_table": "chest_letter", "record_id": letter.id}
        times = {"begun": 0.0, "due": 0.0}
        row = {"id": "1", "recipient": "carrier", "role": "desk", "purpose": "keeping", "state": state}
        work.db.execute(exchange.insert().values(**row, **about, **times))
    with drawers.acting() as work:
        drawers.drawer(work, "ann")
        with pytest.raises(SetupError, match="exchange about it is open"):
            work.remove(work.select(drawers.site.Letter)[0])
    assert [sending.way for sending in drawers.held("ann").sendings] == ["exchange"]


def test_a_file_is_called_plainly(drawers: Chest) -> None:
    with drawers.acting() as work, pytest.raises(SetupError, match="no name for a file"):
        work.export(work.holdings(drawers.drawer(work, "ann"), fact="presented(link)"), 'x"; y="')
