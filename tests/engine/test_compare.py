"""What comparing two versions reports, kind by kind, and what it does not report."""

from __future__ import annotations

from itertools import pairwise

import pytest

from avow.engine import Policy
from avow.engine.compare import compare
from avow.engine.compare_conditions import Domains, Search, TooMany
from avow.engine.compare_result import OUTCOMES, Difference
from avow.errors import PolicyError
from avow.language import read
from avow.language.syntax import AllOf, AnyOf, Fact, Term
from tests.structure.tree import ROOT

FRONT = """\
site: pets
title: Pets
version: "1"
effective: 2026-01-01
contact: {email: a@b.example}
categories: {contact: {}, contact.email: {label: your e-mail address}, contact.phone: {}, wish: {}, records: {}}
purposes: {service: {includes: [shipping]}, shipping: {}, marketing: {}}
subjects: {customer: {}}
roles: {staff: {}, clerk: {under: staff}}
places: {site: {includes: [shop, cart]}, shop: {}, cart: {}}
messages: {letter: {}}
recipients:
  {carriers: {}, ups: {label: UPS, under: carriers, fields: [contact.email], channels: [https], agreement: one}}
cookies: {cart: {purpose: service, within: 30 days}}
forms: {counts: {}}
things: {notice: {}, cleaner: {}}
events: {closed: {}}
predicates: {valid: {arguments: 0}}
"""
RULES = {
    "share": "may share contact.email with carriers for shipping over https when approved(3)",
    "counts": "may share records only as counts(group 20) with ups for service every 3 months",
    "keep": "may keep contact.email within 30 days after closed",
    "signed": "may open wish for service by clerk when age >= 16 and valid\nattested by clerk every 3 months",
    "never": "never keep contact.phone",
    "list": "never share wish otherwise",
    "cookie": "may set cookie.cart for service at shop",
    "letter": "may send letter to contact.email unless objected(marketing)",
    "leave": "must offer notice in letter",
    "gate": "must ask records before open(wish)",
    "shown": "must show notice at shop, cart",
    "soon": "must destroy wish within 5 days after closed",
    "clean": "attested by staff every 2 months",
}


def policy(front: str = FRONT, **rules: str) -> Policy:
    nothing = 'no promise: "none"'
    body = "".join(
        f"\nSentence {name}.\n\n```avow #{name}\n{text or nothing}\n```\n" for name, text in {**RULES, **rules}.items()
    )
    return Policy.parse(f"---\n{front}---\n{body}")


def differences(front: str = FRONT, old_front: str = FRONT, **rules: str) -> list[Difference]:
    return list(compare(policy(old_front), policy(front, **rules)).differences)


def edited(old: str, new: str) -> str:
    assert old in FRONT
    return FRONT.replace(old, new)


@pytest.mark.parametrize(
    ("anchor", "text", "kind", "said"),
    [
        ("share", RULES["share"].replace("(3)", "(2)"), "permission", "2 people have approved it"),
        ("share", RULES["share"].replace("over https", "over https, http"), "permission", "over an unencrypted"),
        ("share", RULES["share"].replace("for shipping", "for service"), "permission", "for service"),
        ("counts", RULES["counts"].replace("20", "10"), "permission", "as counts (group 10)"),
        ("counts", RULES["counts"].replace("3 months", "1 month"), "rate", "more often"),
        ("keep", RULES["keep"].replace("30 days", "2 months"), "retention", "longer"),
        ("keep", "may keep contact.email", "retention", "longer"),
        ("keep", RULES["keep"].replace("contact.email", "contact.email, wish"), "permission", "keep wish"),
        ("signed", RULES["signed"].replace("16", "13"), "permission", "age is 13"),
        ("signed", RULES["signed"].replace(" and valid", ""), "permission", "age is 16"),
        ("signed", RULES["signed"].replace("every 3 months", "every 4 months"), "attestation", "less often"),
        ("signed", RULES["signed"].replace("attested by clerk", "attested by staff"), "attestation", "Somebody else"),
        ("signed", RULES["signed"].split("\n")[0], "permission", "open wish"),
        ("never", "", "promise", "keep contact phone"),
        ("never", "never keep contact.phone except for shipping", "promise", "for shipping"),
        ("never", "never keep contact.phone unless valid", "promise", "`valid` holds"),
        ("list", "", "promise", "share wish"),
        ("letter", "may send letter to contact.email", "permission", "send letter"),
        ("leave", "", "duty", "send letter"),
        ("leave", "must offer notice in letter unless valid", "duty", "`valid` holds"),
        ("gate", "", "permission", "open wish"),
        ("shown", "must show notice at cart", "duty", "at shop"),
        ("soon", "must destroy wish within 6 days after closed", "duty", "demands less, or later"),
        ("soon", "", "duty", "does not demand it"),
        ("clean", "", "attestation", "Nobody vouches"),
    ],
)
def test_what_protects_less_is_reported_with_a_witness(anchor: str, text: str, kind: str, said: str) -> None:
    found = differences(**{anchor: text})
    assert kind in {d.kind for d in found}, found
    assert any(said in d.summary for d in found), [d.summary for d in found]
    assert all(d.outcome == ("new purpose" if "for service" in said else "weaker") for d in found)
    assert all(d.old.text != d.new.text for d in found)


