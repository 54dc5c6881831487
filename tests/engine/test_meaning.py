"""The table of meaning in docs/language.md, row by row."""

from __future__ import annotations

import pytest

from avow.engine import Policy, UnknownTerm
from avow.errors import PolicyError, Refused
from tests.engine.generator import FRONT


def policy(*rules: str) -> Policy:
    """Each argument is one block: its rules, under a sentence #s0, #s1 …"""
    blocks = (f"\nSentence {i}.\n\n```avow #s{i}\n{rule}\n```\n" for i, rule in enumerate(rules))
    return Policy.parse(FRONT + "".join(blocks))


KEEP = "may keep order for shipping"


def test_no_rule_matches_is_refused_and_names_the_nearest_may() -> None:
    p = policy("may share card with processor for payment", "may share contact.name with ups for shipping")
    verdict = p.judge("share", "contact.name", recipient="fedex", purpose="shipping")
    assert not verdict.permitted
    assert [s.anchor for s in verdict.sentences] == ["s1"]
    assert verdict.reason.endswith("the nearest, #s1, differs in recipient (ups, not fedex)")


def test_among_equally_near_the_same_verb_then_the_same_object_then_the_first_counts() -> None:
    p = policy(
        "may open contact for news",
        "may keep card for news",
        "may keep contact for payment",
        "may keep contact for service",
    )
    assert p.judge("keep", "contact", purpose="marketing").rule == "may keep contact for payment"
    assert p.judge("keep", "order", purpose="news").rule == "may keep card for news"
    p = policy("may keep card for marketing", "may keep contact for payment")
    assert p.judge("keep", "contact", purpose="marketing").rule == "may keep contact for payment"


@pytest.mark.parametrize(("known", "permitted"), [(True, True), (False, False), (None, False), ("absent", False)])
def test_may_with_a_condition_permits_only_when_it_is_true(known: bool | str | None, permitted: bool) -> None:
    p = policy("may keep order when valid")
    facts = {} if known == "absent" else {"valid": known}
    assert p.judge("keep", "order", facts=facts).permitted is permitted  # type: ignore[arg-type]


@pytest.mark.parametrize(("known", "permitted"), [(True, False), (False, True), (None, False), ("absent", False)])
def test_never_with_a_condition_forbids_unless_it_is_false(known: bool | str | None, permitted: bool) -> None:
    p = policy(KEEP, "never keep order when valid")
    facts = {} if known == "absent" else {"valid": known}
    assert p.judge("keep", "order", purpose="shipping", facts=facts).permitted is permitted  # type: ignore[arg-type]


@pytest.mark.parametrize(("known", "permitted"), [(True, False), (False, True), (None, False)])
def test_may_unless_permits_only_when_the_condition_is_false(known: bool | None, permitted: bool) -> None:
    assert policy("may keep order unless valid").judge("keep", "order", facts={"valid": known}).permitted is permitted


def test_a_fact_of_the_wrong_type_is_unknown() -> None:
    p = policy("may keep order when valid", "may keep card when age >= 18")
    assert not p.judge("keep", "order", facts={"valid": 1.0}).permitted
    assert not p.judge("keep", "card", facts={"age": True}).permitted
    assert p.judge("keep", "card", facts={"age": 18}).permitted


def test_the_reason_of_an_unmet_condition_says_what_is_known() -> None:
    reason = (
        policy("may keep order when valid and consented(letter)").judge("keep", "order", facts={"valid": True}).reason
    )
    assert reason == (
        "no sentence permits to keep order here: #s0 needs `valid and consented(letter)`, "
        "and `valid` is true, `consented(letter)` is unknown"
    )


def test_a_never_wins_over_a_may() -> None:
    verdict = policy(KEEP, "never keep order.note").judge("keep", "order.note", purpose="shipping")
    assert not verdict.permitted
    assert verdict.reason == "forbidden by #s1: `never keep order.note`"
    assert verdict.sentences[0].anchor == "s1"


def test_a_dimension_left_out_of_a_never_is_any() -> None:
    p = policy("may share order with ups for shipping", "never share order.note")
    assert not p.judge("share", "order.note", recipient="ups", purpose="shipping").permitted


def test_a_dimension_left_out_of_a_may_is_any() -> None:
    p = policy("may keep order")
    assert p.judge("keep", "order", purpose="news", place="checkout").permitted


