"""M5 to M8: what a mail provider's clients give, each for its own end; their mail, sealed and for ninety days."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .saltmarsh import GIVEN, saltmarsh, sign_up, take_in
from .service import Service, refuses, shown

DAY = 86_400.0


@pytest.fixture(scope="module")
def service(opens: Callable[[Any], Service]) -> Service:
    return opens(saltmarsh())


@pytest.fixture(scope="module")
def marta(service: Service) -> str:
    return sign_up(service)


@pytest.mark.promise("M5", "works")
def test_a_client_sees_contact_services_and_mailbox_on_the_client_pages(service: Service, marta: str) -> None:
    with service.acting("website", "dealings", "client_pages") as work:
        contact, chosen = service.of(work, service.site.Contact, marta), service.of(work, service.site.Services, marta)
        work.recognise(contact, "logged_in(subject)")
        told = shown(work, contact.name, contact.phone, chosen.services, chosen.mailbox)
    assert told == ["Marta Marsh", "+1 555 0177", "mailbox and one domain", "marta@marsh.example"]


@pytest.mark.promise("M5", "holds")
@pytest.mark.parametrize(
    ("purpose", "anchor"),
    [(end, "not-for-sale") for end in ("sale", "advertising", "profiling", "partner_request", "curiosity")]
    + [(end, "relationship-only") for end in ("traffic", "better_pages", "tailoring", "review")],
)
def test_what_a_client_gives_serves_nothing_outside_the_relationship(
    service: Service, marta: str, purpose: str, anchor: str
) -> None:
    site = service.site
    for role in ("website", "client_desk", "billing"):
        with service.acting(role, purpose, "console") as work:
            for kind, name in (
                (site.Contact, "name"), (site.Payment, "card"), (site.Services, "services"), (site.Services, "mailbox"),
            ):  # fmt: skip
                closed = "payment-use" if name == "card" and anchor == "relationship-only" else anchor
                with refuses(closed):
                    getattr(service.of(work, kind, marta), name).open()


@pytest.mark.promise("M5", "holds")
def test_nobody_but_the_client_sees_the_client_pages(service: Service, marta: str) -> None:
    other = sign_up(service)
    for looks in (other, None):
        with service.acting("website", "dealings", "client_pages") as work:
            if looks is not None:
                work.recognise(service.of(work, service.site.Contact, looks), "logged_in(subject)")
            with refuses("relationship-only"):
                shown(work, service.of(work, service.site.Contact, marta).name)


@pytest.mark.promise("M5", "holds")
def test_partners_get_nothing(service: Service, marta: str) -> None:
    with service.acting("website", "setup", "signup") as work:
        value = service.of(work, service.site.Contact, marta).name
        for purpose in ("setup", "partner_request", "sale"):
            with refuses("not-for-sale"):
                work.unit.judge(
                    "share", "contact.name", value=value, recipient="partners", purpose=purpose, channel="https"
                )


@pytest.mark.promise("M6", "works")
def test_signing_up_takes_contact_payment_and_what_the_services_need(service: Service, marta: str) -> None:
    with service.acting("client_desk", "setup", "console") as work:
        contact = service.of(work, service.site.Contact, marta)
        assert [getattr(contact, name).open() for name in GIVEN["setup"]] == list(GIVEN["setup"].values())
    with service.acting("billing", "payment", "console") as work:
        payment = service.of(work, service.site.Payment, marta)
        assert [getattr(payment, name).open() for name in GIVEN["payment"]] == list(GIVEN["payment"].values())


@pytest.mark.promise("M6", "holds")
def test_signing_up_takes_nothing_beyond(service: Service) -> None:
    site = service.site
    with refuses("signup-nothing-else"), service.acting("website", "setup", "signup") as work:
        work.collect(site.Contact, person=work.person(), **GIVEN["setup"], age="born 1970-01-01")
    for purpose in ("tailoring", "advertising", "dealings"):
        with refuses("signup-nothing-else"), service.acting("website", purpose, "signup") as work:
            work.collect(site.Contact, person=work.person(), **GIVEN["setup"])
    with refuses("signup-nothing-else"), service.acting("website", "setup", "signup") as work:
        work.collect(site.Contact, person=work.person(), source="partners", **GIVEN["setup"])
    assert b"1970-01-01" not in service.stored()


@pytest.mark.promise("M6", "holds")
def test_the_security_code_of_a_card_is_taken_and_not_kept(service: Service) -> None:
    with refuses("card-code"), service.acting("website", "payment", "billing_page") as work:
        work.collect(service.site.Payment, person=work.person(), **GIVEN["payment"], code="7391")


@pytest.mark.promise("M6", "holds")
@pytest.mark.parametrize("purpose", ["service", "payment", "dealings"])
def test_what_serves_to_set_up_is_kept_for_that(service: Service, purpose: str) -> None:
    with service.acting("website", purpose, "signup") as work, refuses("signup-nothing-else"):
        work.collect(service.site.Contact, person=work.person(), **GIVEN["setup"])
    with service.acting("website", "setup", "signup") as work, refuses("signup-nothing-else"):
        work.collect(service.site.Payment, person=work.person(), **GIVEN["payment"])


@pytest.mark.promise("M7", "works")
def test_a_message_is_taken_in_read_by_its_client_and_handed_on(service: Service, marta: str) -> None:
    number = take_in(service, marta, "Dear Marta, the reeds are high.")
    with service.acting("mail_server", "delivery", "mailbox") as work:
        message = work.db.get_one(service.site.Message, (marta, number))
        work.recognise(message, "logged_in(subject)")
        assert shown(work, message.content) == ["Dear Marta, the reeds are high."]
        assert message.envelope.open() == "friend@far.example"


@pytest.mark.promise("M7", "works")
def test_a_message_that_its_client_deletes_is_gone(service: Service, marta: str) -> None:
    number = take_in(service, marta, "delete me")
    with service.acting("mail_server", "delivery", "mailbox", discarded__message=True) as work:
        work.unit.judge("destroy", "message", role="mail_server")
        work.db.delete(work.db.get_one(service.site.Message, (marta, number)))
    with service.acting("mail_server", "delivery", "mailbox") as work:
        assert work.db.get(service.site.Message, (marta, number)) is None


@pytest.mark.promise("M7", "holds")
def test_no_message_can_be_read_in_the_store_or_a_backup(service: Service, marta: str, tmp_path: Path) -> None:
    take_in(service, marta, "the herons nest at the mill", "heron@watch.example")
    folder = service.back_up(tmp_path / "backup")
    left = service.stored() + b"".join(file.read_bytes() for file in folder.iterdir())
    for told in (b"herons", b"heron@watch", *(value.encode() for given in GIVEN.values() for value in given.values())):
        assert told not in left
    assert marta.encode() in left


@pytest.mark.promise("M7", "holds")
def test_nobody_but_its_client_reads_a_message(service: Service, marta: str) -> None:
    number, other = take_in(service, marta, "for Marta alone"), sign_up(service)
    with service.acting("mail_server", "delivery", "mailbox") as work:
        work.recognise(service.of(work, service.site.Contact, other), "logged_in(subject)")
        with refuses("no-surveillance"):
            shown(work, work.db.get_one(service.site.Message, (marta, number)).content)
    for role in ("website", "client_desk", "billing", "abuse_desk", "legal_desk"):
        with service.acting(role, "delivery", "mailbox") as work, refuses("no-surveillance"):
            work.db.get_one(service.site.Message, (marta, number)).content.open()


@pytest.mark.promise("M7", "holds")
def test_a_message_is_kept_for_delivery_and_no_other_end(service: Service, marta: str) -> None:
    for purpose, facts in (
        ("review", {"waiting": 0.0}),
        ("delivery", {"waiting": None}),
        ("delivery", {"waiting": 91 * DAY}),
    ):
        anchor = "ninety-days" if purpose == "delivery" else "mailbox"
        with refuses(anchor), service.acting("mail_server", purpose, "mail_service", **facts) as work:
            person = work.db.get_one(service.site.person_class, marta)
            work.unit.judge("keep", "message.content", subject="client")
            work.collect(service.site.Message, person=person, content="late", envelope="a@b.example", arrived=work.now)


@pytest.mark.promise("M7", "holds")
def test_a_message_older_than_ninety_days_is_destroyed_also_after_a_restore(service: Service, tmp_path: Path) -> None:
    person = sign_up(service)
    old = take_in(service, person, "an old message")
    service.clock.advance(60 * DAY)
    young = take_in(service, person, "a young message")
    folder = service.back_up(tmp_path / "backup")
    service.clock.advance(29 * DAY - 1)
    service.rounds()
    assert left(service, person) == {old, young}
    service.clock.advance(1)
    service.rounds()
    assert left(service, person) == {young}
    service.put_back(folder)
    service.rounds()
    assert left(service, person) == {young}
    assert old.encode() not in service.stored()


def left(service: Service, person: str) -> set[str]:
    """The ids of a client's messages."""
    rows = service.sql("SELECT id FROM marsh_message WHERE client = :person", person=person)
    return {row.id for row in rows}


