"""G6: age is asked before anything, children leave nothing behind, and who is found out is erased everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from avow import ask_age
from avow.errors import SetupError
from avow.vault.age import years_on
from avow.vault.sealed import Given

from .kiln import kiln, order, sign_up
from .service import Service, refuses, shown

HOUR = 3600.0


@pytest.fixture(scope="module")
def service(opens: Callable[[Any], Service]) -> Service:
    return opens(kiln())


def born(service: Service, years: int, days: int = 0) -> str:
    """The date of birth of who has turned so many years that many days ago."""
    today = datetime.fromtimestamp(service.clock() - days * 24 * HOUR, UTC)
    return f"{today.year - years}-{today:%m-%d}"


def people(service: Service) -> int:
    person = service.site.home.schema.person
    with service.site.opened.vault.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(person)) or 0


def find_out(service: Service, person: str) -> None:
    """Learn that somebody is under sixteen."""
    with service.acting("website", "account_keeping", "profile") as work:
        work.update(service.of(work, service.site.Client, person), found_out=service.clock())


@pytest.mark.promise("G6", "works")
@pytest.mark.parametrize("days", [0, 1, 400])
def test_from_the_day_of_the_sixteenth_birthday_on_one_is_welcome(service: Service, days: int) -> None:
    person = sign_up(service, born(service, 16, days), name="Wilma Welcome")
    with service.acting("website", "account_keeping", "profile", logged_in__subject=True) as work:
        client = service.of(work, service.site.Client, person)
        work.recognise(client, "logged_in(subject)")
        assert shown(work, client.name) == ["Wilma Welcome"]


@pytest.mark.promise("G6", "holds")
@pytest.mark.parametrize("days", [-1, -300])
def test_of_who_is_under_sixteen_nothing_is_kept_not_even_what_they_typed(
    service: Service, days: int, caplog: pytest.LogCaptureFixture
) -> None:
    birthday, before = born(service, 16, days), people(service)
    with refuses("under-sixteen"):
        sign_up(service, birthday, name="Kit Underage", email="kit@underage.example", phone="+1 555 0199")
    left = service.stored()
    for typed in (b"Underage", b"underage.example", b"555 0199", birthday.encode()):
        assert typed not in left
    assert "nderage" not in caplog.text
    assert people(service) == before
    with service.acting("website", "account_keeping", "signup") as work:
        assert work.select(service.site.Client, service.site.Client.email == "kit@underage.example") == []


@pytest.mark.promise("G6", "holds")
def test_the_birthday_of_who_is_old_enough_is_kept_nowhere_either(service: Service) -> None:
    sign_up(service, "1951-11-13", name="Olga Older")
    assert b"1951-11-13" not in service.stored()
    with service.acting("website", "account_keeping", "signup") as work, refuses("birthday-not-kept"):
        ask_age(work.unit, Given("age", "1951-11-13"))
        work.collect(
            service.site.Client, person=work.person(), name=Given("age", "1951-11-13"), email="o@o.example", grown=True
        )


@pytest.mark.promise("G6", "holds")
def test_no_form_takes_anything_before_the_age_is_asked(service: Service) -> None:
    site = service.site
    for kind, place, purpose, values in (
        (site.Client, "signup", "account_keeping", {"name": "Early", "email": "e@example.org", "grown": True}),
        (site.Ticket, "support_page", "support", {"words": "help"}),
        (site.Post, "forum", "discussion", {"words": "hello"}),
    ):
        with refuses("age-first"), service.acting("website", purpose, place, age=30.0) as work:
            work.collect(kind, person=work.person(), **values)


@pytest.mark.promise("G6", "holds")
def test_who_does_not_say_how_old_they_are_counts_as_too_young(service: Service) -> None:
    with refuses("under-sixteen"), service.acting("website", "account_keeping", "signup") as work:
        work.unit.discharge("ask", "age")
        work.collect(service.site.Client, person=work.person(), name="Quiet", email="q@example.org", grown=True)


@pytest.mark.promise("G6", "holds")
@pytest.mark.parametrize("place", ["home", "catalogue", "desk"])
def test_the_age_is_asked_where_something_is_taken_and_for_nothing_else(service: Service, place: str) -> None:
    with refuses("age-first"), service.acting("website", "account_keeping", place) as work:
        ask_age(work.unit, Given("age", "1990-04-29"))
    with refuses("age-first"), service.acting("website", "account_keeping", "signup") as work:
        ask_age(work.unit, Given("age", "1990-04-29"), purpose="tailoring")


@pytest.mark.promise("G6", "holds")
def test_who_is_found_out_is_used_for_nothing_from_that_moment_on(service: Service) -> None:
    site, person = service.site, sign_up(service, name="Finn Foundout", email="finn@example.org")
    number = order(service, person)
    with service.acting("website", "ordering", "checkout") as work:
        bought = work.db.get_one(site.Order, (person, number))
        work.send("order_mail", bought)
        work.share(bought, "shipper", purpose="shipping")
    service.clock.advance(1)
    find_out(service, person)
    mails, labels = len(service.mail.received), len(service.helper.received)
    service.site.opened.courier.run()
    assert (len(service.mail.received), len(service.helper.received)) == (mails, labels)
    states = service.sql("SELECT state FROM avow_outbox WHERE owner = :person", person=person)
    assert [row.state for row in states] == ["refused", "refused"]
    with service.acting("website", "ordering", "profile") as work:
        client = service.of(work, site.Client, person)
        work.recognise(client, "logged_in(subject)")
        with refuses("found-out"):
            client.name.open()
        with refuses("found-out"):
            shown(work, client.name)
        with refuses("found-out"):
            work.share(service.of(work, site.Order, person), "shipper", purpose="shipping")
        with refuses("found-out"):
            work.send("order_mail", service.of(work, site.Order, person))


@pytest.mark.promise("G6", "holds")
def test_who_is_found_out_is_erased_within_a_day_with_copies_at_helpers_and_in_posts(service: Service) -> None:
    site, child, friend = service.site, sign_up(service, name="Charly Child"), sign_up(service, name="Fred Friend")
    number = order(service, child, shipping="7 Nursery Row")
    with service.acting("website", "ordering", "checkout") as work:
        sent = work.share(work.db.get_one(site.Order, (child, number)), "shipper", purpose="shipping")
    with service.acting("website", "discussion", "forum") as work:
        work.unit.facts["done(ask age)"] = True
        for author, values in (
            (child, {"words": "I am Charly"}),
            (friend, {"words": "welcome", "quoted": child, "quote": "I am Charly"}),
        ):
            client = service.of(work, site.Client, author)
            work.collect(site.Post, person=client.avow_person, **values)
    service.rounds()
    assert service.helper.received[-1].fields["contact.name"] == "Charly Child"
    find_out(service, child)
    service.helper.down = True  # a helper that cannot be reached is told when it can
    service.rounds()
    service.clock.advance(13 * HOUR)
    service.rounds()
    assert service.sql("SELECT id FROM avow_person WHERE id = :child", child=child) == []
    with service.acting("website", "discussion", "forum") as work:
        posts = {post.owner_id: post for post in work.select(site.Post)}
        assert child not in posts
        assert posts[friend].quote is None
        assert posts[friend].quoted is None
    service.helper.down = False
    service.clock.advance(2 * HOUR)
    service.rounds()
    assert [label.fields for label in service.helper.received if sent in label.fields.values()] == [{"erase": sent}]
    service.rounds()
    assert [label.fields for label in service.helper.received if sent in label.fields.values()] == [{"erase": sent}]
    assert child.encode() not in service.stored()


@pytest.mark.promise("G6", "holds")
def test_only_what_reached_a_helper_is_called_back_and_only_for_whom_it_has_to_be(service: Service) -> None:
    site, child, friend = service.site, sign_up(service, name="Cleo Child"), sign_up(service, name="Gus Friend")
    sent = {}
    for person in (child, friend):
        number = order(service, person)
        with service.acting("website", "ordering", "checkout") as work:
            sent[person] = work.share(work.db.get_one(site.Order, (person, number)), "shipper", purpose="shipping")
    service.rounds()
    number = order(service, child)
    with service.acting("website", "ordering", "checkout") as work:
        waiting = work.share(work.db.get_one(site.Order, (child, number)), "shipper", purpose="shipping")
    find_out(service, child)
    service.rounds()
    told = [label.fields["erase"] for label in service.helper.received if "erase" in label.fields]
    assert sent[child] in told
    assert not {sent[friend], waiting} & set(told)


@pytest.mark.parametrize(
    ("birth", "day", "years"),
    [
        ("2010-11-22", "2026-11-22", 16),
        ("2010-11-23", "2026-11-22", 15),
        ("2008-02-29", "2024-02-28", 15),
        ("2008-02-29", "2024-02-29", 16),
        ("2008-02-29", "2026-02-28", 17),
        ("2008-02-29", "2026-03-01", 18),
        ("2010-12-31", "2026-01-01", 15),
    ],
)
def test_years_are_whole_ones_on_the_day(birth: str, day: str, years: int) -> None:
    assert years_on(datetime.fromisoformat(birth).date(), datetime.fromisoformat(day).date()) == years


@pytest.mark.parametrize("text", ["2027-01-01", "yesterday", ""])
def test_what_is_no_date_of_birth_is_told(service: Service, text: str) -> None:
    with (
        pytest.raises(SetupError, match="is no date of birth"),
        service.acting("website", "account_keeping", "signup") as work,
    ):
        ask_age(work.unit, Given("age", text))