def test_a_dimension_that_a_may_needs_is_an_error_when_left_out() -> None:
    with pytest.raises(PolicyError, match="`may share` needs `for`"):
        policy("may share order with ups")


def test_an_unstated_dimension_does_not_satisfy_a_may_and_satisfies_a_never() -> None:
    p = policy(KEEP, "may keep card", "never keep card for marketing")
    assert not p.judge("keep", "order").permitted
    assert not p.judge("keep", "card").permitted
    assert p.judge("keep", "card", purpose="payment").permitted


def test_an_unstated_dimension_does_not_satisfy_an_exception() -> None:
    p = policy("may keep order", "never keep order except for shipping")
    assert not p.judge("keep", "order").permitted
    assert p.judge("keep", "order", purpose="shipping").permitted


def test_a_never_that_names_what_the_verb_does_not_take_is_not_about_that_verb() -> None:
    p = policy("may keep order", "never use order with ups")
    assert p.judge("keep", "order").permitted
    p = policy("may open order for shipping", "never use order with ups")
    assert p.judge("open", "order", purpose="shipping").permitted


def test_only_also_forbids_any_other_value_there_without_the_guard() -> None:
    p = policy("may share order only with ups for shipping when valid", "may share order with ups for news")
    refused = p.judge("share", "order", recipient="fedex", purpose="shipping", facts={"valid": False})
    assert refused.reason.startswith("forbidden by the `only` of #s0")
    assert p.judge("share", "order", recipient="ups", purpose="news").permitted


def test_a_may_that_an_only_shadows_is_an_error() -> None:
    with pytest.raises(PolicyError, match="`fedex` can never be permitted here: the `only` of line"):
        policy("may share order only with ups for shipping", "may share order.note with fedex for shipping")


def test_except_takes_the_named_phrases_together_out_of_a_never() -> None:
    p = policy("may keep order", "never keep order except for shipping at checkout")
    assert p.judge("keep", "order", purpose="shipping", place="checkout").permitted
    assert not p.judge("keep", "order", purpose="shipping", place="account").permitted


def test_except_stands_nowhere_but_in_a_never() -> None:
    with pytest.raises(PolicyError, match="a `may` has no exceptions"):
        policy("may keep order except for shipping")


def test_a_word_stands_for_all_below_it() -> None:
    p = policy("may share contact with carriers for service")
    assert p.judge("share", "contact.name.first", recipient="ups", purpose="news").permitted
    assert not p.judge("share", "contact.name", recipient="processor", purpose="news").permitted


def test_a_wide_flow_is_not_permitted_by_a_narrow_may_and_is_forbidden_by_a_narrow_never() -> None:
    p = policy("may keep contact.email", "may keep card", "never keep card.number")
    assert not p.judge("keep", "contact").permitted
    assert not p.judge("keep", "card").permitted, "keeping the card would keep its number"


@pytest.mark.parametrize("verb", ["open", "show", "share", "publish", "derive", "log"])
def test_never_use_covers_every_use(verb: str) -> None:
    verdict = policy(KEEP, "never use order").judge(verb, "order.note")
    assert verdict.rule == "never use order"


def test_never_use_covers_a_mail_to_the_address_and_a_link_from_either_side() -> None:
    p = policy(
        "may send letter to contact.email",
        "may link order with visit",
        "never use contact when objected(marketing) except for shipping",
        "never use visit",
    )
    free, objected = {"objected(marketing)": False}, {"objected(marketing)": True}
    assert p.judge("send", "letter", audience="contact.email", facts=free).permitted
    assert not p.judge("send", "letter", audience="contact.email", purpose="news", facts=objected).permitted
    assert p.judge("send", "letter", audience="contact.email", purpose="shipping", facts=objected).permitted
    assert p.judge("link", "order", recipient="visit").rule == "never use visit"


def test_may_use_covers_open_derive_and_show_to_a_subject_only() -> None:
    p = policy("may use order for shipping")
    assert p.judge("open", "order", purpose="shipping").permitted
    assert p.judge("derive", "order", purpose="shipping").permitted
    assert p.judge("show", "order", purpose="shipping", audience="customer").permitted
    assert not p.judge("show", "order", purpose="shipping", audience="clerk").permitted
    assert not p.judge("show", "order", purpose="shipping").permitted
    assert not p.judge("share", "order", purpose="shipping", recipient="ups").permitted


