"""What the shop's policy permits and refuses, flow by flow as the service asks it, and which sentence says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from avow.engine import Policy
from avow.values import DIMENSIONS, Facts, Verdict

POLICY = Policy.load(Path(__file__).parents[2] / "sites" / "gourmet" / "policy.md")

LINK = {"presented(link)": True}
ADDRESS = ("street", "unit", "city", "region", "postcode", "country")
ASKED = ("contact.name", "contact.email", *(f"contact.address.{part}" for part in ADDRESS), "order.items", "order.note")
CARD = ("card.number", "card.code", "card.expiry", "card.name")
FROM_CUSTOMER = "from customer about customer at checkout for ordering by storefront"
TO_CUSTOMER = "to customer for ordering by storefront"


def judge(flow: str, facts: Facts) -> Verdict:
    """The verdict on a flow in words: verb, object, then prepositions with a word each."""
    words = flow.split()
    stated = {DIMENSIONS[name]: term for name, term in zip(words[2::2], words[3::2], strict=True)}
    return POLICY.judge(words[0], words[1], **stated, facts=facts)


def permits(anchor: str, *flows: str, facts: Facts | None = None) -> None:
    """Every flow is permitted, and by the sentence of that anchor."""
    wrong = [(flow, v.reason) for flow in flows if not _rests_on(v := judge(flow, facts or {}), anchor, True)]
    assert not wrong


def refuses(anchor: str, *flows: str, facts: Facts | None = None) -> None:
    """Every flow is refused, and the refusal names the sentence of that anchor (`*`: whichever is nearest)."""
    wrong = [(f, v.permitted, v.reason) for f in flows if not _rests_on(v := judge(f, facts or {}), anchor, False)]
    assert not wrong


def _rests_on(verdict: Verdict, anchor: str, permitted: bool) -> bool:
    anchors = {sentence.anchor for sentence in verdict.sentences}
    return verdict.permitted is permitted and bool(anchors if anchor == "*" else anchor in anchors)


def demands(anchor: str, duty: str, *phrase: str) -> None:
    """A sentence demands a duty, with these words in its phrases."""
    found = [d for d in POLICY.duties if d.sentence.anchor == anchor and f"{d.verb} {d.object}" == duty]
    assert found, f"#{anchor} demands no `{duty}`"
    assert set(phrase) <= {word for _, words in found[0].phrases for word in words}


# -- what the shop needs ------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["https", "loopback"])
def test_an_order_is_taken_over_a_safe_channel(channel: str) -> None:
    permits("what-we-store", *(f"collect {field} {FROM_CUSTOMER} over {channel}" for field in ASKED))
    permits("card-entry", *(f"collect {field} {FROM_CUSTOMER} over {channel}" for field in CARD))


@pytest.mark.promise("I2", "works")
def test_what_is_typed_in_is_stored() -> None:
    permits("what-we-store", *(f"keep {field} about customer for ordering" for field in ASKED))


def test_a_form_that_is_not_in_order_comes_back_filled() -> None:
    typed = [field for field in ASKED if field != "order.items"]
    permits("form-comes-back", *(f"show {field} at checkout {TO_CUSTOMER}" for field in typed))
    refuses("last-four", *(f"show {field} at checkout {TO_CUSTOMER}" for field in CARD))


@pytest.mark.promise("I8", "works")
def test_the_card_goes_to_the_processor_and_its_answer_is_kept() -> None:
    permits(
        "card-passed-on",
        *(f"share {field} with processor for payment over https by storefront" for field in CARD),
    )
    for field in ("card.last4", "payment.authorisation"):
        permits("payment-answer", f"collect {field} from processor about customer at checkout for ordering over https")
        permits("payment-answer", f"keep {field} about customer for ordering")
        permits("payment-answer", f"keep {field} about customer for payment")


def test_a_card_is_typed_again_where_a_payment_is_tried_again() -> None:
    again = FROM_CUSTOMER.replace("at checkout", "at pay_page")
    permits("card-entry", *(f"collect {field} {again} over https" for field in CARD))
    permits("order-page", f"show order.items at pay_page {TO_CUSTOMER}", facts=LINK)


@pytest.mark.promise("I7", "works")
@pytest.mark.parametrize("carrier", ["ups", "fedex"])
def test_a_label_goes_to_the_carrier_and_the_tracking_number_comes_back(carrier: str) -> None:
    label = ("contact.name", *(f"contact.address.{part}" for part in ADDRESS))
    permits("carriers", *(f"share {field} with {carrier} for shipping over https by storefront" for field in label))
    permits("tracking", f"collect parcel.tracking from {carrier} about customer at dispatch for shipping over https")
    permits("tracking", "keep parcel.tracking about customer for shipping")


@pytest.mark.promise("I16", "works")
def test_the_last_four_digits_are_shown_on_the_orders_page_and_in_the_mail() -> None:
    permits("last-four", f"show card.last4 at order_page {TO_CUSTOMER}", facts=LINK)
    permits("last-four", f"show card.last4 at mail {TO_CUSTOMER}")


def test_an_order_is_shown_to_whoever_holds_its_link_and_to_nobody_else() -> None:
    shown = (*ASKED, "payment.authorisation", "parcel.tracking")
    permits("order-page", *(f"show {field} at order_page {TO_CUSTOMER}" for field in shown), facts=LINK)
    for facts in ({}, {"presented(link)": False}):
        refuses("order-page", *(f"show {field} at order_page {TO_CUSTOMER}" for field in shown), facts=facts)
    refuses("order-page", "show order.items at order_page for ordering by storefront", facts=LINK)


def test_a_paid_order_is_confirmed_by_mail() -> None:
    permits("confirmation", "send confirmation to contact.email over smtps for ordering")
    permits("confirmation", *(f"show {field} at mail {TO_CUSTOMER}" for field in ("contact.name", "order.items")))
    refuses("confirmation", "send confirmation to contact.email for ordering")
    refuses("confirmation", "send confirmation to contact.name over smtps for ordering")
    refuses("*", f"show contact.email at mail {TO_CUSTOMER}")


@pytest.mark.promise("I4", "works")
def test_a_visit_is_noted() -> None:
    noted = ("visit.time", "visit.referrer", "visit.browser")
    for place in ("shop", "cart", "checkout", "order_page", "privacy"):
        permits("visit", *(f"log {field} about visitor at {place} for selection" for field in noted))


@pytest.mark.promise("I6", "works")
def test_the_cart_travels_in_its_cookie() -> None:
    for place, purpose in (("shop", "shopping"), ("cart", "shopping"), ("checkout", "ordering")):
        permits("cart-cookie", f"set cookie.cart for {purpose} at {place}")
        permits("cart-cookie", f"open cookie.cart for {purpose} at {place} by storefront")


# -- what must not happen -----------------------------------------------------------------------------


@pytest.mark.promise("I1", "holds")
def test_nothing_is_made_public_and_all_is_stored_under_a_version() -> None:
    refuses("private", *(f"publish {field} at shop" for field in (*ASKED, *CARD, "visit.time", "parcel.tracking")))
    demands("version", "attach version")
    demands("policy-on-every-page", "show policy", "site")


@pytest.mark.promise("I2", "holds")
def test_no_card_is_stored_and_nothing_that_was_not_asked_for() -> None:
    refuses("card-never-kept", "keep card.number about customer for ordering", "keep card.code about customer")
    refuses("card-never-kept", "keep card.number about customer for payment", "keep card.code for selection")
    refuses(
        "what-we-store",
        f"collect order.note {FROM_CUSTOMER.replace('at checkout', 'at shop')} over https",
        f"collect contact.email {FROM_CUSTOMER.replace('for ordering', 'for advertising')} over https",
        f"collect contact.name {FROM_CUSTOMER.replace('from customer', 'from ups')} over https",
        f"collect contact {FROM_CUSTOMER} over https",
        f"collect order {FROM_CUSTOMER} over https",
        "keep contact.email about customer for advertising",
        "keep contact.name about visitor for ordering",
        "keep contact about customer for ordering",
        "keep order about customer for ordering",
    )


@pytest.mark.promise("I4", "holds")
def test_nothing_else_of_a_visit_is_noted() -> None:
    refuses("visit-nothing-else", *(f"log {field} at shop for selection" for field in ("visit.address", "visit.agent")))
    refuses("visit-nothing-else", *(f"log visit.{field} at shop for profiling" for field in ("time", "browser")))
    refuses("visit-nothing-else", "log visit.time at mail for selection", "log visit at shop for selection")
    refuses("visit-nothing-else", "keep visit.address for selection", "keep visit.agent about visitor for selection")


@pytest.mark.promise("I6", "holds")
def test_no_other_cookie_is_set_and_none_is_read_for_another_purpose() -> None:
    refuses("no-other-cookie", "set cookie.cart for profiling at shop", "set cookie.cart for shopping at mail")
    refuses("no-other-cookie", "open cookie.cart for profiling", "open cookie.cart for selection at shop by storefront")
    refuses("no-other-cookie", "set cookie for shopping at shop", "open cookie for shopping at shop")
    refuses("no-other-cookie", "set cookie.tracker for shopping at shop", "open cookie.tracker for shopping at shop")
    demands("cookies-off", "show cookies_notice", "cart")


@pytest.mark.promise("I7", "holds")
def test_a_carrier_gets_the_label_and_nobody_gets_more() -> None:
    for field in ("contact.name", "contact.address.street"):
        refuses(
            "carriers",
            f"share {field} with ups for shipping over http",
            f"share {field} with ups for ordering over https",
            f"share {field} with fedex for advertising over https",
            f"share {field} with ups for shipping",
            f"share {field} with ups over https",
        )
        refuses(
            "nobody-else",
            f"share {field} with processor for shipping over https",
            f"share {field} with processor for payment over https",
            f"share {field} for shipping over https",
        )
    refuses(
        "nobody-else",
        "share contact.email with ups for shipping over https",
        "share contact with ups for shipping over https",
        "share order.items with ups for shipping over https",
        "share order.note with fedex for shipping over https",
        "share payment.authorisation with ups for shipping over https",
        "share visit.time with processor for payment over https",
    )


@pytest.mark.promise("I8", "holds")
def test_the_card_goes_nowhere_else_and_is_asked_for_nowhere_else() -> None:
    for field in CARD:
        refuses(
            "card-passed-on",
            f"share {field} with processor for payment over http",
            f"share {field} with processor for payment",
            f"share {field} with processor for ordering over https",
            f"share {field} with processor for advertising over https",
            f"share {field} with processor over https",
            f"share {field} with ups for payment over https",
            f"share {field} with fedex for shipping over https",
            f"share {field} for payment over https",
        )
        refuses(
            "card-entry",
            f"collect {field} {FROM_CUSTOMER.replace('at checkout', 'at shop')} over https",
            f"collect {field} {FROM_CUSTOMER.replace('at checkout', 'at mail')} over https",
            f"collect {field} {FROM_CUSTOMER.replace('for ordering', 'for profiling')} over https",
            f"collect {field} {FROM_CUSTOMER.replace('from customer', 'from ups')} over https",
        )
    refuses("card-passed-on", "share card.last4 with processor for payment over https")
    refuses("card-passed-on", "share card with processor for payment over https")
    refuses("*", f"collect card {FROM_CUSTOMER} over https")
    refuses(
        "payment-answer",
        "collect card.last4 from customer at checkout for ordering over https",
        "collect card.last4 from processor at shop for ordering over https",
        "collect payment.authorisation from processor at checkout for profiling over https",
        "collect payment from processor at checkout for ordering over https",
        "keep card.last4 about customer for profiling",
        "keep payment.authorisation about visitor for ordering",
    )
    refuses("*", "collect card from processor about customer at checkout for ordering over https")
    refuses("*", "keep payment about customer for ordering")


def test_what_comes_with_a_card_is_not_stored_either() -> None:
    refuses("card-rest-never-kept", "keep card.expiry about customer for ordering", "keep card.name for ordering")


@pytest.mark.promise("I12", "holds")
def test_nothing_is_taken_over_an_unencrypted_connection() -> None:
    refuses("in-transit", *(f"collect {field} {FROM_CUSTOMER} over http" for field in (*ASKED, *CARD)))
    refuses("in-transit", *(f"collect {field} {FROM_CUSTOMER}" for field in (*ASKED, *CARD)))


@pytest.mark.promise("I14", "holds")
def test_the_policy_says_where_questions_go() -> None:
    demands("questions", "show contact_details", "privacy", "mail")
    contact = POLICY.contact
    assert contact.email, contact.phone
    said = POLICY.sentence("questions").text
    assert all(way in said for way in (contact.email, contact.phone, contact.address) if way)


@pytest.mark.promise("I16", "holds")
def test_no_further_digit_of_a_card_is_shown_and_no_fragment_elsewhere() -> None:
    for place in ("order_page", "mail", "checkout", "shop"):
        refuses("last-four", *(f"show {field} at {place} {TO_CUSTOMER}" for field in (*CARD, "card")), facts=LINK)
    refuses("last-four", *(f"show card.last4 at {place} {TO_CUSTOMER}" for place in ("shop", "checkout")), facts=LINK)
    refuses("last-four", f"show card.last4 at order_page {TO_CUSTOMER}")
    refuses("last-four", "show card.last4 at order_page for ordering", "show card.last4 at mail", facts=LINK)


def test_nothing_is_sold_advertised_with_or_made_a_profile() -> None:
    for purpose in ("sale", "advertising", "profiling"):
        for field in (*ASKED, *CARD, "visit.time", "payment.authorisation"):
            refuses("no-sale", f"share {field} with ups for {purpose} over https", f"open {field} for {purpose}")
            refuses("no-sale", f"derive {field} for {purpose}")


def test_the_file_is_bound_throughout() -> None:
    coverage = POLICY.coverage()
    assert not coverage.unbound
    assert set(coverage.informational) == {"about", "own-computer"}
    rows = {row for sentence in POLICY.sentences for row in sentence.rows}
    assert rows == {"I1", "I2", "I4", "I6", "I7", "I8", "I12", "I14", "I16"}
    assert all(sentence.rows or sentence.ours or sentence.kind == "informational" for sentence in POLICY.sentences)