@pytest.mark.promise("M8", "works")
def test_each_kind_serves_its_own_end(service: Service, marta: str) -> None:
    site = service.site
    for kind, role, purpose, name in (
        (site.Contact, "client_desk", "setup", "name"),
        (site.Payment, "billing", "payment", "card"),
        (site.Services, "mail_server", "service", "mailbox"),
    ):
        with service.acting(role, purpose, "console") as work:
            assert getattr(service.of(work, kind, marta), name).open() == GIVEN[purpose][name]
    with service.desk("billing", "payment", "console") as work:
        assert shown(work, service.of(work, site.Payment, marta).billing) == ["Marta Marsh, 8 Reed Bank"]
    with service.acting("website", "payment", "billing_page") as work:
        sent = work.share(service.of(work, site.Payment, marta), "processor")
    service.rounds()
    (got,) = [label.fields for label in service.helper.received if label.reference == sent]
    assert set(got) == {"payment.billing", "payment.card.number", "payment.card.expiry"}


@pytest.mark.promise("M8", "holds")
def test_no_kind_serves_the_end_of_another(service: Service, marta: str) -> None:
    site = service.site
    for kind, name, ends, anchor in (
        (site.Contact, "phone", ("payment", "service", "delivery"), "contact-use"),
        (site.Payment, "billing", ("setup", "service", "delivery", "dealings"), "payment-use"),
        (site.Payment, "card", ("setup", "service", "dealings"), "payment-use"),
        (site.Services, "services", ("setup", "payment"), "account-use"),
    ):
        for purpose in ends:
            for role in ("client_desk", "billing", "mail_server", "website"):
                with service.acting(role, purpose, "console") as work, refuses(anchor):
                    getattr(service.of(work, kind, marta), name).open()