@pytest.mark.parametrize(
    ("anchor", "text"),
    [
        ("share", RULES["share"].replace("(3)", "(4)")),
        ("share", RULES["share"].replace("carriers", "ups")),
        ("counts", RULES["counts"].replace("20", "50")),
        ("counts", RULES["counts"].replace("3 months", "6 months")),
        ("keep", RULES["keep"].replace("30 days", "4 weeks")),
        ("keep", "never keep contact.email"),
        ("signed", RULES["signed"].replace("16", "18")),
        ("signed", RULES["signed"].replace("every 3 months", "every 1 month")),
        ("never", "never keep contact.phone, records"),
        ("list", "never share wish, contact otherwise"),
        ("letter", "may send letter to contact.email when consented(letter) and not objected(marketing)"),
        ("leave", "must offer notice in letter\nmust offer cleaner in letter"),
        ("shown", "must show notice at site"),
        ("soon", "must destroy wish within 2 days after closed"),
        ("soon", "must destroy wish within 5 days"),
    ],
)
def test_what_protects_more_is_not_reported(anchor: str, text: str) -> None:
    assert differences(**{anchor: text}) == []


def test_harmless_rewordings_reorderings_and_formatting_are_not_reported() -> None:
    text = policy().source
    reworded = {
        "may share contact.email with carriers": "may  share contact.email  # the parcel\n    with carriers",
        "age >= 16 and valid": "valid and age >= 16",
        "attested by clerk every 3 months": "attested by clerk every 90 days",
        "within 30 days after": "within 1 month after",
        "unless objected(marketing)": "when not objected(marketing)",
        "must show notice at shop, cart": "must show notice at cart\nmust show notice at shop",
        "Sentence never.": "We *never* keep your telephone number, whatever happens.",
        "title: Pets": "title: Pets and toys",
        'version: "1"': 'version: "2"',
        "label: UPS": "label: United Parcel",
    }
    for old, new in reworded.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    head, body = text.rsplit("---\n", 1)
    blocks = body.split("\nSentence ")
    shuffled = "\nSentence ".join([blocks[0], *reversed(blocks[1:])])
    comparison = compare(policy(), Policy.parse(f"{head}---\n{shuffled}"))
    assert (comparison.verdict, comparison.differences) == ("not weaker", ())


@pytest.mark.parametrize("path", sorted((ROOT / "sites").glob("*/policy.md")), ids=lambda path: path.parent.name)
def test_a_published_policy_is_not_weaker_than_itself(path) -> None:  # type: ignore[no-untyped-def]
    source = path.read_text(encoding="utf-8")
    spaced = source.replace("may  ", "may ").replace("never ", "never  ").replace("\n```avow", "\n\n```avow")
    assert compare(Policy.parse(source), Policy.parse(spaced)).differences == ()


def test_a_purpose_that_was_not_stated_is_a_new_purpose() -> None:
    found = differences(share=RULES["share"].replace("for shipping", "for shipping, marketing"))
    assert [d.outcome for d in found] == ["new purpose"]
    assert found[0].witness.new_dimensions["purpose"] == "marketing"
    comparison = compare(policy(), policy(share=RULES["share"].replace("for shipping", "for shipping, marketing")))
    assert comparison.verdict == "new purpose"
    assert comparison.needs.startswith("an e-mail")


