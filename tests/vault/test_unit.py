"""The unit of work: one transaction for data and entries; refusals that outlive a rollback; duties."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import func, select

from avow.edge.detectors import contains_card
from avow.edge.markers import marker
from avow.errors import Refused, SealedError, SetupError
from avow.vault.sealed import Given
from tests.noted import entries


def count(site: Any, record: Any) -> int:
    with site.opened.vault.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(record.__table__)) or 0


def test_data_and_entries_are_committed_together(site: Any, ann: tuple[str, str]) -> None:
    assert count(site, site.Member) == 1
    found = {(entry.event, entry.verb, entry.object, entry.sentences) for entry in entries(site)}
    fields = "contact.address, contact.email, contact.name, wishes"
    assert found == {("permitted", "collect", fields, ("ask",)), ("permitted", "keep", fields, ("ask",))}


def test_an_exception_undoes_data_and_entries_but_not_refusals(site: Any) -> None:
    with suppress(Refused), site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.collect(site.Member, person=work.person(), name="Ann", email="ann@example.org")
        member.name.open(purpose="advertising")
    assert count(site, site.Member) == 0
    assert [(e.event, e.verb, e.object, e.purpose, e.sentences) for e in entries(site)] == [
        ("refused", "open", "contact.name", "advertising", ("read",))
    ]


def test_a_refusal_that_was_caught_is_entered_all_the_same(site: Any, ann: tuple[str, str]) -> None:
    before = entries(site)
    with site.acting("desk", "lending") as work, pytest.raises(Refused):
        work.db.get(site.Member, ann).email.open()
    assert [entry.event for entry in entries(site) if entry not in before] == ["refused"]


def test_one_refused_field_stores_nothing(site: Any) -> None:
    with site.acting("desk", "lending", place="shelf", channel="https") as work, pytest.raises(Refused, match="#ask"):
        work.collect(site.Member, person=work.person(), name="Ann", email="a@example.org")
    assert count(site, site.Member) == 0


def test_an_unstated_or_plain_channel_is_refused(site: Any) -> None:
    for channel in (None, "http"):
        with site.acting("desk", "lending", place="hall", channel=channel) as work, pytest.raises(Refused):
            work.collect(site.Member, person=work.person(), name="Ann", email="a@example.org")


def test_a_gate_opens_once_its_duty_is_done(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending") as work:
        member = work.db.get(site.Member, ann)
        with pytest.raises(Refused, match="ask age before"):
            member.wishes.open()
        work.unit.discharge("ask", "age")
        assert member.wishes.open() == "novels about bees"


def test_another_thread_or_task_has_no_unit(site: Any, ann: tuple[str, str]) -> None:
    caught: list[BaseException] = []

    def read() -> None:
        try:
            value.open()
        except Refused as refused:
            caught.append(refused)

    with site.acting("desk", "lending") as work:
        value = work.db.get(site.Member, ann).name
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
        assert len(caught) == 1
        carried = threading.Thread(target=contextvars.copy_context().run, args=(read,))
        carried.start()
        carried.join()
        assert len(caught) == 1  # carried over on purpose, it is the same unit


def test_tasks_keep_their_units_apart(site: Any, ann: tuple[str, str]) -> None:
    async def one(role: str) -> str:
        with site.acting(role, "lending") as work:
            await asyncio.sleep(0.01)
            return str(work.unit.role)

    async def both() -> list[str]:
        return [*await asyncio.gather(one("desk"), one("courier"))]

    assert asyncio.run(both()) == ["desk", "courier"]


def test_a_unit_that_is_over_opens_nothing(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending") as work:
        value = work.db.get(site.Member, ann).name
    with pytest.raises(Refused, match="outside"):
        value.open()
    with pytest.raises(Refused, match="is over"):
        work.db.get(site.Member, ann)


def test_unknown_roles_and_purposes_are_refused_when_a_unit_is_opened(site: Any) -> None:
    for role, purpose in (("boss", "lending"), ("desk", "fun")):
        with pytest.raises(SetupError, match="the policy knows no"):
            site.acting(role, purpose)


def test_a_card_number_in_a_free_text_is_refused_by_its_sentence(site: Any) -> None:
    assert contains_card("4242 4242 4242 4242")
    for values in ({"wishes": "my card is 4242 4242 4242 4242"}, {"shelf": "4242424242424242"}):
        unit = site.acting("desk", "lending", place="hall", channel="https")
        with unit as work, pytest.raises(Refused, match="#no-card"):
            work.collect(site.Member, person=work.person(), name="Ann", email="a@example.org", **values)
    assert count(site, site.Member) == 0


def test_what_was_given_is_kept_under_its_own_category_only(site: Any) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        with pytest.raises(SealedError, match="cannot be kept as"):
            work.collect(site.Member, person=work.person(), name=Given("card.last4", "4242"), email="a@example.org")
        with pytest.raises(SealedError, match="plain column"):
            work.collect(site.Member, person=work.person(), name="A", email="a@example.org", shelf=Given("wishes", "A"))


def test_copying_a_value_to_another_record_is_an_opening_and_a_new_seal(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.db.get(site.Member, ann)
        loan = work.collect(site.Loan, person=member.avow_person, name=member.name)
        assert loan.name._envelope != member.name._envelope
    assert ("permitted", "open", "contact.name") in {(e.event, e.verb, e.object) for e in entries(site)}
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.db.get(site.Member, ann)
        with pytest.raises(Refused):
            work.collect(site.Loan, person=member.avow_person, name=member.email)


def test_collect_names_what_is_missing_or_unknown(site: Any) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        person = work.person()
        with pytest.raises(SetupError, match="needs `email`"):
            work.collect(site.Member, person=person, name="Ann")
        for wrong in ("nmae", "id", "policy", "person_id"):
            with pytest.raises(SetupError, match=f"cannot be collected with `{wrong}`"):
                work.collect(site.Member, person=person, name="A", email="a@example.org", **{wrong: "x"})


def test_once_is_taken_once(site: Any) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        card = work.unit.once("wish", {"wishes": Given("wishes", "bees")})
        assert repr(card) == "<once wish>"
        assert card._take()["wishes"]._reveal() == "bees"
        with pytest.raises(Refused, match="serves once"):
            card._take()
        for attempt in (card.__copy__, card.__html__, lambda: card.__reduce_ex__(2)):
            with pytest.raises(SealedError):
                attempt()


def test_a_correction_replaces_the_value_and_its_index(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        work.update(work.db.get(site.Member, ann), email="new@example.org", shelf="B")
    with site.acting("desk", "lending") as work:
        assert work.select(site.Member, site.Member.email == "ann@example.org") == []
        (member,) = work.select(site.Member, site.Member.email == "new@example.org")
        assert member.shelf == "B"


def test_no_marker_passes_for_a_card_number(site: Any) -> None:
    """The page that the exits look through for cards still has its markers: one in a thousand pages was refused."""
    for _ in range(20_000):
        nonce = site.opened.unit("desk", "lending").nonce
        assert not contains_card(" ".join(marker(nonce, number) for number in (0, 1, 2, 9, 10, 4242)))


def test_an_opening_is_entered_also_when_its_unit_is_undone(site: Any, ann: tuple[str, str]) -> None:
    with suppress(RuntimeError), site.acting("desk", "lending") as work:
        work.db.get(site.Member, ann).name.open()
        raise RuntimeError
    assert ("permitted", "open", "contact.name") in {(e.event, e.verb, e.object) for e in entries(site)}


def test_nothing_is_opened_with_a_unit_that_was_kept(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending") as work:
        value = work.db.get(site.Member, ann).name
        context = contextvars.copy_context()
    attempts: list[Callable[[], object]] = [
        lambda: work.unit.open(value), lambda: context.run(value.open), lambda: work.unit.mark(value)
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(Refused, match="is over"):
            attempt()


def test_a_unit_within_a_unit_is_refused(site: Any) -> None:
    with site.acting("desk", "lending"), pytest.raises(SetupError, match="under way already"):
        site.acting("courier", "lending").__enter__()


def test_update_takes_known_names_and_none_takes_a_value_out(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.db.get(site.Member, ann)
        for wrong in ("fien", "person", "id", "policy", "email_ix", "avow_person"):
            with pytest.raises(SetupError, match=f"cannot be updated with `{wrong}`"):
                work.update(member, **{wrong: "x"})
        work.update(member, wishes=None)
    with site.acting("desk", "lending") as work:
        assert work.db.get(site.Member, ann).wishes is None


def test_plain_columns_take_neither_cards_nor_opened_text(site: Any, ann: tuple[str, str]) -> None:
    def card(work: Any, member: Any) -> None:
        member.shelf = "4242/4242/4242/4242"

    def opened(work: Any, member: Any) -> None:
        member.shelf = "for " + member.name.open()

    def updated(work: Any, member: Any) -> None:
        work.update(member, shelf=member.name.open())

    for attempt in (card, opened, updated):
        with pytest.raises((Refused, SealedError)), site.acting("desk", "lending") as work:
            attempt(work, work.db.get(site.Member, ann))
    with site.acting("desk", "lending") as work:
        assert work.db.get(site.Member, ann).shelf == "A"


def test_what_one_unit_was_given_no_other_shows_back(site: Any) -> None:
    with site.acting("desk", "lending", place="hall") as work:
        given = Given("contact.name", "Ann")
        work.unit.mark(given)
        work.unit.show([0])
    with site.acting("desk", "lending", place="hall") as work:
        work.unit.mark(given)
        with pytest.raises(Refused, match="#see"):
            work.unit.show([0])