def test_must_before_is_a_gate() -> None:
    p = policy("may collect order at checkout", "must show notice before collect(order)")
    verdict = p.judge("collect", "order.note", place="checkout")
    assert verdict.reason == (
        "not yet: #s1 demands `must show notice before collect(order)`, and `done(show notice)` is not known to be true"
    )
    passed = p.judge("collect", "order.note", place="checkout", facts={"done(show notice)": True})
    assert passed.permitted
    assert [duty.timing for duty in passed.duties] == ["before"]


def test_must_in_accompanies_what_it_names() -> None:
    p = policy("may send letter, receipt to contact.email", "must offer notice in letter")
    assert [d.timing for d in p.judge("send", "letter.news", audience="contact.email").duties] == ["with"]
    assert p.judge("send", "receipt", audience="contact.email").duties == ()


@pytest.mark.parametrize("phrase", ["within 3 days", "every 2 weeks", "after closed"])
def test_must_within_after_and_every_are_scheduled(phrase: str) -> None:
    p = policy("may keep order", f"must destroy order {phrase}")
    (duty,) = p.judge("keep", "order").duties
    assert (duty.verb, duty.object, duty.timing) == ("destroy", "order", "scheduled")


def test_must_without_time_is_a_state_of_its_place() -> None:
    p = policy("may show order at site", "must show notice at checkout")
    assert [d.timing for d in p.judge("show", "order", place="checkout").duties] == ["state"]
    assert p.judge("show", "order", place="account").duties == ()


def test_a_duty_whose_condition_is_unknown_is_owed() -> None:
    p = policy("may keep order", "must mask order when valid")
    assert len(p.judge("keep", "order").duties) == 1
    assert p.judge("keep", "order", facts={"valid": False}).duties == ()


def test_ours_in_the_info_string_marks_the_sentence() -> None:
    text = FRONT + "\nA.\n\n```avow #a X1 X2 ours\nmay keep order\n```\n"
    (sentence,) = Policy.parse(text).sentences
    assert (sentence.ours, sentence.rows) == (True, ("X1", "X2"))


def test_by_takes_roles_and_subjects() -> None:
    p = policy(
        "may change contact by customer", "may open contact only by staff, customer for service",
        "never publish order by customer", "may publish order at site",
    )  # fmt: skip
    assert p.judge("change", "contact.email", role="customer").permitted
    assert not p.judge("change", "contact.email", role="visitor").permitted
    assert not p.judge("change", "contact.email", role="person").permitted, "a person may be no customer"
    assert p.judge("open", "contact", role="clerk", purpose="service").permitted
    assert p.judge("open", "contact", role="expert", purpose="service").reason.startswith("forbidden by the `only`")
    assert p.judge("open", "contact", role="visitor", purpose="service").reason.startswith("forbidden by the `only`")
    assert p.judge("publish", "order", place="site", role="person").rule == "never publish order by customer"
    with pytest.raises(UnknownTerm, match="`ups` is not a role or subject of the policy"):
        p.judge("change", "contact.email", role="ups")


def test_link_is_the_same_from_both_sides() -> None:
    p = policy("may link order with card", "never link visit with contact")
    assert p.judge("link", "card", recipient="order").permitted
    assert p.judge("link", "contact.name", recipient="visit.time").rule == "never link visit with contact"


def test_apply_needs_a_condition_and_permits_by_it() -> None:
    with pytest.raises(PolicyError, match="`may apply` needs a condition"):
        policy("may apply version to customer")
    p = policy("may apply version to customer when consented(version)")
    assert p.judge("apply", "version", audience="customer", facts={"consented(version)": True}).permitted
    assert not p.judge("apply", "version", audience="customer").permitted


def test_a_rate_needs_the_word_of_whoever_counts() -> None:
    p = policy("may send letter to contact.email every 3 months")
    assert not p.judge("send", "letter", audience="contact.email").permitted
    assert p.judge("send", "letter", audience="contact.email", facts={"due(s0)": True}).permitted


