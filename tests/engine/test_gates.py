"""`must … before V`: which flows wait until the duty is done, by the table of meaning in docs/language.md."""

from __future__ import annotations

import pytest

from avow.engine import Policy
from avow.engine.compare import compare
from avow.errors import PolicyError
from tests.engine.test_meaning import policy

COLLECT = "may collect contact, order at site, account"
DONE = {"done(show notice)": True}


@pytest.mark.parametrize(
    ("limit", "stated", "stopped"),
    [
        ("at checkout", {"place": "checkout"}, True),
        ("at checkout", {"place": "site"}, True),
        ("at checkout", {"place": "account"}, False),
        ("about customer", {}, True),
        ("about customer", {"subject": "person"}, True),
        ("about customer", {"subject": "visitor"}, False),
        ("for service over https", {"purpose": "shipping", "channel": "https"}, True),
        ("for service over https", {"purpose": "shipping", "channel": "http"}, False),
        ("for service over https", {"purpose": "marketing"}, True),  # `news` is a service too
        ("from customer, ups", {"source": "ups"}, True),
        ("from customer, ups", {"source": "fedex"}, False),
    ],
)
def test_its_phrases_limit_the_flows_that_it_stops(limit: str, stated: dict[str, str], stopped: bool) -> None:
    p = policy(COLLECT, f"must show notice before collect(contact) {limit}")
    flow = {"place": "checkout", **stated}
    verdict = p.judge("collect", "contact.email", **flow)  # type: ignore[arg-type]
    assert verdict.permitted is not stopped
    assert p.judge("collect", "order", **flow).permitted  # type: ignore[arg-type]
    passed = p.judge("collect", "contact.email", **flow, facts=DONE)
    assert [duty.text for duty in passed.duties] == [f"must show notice before collect(contact) {limit}"] * stopped


def test_by_to_and_in_and_a_length_of_time_say_how_the_duty_is_done() -> None:
    p = policy(COLLECT, "may send letter to contact.email",
               "must show notice by staff to customer in letter within 3 days before collect(contact)")  # fmt: skip
    assert not p.judge("collect", "contact", place="account", role="customer").permitted
    assert p.judge("send", "letter", audience="contact.email").permitted


def test_with_limits_a_gate_by_recipient_and_a_link_by_its_other_side() -> None:
    p = policy(
        "may share order with carriers, processor for service", "must show notice before share(order) with ups",
        "may link order with card, contact", "must ask order before link(order) with card",
    )  # fmt: skip
    assert not p.judge("share", "order", recipient="ups", purpose="service").permitted
    assert not p.judge("share", "order", recipient="carriers", purpose="service").permitted
    assert p.judge("share", "order", recipient="processor", purpose="service").permitted
    assert not p.judge("link", "card", recipient="order").permitted  # `link` is also a thing of every policy
    assert p.judge("link", "contact", recipient="order").permitted


@pytest.mark.parametrize(
    ("rule", "message", "help"),
    [
        ("must show notice before collect(order) with ups",
         "`collect` does not take `with`, so that this limits nothing",
         "what comes before `collect` can be limited by `at`, `for`, `about`, `over`, `from`"),
        ("must show notice before open, share(order) over https",
         "`open` does not take `over`, so that this limits nothing",
         "what comes before `open` can be limited by `at`, `for`, `about`"),
        ("must show notice at ups before collect(order)", "`ups` is a recipient; here a place belongs",
         "there are `site`, `checkout`, `account`, `mail`, `rest`, `transit`"),
    ],
)  # fmt: skip
def test_a_limit_that_the_flows_cannot_say_is_an_error(rule: str, message: str, help: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy(COLLECT, rule)
    (fault,) = caught.value.diagnostics
    assert (fault.message, fault.help) == (message, help)


def test_a_gate_that_is_narrowed_protects_less() -> None:
    def version(gate: str) -> Policy:
        return policy(COLLECT, gate)

    wide, narrow = version("must show notice before collect"), version("must show notice before collect at checkout")
    (difference,) = compare(wide, narrow).differences
    assert difference.kind == "permission"
    assert difference.witness.new_dimensions == {"place": "account"}
    assert not compare(narrow, wide).differences


def test_in_english_the_limit_stands_behind_what_it_limits() -> None:
    p = policy(COLLECT, "must show notice at checkout by staff before collect(contact) for service")
    assert p.in_words(p.rules[1]) == "The staff must show notice before we collect contact at checkout for service."
