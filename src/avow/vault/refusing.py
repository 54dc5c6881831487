"""Refusals in words: what was refused, why, and the sentences of the policy that say so."""

from __future__ import annotations

from avow.errors import Refused
from avow.values import Duty, Verdict


def refused(verb: str, object: str, verdict: Verdict) -> Refused:
    """The refusal of a flow, by its verdict."""
    said = "; ".join(f"“{sentence.text}” (#{sentence.anchor})" for sentence in verdict.sentences)
    return Refused(f"{verb} {object}: {verdict.reason}\n  sentence: {said}", verdict)


def undone(duty: Duty) -> Refused:
    """The refusal of a unit of work that did not do what goes along with one of its flows."""
    return Refused(
        f"`{duty.text}` was not done in the same unit of work\n"
        f"  sentence: “{duty.sentence.text}” (#{duty.sentence.anchor})"
    )
