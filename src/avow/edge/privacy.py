"""The policy as a page: the same file, with each sentence's rules folded away beneath it.

One click opens *how we keep this*: the rules as they are written, what enforces the sentence, how
often it permitted and refused, and when it last did. The figures come from the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from avow.engine import Policy
from avow.language import to_html
from avow.values import Sentence


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a sentence permitted and refused, and the unix hour when it last did."""

    permitted: int
    refused: int
    hour: int


_KINDS = {
    "enforced": "Enforced by the software at every step: what these rules do not allow does not happen.",
    "attested": "Vouched for by a named person, whose signature expires.",
    "informational": "This sentence tells you something and promises nothing.",
}


def privacy_body(policy: Policy, tallies: dict[str, Tally] | None) -> Markup:
    """The policy as HTML, each sentence followed by how it is kept; without tallies, by its rules alone."""

    def fold(sentence: Sentence, rules: tuple[Any, ...]) -> str:
        told = None if tallies is None else words(tallies.get(sentence.anchor))
        return str(_fold(sentence, rules, told))

    return Markup(to_html(policy, fold))  # noqa: S704  # to_html escapes the policy's prose; _fold escapes the rest


def _fold(sentence: Sentence, rules: tuple[Any, ...], told: str | None) -> Markup:
    if sentence.kind == "informational":
        return Markup('<span id="{}"></span>').format(sentence.anchor)
    lines = Markup("\n").join(escape(rule.text) for rule in rules)
    ours = Markup(' <span class="ours">our own addition</span>') if sentence.ours else Markup("")
    tally = Markup("") if told is None else Markup('<p class="tally">{}</p>').format(told)
    return Markup(
        '<details class="kept" id="{anchor}"><summary>How we keep this{ours}</summary>'
        '<p>{kind}</p><pre class="rules"><code>{rules}</code></pre>{tally}</details>'
    ).format(anchor=sentence.anchor, ours=ours, kind=_KINDS[sentence.kind], rules=lines, tally=tally)


def words(tally: Tally | None) -> str:
    """A tally in words: `Permitted 12 times, refused once; last on 4 March 2026, 14 to 15 h UTC`, as a sentence."""
    if tally is None:
        return "Not called upon yet."
    last = datetime.fromtimestamp(tally.hour * 3600, UTC)
    when = f"{last.day} {last:%B %Y}, {last.hour} to {last.hour + 1} h UTC"
    permitted = f"Permitted {_times(tally.permitted)}" if tally.permitted else "Never permitted"
    refused = f"refused {_times(tally.refused)}" if tally.refused else "never refused"
    return f"{permitted}, {refused}; last on {when}."


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
