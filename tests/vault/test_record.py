"""Records: sealed under their owner's key, bound to their place, refused where they are laid out wrongly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, union, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from avow import Sealed, Site, owner, personal, plain
from avow.errors import Refused, SealedError, SetupError
from avow.vault.envelope import read_label

CLUB = Path(__file__).parent / "club.md"


def test_the_primary_key_leads_with_the_owner(site: Any) -> None:
    assert [column.name for column in site.Member.__table__.primary_key] == ["person", "id"]


def test_a_value_comes_back_in_another_unit(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending") as work:
        assert work.db.get(site.Member, ann).name.open() == "Ann Example"


def test_the_envelope_names_category_version_and_hour(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending") as work:
        label = read_label(work.db.get(site.Member, ann).name._envelope)
        assert label.category == "contact.name"
        assert site.policy.digest.startswith(label.version)
        assert (label.place, label.collected) == ("hall", work.unit.vault.hour())


def test_no_plain_text_lies_in_the_database(site: Any, ann: tuple[str, str]) -> None:
    with site.opened.vault.store.reading() as connection:
        for table in site.home.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert not any(
                    secret in (bytes(cell) if not isinstance(cell, str) else cell.encode())
                    for cell in row
                    if isinstance(cell, (str, bytes, memoryview))
                    for secret in (b"Ann Example", b"ann@example.org", b"1 Lane", b"bees")
                    if table.name != "avow_policy"
                )


@pytest.mark.parametrize("statement", [
    "UPDATE club_member SET name = address",
    "UPDATE club_loan SET name = (SELECT name FROM club_member LIMIT 1)",
])  # fmt: skip
def test_a_ciphertext_moved_by_sql_does_not_open(site: Any, ann: tuple[str, str], statement: str) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        loan = work.collect(site.Loan, person=work.person(), name="Bob")
        key = (loan.reader, loan.id)
    with site.acting("desk", "lending") as work:
        work.db.execute(text(statement))
    with site.acting("desk", "lending") as work:
        moved = work.db.get(site.Loan, key).name if "loan" in statement else work.db.get(site.Member, ann).name
        with pytest.raises(SealedError, match="does not open"):
            moved.open()


def test_a_row_given_to_another_person_does_not_open(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        bob = work.collect(site.Loan, person=work.person(), name="Bob").reader
    with site.acting("desk", "lending") as work:
        work.db.execute(text("UPDATE club_member SET person = :bob"), {"bob": bob})
    with site.acting("desk", "lending") as work, pytest.raises(SealedError, match="does not open"):
        work.db.get(site.Member, (bob, ann[1])).name.open()


def test_a_record_given_another_owner_in_memory_keeps_its_values_shut(site: Any, ann: tuple[str, str]) -> None:
    """Who looks is told by the record's owner: a record renamed to the one who looks must not open for them."""
    with site.acting("desk", "lending") as work:
        member = work.db.get(site.Member, ann)
        assert member.name.open() == "Ann Example"
        with work.db.no_autoflush:
            member.person = "b" * 32
            with pytest.raises(SealedError, match=r"does not open|does not unwrap"):
                member.name.open()
        work.db.rollback()


