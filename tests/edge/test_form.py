"""Forms: checked field by field, filled in again, never echoing a card, never handing text to a handler."""

from __future__ import annotations

import pytest

from avow.edge.form import (
    Form,
    birth_date,
    card_code,
    card_expiry,
    card_number,
    choice,
    email,
    integer,
    paragraph,
    text,
)
from avow.errors import SetupError
from avow.vault.sealed import Given

NOW = 1_795_348_800.0  # November 2026


class Order(Form):
    name = text("contact.name", "Name", maximum=10)
    mail = email("contact.email", "Mail")
    note = paragraph("order.note", "Note", maximum=30, required=False)
    carrier = choice(None, "Carrier", {"ups": "UPS", "fedex": "FedEx"})
    count = integer("How many", least=1, most=20)
    number = card_number("card.number", "Card")
    code = card_code("card.code", "Code")
    expiry = card_expiry("card.expiry", "Until")


GOOD = {
    "name": " Ann ",
    "mail": "ann@example.org",
    "note": "two\nlines",
    "carrier": "ups",
    "count": "3",
    "number": "4242-4242 4242 4242",
    "code": "0123",
    "expiry": "11/26",
}


def test_a_good_form_gives_sealed_values_and_plain_text() -> None:
    form = Order(GOOD, now=NOW)
    assert form.valid
    name = form["name"]
    assert isinstance(name, Given)
    assert (repr(name), name._reveal()) == ("<sealed contact.name>", "Ann")
    assert (form["carrier"], form["count"]) == ("ups", "3")
    assert sorted(form.bundle("card")) == ["card.code", "card.expiry", "card.number"]


WRONG = {
    "name": {"": "fill this in", "x" * 11: "at most 10 characters, you typed 11", "a\nb": "characters", "a\x00": "char",
             "a\ue000b": "characters"},
    "mail": {"ann": "does not look like", "ann@": "does not look like", "a b@c.org": "not look like",
             "x" * 250 + "@e.org": "too long"},
    "note": {"x" * 31: "too long"},
    "carrier": {"dhl": "one of the options", "": "fill this in"},
    "count": {"0": "from 1 to 20", "21": "from 1 to 20", "-1": "whole number", "1.5": "whole number", "³": "whole"},
    "number": {"4242": "12 to 19 digits", "4242 4242 4242 4241": "One digit", "x" * 16: "12 to 19 digits"},
    "code": {"12": "three or four", "12345": "too long", "12a": "three or four"},
    "expiry": {"13/29": "month and year", "10/26": "expired", "1129": "month and year"},
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_value_is_told_beside_its_field_and_the_rest_is_kept(name: str) -> None:
    for value, said in WRONG[name].items():
        form = Order({**GOOD, name: value}, now=NOW)
        assert list(form.errors) == [name]
        assert said in (form.field(name).error or "")
        other = form.field("mail" if name == "name" else "name").value
        assert isinstance(other, Given)


def test_card_fields_never_come_back() -> None:
    form = Order({**GOOD, "name": ""}, now=NOW)
    assert [form.field(name).value for name in ("number", "code", "expiry")] == ["", "", ""]


def test_what_the_screen_finds_is_told_and_withheld_in_any_field() -> None:
    for name in ("name", "mail", "note", "carrier"):
        form = Order({**GOOD, name: "CARD"}, now=NOW, screen=lambda text: "a card!" if text == "CARD" else None)
        assert (form.errors[name], form.field(name).value) == ("a card!", "")


def test_optional_fields_may_be_empty_and_unknown_ones_are_ignored() -> None:
    form = Order({**GOOD, "note": "  ", "admin": "yes"}, now=NOW)
    assert form.valid
    assert form["note"] is None
    with pytest.raises(SetupError, match="has no field `admin`"):
        form["admin"]


def test_an_empty_form_is_neither_valid_nor_wrong() -> None:
    form = Order()
    assert (form.valid, dict(form.errors), form.sent) == (False, {}, False)
    assert [field.value for field in form] == [""] * len(GOOD)


class Age(Form):
    born = birth_date("age", "Date of birth")


@pytest.mark.parametrize("typed", ["1990-04-29", "2026-11-22", "1896-01-01", "2024-02-29"])
def test_a_date_of_birth_is_a_day_of_the_past(typed: str) -> None:
    form = Age({"born": typed}, now=NOW)
    assert form.valid
    assert form.given("born")._reveal() == typed
    assert form.field("born").value == ""


@pytest.mark.parametrize("typed", ["", "29.04.1990", "1990-4-29", "19900429", "2023-02-29", "2026-11-23", "1895-12-31"])
def test_what_is_no_day_of_the_past_is_told_and_not_echoed(typed: str) -> None:
    form = Age({"born": typed}, now=NOW)
    assert list(form.errors) == ["born"]
    assert form.field("born").value == ""
