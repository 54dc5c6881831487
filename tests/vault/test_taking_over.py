"""Taking over: what lay in the clear lies sealed, once, and is gone from where it was; on both kinds of store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Mapped

from avow import Sealed, Site, owner, personal
from avow.errors import Refused, StoreError
from avow.ledger.entry import Entry
from avow.testing.clock import FrozenClock
from avow.vault import taking_over_rows
from avow.vault.envelope import read_label

from .library import Library, declare, loans, members, refused_words, take


@pytest.fixture
def old(store: str) -> Library:
    return Library(store).fill()


def entries(site: Any) -> list[Entry]:
    site.opened.sequencer.run()
    with site.opened.vault.store.reading() as connection:
        return [Entry.decode(bytes(b)) for b in connection.scalars(select(site.home.schema.entry.c.body))]


def test_values_lie_sealed_and_the_old_columns_are_empty(old: Library, site: Any) -> None:
    declare(site)
    taken = take(site)
    assert [(each.rows, each.erased) for each in taken] == [(3, 0), (2, 0)]
    assert [{k: v for k, v in one.items() if k not in ("id", "owner")} for one in members(site)] == [
        {"name": "Ann Example", "email": "ann@example.org", "address": "1 Lane of Bees", "wishes": "novels about bees",
         "shelf": "B"},
        {"name": "Bob Example", "email": "bob@example.org", "shelf": "A"},
        {"name": "Cid Example", "email": "cid@example.org", "address": "3 Lane of Crows", "shelf": "C"},
    ]  # fmt: skip
    assert old.readers() == {
        1: ("", None, None, None, "B"),
        2: ("", None, None, "", "A"),
        3: ("", None, None, "card 4111 1111 1111 1111", "C"),
    }
    assert old.orders() == {"o-1": (1, None, 2), "o-2": (None, None, 1), "o-3": (2, None, 7)}


def test_the_label_is_of_the_version_in_force_the_place_declared_and_the_hour(
    old: Library, site: Any, clock: FrozenClock
) -> None:
    declare(site)
    take(site)
    with site.acting("desk", "lending") as work:
        label = read_label(work.select(site.Member)[0].email._envelope)
    assert (label.category, label.place, label.collected) == ("contact.email", "hall", int(clock() // 3600))
    assert site.policy.digest.startswith(label.version)


def test_rows_of_one_person_in_several_tables_meet_under_one_key(old: Library, site: Any) -> None:
    declare(site)
    take(site)
    ann, bob, _ = members(site)
    assert loans(site)["Ann Example at work"] == ann["owner"]
    assert loans(site)["Guest Example"] not in {ann["owner"], bob["owner"]}
    with site.opened.vault.store.reading() as connection:
        assert len(connection.execute(select(site.home.schema.person)).all()) == 4


def test_rows_of_nobody_known_are_of_a_person_each(old: Library, site: Any) -> None:
    declare(site)
    old.run("""INSERT INTO "order" VALUES ('o-4', NULL, 'Other Example', 1)""")
    take(site)
    assert loans(site)["Guest Example"] != loans(site)["Other Example"]


def test_two_numberings_are_two_people(old: Library, site: Any) -> None:
    declare(site, people="reader")
    take(site)
    assert loans(site)["Ann Example at work"] not in {one["owner"] for one in members(site)}


def test_the_service_finds_what_became_of_a_row(old: Library, site: Any) -> None:
    readers, orders = declare(site)
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        assert readers.find(work, 1) is None
        assert readers.find_person(work, 1) is None
    take(site)
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        assert readers.find(work, 1).name.open() == "Ann Example"
        assert orders.find(work, "o-1", person=1).name.open() == "Ann Example at work"
        assert orders.find(work, "o-2").name.open() == "Guest Example"
        assert orders.find(work, "o-1", person=2) is None
        new = work.collect(site.Loan, person=readers.find_person(work, 2), name="Bob Example, again")
        assert new.owner_id == readers.find(work, 2).owner_id


def test_what_was_taken_is_found_by_its_blind_index(old: Library, site: Any) -> None:
    declare(site)
    take(site)
    with site.acting("desk", "lending") as work:
        (found,) = work.select(site.Member, site.Member.email == "BOB@example.org")
        assert found.name.open() == "Bob Example"


def test_a_second_run_takes_nothing_twice(old: Library, site: Any) -> None:
    declare(site)
    take(site)
    before = members(site)
    assert [each.rows for each in take(site)] == [0, 0]
    assert members(site) == before


def test_what_old_code_writes_afterwards_takes_the_place_of_what_was_sealed(old: Library, site: Any) -> None:
    readers, _ = declare(site)
    take(site)
    old.run("UPDATE reader SET email = 'new@example.org', note = 'essays' WHERE id = 2")
    assert [each.rows for each in take(site)] == [1, 0]
    assert old.readers()[2] == ("", None, None, None, "A")
    with site.acting("desk", "lending", place="hall") as work:
        work.unit.discharge("ask", "age")
        bob = readers.find(work, 2)
        assert (bob.email._reveal(), bob.wishes.open(), bob.name.open()) == ("new@example.org", "essays", "Bob Example")
        assert work.select(site.Member, site.Member.email == "bob@example.org") == []


def test_what_the_policy_lets_nobody_change_stays_in_the_clear_and_is_told_of(old: Library, site: Any) -> None:
    declare(site)
    take(site)
    old.run("UPDATE reader SET name = 'Bobby Example' WHERE id = 2")
    readers, _ = take(site)
    ((about, why),) = [found for found in readers.left if found[0] == "name"]
    assert about == "name"
    assert "change" in why
    assert old.readers()[2][0] == "Bobby Example"
    assert members(site)[1]["name"] == "Bob Example"


def test_a_card_in_a_note_stays_where_it_is_until_it_is_taken_out(old: Library, site: Any) -> None:
    declare(site)
    readers, _ = take(site)
    ((attribute, why),) = readers.left
    assert attribute == "wishes"
    assert "(#no-card)" in why
    assert "4111" not in why
    assert readers.keys == [("3", "wishes", why)]
    assert ("refused", "keep", "card.number") in {(e.event, e.verb, e.object) for e in entries(site)}
    old.run("UPDATE reader SET note = 'crows' WHERE id = 3")
    readers, _ = take(site)
    assert not readers.left
    assert members(site)[2]["wishes"] == "crows"
    assert len(members(site)) == 3


def test_a_text_that_is_too_long_stays_and_is_told_of(old: Library, site: Any) -> None:
    declare(site)
    old.read(4, "Dee Example", "dee@example.org", None, "x" * (taking_over_rows.LONGEST + 1), "D")
    readers, _ = take(site)
    assert readers.left["wishes", "is longer than 1,048,576 bytes"] == 1
    assert members(site)[3].keys() == {"name", "email", "id", "owner", "shelf"}


def test_a_row_without_what_the_record_needs_stays_whole(old: Library, site: Any) -> None:
    declare(site)
    old.read(4, "Dee Example", None, "4 Lane of Doves", None, "D")
    readers, _ = take(site)
    assert readers.left["email", "is empty, and the record needs it"] == 1
    assert old.readers()[4] == ("Dee Example", None, "4 Lane of Doves", None, "D")
    assert len(members(site)) == 3


def test_what_is_no_text_in_utf8_is_told_of_and_shown_to_nobody(old: Library, site: Any) -> None:
    if old.engine.dialect.name == "postgresql":
        return  # it takes no such text
    declare(site)
    old.run("UPDATE reader SET address = CAST(x'416e6eff' AS TEXT) WHERE id = 1")
    readers, _ = take(site)
    assert readers.left["address", "is not text in UTF-8"] == 1


def test_keys_that_are_texts_are_not_shown(old: Library, site: Any) -> None:
    declare(site)
    old.run("""INSERT INTO "order" VALUES ('ann@example.org', 1, 'card 4111 1111 1111 1111', 1)""")
    _, orders = take(site)
    assert sum(orders.left.values()) == 1
    assert orders.keys == []


def test_what_the_policy_does_not_let_collect_is_refused_before_a_row_is_touched(old: Library, site: Any) -> None:
    declare(site, place="shelf")
    before = old.readers()
    with pytest.raises(Refused, match="`reader` cannot be taken over: collect contact") as error:
        take(site)
    assert "nothing of it was touched" in str(error.value)
    assert "#ask" in str(error.value)
    assert old.readers() == before
    assert members(site) == []
    assert {entry.event for entry in entries(site)} == {"refused"}


@pytest.fixture
def strict(store: str, old: Library, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """Opens a club of names alone, whose policy has one sentence more than the club's."""
    sites: list[Any] = []

    def open_site(sentence: str) -> Any:
        policy = tmp_path / "policy.md"
        policy.write_text(
            f"{(Path(__file__).parent / 'club.md').read_text()}\nSo it is.\n\n```avow #so\n{sentence}\n```\n"
        )
        site: Any = Site(policy)

        class Name(site.Record):  # type: ignore[misc]
            __tablename__ = "club_name"
            person: Mapped[str] = owner()
            name: Mapped[Sealed] = personal("contact.name", field="name.name")

        site.Name = Name
        site.open(tmp_path / "data", store=store, background=False)
        sites.append(site)
        return site

    yield open_site
    for site in sites:
        site.close()


