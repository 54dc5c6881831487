"""G4, G5, G11: what clients give lies closed, serves them and nothing else, and is changed by them for good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avow import correct
from avow.errors import SealedError

from .kiln import kiln, order, sign_up
from .service import Service, refuses, shown

#: What the policy of the site calls its ends outside of serving a client.
OTHER_ENDS = ("surveys", "popularity", "traffic", "tailoring", "recognition", "discussion", "security", "legal_duty")
NEVER = ("sale", "rental", "trade", "advertising", "profiling")
FIELDS = ("name", "email", "phone", "billing", "card", "last4")
VALUES = {
    "name": "Petra Pottery",
    "email": "petra@pottery.example",
    "phone": "+1 555 0144",
    "billing": "44 Furnace Street",
    "card": "4000056655665556",
    "last4": "5556",
}


@pytest.fixture(scope="module")
def service(opens: Callable[[Any], Service]) -> Service:
    return opens(kiln())


@pytest.fixture(scope="module")
def petra(service: Service) -> str:
    """A client whose account says all that it can, a card on file included."""
    return sign_up_with_card(service)


def sign_up_with_card(service: Service, **values: str) -> str:
    given = {**VALUES, **values}
    card = {name: given.pop(name) for name in ("card", "last4")}
    person = sign_up(service, **given)
    with service.acting("website", "account_keeping", "profile") as work:
        client = service.of(work, service.site.Client, person)
        work.recognise(client, "logged_in(subject)")
        work.unit.discharge("ask", "age")
        work.update(client, card=card["card"])
    with service.acting("website", "payment", "checkout") as work:
        work.unit.discharge("ask", "age")
        work.update(service.of(work, service.site.Client, person), source="processor", last4=card["last4"])
    return person


def logged_in(service: Service, work: Any, person: str) -> Any:
    """The client of a person, who is the one who is here."""
    client = service.of(work, service.site.Client, person)
    work.recognise(client, "logged_in(subject)")
    return client


@pytest.mark.promise("G4", "works")
def test_a_client_sees_their_own_file_and_knows_the_card_again(service: Service, petra: str) -> None:
    with service.acting("website", "account_keeping", "profile") as work:
        client = logged_in(service, work, petra)
        told = shown(work, client.name, client.email, client.phone, client.billing, client.last4)
    assert told == [VALUES[name] for name in ("name", "email", "phone", "billing", "last4")]


@pytest.mark.promise("G4", "works")
def test_the_order_desk_sees_the_order_that_it_is_given(service: Service, petra: str) -> None:
    number = order(service, petra, "three mugs", "3 Glaze Lane")
    with service.desk("order_desk", "ordering", "desk") as work:
        bought = work.db.get_one(service.site.Order, (petra, number))
        work.regard(bought)
        assert shown(work, bought.name, bought.shipping, bought.items) == [
            "Petra Pottery",
            "3 Glaze Lane",
            "three mugs",
        ]


@pytest.mark.promise("G4", "holds")
@pytest.mark.parametrize("field", FIELDS)
def test_nobody_else_sees_a_field_of_the_file(service: Service, petra: str, field: str) -> None:
    other = sign_up(service, name="Otto Other", email="otto@other.example")
    with service.acting("website", "account_keeping", "profile") as work:
        logged_in(service, work, other)
        with refuses("closed-files"):
            shown(work, getattr(service.of(work, service.site.Client, petra), field))
    with service.acting("website", "account_keeping", "profile") as work, refuses("closed-files"):
        shown(work, getattr(service.of(work, service.site.Client, petra), field))  # a visitor
    for role in ("order_desk", "support_agent", "legal_desk", "privacy_officer", "security_officer"):
        with service.desk(role, "service", "desk") as work, refuses("closed-files"):
            shown(work, getattr(service.of(work, service.site.Client, petra), field))


@pytest.mark.promise("G4", "holds")
def test_the_desk_sees_no_order_that_it_was_not_given(service: Service, petra: str) -> None:
    number = order(service, petra)
    with service.desk("order_desk", "ordering", "desk") as work:
        bought = work.db.get_one(service.site.Order, (petra, number))
        work.update(bought, filled_by="another desk")
        work.regard(bought)
        for value in (bought.name, bought.shipping, bought.items):
            with refuses("closed-files"):
                shown(work, value)


@pytest.mark.promise("G4", "holds")
def test_the_number_of_the_card_is_shown_to_nobody(service: Service, petra: str) -> None:
    with service.acting("website", "account_keeping", "profile") as work:
        client = logged_in(service, work, petra)
        with refuses("closed-files"):
            shown(work, client.card)


@pytest.mark.promise("G4", "holds")
def test_the_stored_bytes_and_a_backup_tell_nothing(service: Service, petra: str, tmp_path: Path) -> None:
    order(service, petra, "the secret teapot", "9 Hidden Alley")
    backup = service.back_up(tmp_path / "backup")
    left = service.stored() + b"".join(file.read_bytes() for file in backup.iterdir())
    for told in (*VALUES.values(), "the secret teapot", "9 Hidden Alley", "Petra", "pottery.example"):
        assert told.encode() not in left or told == "5556"  # four digits stand in any number
    assert petra.encode() in left  # what was searched is what is stored


@pytest.mark.promise("G4", "holds")
def test_who_has_the_database_and_an_account_reads_nobody_elses_file_in_theirs(service: Service, petra: str) -> None:
    thief = sign_up(service, name="Theo Thief", email="theo@thief.example")
    service.sql(
        "UPDATE kiln_client SET name = (SELECT name FROM kiln_client WHERE client = :petra) WHERE client = :thief",
        petra=petra,
        thief=thief,
    )
    with service.acting("website", "account_keeping", "profile") as work:
        client = logged_in(service, work, thief)
        with pytest.raises(SealedError, match="changed, or belongs to another"):
            shown(work, client.name)
    with (
        service.acting("website", "account_keeping", "profile") as work,
        refuses("change-it"),
    ):
        logged_in(service, work, thief)
        work.update(service.of(work, service.site.Client, petra), phone="+1 555 0666")


@pytest.mark.promise("G5", "works")
@pytest.mark.parametrize("purpose", ["service", "ordering", "payment", "shipping", "support", "account_keeping"])
def test_what_clients_tell_serves_what_they_came_for(service: Service, petra: str, purpose: str) -> None:
    with service.acting("website", purpose, "order_page") as work:
        client = service.of(work, service.site.Client, petra)
        assert [getattr(client, name).open() for name in FIELDS] == list(VALUES.values())


@pytest.mark.promise("G5", "works")
def test_order_mail_and_the_parcel_go_out(service: Service, petra: str) -> None:
    number = order(service, petra)
    with service.acting("website", "ordering", "checkout") as work:
        bought = work.db.get_one(service.site.Order, (petra, number))
        work.send("order_mail", bought)
        sent = work.share(bought, "shipper", purpose="shipping")
    service.rounds()
    assert service.mail.received[-1].message["To"] == VALUES["email"]
    (label,) = [label for label in service.helper.received if label.reference == sent]
    assert set(label.fields) == {"contact.name", "contact.address.shipping"}


@pytest.mark.promise("G5", "holds")
@pytest.mark.parametrize("purpose", OTHER_ENDS + NEVER)
def test_nothing_that_clients_tell_serves_another_end(service: Service, petra: str, purpose: str) -> None:
    anchor = "responsible" if purpose in NEVER else "to-serve-you"
    order(service, petra)
    with service.acting("website", purpose, "order_page") as work:
        client = service.of(work, service.site.Client, petra)
        for name in FIELDS:
            with refuses(anchor):
                getattr(client, name).open()
        with refuses(anchor):
            service.of(work, service.site.Order, petra).items.open()
        with refuses("our-mail"):
            work.send("order_mail", service.of(work, service.site.Order, petra))


@pytest.mark.promise("G5", "holds")
@pytest.mark.parametrize("role", ["support_agent", "order_desk", "legal_desk", "builder"])
def test_no_desk_opens_what_the_website_opens(service: Service, petra: str, role: str) -> None:
    with service.acting(role, "service", "desk") as work, refuses("to-serve-you"):
        service.of(work, service.site.Client, petra).email.open()


@pytest.mark.promise("G5", "holds")
def test_a_list_made_for_another_end_gets_no_address_of_a_client(service: Service, petra: str) -> None:
    with service.acting("website", "surveys", "order_page") as work:
        client = service.of(work, service.site.Client, petra)
        work.unit.discharge("ask", "age")
        with refuses("to-serve-you"):
            work.collect(service.site.Ticket, person=client.avow_person, at="support_page", words=client.email)


@pytest.mark.promise("G11", "works")
def test_a_client_changes_what_is_held_about_them(service: Service) -> None:
    person = sign_up_with_card(service, name="Cora Change")
    with service.acting("website", "account_keeping", "profile") as work:
        client = logged_in(service, work, person)
        work.unit.discharge("ask", "age")
        work.update(client, name="Cora Changed", billing="45 Furnace Street", card="5555555555554444")
    with service.acting("website", "account_keeping", "profile") as work:
        client = logged_in(service, work, person)
        assert shown(work, client.name, client.billing) == ["Cora Changed", "45 Furnace Street"]
        assert client.card.open() == "5555555555554444"


@pytest.mark.promise("G11", "holds")
@pytest.mark.parametrize("field", ["name", "email", "billing", "card"])
def test_nobody_changes_it_for_somebody_else(service: Service, petra: str, field: str) -> None:
    other = sign_up(service, name="Otto Other", email=f"otto.{field}@other.example")
    with refuses("change-it"), service.acting("website", "account_keeping", "profile") as work:
        logged_in(service, work, other)
        work.update(service.of(work, service.site.Client, petra), **{field: "4000056655665556"})
    with refuses("change-it"), service.acting("website", "account_keeping", "profile") as work:
        work.update(service.of(work, service.site.Client, petra), **{field: "4000056655665556"})
    for role in ("support_agent", "order_desk"):
        with refuses("change-it"), service.acting(role, "account_keeping", "profile") as work:
            logged_in(service, work, petra)
            work.update(service.of(work, service.site.Client, petra), **{field: "4000056655665556"})
    with refuses("change-it"), service.acting("website", "account_keeping", "checkout") as work:
        work.update(logged_in(service, work, petra), **{field: "4000056655665556"})
    with service.acting("website", "account_keeping", "profile") as work:
        assert getattr(service.of(work, service.site.Client, petra), field).open() == VALUES[field]


@pytest.mark.promise("G11", "holds")
def test_an_old_value_is_used_nowhere_after_the_change(service: Service) -> None:
    site, person = service.site, sign_up(service, name="Moira Moved", email="moira@old.example")
    number = order(service, person)
    with service.acting("website", "ordering", "checkout") as work:
        work.send("order_mail", work.db.get_one(site.Order, (person, number)))
        work.send("order_mail", service.of(work, site.Client, person))
    with service.acting("website", "account_keeping", "profile") as work:
        client = logged_in(service, work, person)
        work.unit.discharge("ask", "age")
        assert correct(work.unit, client, email="moira@new.example", name="Moira Newname") == 2
    mails = len(service.mail.received)
    service.rounds()
    assert [mail.message["To"] for mail in service.mail.received[mails:]] == ["moira@new.example"] * 2
    with service.acting("website", "account_keeping", "profile") as work:
        assert work.select(site.Client, site.Client.email == "moira@old.example") == []
        (client,) = work.select(site.Client, site.Client.email == "moira@new.example")
        work.recognise(client, "logged_in(subject)")
        assert shown(work, client.name, client.email) == ["Moira Newname", "moira@new.example"]
        (bought,) = work.select(site.Order, site.Order.client == person)
        assert shown(work, bought.name, bought.email) == ["Moira Newname", "moira@new.example"]


@pytest.mark.promise("G11", "holds")
def test_no_old_backup_brings_an_old_value_back(service: Service, tmp_path: Path) -> None:
    site, person = service.site, sign_up_with_card(service, name="Rosa Restored", email="rosa@old.example")
    other = sign_up_with_card(service, name="Uma Unchanged", email="uma@same.example")
    order(service, person)
    backup = service.back_up(tmp_path / "backup")
    with service.acting("website", "account_keeping", "profile") as work:
        client = logged_in(service, work, person)
        work.unit.discharge("ask", "age")
        correct(work.unit, client, email="rosa@new.example", billing="45 Furnace Street", card=None)
    with service.acting("website", "account_keeping", "profile") as work:
        client = logged_in(service, work, other)
        work.unit.discharge("ask", "age")
        work.update(client, billing="46 Furnace Street")
        work.db.flush()
        work.unit.rollback()  # a change that was rolled back is none
    service.put_back(backup)
    with service.acting("website", "account_keeping", "profile") as work:
        client = logged_in(service, work, person)
        assert shown(work, client.name, client.email, client.phone) == ["Rosa Restored", "", VALUES["phone"]]
        assert (client.billing, client.card) == (None, None)
        assert shown(work, service.of(work, site.Order, person).email) == [""]
        assert work.select(site.Client, site.Client.email == "rosa@old.example") == []
        client = logged_in(service, work, other)
        assert shown(work, client.email, client.billing) == ["uma@same.example", VALUES["billing"]]