@pytest.mark.parametrize(
    ("old", "new", "kind", "outcome"),
    [
        ("carriers: {}, ", "carriers: {}, dhl: {under: carriers}, ", "permission", "weaker"),
        ("fields: [contact.email]", "fields: [contact]", "recipient", "weaker"),
        (", agreement: one", "", "recipient", "weaker"),
        ("channels: [https]", "channels: [https, smtps]", "recipient", "weaker"),
        ("within: 30 days", "within: 31 days", "cookie", "weaker"),
        ("cart: {purpose: service", "cart: {purpose: marketing", "cookie", "new purpose"),
        ("contact.phone: {}, ", "contact.mobile: {}, ", "term", "incomparable"),
        ("shop: {}, cart: {}", "shop: {}, cart: {}, mall: {under: shop}", "permission", "weaker"),
    ],
)
def test_declarations_are_compared(old: str, new: str, kind: str, outcome: str) -> None:
    rules = {"never": "never keep contact.mobile"} if "mobile" in new else {}
    if "smtps" in new:
        rules["share"] = RULES["share"].replace("over https ", "")
        before = policy(share=rules["share"])
        found = list(compare(before, policy(edited(old, new), **rules)).differences)
    elif "[contact]" in new:
        rules["share"] = RULES["share"].replace("contact.email", "contact")
        found = list(compare(policy(share=rules["share"]), policy(edited(old, new), **rules)).differences)
    else:
        found = differences(edited(old, new), **rules)
    assert (kind, outcome) in {(d.kind, d.outcome) for d in found}, found


def test_a_new_word_that_no_rule_reaches_changes_nothing() -> None:
    assert differences(edited("marketing: {}", "marketing: {}, research: {}")) == []
    assert differences(edited("wish: {}", "wish: {}, dream: {}")) == []


def test_a_renamed_word_is_the_same_word() -> None:
    front = edited("contact.phone: {}", "contact.mobile: {}") + "renamed: {contact.phone: contact.mobile}\n"
    assert differences(front, never="never keep contact.mobile") == []
    found = differences(front, never="")
    assert [(d.kind, d.witness.old_object, d.witness.new_object) for d in found] == [
        ("promise", "contact.phone", "contact.mobile")
    ]


def test_an_anchor_is_no_word_that_was_renamed() -> None:
    front = edited("marketing: {}", "adverts: {}") + "renamed: {marketing: adverts}\n"
    rules = {"marketing": "attested by staff every 2 months", "never": "may keep wish when attested(marketing)",
             "letter": ""}  # fmt: skip
    assert not compare(policy(**rules), policy(front, **rules)).differences
    eased = {**rules, "never": "may keep wish"}
    (difference,) = compare(policy(**rules), policy(front, **eased)).differences
    assert (difference.kind, difference.witness.facts) == ("permission", {})


def test_facts_about_renamed_words_are_the_same_facts() -> None:
    front = edited("marketing: {}", "adverts: {}") + "renamed: {marketing: adverts}\n"
    assert differences(front, letter="may send letter to contact.email unless objected(adverts)") == []
    found = differences(front, letter="may send letter to contact.email unless objected(adverts) or valid")
    assert found == []
    found = differences(front, letter="may send letter to contact.email when consented(adverts)")
    assert [d.kind for d in found] == ["permission"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("renamed: {contact.phone: wish}", "`contact.phone` is still a word of this version"),
        ("renamed: {fax: telefax}", "`telefax` is not a declared word"),
    ],
)
def test_a_renaming_must_make_sense(line: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        policy(FRONT + line + "\n")


def test_the_gravest_difference_comes_first_and_gives_the_verdict() -> None:
    comparison = compare(
        policy(),
        policy(edited("contact.phone: {}, ", ""), never="", share=RULES["share"].replace("shipping", "marketing")),
    )
    outcomes = [OUTCOMES.index(d.outcome) for d in comparison.differences]
    assert all(one >= other for one, other in pairwise(outcomes))
    assert comparison.verdict == "incomparable"


def test_too_many_combinations_are_said_to_be_too_many() -> None:
    """Each of forty unknowns may be true by either of two facts: the search says so rather than guess."""
    pairs = [AnyOf((Fact(Term(f"a{i}")), Fact(Term(f"b{i}")))) for i in range(40)]
    with pytest.raises(TooMany):
        Search(Domains.of(pairs)).first([(AllOf(tuple(pairs)), True)], lambda known: len(known) == len(pairs))


def test_a_comparison_too_large_to_decide_is_incomparable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avow.engine.compare_conditions.LIMIT", 3)
    found = differences(share=RULES["share"].replace("approved(3)", "(approved(3) or valid) and presented(link)"))
    assert ("undecided", "incomparable") in {(d.kind, d.outcome) for d in found}


def test_the_front_matter_is_read_without_faults() -> None:
    assert read(policy().source).diagnostics == []
