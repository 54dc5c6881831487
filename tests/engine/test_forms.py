"""Forms: what `as` means in rules and in flows, by the table of meaning in docs/language.md."""

from __future__ import annotations

import pytest

from avow.engine import Policy, UnknownTerm
from avow.engine.compare import compare
from avow.errors import PolicyError
from tests.engine.generator import FRONT
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


@pytest.mark.parametrize(
    ("form", "permitted"),
    [
        ("noise(epsilon 1, group 20)", True),
        ("noise(epsilon 0.5, group 50)", True),
        ("noise( group 20,epsilon 1.0 )", True),
        ("noise(epsilon 1.1, group 20)", False),
        ("noise(epsilon 1, group 19)", False),
        ("noise(epsilon 1)", False),
        ("noise(epsilon 1, group 20, year 3)", False),
        ("noise(epsilon 1, group twenty)", False),
        ("noise", False),
    ],
)
def test_a_form_stands_for_those_that_are_as_strict(form: str, permitted: bool) -> None:
    p = policy("may publish order at site as noise(epsilon 1, group 20)")
    if form.endswith("twenty)"):
        with pytest.raises(UnknownTerm, match="is no form as it is written"):
            p.judge("publish", "order", place="site", form=form)
    else:
        assert p.judge("publish", "order", place="site", form=form).permitted is permitted


def test_what_has_no_order_has_to_be_the_same() -> None:
    p = policy("may keep order as counts(group 20)", "may keep card as noise(epsilon 1, group 20, year 3)")
    assert not p.judge("keep", "order", form="counts(group 50)").permitted
    assert p.judge("keep", "order", form="counts(group 20.0)").permitted
    assert p.judge("keep", "card", form="noise(epsilon 1, group 20, year 3)").permitted
    assert not p.judge("keep", "card", form="noise(epsilon 1, group 20, year 2)").permitted


def test_a_never_is_about_a_form_whatever_its_ordered_numbers() -> None:
    p = policy("may keep order as noise", "never keep order as noise(epsilon 5, group 3, year 3)")
    assert not p.judge("keep", "order", form="noise(epsilon 9, group 3, year 3)").permitted, "it may be as strict"
    assert not p.judge("keep", "order", form="noise(epsilon 1, group 30, year 3)").permitted
    assert p.judge("keep", "order", form="noise(epsilon 9, group 3, year 4)").permitted
    assert p.judge("keep", "order", form="noise(epsilon 9, group 3)").permitted


def test_only_and_except_go_by_the_order_too() -> None:
    p = policy("may show order only as noise(epsilon 1, group 20) at site", "may show card as noise at site",
               "never show card except as noise(epsilon 2, group 20)")  # fmt: skip
    assert p.judge("show", "order", form="noise(epsilon 0.1, group 20)", place="site").permitted
    refused = p.judge("show", "order", form="noise(epsilon 3, group 20)", place="site")
    assert refused.reason.startswith("forbidden by the `only` of #s0")
    assert p.judge("show", "card", form="noise(epsilon 1.5, group 30)", place="site").permitted
    assert not p.judge("show", "card", form="noise(epsilon 2.5, group 30)", place="site").permitted


def test_a_form_as_an_object_has_arguments_too() -> None:
    p = policy("may show noise(epsilon 1, group 20) at site")
    assert p.judge("show", "noise(epsilon 0.5, group 20)", place="site").permitted
    assert not p.judge("show", "noise(epsilon 2, group 20)", place="site").permitted