def name_only(site: Any, **other: Any) -> None:
    said = {"role": "desk", "purpose": "lending", "place": "hall", "channel": "https"}
    site.take_over(site.Name, table="reader", key="id", columns={"name": "name"}, **said, **other)


def test_what_had_to_be_done_before_is_said_by_the_site(strict: Callable[[str], Any], old: Library) -> None:
    site = strict("must ask age before collect(contact)")
    name_only(site)
    with pytest.raises(Refused, match="must ask age before collect"):
        take(site)
    site.taking_over.clear()
    name_only(site, facts={"done(ask age)": True})
    assert [each.rows for each in take(site)] == [3]


def test_what_has_to_go_with_it_and_does_not_undoes_the_batch(strict: Callable[[str], Any], old: Library) -> None:
    site = strict("must attach receipt with collect(contact)")
    name_only(site)
    with pytest.raises(Refused, match="was not done in the same unit of work") as error:
        take(site)
    assert "0 rows had been taken over by then, and the batch was undone" in str(error.value)
    assert old.readers()[1][0] == "Ann Example"


def test_a_row_of_who_was_erased_is_emptied_and_never_sealed_again(old: Library, site: Any) -> None:
    readers, _ = declare(site)
    take(site)
    with site.acting("desk", "lending") as work:
        work.erase(readers.find_person(work, 1))
    old.run("UPDATE reader SET name = 'Ann Example', note = 'bees again' WHERE id = 1")  # from an old dump, perhaps
    taken, _ = take(site)
    assert (taken.rows, taken.erased) == (0, 1)
    assert old.readers()[1] == ("", None, None, None, "B")
    assert [one["name"] for one in members(site)] == ["Bob Example", "Cid Example"]
    assert [e.event for e in entries(site) if e.verb == "erase"] == ["done", "done"]


