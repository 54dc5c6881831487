"""Signatures: what hangs on `attested by … every …`, by the table of meaning in docs/language.md."""

from __future__ import annotations

import pytest

from avow.errors import PolicyError
from tests.engine.test_meaning import policy


def test_permissions_lapse_with_the_signature_of_their_block() -> None:
    p = policy("may keep order\nattested by staff every 12 months")
    assert not p.judge("keep", "order").permitted
    assert p.judge("keep", "order", facts={"attested(s0)": True}).permitted
    assert not p.judge("keep", "order", facts={"attested(s0)": False}).permitted


def test_attested_in_a_condition_is_the_signature_of_another_sentence() -> None:
    signature = "may open card for payment\nattested by staff every 12 months"
    p = policy(signature, "may keep order when attested(s0)", "never keep card unless attested(s0)", "may keep card")
    assert not p.judge("keep", "order").permitted
    assert p.judge("keep", "order", facts={"attested(s0)": True}).permitted
    assert p.judge("keep", "card", facts={"attested(s0)": True}).permitted
    refused = p.judge("keep", "card", facts={"attested(s0)": None})
    assert refused.reason == "forbidden by #s2: `never keep card unless attested(s0)`"


@pytest.mark.parametrize(
    ("anchor", "message", "help"),
    [
        ("s1", "nobody signs for #s1", "did you mean `attested(s0)`?"),
        ("s9", "no sentence has the anchor `#s9`", "did you mean `attested(s0)`?"),
        ("elsewhere", "no sentence has the anchor `#elsewhere`", "attested are #s0"),
    ],
)
def test_attested_takes_the_anchor_of_a_sentence_that_is_attested(anchor: str, message: str, help: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy("may keep card\nattested by staff every 12 months", f"may keep order when attested({anchor})")
    (fault,) = caught.value.diagnostics
    assert (fault.message, fault.help, fault.source[fault.column - 1 :]) == (message, help, f"attested({anchor})")