def of_strictness(form: str, order: str = "{epsilon: at_most, group: at_least}") -> Policy:
    front = FRONT.replace("{epsilon: at_most, group: at_least}", order)
    rule = f"may publish order at site as {form}"
    return Policy.parse(f"{front}\nOne.\n\n```avow #one\n{rule}\n```\n")


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("noise(epsilon 1, group 20)", "noise(epsilon 2, group 20)", "as noise (epsilon 2, group 20)"),
        ("noise(epsilon 1, group 20)", "noise(epsilon 1, group 5)", "as noise (epsilon 1, group 5)"),
        ("noise(epsilon 1, group 20)", "noise(group 50, epsilon 0.5)", None),
        ("noise(epsilon 1, year 3)", "noise(epsilon 1, year 2)", "as noise (epsilon 1, year 2)"),
        ("noise(epsilon 1, group 20)", "noise", "as noise"),
        ("noise(epsilon 1, group 20)", "noise(epsilon 1, group 20), noise(epsilon 3, group 90)",
         "as noise (epsilon 3, group 90)"),
    ],
)  # fmt: skip
def test_comparing_knows_which_form_is_stricter(old: str, new: str, shown: str | None) -> None:
    orders = "{epsilon: at_most, group: at_least}" if "group" in old else "{epsilon: at_most}"
    before, now = of_strictness(old, orders), of_strictness(new, orders)
    found = [d for d in compare(before, now).differences if d.kind == "permission"]
    assert [d.witness.words for d in found] == ([f"publish order at site {shown}"] if shown else [])
    for difference in found:
        stated = difference.witness.new_dimensions
        assert now.judge("publish", "order", **stated).permitted  # type: ignore[arg-type]
        assert not before.judge("publish", "order", **stated).permitted  # type: ignore[arg-type]


def test_an_order_that_is_declared_later_may_permit_more() -> None:
    rule = "noise(epsilon 1, year 3)"
    weaker = compare(of_strictness(rule, "{}"), of_strictness(rule, "{year: at_most}"))
    assert [d.witness.words for d in weaker.differences] == ["publish order at site as noise (epsilon 1, year 2)"]
    assert not compare(of_strictness(rule, "{year: at_most}"), of_strictness(rule, "{}")).differences


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"form": "card(last 4)"}, "the category `card` takes no arguments\n  help: write `card`"),
        ({"recipient": "ups(express)"}, "the recipient `ups` takes no arguments\n  help: write `ups`"),
        (
            {"purpose": "shiping(fast)"},
            "`shiping(fast)` is not a purpose of the policy\n  help: did you mean `shipping`?",
        ),
        (
            {"form": "counts(group"},
            "`counts(group` is no form as it is written\n  help: write it like `counts(group 20)`",
        ),
        ({"form": "counts()"}, "`counts()` is no form as it is written"),
    ],
)
def test_only_forms_have_arguments(stated: dict[str, str], message: str) -> None:
    p = policy("may share order, contact with ups for shipping")
    with pytest.raises(UnknownTerm) as caught:
        p.judge("share", "order", **{"recipient": "ups", "purpose": "shipping", **stated})  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


def test_a_word_with_arguments_that_it_cannot_have_is_told_by_the_sentence_about_the_word() -> None:
    p = policy("may share order, contact with ups for shipping", "never share contact unless valid")
    with pytest.raises(UnknownTerm, match="the category `contact` takes no arguments") as caught:
        p.judge("share", "contact(anything)", recipient="ups", purpose="shipping")
    assert caught.value.verdict is not None
    assert not caught.value.verdict.permitted
    assert caught.value.verdict.rule == "never share contact unless valid"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("may keep order(x)", "the category `order` takes no arguments"),
        ("may keep order as card(last 4)", "the category `card` takes no arguments"),
        ("may keep order for shipping(fast)", "the purpose `shipping` takes no arguments"),
        ("may keep order as noise(group 20)", "`noise` does not say its `epsilon`"),
        ("must show notice before collect(contact(x))", "the category `contact` takes no arguments"),
    ],
)
def test_arguments_stand_where_a_form_is_meant(rule: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy("may publish card at site", rule)
    assert caught.value.diagnostics[0].message == message


@pytest.mark.parametrize(
    ("order", "message", "help"),
    [
        ("{epsilon: atmost}", "`atmost` does not say how `epsilon` is ordered", "did you mean `at_most`?"),
        ("{epsilon: less}", "`less` does not say how `epsilon` is ordered",
         "write `at_most` if less is stricter, `at_least` if more is"),
        ("{Epsilon: at_most}", "`Epsilon` is not a word", None),
        ("3", "`arguments` of `noise` is not a mapping", "write `name: value` lines"),
    ],
)  # fmt: skip
def test_a_front_matter_that_orders_nothing_is_told_so(order: str, message: str, help: str | None) -> None:
    with pytest.raises(PolicyError) as caught:
        of_strictness("noise", order)
    fault = caught.value.diagnostics[0]
    assert fault.message.startswith(message)
    assert help is None or fault.help == help
