"""Why a flow is permitted or refused, in words; and what it would take comes true when the facts are changed so."""

from __future__ import annotations

from pathlib import Path

import pytest

from avow.engine import Policy, UnknownTerm
from avow.language.syntax import Fact
from avow.values import DIMENSIONS, Facts
from tests.engine.generator import Generator
from tests.engine.test_meaning import policy

LIBRARY = Path(__file__).parents[1] / "language" / "library.md"
READER = {"subject": "reader", "purpose": "lending"}
NEWS = {"audience": "contact.email", "purpose": "news"}
SEEN = {"audience": "reader", "place": "account"}
BORROWED = (
    "We may show contact and what you borrowed to the reader on your account page, "
    "provided that a secret link is presented (#you-see)."
)


@pytest.fixture(scope="module")
def library() -> Policy:
    return Policy.load(LIBRARY)


@pytest.mark.parametrize(
    ("asked", "dimensions", "facts", "said"),
    [
        (("show", "loan"), SEEN, {"presented(link)": True}, [f"why: {BORROWED} That is so here."]),
        (("show", "loan"), SEEN, {"presented(link)": False}, [
            f"why: {BORROWED} That is not so here.",
            "instead: It is permitted if a secret link is presented.",
        ]),
        (("show", "loan"), SEEN, {}, [
            f"why: {BORROWED} Whether that is so is not known here.",
            "instead: It is permitted if a secret link is presented.",
        ]),
        (("keep", "loan"), READER, {"age": 12}, [
            ("why: We never keep who you are about a person, if the person's age is less than 13 (#children). "
            "That is so here."),
            ("instead: It is permitted if the person's age is at least 13: We may keep contact and what you borrowed "
            "about the reader for lending for at most 2 years after nobody at the desk (#signing-up)."),
        ]),
        (("keep", "loan"), READER, {"age": 30}, [
            ("why: We may keep contact and what you borrowed about the reader for lending for at most 2 years after "
            "nobody at the desk (#signing-up)."),
            ("instead: It is refused if the person's age is less than 13: We never keep who you are about a person "
            "(#children)."),
        ]),
        (("link", "loan"), {"recipient": "visit"}, {}, [
            "why: We never link what you borrowed with visit (#unlinked).",
        ]),
        (("share", "contact.name"), {"recipient": "county", "purpose": "lending", "channel": "http"}, {}, [
            ("why: We may share your name and the title that you borrowed with the county library for lending, only "
            "over HTTPS or an encrypted file transfer (SFTP) (#county). Here the channel is an unencrypted web "
            "connection."),
        ]),
        (("share", "contact.name"), {"recipient": "county", "purpose": "lending"}, {}, [
            ("why: We may share your name and the title that you borrowed with the county library for lending, only "
            "over HTTPS or an encrypted file transfer (SFTP) (#county). Here the channel is not said."),
        ]),
        (("share", "contact.email"), {"recipient": "county", "purpose": "lending", "channel": "https"}, {}, [
            "why: We never share who you are, except as this policy permits (#county).",
            ("instead: Nearest to it is permitted: We may share your name and the title that you borrowed with the "
            "county library for lending, only over HTTPS or an encrypted file transfer (SFTP) (#county). It differs in "
            "the object (here your e-mail address)."),
        ]),
        (("log", "visit"), {"place": "account"}, {}, [
            "why: No sentence permits to log visit at your account page.",
            ("instead: Nearest to it is permitted: We may log visit at the catalogue for statistics (#visits). "
            "It differs in `for` (not said here)."),
        ]),
        (("open", "contact"), {"role": "librarian", "purpose": "lending"}, {}, [
            ("why: Only a librarian may open contact and what you borrowed for lending (#desk-opens). Here it is "
            "not known whether the signature for #desk-opens is in force."),
            "instead: It is permitted if the signature for #desk-opens is in force.",
        ]),
    ],
)  # fmt: skip
def test_an_explanation_reads_well(
    library: Policy, asked: tuple[str, str], dimensions: dict[str, str], facts: Facts, said: list[str]
) -> None:
    explanation = library.explain(*asked, **dimensions, facts=facts)
    assert str(explanation).split("\n") == said
    prevailing = explanation.yes if explanation.permitted else explanation.no
    assert prevailing is not None
    assert said[0] == f"why: {prevailing.text}"


def test_a_mail_that_an_only_shuts_out_is_told_by_its_address() -> None:
    p = policy("may use contact only to customer for service", "may send letter to contact.email")
    explanation = p.explain("send", "letter", audience="contact.email", purpose="service")
    assert explanation.no is not None
    assert explanation.no.text.endswith("Here the address that a mail goes to is used.")


def test_what_a_prohibition_names_and_the_flow_leaves_open_is_told() -> None:
    p = policy("may share order with ups for shipping", "never share order for marketing over http")
    explanation = p.explain("share", "order", recipient="ups")
    assert str(explanation) == (
        "why: We never share order for marketing over an unencrypted web connection (#s1). The purpose and the channel "
        "are not said here, so they may be just that."
    )
    explanation = p.explain("share", "order", recipient="ups", purpose="news")
    assert str(explanation).endswith("The channel is not said here, so it may be just that.")


def test_a_gate_says_what_has_to_be_done_first(library: Policy) -> None:
    explanation = library.explain("collect", "contact.email", place="account", source="reader", purpose="lending")
    assert explanation.no is not None
    assert explanation.yes is not None
    assert explanation.no.text.startswith("Not yet: We must ask for age group before we collect")
    assert explanation.no.text.endswith("(#children). That this was done is not known.")
    assert explanation.no.sentence.anchor == "children"
    assert "if `ask age_group` has been done:" in explanation.yes.text


def test_a_word_that_the_policy_does_not_have_is_told_as_by_judge(library: Policy) -> None:
    with pytest.raises(UnknownTerm, match="`loann` is not a category of the policy"):
        library.explain("keep", "loann")
    assert not library.explain("set", "cookie.unheard_of", purpose="news").permitted


def _what_it_would_take_holds(policy: Policy, flow: dict[str, str], facts: Facts) -> bool:
    """Explain a flow, change the facts as the other side says, and ask again."""
    dimensions = {DIMENSIONS[name]: word for name, word in flow.items() if name in DIMENSIONS}
    explanation = policy.explain(flow["verb"], flow["object"], **dimensions, facts=facts)
    verdict = policy.judge(flow["verb"], flow["object"], **dimensions, facts=facts)
    assert (explanation.permitted, explanation.verdict.rule) == (verdict.permitted, verdict.rule)
    prevailing, other = explanation.yes, explanation.no
    if not verdict.permitted:
        prevailing, other = other, prevailing
    assert prevailing is not None
    if other is None or not other.changes or not all(isinstance(atom, Fact) for atom, _ in other.changes):
        return False
    changed = {**facts, **{str(atom): value for atom, value in other.changes}}
    assert policy.judge(flow["verb"], flow["object"], **dimensions, facts=changed).permitted is not verdict.permitted
    return True


@pytest.mark.campaign
def test_what_it_would_take_is_enough() -> None:
    tried = 0
    for seed in range(25):
        generator = Generator(seed)
        policy = generator.policy(generator.random.choice([5, 15, 40]))
        for flow in generator.flows(100):
            tried += _what_it_would_take_holds(policy, flow, generator.facts(policy))
    assert tried > 20
