"""Two versions of a policy side by side, for those whose data it is about.

`comparison_html` gives a fragment without style for a page that has its own; `comparison_page` a whole page that needs
nothing else. Both are pure: a comparison goes in, text comes out, and whatever a policy says is escaped.
"""

from __future__ import annotations

from markupsafe import Markup, escape

from avow.engine import Policy
from avow.engine.compare_result import Answer, Comparison, Difference, Kind, Outcome

#: What a kind of difference is called on the page.
TITLES: dict[Kind, str] = {
    "permission": "Something is allowed that was not",
    "promise": "A promise is no longer made",
    "retention": "Something is kept longer",
    "rate": "Something may be done more often",
    "duty": "Something that we had to do falls away",
    "attestation": "Fewer signatures vouch for a promise",
    "recipient": "Somebody receives more",
    "cookie": "A cookie does more, or lives longer",
    "predicate": "Other code decides",
    "term": "A word has no counterpart",
    "undecided": "This could not be decided",
}
_VERDICTS: dict[Outcome, str] = {
    "not weaker": "The new version protects you at least as well as the old one in everything that either says.",
    "weaker": "The new version protects you less in the points below. What we know of you stays under the old version "
    "until you agree.",
    "new purpose": "The new version uses what we know of you for something new. We write to you before that begins; "
    "what we know of you stays under the old version until you agree.",
    "incomparable": "The two versions cannot be compared in full: words of the old one have no counterpart in the new "
    "one, or other code decides than did. What we know of you stays under the old version.",
}
_STYLE = """\
:root { color-scheme: light dark; --line: #8a8a8a; --old: #f4f1e8; --new: #e9f1f7; }
body { font: 1rem/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem 1.25rem 3rem; }
h1 { font-size: 1.7rem; line-height: 1.25; }
h2 { font-size: 1.15rem; margin: 0 0 .4rem; }
h3 { font-size: .95rem; margin: 0 0 .4rem; }
.verdict { border-left: .3rem solid currentColor; font-size: 1.1rem; margin: 1.2rem 0 2rem; padding: .2rem 1rem; }
.difference { border-top: 1px solid var(--line); padding: 1.4rem 0; }
.sides { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); }
.side { border-radius: .4rem; overflow-wrap: anywhere; padding: .8rem 1rem; }
.old { background: var(--old); } .new { background: var(--new); }
.side blockquote { margin: .4rem 0; } .side p { margin: .4rem 0; }
.answer { font-weight: 600; }
code { font-size: .92em; }
summary { cursor: pointer; min-height: 1.6rem; }
@media (prefers-color-scheme: dark) { :root { --old: #3a3524; --new: #203442; } }
"""


def comparison_html(comparison: Comparison) -> Markup:
    """The comparison as an HTML fragment: the verdict in words, then each difference with both sides."""
    verdict = Markup('<p class="verdict">{}</p>').format(_VERDICTS[comparison.verdict])
    parts = [_difference(difference, comparison) for difference in comparison.differences]
    return Markup("\n").join([verdict, *parts])


def sentences_html(old: Policy, new: Policy) -> Markup:
    """Every sentence that reads otherwise, old beside new, in the order of the new version; what is gone comes last."""
    before = {sentence.anchor: sentence.text for sentence in old.sentences}
    after = {sentence.anchor: sentence.text for sentence in new.sentences}
    changed = [anchor for anchor in dict.fromkeys((*after, *before)) if before.get(anchor) != after.get(anchor)]
    if not changed:
        return Markup("<p>Every sentence reads as it did.</p>")
    return Markup("\n").join(
        Markup('<section class="difference"><div class="sides">{}{}</div></section>').format(
            _text("old", f"Version {old.version}", before.get(anchor)),
            _text("new", f"Version {new.version}", after.get(anchor)),
        )
        for anchor in changed
    )


def _text(name: str, title: str, text: str | None) -> Markup:
    said = Markup("<p>{}</p>").format(text) if text is not None else Markup('<p class="soft">Says nothing of it.</p>')
    return Markup('<div class="side {name}"><h3>{title}</h3>{said}</div>').format(name=name, title=title, said=said)


def comparison_page(comparison: Comparison) -> str:
    """The comparison as a page of its own, with its style."""
    return str(
        Markup(
            '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            "<title>{title}: what changes</title>\n<style>\n{style}</style>\n<main>\n<h1>{title}: what changes</h1>\n"
            "<p>Version {new}, in force from {new_date}, beside version {old}, in force since {old_date}.</p>\n"
            "{body}\n</main>\n</html>\n"
        ).format(
            title=comparison.title,
            style=Markup(_STYLE),  # noqa: S704  # a constant
            new=comparison.new_version,
            new_date=comparison.new_effective,
            old=comparison.old_version,
            old_date=comparison.old_effective,
            body=comparison_html(comparison),
        )
    )


def _difference(difference: Difference, comparison: Comparison) -> Markup:
    return Markup(
        '<section class="difference">\n<h2>{title}</h2>\n<p>{summary}</p>\n<div class="sides">\n{old}\n{new}\n</div>\n'
        "</section>"
    ).format(
        title=TITLES[difference.kind],
        summary=difference.summary,
        old=_side("old", f"Until now (version {comparison.old_version})", difference.old),
        new=_side("new", f"From now on (version {comparison.new_version})", difference.new),
    )


def _side(name: str, title: str, answer: Answer) -> Markup:
    said = {True: "Permitted", False: "Refused", None: ""}[answer.permitted]
    told = Markup('<p class="answer">{}</p>').format(said) if said else Markup("")
    quote = Markup("")
    if answer.sentence is not None:
        quote = Markup("<blockquote><p>{}</p></blockquote>").format(answer.sentence.text)
    reason = Markup("<p>{}</p>").format(_with_code(answer.text[:1].upper() + answer.text[1:] + "."))
    if answer.sentence is not None and answer.rule:  # the sentence says it; the rule is for those who want to know
        reason = Markup("<details><summary>How we know</summary>{}</details>").format(reason)
    elif said:
        told = Markup("")
    return Markup('<div class="side {name}">\n<h3>{title}</h3>\n{told}{quote}{reason}\n</div>').format(
        name=name, title=title, told=told, quote=quote, reason=reason
    )


def _with_code(text: str) -> Markup:
    """The text escaped, with what stands in backticks as code."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else part for index, part in enumerate(parts)
    )