@pytest.mark.promise("M8", "holds")
def test_a_desk_sees_only_what_is_its_own(service: Service, marta: str) -> None:
    site = service.site
    for role, purpose, kind, name, anchor in (
        ("billing", "payment", site.Contact, "name", "contact-use"),
        ("billing", "payment", site.Services, "services", "account-use"),
        ("client_desk", "setup", site.Payment, "billing", "payment-use"),
        ("client_desk", "service", site.Payment, "billing", "payment-use"),
        ("billing", "payment", site.Payment, "card", "relationship-only"),
        ("web_editor", "setup", site.Contact, "name", "relationship-only"),
    ):
        with service.desk(role, purpose, "console") as work, refuses(anchor):
            shown(work, getattr(service.of(work, kind, marta), name))


@pytest.mark.promise("M8", "holds")
def test_the_processor_gets_no_contact_and_nobody_else_gets_the_card(service: Service, marta: str) -> None:
    with service.acting("website", "payment", "billing_page") as work:
        contact, payment = service.of(work, service.site.Contact, marta), service.of(work, service.site.Payment, marta)
        with refuses("contact-use"):
            work.unit.judge("share", "contact.name", value=contact.name, recipient="processor", channel="https")
        for recipient, purpose in (("court", "legal_order"), ("police", "crime_report"), ("authority", "legal_duty")):
            with refuses("payment-use"):
                work.unit.judge(
                    "share",
                    "payment.card.number",
                    value=payment.card,
                    recipient=recipient,
                    purpose=purpose,
                    channel="https",
                )