def test_text_and_foreign_values_are_not_assigned(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.db.get(site.Member, ann)
        loan = work.collect(site.Loan, person=work.person(), name="Bob")
        for wrong in ("Eve", loan.name, member.address):
            with pytest.raises(SealedError):
                member.name = wrong
        with pytest.raises(SealedError):
            site.Member(name="Eve")


def test_bulk_statements_store_no_text(site: Any, ann: tuple[str, str]) -> None:
    for statement in (
        insert(site.Loan).values(reader=ann[0], id="x", name="Eve"),
        update(site.Member).values(name="Eve"),
    ):
        with (
            pytest.raises(Exception, match=r"not written by bulk|takes sealed values only"),
            site.acting("desk", "lending") as work,
        ):
            work.db.execute(statement)


COMPARISONS: list[Callable[[Any], object]] = [
    lambda m: m.name == "Ann", lambda m: m.name != "Ann", lambda m: m.name.like("A%"), lambda m: m.name < "B",
    lambda m: m.name.in_(["Ann"]), lambda m: m.name.desc(), lambda m: m.name + "x", lambda m: m.name.contains("n"),
    lambda m: m.email != "ann@example.org", lambda m: m.email.like("ann%"), lambda m: m.name.distinct(),
]  # fmt: skip


def test_sealed_columns_do_not_compare(site: Any) -> None:
    for make in COMPARISONS:
        with pytest.raises(SealedError, match="is sealed"):
            make(site.Member)


def test_sealed_columns_do_not_sort_or_group(site: Any) -> None:
    member = site.Member
    for statement in (
        select(member).order_by(member.name),
        select(member.id).group_by(member.name),
        select(member).order_by(member.shelf, member.address),
        select(member).order_by("name"),
        select(member.name.label("called")).order_by("called"),
        select(member.id).where(member.id.in_(select(member.id).order_by(member.name).limit(1))),
        union(select(member.id), select(member.id).order_by(member.name)),
        select(member.id).order_by(select(member.id).order_by(member.name).limit(1).scalar_subquery()),
        select(func.row_number().over(order_by=member.name)),
        select(func.count().over(partition_by=member.address)),
    ):
        with site.acting("desk", "lending") as work:
            with pytest.raises(SealedError, match="is sealed"):
                work.db.execute(statement)
            with pytest.raises(SealedError, match="is sealed"):
                work.db.connection().execute(statement)


def test_a_column_selected_alone_does_not_open(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending") as work:
        value = work.db.scalar(select(site.Member.name))
        with pytest.raises(SealedError, match="without its record"):
            value.open()


def test_equality_goes_to_the_blind_index(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending") as work:
        found = work.select(site.Member, site.Member.email == " ANN@example.org ")
        assert [member.id for member in found] == [ann[1]]
        assert work.select(site.Member, site.Member.email.in_(["bob@example.org", "ann@example.org"])) == found
        assert work.select(site.Member, site.Member.email == "bob@example.org") == []
        assert work.select(site.Member, site.Member.address.is_(None)) == []


def test_no_record_without_a_policy_version(site: Any, ann: tuple[str, str]) -> None:
    for version in ("NULL", f"'{'0' * 64}'"):
        with pytest.raises(IntegrityError), site.acting("desk", "lending") as work:
            work.db.execute(text(f"UPDATE club_member SET policy = {version}"))


def test_columns_that_say_nothing_of_themselves_are_refused_at_start_up(tmp_path: Path) -> None:
    site: Any = Site(CLUB)

    class Wrong(site.Record):  # type: ignore[misc]
        __tablename__ = "wrong"
        person: Mapped[str] = owner()
        mystery: Mapped[str] = mapped_column()
        pet: Mapped[Sealed] = personal("pet", field="wrong.pet")
        one: Mapped[Sealed] = personal("wishes", field="wrong.same")
        two: Mapped[Sealed] = personal("wishes", field="wrong.same")

    with pytest.raises(SetupError) as caught:
        site.open(tmp_path)
    message = str(caught.value)
    assert "`wrong.mystery` is neither" in message
    assert "`pet`, which the policy does not know" in message
    assert "share the field id `wrong.same`" in message


def test_a_record_has_one_owner() -> None:
    site: Any = Site(CLUB)
    with pytest.raises(SetupError, match="does not say whose it is"):
        type("Nobody", (site.Record,), {"__tablename__": "nobody", "__annotations__": {}, "x": plain("nothing")})
    with pytest.raises(SetupError, match="two owners"):
        type("Both", (site.Record,), {"__tablename__": "both", "__annotations__": {}, "a": owner(), "b": owner()})


def test_a_record_needs_an_open_site() -> None:
    site: Any = Site(CLUB)
    with pytest.raises(SetupError, match="not open"):
        site.acting("desk", "lending")


def test_what_may_not_be_opened_names_the_nearest_sentence(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending") as work:
        member = work.db.get(site.Member, ann)
        with pytest.raises(Refused, match="#read"):
            member.name.open(purpose="advertising")
