"""I2, I9, I15, I17: orders are kept and cards are not, objections are heeded in the queue, the disk tells nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avow.vault.sealed import Given

from .quince import GIVEN, object_to, order, quince
from .service import Service, refuses, shown

CARD = "4000 0566 5566 5556"


@pytest.fixture(scope="module")
def service(opens: Callable[[Any], Service]) -> Service:
    return opens(quince())


def send(service: Service, key: tuple[str, str], message: str, purpose: str) -> str:
    """Queue a mail about an order; its id."""
    with service.acting("storefront", purpose, "checkout") as work:
        bought = work.db.get_one(service.site.Order, key)
        return work.send(message, bought)


def state(service: Service, send: str) -> str:
    (row,) = service.sql("SELECT state FROM avow_outbox WHERE id = :send", send=send)
    return str(row.state)


@pytest.mark.promise("I2", "works")
@pytest.mark.parametrize(("place", "role"), [("checkout", "storefront"), ("phone", "order_desk")])
def test_an_order_by_web_and_by_phone_is_kept(service: Service, place: str, role: str) -> None:
    key = order(service, place, role)
    with service.desk("order_desk", "ordering", "phone") as work:
        bought = work.db.get_one(service.site.Order, key)
        assert shown(work, bought.name, bought.street, bought.note) == [GIVEN[n] for n in ("name", "street", "note")]


@pytest.mark.promise("I2", "holds")
@pytest.mark.parametrize(("place", "role"), [("checkout", "storefront"), ("phone", "order_desk")])
def test_a_card_is_kept_in_no_field_whoever_types_it(service: Service, place: str, role: str) -> None:
    for field, value in (
        ("card", CARD), ("code", "739"), ("note", f"my card is {CARD}"), ("name", CARD.replace(" ", "-")),
        ("street", CARD.replace(" ", "")), ("note", "the CVV is 739"), ("shelf", CARD),
        ("note", Given("card.number", CARD)),
    ):  # fmt: skip
        with refuses("card-never-kept"), service.acting(role, "payment", place) as work:
            work.collect(service.site.Order, person=work.person(), **{**GIVEN, field: value})
    key = order(service, place, role)
    with refuses("card-never-kept"), service.acting(role, "ordering", place) as work:
        work.update(work.db.get_one(service.site.Order, key), shelf=f"card {CARD}")
    with refuses("card-never-kept"), service.acting(role, "ordering", place) as work:
        work.db.get_one(service.site.Order, key).shelf = f"card {CARD}"
    left = service.stored()
    for digits in (CARD, CARD.replace(" ", ""), CARD.replace(" ", "-")):
        assert digits.encode() not in left


@pytest.mark.promise("I9", "works")
def test_who_objects_to_other_uses_still_gets_their_order_confirmed(service: Service) -> None:
    key = order(service, email="olga@objects.example")
    object_to(service, "other_uses", "olga@objects.example")
    sent = send(service, key, "confirmation", "ordering")
    service.rounds()
    assert state(service, sent) == "done"
    assert service.mail.received[-1].message["To"] == "olga@objects.example"


@pytest.mark.promise("I9", "holds")
def test_who_objects_to_other_uses_gets_no_newsletter_not_even_a_queued_one(service: Service) -> None:
    key = order(service, email="nils@objects.example")
    queued = send(service, key, "newsletter", "newsletter_service")
    object_to(service, "other_uses", "Nils@objects.example")
    mails = len(service.mail.received)
    service.rounds()
    assert state(service, queued) == "refused"
    assert len(service.mail.received) == mails
    with refuses("other-uses"):
        send(service, key, "newsletter", "newsletter_service")
    with service.acting("storefront", "marketing", "checkout") as work:
        bought = work.db.get_one(service.site.Order, key)
        work.regard(bought)
        with refuses("other-uses"):
            bought.email.open()


@pytest.mark.promise("I15", "works")
def test_the_request_is_kept_and_other_people_still_get_their_mail(service: Service) -> None:
    object_to(service, "mail", "mia@nomail.example")
    sent = send(service, order(service, email="max@mail.example"), "newsletter", "newsletter_service")
    service.rounds()
    assert state(service, sent) == "done"
    with service.acting("service_desk", "objections", "mailbox") as work:
        (said,) = work.select(service.site.Objection, service.site.Objection.email == "mia@nomail.example")
        assert said.words.open() == "no mail"


@pytest.mark.promise("I15", "holds")
def test_who_wants_no_mail_gets_none_but_about_the_order_under_way(service: Service) -> None:
    key = order(service, email="nora@nomail.example")
    queued = send(service, key, "newsletter", "newsletter_service")
    running = send(service, key, "confirmation", "ordering")
    object_to(service, "mail", "nora@nomail.example")
    service.rounds()
    assert (state(service, queued), state(service, running)) == ("refused", "done")
    with refuses("no-more-mail"):
        send(service, key, "newsletter", "newsletter_service")


@pytest.mark.promise("I17", "works")
def test_what_lies_sealed_opens_for_whom_it_may(service: Service, tmp_path: Path) -> None:
    key = order(service)
    folder = service.back_up(tmp_path / "backup")
    service.put_back(folder)
    with service.desk("order_desk", "ordering", "phone") as work:
        assert shown(work, work.db.get_one(service.site.Order, key).name) == [GIVEN["name"]]


@pytest.mark.promise("I17", "holds")
def test_no_value_can_be_read_in_database_log_outbox_ledger_or_backup(service: Service, tmp_path: Path) -> None:
    key = order(service)
    send(service, key, "confirmation", "ordering")
    object_to(service, "other_uses", "quentin@quince.example")
    folder = service.back_up(tmp_path / "backup")
    left = service.stored() + b"".join(file.read_bytes() for file in folder.iterdir())
    for told in (*GIVEN.values(), "Quentin", "quentin@", "no other_uses"):
        assert told.encode() not in left
        assert told.encode().hex().encode() not in left
    assert key[0].encode() in left


@pytest.mark.promise("I17", "holds")
def test_no_index_is_found_by_who_knows_the_address_and_has_no_key(
    service: Service, opens: Callable[[Any], Service]
) -> None:
    """The index of one address is another in each installation: it is made under a secret outside the database."""
    other = opens(quince())
    found = []
    for each in (service, other):
        order(each, email="known@address.example")
        rows = each.sql("SELECT name, email_ix FROM quince_order")
        assert len({bytes(row.name) for row in rows}) == len(rows)  # equal names look different
        found.append({bytes(row.email_ix) for row in rows})
    assert not found[0] & found[1]