def test_before_and_after_an_event_are_conditions_unless_they_begin_a_period() -> None:
    p = policy(
        "may keep order after closed",
        "may keep card within 2 days after closed",
        "may collect contact at site before closed",
    )
    assert not p.judge("keep", "order").permitted
    assert p.judge("keep", "order", facts={"closed": True}).permitted
    assert p.judge("keep", "card").permitted
    assert p.judge("collect", "contact", place="site", facts={"closed": False}).permitted
    assert not p.judge("collect", "contact", place="site", facts={"closed": True}).permitted


@pytest.mark.parametrize(
    ("rule", "happened", "permitted"),
    [
        ("may keep order after closed, paid", (True, True), True),
        ("may keep order after closed, paid", (True, False), False),
        ("may keep order after closed, paid", (True, None), False),
        ("may keep order before closed, paid", (False, False), True),
        ("may keep order before closed, paid", (True, False), False),
        ("may keep order before closed, paid", (False, None), False),
        ("may keep order within 3 days after closed, paid", (False, False), True),
        ("never keep card after closed, paid", (False, False), True),
        ("never keep card after closed, paid", (True, False), False),
        ("never keep card after closed, paid", (False, None), False),
        ("never keep card before closed, paid", (True, True), True),
        ("never keep card before closed, paid", (True, False), False),
    ],
)
def test_of_several_events_a_may_waits_for_all_and_a_never_for_one(
    rule: str, happened: tuple[bool | None, bool | None], permitted: bool
) -> None:
    p = policy(rule, *(["may keep card"] if rule.startswith("never") else []))
    facts = dict(zip(("closed", "paid"), happened, strict=True))
    assert p.judge("keep", p.rules[0].objects[0].name, facts=facts).permitted is permitted


def test_hold_is_a_flow_that_needs_by_and_a_duty() -> None:
    with pytest.raises(PolicyError, match="`may hold` needs `by`"):
        policy("may hold order")
    p = policy("may hold letter by clerk", "never hold order", "must hold card within 3 days after closed")
    assert p.judge("hold", "letter", role="clerk").permitted
    assert p.judge("hold", "order.note", role="clerk").rule == "never hold order"
    assert [duty.timing for duty in p.duties] == ["scheduled"]


def test_a_link_may_come_in_a_form() -> None:
    p = policy("may link order with visit as counts(group 20)", "never link order with contact except as counts")
    assert p.judge("link", "visit", recipient="order", form="counts(group 20)").permitted
    assert not p.judge("link", "visit", recipient="order").permitted
    assert p.judge("link", "contact", recipient="order").rule == "never link order with contact except as counts"


def test_an_undeclared_cookie_is_refused_even_where_all_cookies_are_permitted() -> None:
    p = policy("may set cookie for service")
    assert p.judge("set", "cookie.cart", purpose="service").permitted
    verdict = p.judge("set", "cookie.tracker", purpose="service")
    assert not verdict.permitted
    assert verdict.sentences[0].anchor == "s0"
    p = policy("may set cookie for service", "never set cookie otherwise")
    assert p.judge("set", "cookie.tracker", purpose="service").rule == "never set cookie otherwise"


def test_an_unknown_word_is_refused_with_the_sentence_and_a_suggestion() -> None:
    p = policy("may share order with ups for shipping", "never share order otherwise")
    with pytest.raises(UnknownTerm) as caught:
        p.judge("share", "order", recipient="upps", purpose="shipping")
    assert str(caught.value) == "`upps` is not a recipient of the policy\n  help: did you mean `ups`?"
    assert isinstance(caught.value, Refused)
    assert caught.value.verdict is not None
    assert caught.value.verdict.rule == "never share order otherwise"


@pytest.mark.parametrize(
    ("verb", "word", "dimensions", "message"),
    [
        ("shrae", "order", {}, "`shrae` is not a verb of a flow\n  help: did you mean `share`?"),
        ("use", "order", {}, "a flow cannot be a `use`"),
        ("keep", "ordr", {}, "did you mean `order`?"),
        ("keep", "order", {"recipient": "ups"}, "`keep` does not take `with` (recipient=`ups`)"),
        ("keep", "order(x)", {}, "the category `order` takes no arguments"),
    ],
)
def test_a_call_in_unknown_words_raises(verb: str, word: str, dimensions: dict[str, str], message: str) -> None:
    with pytest.raises(UnknownTerm) as caught:
        policy(KEEP).judge(verb, word, **dimensions)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert caught.value.verdict is not None
    assert not caught.value.verdict.permitted
