"""N11, N15: no child's data, and what customers correct or remove is gone for good, also from old backups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from avow import correct

from .lanyard import lanyard, logged_in, register, working
from .service import Service, refuses, shown
from .test_children import HOUR, born


@pytest.fixture(scope="module")
def service(opens: Callable[[Any], Service]) -> Service:
    return opens(lanyard())


def case(service: Service, person: str, request: str = "it beeps", model: str = "Beeper 9") -> str:
    """Ask for help with a computer; the id of the case."""
    with working(service, "support", "support_form") as work:
        customer = logged_in(service, work, person)
        made = work.collect(service.site.Case, person=customer.avow_person, request=request)
        work.collect(service.site.Device, person=customer.avow_person, model=model, errors="beep beep")
        return str(made.id)


def find_out(service: Service, person: str) -> None:
    with working(service, "administration", "desk", "administrator") as work:
        work.update(service.of(work, service.site.Customer, person), found_out=service.clock())


@pytest.mark.promise("N11", "works")
@pytest.mark.parametrize("days", [0, 200])
def test_from_the_thirteenth_birthday_on_one_may_register_and_order(service: Service, days: int) -> None:
    person = register(service, born(service, 13, days), first_name="Thea")
    with working(service, "registration", "profile") as work:
        assert shown(work, logged_in(service, work, person).first_name) == ["Thea"]
        verdict = work.unit.judge("start", "subscription", role="website", subject="customer")
        assert verdict.permitted


@pytest.mark.promise("N11", "works")
def test_the_registration_form_says_whom_to_ask(service: Service) -> None:
    with working(service, "registration", "registration_form") as work:
        duties = work.unit.judge("ask", "age", place="registration_form", purpose="age_check").duties
        assert "must show parents_notice at registration_form" in [
            duty.text for duty in (*duties, *service.site.policy.duties) if duty.sentence.anchor == "ask-a-parent"
        ]


@pytest.mark.promise("N11", "holds")
def test_of_who_is_under_thirteen_nothing_is_taken_kept_or_sold(service: Service) -> None:
    person = service.site.home.schema.person
    with service.site.opened.vault.store.reading() as connection:
        before = connection.scalar(select(func.count()).select_from(person))
    with refuses("under-thirteen"):
        register(service, born(service, 13, -1), first_name="Tessa Underage", email="tessa@underage.example")
    left = service.stored()
    assert b"Underage" not in left
    assert b"underage.example" not in left
    with service.site.opened.vault.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(person)) == before
    with working(service, "registration", "checkout") as work:
        work.unit.facts["age"] = 12.0
        with refuses("under-thirteen"):
            work.unit.judge("start", "subscription", role="website", subject="customer")


@pytest.mark.promise("N11", "holds")
def test_nothing_is_taken_before_the_age_is_asked(service: Service) -> None:
    with refuses("age-first"), working(service, "registration", "registration_form") as work:
        work.unit.facts["age"] = 40.0
        work.collect(
            service.site.Customer, person=work.person(), first_name="Early", email="e@e.example", login="e", grown=True
        )
    with refuses("under-thirteen"), working(service, "registration", "registration_form") as work:
        work.unit.discharge("ask", "age")
        work.collect(
            service.site.Customer, person=work.person(), first_name="Quiet", email="q@q.example", login="q", grown=True
        )


@pytest.mark.promise("N11", "holds")
def test_nobody_subscribes_while_no_editor_vouches_for_the_site(service: Service) -> None:
    def starts() -> None:
        with working(service, "registration", "checkout") as work:
            work.unit.facts["age"] = 40.0
            work.unit.judge("start", "subscription", role="website", subject="customer")

    starts()
    service.site.opened.vault.attesting.withdraw("not-for-children", role="editor")
    with refuses("not-for-children"):
        starts()
    service.sign()
    starts()


@pytest.mark.promise("N11", "holds")
def test_who_is_found_out_is_not_used_from_then_on_and_gone_within_a_day(service: Service, tmp_path: Path) -> None:
    person = register(service, first_name="Nina Foundout", email="nina@foundout.example", login="nina")
    case(service, person, "my game does not start")
    backup = service.back_up(tmp_path / "backup")
    with working(service, "support", "support_form") as work:
        work.send("service_mail", service.of(work, service.site.Customer, person))
    find_out(service, person)
    mails = len(service.mail.received)
    service.rounds()
    assert len(service.mail.received) == mails
    with working(service, "support", "profile") as work:
        customer = logged_in(service, work, person)
        with refuses("found-out"):
            shown(work, customer.first_name)
        with refuses("found-out"):
            work.send("service_mail", service.of(work, service.site.Customer, person))
    service.clock.advance(13 * HOUR)
    service.rounds()
    assert person.encode() not in service.stored()
    service.put_back(backup)
    assert person.encode() not in service.stored()


@pytest.mark.promise("N15", "works")
def test_a_customer_corrects_removes_one_thing_and_removes_all(service: Service) -> None:
    person = register(service, first_name="Paula", postcode="10115", address="1 Lane")
    case(service, person)
    with working(service, "registration", "profile") as work:
        customer = logged_in(service, work, person)
        correct(work.unit, customer, postcode="10117", address=None)
    with working(service, "registration", "profile") as work:
        customer = logged_in(service, work, person)
        assert shown(work, customer.first_name, customer.postcode) == ["Paula", "10117"]
        assert customer.address is None
        work.remove(service.of(work, service.site.Device, person))
        assert len(work.holdings(customer, fact="logged_in(subject)").items) == 2
        receipt = work.erase(customer.avow_person)
        assert work.erased(receipt) is not None
    service.rounds()
    assert person.encode() not in service.stored()


@pytest.mark.promise("N15", "holds")
def test_what_is_corrected_or_removed_is_found_nowhere_after(service: Service) -> None:
    site, person = service.site, register(service, email="vera@old.example", login="vera", address="5 Former Road")
    case(service, person, "the former request", "Former 3000")
    with working(service, "support", "support_form") as work:
        work.send("service_mail", service.of(work, site.Customer, person))
    envelopes = service.sql("SELECT email, address FROM lanyard_customer WHERE customer = :person", person=person)[0]
    (removed,) = service.sql("SELECT model FROM lanyard_device WHERE customer = :person", person=person)
    with working(service, "registration", "profile") as work:
        customer = logged_in(service, work, person)
        correct(work.unit, customer, email="vera@new.example", address=None)
        work.remove(service.of(work, site.Device, person))
    service.rounds()
    left = service.stored()
    for envelope in (*envelopes, *removed):
        assert bytes(envelope) not in left
    assert service.mail.received[-1].message["To"] == "vera@new.example"
    with working(service, "registration", "profile") as work:
        assert work.select(site.Customer, site.Customer.email == "vera@old.example") == []


@pytest.mark.promise("N15", "holds")
def test_no_old_backup_brings_back_what_was_removed(service: Service, tmp_path: Path) -> None:
    site, person = service.site, register(service, email="wim@old.example", login="wim", address="6 Former Road")
    gone = register(service, email="gone@old.example", login="gone")
    case(service, person)
    case(service, gone)
    backup = service.back_up(tmp_path / "backup")
    with working(service, "registration", "profile") as work:
        correct(work.unit, logged_in(service, work, person), email="wim@new.example", address=None)
        work.remove(service.of(work, site.Device, person))
    with working(service, "registration", "profile") as work:
        work.erase(logged_in(service, work, gone).avow_person)
    service.put_back(backup)
    with working(service, "registration", "profile") as work:
        customer = logged_in(service, work, person)
        assert customer.address is None
        assert shown(work, customer.email) == [""]
        assert work.select(site.Device, site.Device.customer == person) == []
        assert work.select(site.Customer, site.Customer.email == "wim@old.example") == []
    assert gone.encode() not in service.stored()


@pytest.mark.promise("N15", "holds")
def test_nobody_else_corrects_or_removes_it(service: Service) -> None:
    site, person, other = service.site, register(service, login="own"), register(service, login="other")
    case(service, person)
    for change in (
        lambda work: correct(work.unit, service.of(work, site.Customer, person), first_name="Mallory"),
        lambda work: work.remove(service.of(work, site.Device, person)),
    ):
        with refuses("correct-it"), working(service, "registration", "profile") as work:
            logged_in(service, work, other)
            change(work)
        with refuses("correct-it"), working(service, "registration", "profile") as work:
            work.unit.discharge("ask", "age")
            change(work)
        with refuses("correct-it"), working(service, "registration", "desk", "support_agent") as work:
            logged_in(service, work, person)
            change(work)
    with working(service, "registration", "profile") as work:
        assert shown(work, logged_in(service, work, person).first_name) == ["Ann"]


@pytest.mark.promise("N15", "holds")
def test_the_profile_shows_its_own_customer_and_nobody_else(service: Service) -> None:
    site, person, other = service.site, register(service, login="me"), register(service, login="you")
    with working(service, "registration", "profile") as work:
        logged_in(service, work, other)
        with refuses("nobody-else-sees"):
            shown(work, service.of(work, site.Customer, person).first_name)
    with working(service, "registration", "profile") as work, refuses("nobody-else-sees"):
        shown(work, service.of(work, site.Customer, person).first_name)