def test_the_ledger_has_what_was_collected_and_no_value(old: Library, site: Any) -> None:
    declare(site)
    take(site)
    found = entries(site)
    collected = {e.object: e.sentences for e in found if (e.event, e.verb) == ("permitted", "collect")}
    assert collected["contact.address, contact.email, contact.name, wishes"] == ("ask",)
    assert not [e for e in found if b"Ann" in e.encode() or b"example.org" in e.encode()]


def test_a_run_that_takes_nothing_says_nothing_of_it(old: Library, site: Any) -> None:
    declare(site)
    old.run("UPDATE reader SET note = NULL")
    take(site)
    before = len(entries(site))
    take(site)
    assert len(entries(site)) == before


def test_what_the_database_does_not_let_be_emptied_undoes_the_batch_and_tells_no_value(site: Any, store: str) -> None:
    old = Library(store)
    old.run("DROP TABLE reader")
    old.run(
        "CREATE TABLE reader (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> ''), email TEXT UNIQUE,"
        " address TEXT, note TEXT, shelf TEXT)"
    )
    old.fill().run("UPDATE reader SET shelf = 'kept for Ann Example'")  # PostgreSQL tells the row that failed
    declare(site)
    with pytest.raises(StoreError, match="a batch of `reader` was undone") as error:
        take(site)
    assert "Example" not in refused_words(error.value)
    assert "example.org" not in refused_words(error.value)
    assert members(site) == []
    assert old.readers()[1][0] == "Ann Example"


def test_a_table_that_quietly_keeps_its_values_undoes_the_batch(old: Library, site: Any) -> None:
    declare(site)
    if old.engine.dialect.name == "sqlite":
        old.run("CREATE TRIGGER stay BEFORE UPDATE ON reader BEGIN SELECT RAISE(IGNORE); END")
    else:
        old.run(
            "CREATE FUNCTION stay() RETURNS trigger AS 'BEGIN RETURN NULL; END' LANGUAGE plpgsql",
            "CREATE TRIGGER stay BEFORE UPDATE ON reader FOR EACH ROW EXECUTE FUNCTION stay()",
        )
    with pytest.raises(StoreError, match="rows of `reader` could not be emptied: 0 of"):
        take(site)
    assert members(site) == []
