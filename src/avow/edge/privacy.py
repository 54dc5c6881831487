"""The policy as a page: the same file, with each sentence's rules folded away beneath it.

One click opens *how we keep this*: the rules as they are written, what enforces the sentence, and about how often it
permitted and refused. The figures come from the ledger, and are rounded down so far that nobody shows in them: not by
being one of few, and not by what changes between one look and the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup, escape

from avow.engine import Policy
from avow.language import to_html
from avow.ledger.figures import Figures, date_of
from avow.values import Sentence

#: No smaller number is published, none is published in smaller steps, and none says how far below it something is.
SMALLEST: Final = 10

_KINDS = {
    "enforced": "Enforced by the software at every step: what these rules do not allow does not happen.",
    "attested": "Vouched for by a named person, whose signature expires.",
    "informational": "This sentence tells you something and promises nothing.",
}

#: Under the figures: what they are counted from, and where to check it.
_LEDGER: Final = Markup(
    '<p class="public-log">The figures under “How we keep this” are counted from our ledger. Anybody can check that '
    "nothing in it is changed or taken out later: it is public as a list of fingerprints, which name nobody, with "
    '<a href="/log/checkpoint">our newest signature</a> and <a href="/log/key">its key</a>.</p>'
)


def privacy_body(
    policy: Policy, figures: Mapping[str, Figures] | None, signed: Mapping[str, str] | None = None
) -> Markup:
    """The policy as HTML, each sentence followed by how it is kept; without figures, by its rules alone.

    `signed` says of sentences that somebody vouches for, by anchor, until when that is so.
    """

    def fold(sentence: Sentence, rules: tuple[Any, ...]) -> str:
        told = []
        if figures is not None:
            told = [(signed or {}).get(sentence.anchor), words(policy, sentence, figures.get(sentence.anchor))]
        return str(_fold(sentence, rules, [each for each in told if each]))

    text = Markup(to_html(policy, fold))  # noqa: S704  # to_html escapes the policy's prose; _fold escapes the rest
    return text if figures is None else text + _LEDGER


def _fold(sentence: Sentence, rules: tuple[Any, ...], told: list[str]) -> Markup:
    if sentence.kind == "informational":
        return Markup('<span id="{}"></span>').format(sentence.anchor)
    lines = Markup("\n").join(escape(rule.text) for rule in rules)
    ours = Markup(' <span class="ours">our own addition</span>') if sentence.ours else Markup("")
    tally = Markup("").join(Markup('<p class="tally">{}</p>').format(each) for each in told)
    return Markup(
        '<details class="kept" id="{anchor}"><summary>How we keep this{ours}</summary>'
        '<p>{kind}</p><pre class="rules"><code>{rules}</code></pre>{tally}</details>'
    ).format(anchor=sentence.anchor, ours=ours, kind=_KINDS[sentence.kind], rules=lines, tally=tally)


def is_counted(policy: Policy, sentence: Sentence) -> bool:
    """Whether something happens by which a sentence can be counted: it is more than notices and properties."""
    rules = policy.rules_of(sentence.anchor)
    duties = [duty for duty in policy.duties if duty.sentence == sentence]
    return any(rule.modal != "must" for rule in rules) or any(duty.timing != "state" for duty in duties)


def words(policy: Policy, sentence: Sentence, figures: Figures | None) -> str:
    """What the public is told of a sentence's figures, such as `Permitted some 120 times`."""
    if not is_counted(policy, sentence):
        return "" if sentence.kind == "attested" else "Nothing to count: this is looked after at every page and start."
    found = figures or Figures()
    modals = {rule.modal for rule in policy.rules_of(sentence.anchor)}
    told = []
    if "may" in modals:
        told.append(f"permitted {about(found.permitted)}")
    if modals & {"may", "never"} or found.refused >= SMALLEST:
        told.append(f"refused {about(found.refused)}")
    if "must" in modals:
        # With a flow that it had to come with it is in the entry that permits the flow.
        told.append(f"carried out {about(found.done if 'may' in modals else found.kept)}")
    last = risen(found)
    return _sentence(", ".join(told) + ("" if last is None else f"; last risen in {date_of(last):%B %Y}"))


def risen(figures: Figures) -> int | None:
    """The last day on which a rounded figure rose; None where none ever did.

    The day of the last event itself would tell of that one event.
    """
    kept = refused = 0
    last = None
    for day in sorted(figures.days):
        more, kept_back = figures.days[day]
        if rounded(kept + more) > rounded(kept) or rounded(refused + kept_back) > rounded(refused):
            last = day
        kept, refused = kept + more, refused + kept_back
    return last


def about(count: int) -> str:
    """A number of times, rounded down so that nobody shows in it."""
    return f"some {rounded(count):,} times" if rounded(count) else f"fewer than {SMALLEST} times"


def rounded(count: int) -> int:
    """A number rounded down to two digits, and to tens; 0 where it is fewer than ten."""
    step: int = SMALLEST * 10 ** max(0, len(str(count)) - 3)
    return count - count % step


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
