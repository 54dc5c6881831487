"""Forms: what `as` means in rules and in flows, by the table of meaning in docs/language.md."""

from __future__ import annotations

import pytest

from avow.errors import PolicyError
from tests.engine.test_meaning import policy


def test_a_form_is_a_category_of_its_own() -> None:
    p = policy(
        "may show order as counts at site", "may show card as counts(group 20) at site", "never keep card.number"
    )
    assert p.judge("show", "order", form="counts(group 5)", place="site").permitted, "a parameter narrows a form"
    assert p.judge("show", "card", form="counts(group 20)", place="site").permitted
    assert not p.judge("show", "card", form="counts(group 5)", place="site").permitted
    assert not p.judge("show", "card", form="counts", place="site").permitted


def test_a_flow_without_a_form_is_about_the_thing_as_it_is() -> None:
    p = policy(
        "may show order at site", "never show order as digits", "never show contact.name except as counts",
        "may show contact, card as counts at site", "may show card only as counts at checkout",
    )  # fmt: skip
    assert p.judge("show", "order", place="site").permitted, "a `never … as FORM` is about that form alone"
    assert p.judge("show", "order", place="site", form="digits").rule == "never show order as digits"
    assert not p.judge("show", "contact", place="site").permitted, "an exception `as FORM` is about that form alone"
    assert p.judge("show", "contact", place="site", form="counts").permitted
    assert p.judge("show", "card", place="checkout").reason.startswith("forbidden by the `only` of #s4")


def test_a_may_without_a_form_permits_no_form_and_a_never_without_one_forbids_them_all() -> None:
    p = policy("may keep order", "may keep card as digits", "never keep card.number")
    refused = p.judge("keep", "order", form="counts")
    assert refused.reason == (
        "no sentence permits to keep order as counts; the nearest, #s0, differs in form (as it is, not counts)"
    )
    assert p.judge("keep", "order").permitted
    assert p.judge("keep", "card", form="digits").rule == "never keep card.number"


def test_a_may_without_a_form_beside_an_only_with_one_is_an_error() -> None:
    with pytest.raises(PolicyError, match="`order` can never be permitted here: the `only` of line"):
        policy("may keep order only as counts", "may keep order")
