"""Erasing a person: rows, key and links go at once; what others share ends as it declares; a tombstone stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import ForeignKeyConstraint, func, select
from sqlalchemy.orm import Mapped

from avow import Sealed, Site, owner, party, personal, plain
from avow.errors import SetupError, StoreError
from avow.ledger.entry import Entry
from avow.testing.clock import FrozenClock
from avow.vault.erasure import erase, remove, replay
from avow.vault.tombstones import token_of

from .post import post


@pytest.fixture
def site(store: str, tmp_path: Path, clock: FrozenClock) -> Iterator[Any]:
    site = post()
    site.open(tmp_path / "data", store=store, background=False, clock=clock)
    yield site
    site.close()


class Village:
    """Ann and Bob, a letter, a parcel and a card from her to him; by their ids."""

    def __init__(self, site: Any) -> None:
        self.site = site
        with site.acting("desk", "mailing", place="counter") as work:
            ann, bob = work.person(), work.person()
            self.ann, self.bob = ann.id, bob.id
            work.collect(site.Neighbour, person=ann, name="Ann Example", email="ann@example.org")
            work.collect(site.Neighbour, person=bob, name="Bob Example", email="bob@example.org")
            work.collect(site.Letter, person=ann, reader=bob.id, words="dear Bob", answer="ann@example.org")
            work.collect(site.Parcel, person=ann, receiver=bob.id, sent_by="Ann Example", sent_to="Bob Example")
            work.collect(site.Card, person=ann, other=bob.id, words="happy birthday")
            neighbour = work.select(site.Neighbour, site.Neighbour.person == ann.id)[0]
            work.secret(neighbour)

    def erase(self, identity: str) -> str:
        with self.site.acting("desk", "mailing") as work:
            receipt: str = work.erase(work.db.get(self.site.person_class, identity))
            return receipt

    def all(self, kind: Any) -> list[Any]:
        """Everything of a kind, as (owner, opened values)."""
        with self.site.acting("desk", "mailing") as work:
            return [
                (
                    getattr(record, kind.__layout__.owner),
                    {name: value.open() for name in kind.__layout__.fields if (value := getattr(record, name))},
                )
                for record in work.select(kind)
            ]

    def rows_of(self, identity: str) -> dict[str, int]:
        """In how many rows of each table an id stands, in whatever column."""
        found = {}
        with self.site.opened.vault.store.reading() as connection:
            for table in self.site.home.metadata.sorted_tables:
                count = sum(identity in map(str, row) for row in connection.execute(select(table)))
                if count:
                    found[table.name] = count
        return found


@pytest.fixture
def village(site: Any) -> Village:
    return Village(site)


def test_no_row_of_the_person_is_left_and_everybody_else_opens(village: Village) -> None:
    assert village.rows_of(village.ann)["avow_link"] == 1
    village.erase(village.ann)
    assert village.rows_of(village.ann) == {}
    assert village.all(village.site.Neighbour) == [
        (village.bob, {"name": "Bob Example", "email": "bob@example.org"}),
    ]


def test_what_is_kept_for_the_other_is_theirs_under_their_key(village: Village) -> None:
    village.erase(village.ann)
    letter = village.all(village.site.Letter)
    assert letter == [(village.bob, {"words": "dear Bob", "answer": "ann@example.org"})]
    with village.site.acting("desk", "mailing") as work:
        found = work.select(village.site.Letter, village.site.Letter.answer == "ann@example.org")
        assert [(one.reader, one.stamp) for one in found] == [(None, "red")]


def test_what_is_handed_on_keeps_its_label(village: Village, clock: FrozenClock) -> None:
    collected = int(clock() // 3600)
    clock.advance(40 * 3600)
    village.erase(village.ann)
    with village.site.acting("desk", "mailing") as work:
        letter = work.select(village.site.Letter)[0]
        assert letter._collected(village.site.Letter.__layout__.fields["words"], letter.words._envelope) == collected


def test_what_is_anonymised_loses_the_values_of_the_erased_one_only(village: Village) -> None:
    village.erase(village.ann)
    assert village.all(village.site.Parcel) == [(village.bob, {"sent_to": "Bob Example"})]


def test_a_party_that_is_erased_is_taken_out(village: Village) -> None:
    village.erase(village.bob)
    assert village.rows_of(village.bob) == {}
    assert village.all(village.site.Parcel) == [(village.ann, {"sent_by": "Ann Example"})]
    assert village.all(village.site.Letter)[0][1]["words"] == "dear Bob"
    assert village.all(village.site.Card) == []


def test_when_both_are_erased_nothing_is_left(village: Village) -> None:
    village.erase(village.ann)
    village.erase(village.bob)
    assert all(village.all(kind) == [] for kind in village.site.home.records)
    with village.site.opened.vault.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(village.site.home.schema.person)) == 0


def test_erased_twice_is_erased_once(village: Village) -> None:
    with village.site.acting("desk", "mailing") as work:
        person = work.db.get(village.site.person_class, village.ann)
        assert work.erase(person) == work.erase(person)
    assert len(village.site.opened.vault.tombstones.read()) == 1


def test_the_ledger_says_that_somebody_was_erased_and_by_which_sentence(village: Village) -> None:
    village.erase(village.ann)
    village.site.opened.sequencer.run()
    with village.site.opened.vault.store.reading() as connection:
        entries = [Entry.decode(bytes(b)) for b in connection.scalars(select(village.site.home.schema.entry.c.body))]
    done = [(e.event, e.verb, e.object, e.sentences) for e in entries if e.event == "done"]
    assert done == [("done", "erase", "customer", ("erase",))]


def test_the_tombstone_is_known_by_the_receipt_alone(village: Village) -> None:
    receipt = village.erase(village.ann)
    vault = village.site.opened.vault
    assert list(vault.tombstones.read()) == [token_of(receipt)]
    assert village.ann not in vault.tombstones.path.read_text()


def test_nothing_is_erased_where_the_tombstone_cannot_be_written(village: Village) -> None:
    vault = village.site.opened.vault
    vault.tombstones.path.symlink_to("/dev/full")
    with pytest.raises(StoreError, match="nothing was erased"):
        village.erase(village.ann)
    vault.tombstones.path.unlink()
    assert (village.ann, {"name": "Ann Example", "email": "ann@example.org"}) in village.all(village.site.Neighbour)


def test_deleted_bytes_leave_the_files_of_sqlite_with_the_next_round_of_background_work(
    village: Village, store: str
) -> None:
    if not store.startswith("sqlite"):
        return
    file = Path(store.removeprefix("sqlite:///"))
    with village.site.acting("desk", "mailing") as work:
        neighbour = work.select(village.site.Neighbour, village.site.Neighbour.person == village.ann)[0]
        envelope = neighbour.name._envelope
    village.erase(village.ann)

    def held() -> bool:
        return any(envelope in path.read_bytes() for path in file.parent.iterdir() if path.name.startswith(file.name))

    assert held()
    village.site.opened.background.round()
    assert not held()


def test_an_erasure_takes_no_unwritten_change_along(village: Village) -> None:
    with village.site.acting("desk", "mailing", place="counter") as work:
        person = work.db.get(village.site.person_class, village.ann)
        work.collect(village.site.Card, person=person, words="not yet written")
        with pytest.raises(SetupError, match=r"call work.commit\(\) before"):
            work.erase(person)


def test_a_tombstone_without_its_erasure_is_carried_out_at_the_next_start(
    village: Village, store: str, tmp_path: Path, clock: FrozenClock
) -> None:
    """As after a crash between the two, or in a database put back from before."""
    site, vault = village.site, village.site.opened.vault
    schema = site.home.schema
    with vault.store.reading() as connection:
        before = {t.name: connection.execute(select(t)).all() for t in site.home.metadata.sorted_tables}
    village.erase(village.ann)
    with vault.store.writing() as connection:
        for table in reversed(site.home.metadata.sorted_tables):
            if not table.name.startswith(("avow_entry", "avow_pending", "avow_tally", "avow_tile")):
                connection.execute(table.delete())
        for table in site.home.metadata.sorted_tables:
            if (
                not table.name.startswith(("avow_entry", "avow_pending", "avow_tally", "avow_tile"))
                and before[table.name]
            ):
                connection.execute(table.insert(), [row._asdict() for row in before[table.name]])
    assert village.rows_of(village.ann)  # she is back
    site.close()
    site.open(tmp_path / "data", store=store, background=False, clock=clock)
    assert village.rows_of(village.ann) == {}
    assert village.all(site.Neighbour) == [(village.bob, {"name": "Bob Example", "email": "bob@example.org"})]
    with site.opened.vault.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.tombstone)) == 1
    assert replay(site.opened.vault) == 0


# -- schemas that leave an end open ------------------------------------------------------------------


def opened(tmp_path: Path, declare: Any) -> None:
    site: Any = Site(Path(__file__).parent / "post.md")
    declare(site)
    try:
        site.open(tmp_path / "data", background=False)
    finally:
        site.close()


def test_a_shared_row_without_an_outcome_is_refused(tmp_path: Path) -> None:
    def declare(site: Any) -> None:
        class Letter(site.Record):  # type: ignore[misc]
            __tablename__ = "post_letter"
            writer: Mapped[str] = owner()
            reader: Mapped[str | None] = party(erased="keep")

    with pytest.raises(SetupError, match=r"`post_letter.writer` shares the row with others: say what becomes of it"):
        opened(tmp_path, declare)


def test_a_forgotten_owner_is_refused() -> None:
    site: Any = Site(Path(__file__).parent / "post.md")
    with pytest.raises(SetupError, match="`Letter` does not say whose it is"):

        class Letter(site.Record):  # type: ignore[misc]
            __tablename__ = "post_letter"
            words: Mapped[Sealed] = personal("letter", field="letter.words")


def test_two_owners_are_refused() -> None:
    site: Any = Site(Path(__file__).parent / "post.md")
    with pytest.raises(SetupError, match=r"has two owners.*\n.*party\(\)"):

        class Letter(site.Record):  # type: ignore[misc]
            __tablename__ = "post_letter"
            writer: Mapped[str] = owner()
            reader: Mapped[str] = owner()


def dangling_person(site: Any) -> None:
    class Letter(site.Record):  # type: ignore[misc]
        __tablename__ = "post_letter"
        writer: Mapped[str] = owner()
        reader: Mapped[str] = plain("who gets it")
        __table_args__ = (ForeignKeyConstraint(["reader"], ["avow_person.id"]),)


def dangling_record(site: Any) -> None:
    class Letter(site.Record):  # type: ignore[misc]
        __tablename__ = "post_letter"
        writer: Mapped[str] = owner()

    class Copy(site.Record):  # type: ignore[misc]
        __tablename__ = "post_copy"
        holder: Mapped[str] = owner()
        of_writer: Mapped[str] = plain("whose letter it is a copy of")
        of_id: Mapped[str] = plain("which letter")
        __table_args__ = (ForeignKeyConstraint(["of_writer", "of_id"], ["post_letter.writer", "post_letter.id"]),)


@pytest.mark.parametrize(
    ("declare", "place"), [(dangling_person, "post_letter.reader"), (dangling_record, "post_copy.of_writer")]
)
def test_a_dangling_owner_is_refused(tmp_path: Path, declare: Any, place: str) -> None:
    with pytest.raises(SetupError, match=f"`{place}` leads to a person, and does not say whether they own the row"):
        opened(tmp_path, declare)


def test_values_that_are_to_be_taken_out_have_to_be_optional(tmp_path: Path) -> None:
    def declare(site: Any) -> None:
        class Letter(site.Record):  # type: ignore[misc]
            __tablename__ = "post_letter"
            writer: Mapped[str] = owner(erased="anonymise")
            reader: Mapped[str | None] = party(erased="anonymise")
            words: Mapped[Sealed] = personal("letter", field="letter.words")
            to: Mapped[Sealed] = personal("contact.name", field="letter.to", of="reader")
            by: Mapped[Sealed] = personal("contact.name", field="letter.by", of="nobody")

    with pytest.raises(SetupError) as refused:
        opened(tmp_path, declare)
    assert str(refused.value).count("it has to be optional") == 2
    assert "`post_letter.by` is of `nobody`, which is no party() of its record" in str(refused.value)


def test_a_record_that_others_refer_to_does_not_change_hands(tmp_path: Path) -> None:
    def declare(site: Any) -> None:
        class Letter(site.Record):  # type: ignore[misc]
            __tablename__ = "post_letter"
            writer: Mapped[str] = owner(erased="keep")
            reader: Mapped[str | None] = party(erased="keep")

        class Line(site.Record):  # type: ignore[misc]
            __tablename__ = "post_line"
            writer: Mapped[str] = owner()
            letter: Mapped[str] = plain("which letter")
            __table_args__ = (ForeignKeyConstraint(["writer", "letter"], ["post_letter.writer", "post_letter.id"]),)

    with pytest.raises(SetupError, match=r"`post_letter` changes hands .* but `post_line` refers to it"):
        opened(tmp_path, declare)


def test_erased_by_two_at_once_is_erased_once(village: Village) -> None:
    """On PostgreSQL the second one waits for the row, and finds nobody."""
    vault = village.site.opened.vault
    other = Thread(target=erase, args=(vault, village.ann))
    with vault.session() as db:
        remove(db, vault, village.ann)
        other.start()
        other.join(0.5)
        assert other.is_alive()
        db.commit()
    other.join(30)
    assert vault.tombstones.read() == {}  # nobody was left for the second one to erase
