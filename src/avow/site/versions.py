"""The versions of its policy that an installation has been under, and the pages that show them.

A version is on record since the installation was first started with it. While it is young it is announced: on the
pages where the policy says so (`must announce version at home for 30 days`), with a link to what changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from avow.edge.comparison import comparison_html, sentences_html
from avow.edge.privacy import privacy_body
from avow.engine import Policy
from avow.vault.published import published

if TYPE_CHECKING:
    from starlette.responses import Response

    from avow.language.rules import Rule
    from avow.site.work import Work
    from avow.vault.vault import Vault

#: Where a mail's last line leads, with the message's name behind it.
WHY = "/privacy/why"

#: Seconds for which a version is announced where the policy names no time.
ANNOUNCED_FOR = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Version:
    """One version: its number and date as it says them, the unix hour since when it is known here, its text."""

    version: str
    effective: date
    since: int
    source: str

    def policy(self) -> Policy:
        """Its text as a policy; where its code is gone, what that answered is unknown."""
        return Policy.parse(self.source, f"version {self.version}")


class Versions:
    """The versions that one installation has been under, newest first."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    @cached_property
    def all(self) -> tuple[Version, ...]:
        """Every version, newest first."""
        schema = self._vault.home.schema
        with self._vault.store.reading() as connection:
            # What people brought along from elsewhere was never in force here.
            rows = published(connection, schema, schema.policy.c.brought.is_(None))
        found = [Version(row.version, date.fromisoformat(row.effective), row.since, row.source) for row in rows]
        mine = self._vault.policy.source
        return tuple(sorted(found, key=lambda each: (each.source == mine, each.since, each.effective), reverse=True))

    @property
    def announced(self) -> Version | None:
        """The version in force while it is announced; None when it is the first, or old enough."""
        newest = self.all[0]
        young = self._vault.clock() - newest.since * 3600 < self._announced_for
        return newest if young and len(self.all) > 1 else None

    @cached_property
    def _announced_for(self) -> float:
        said = [
            phrase.span.seconds or 0
            for rule in self._vault.policy.rules
            if (rule.modal, rule.verb, *map(str, rule.objects)) == ("must", "announce", "version")
            for phrase in rule.phrases
            if phrase.preposition == "for" and phrase.span is not None
        ]
        return max(said, default=ANNOUNCED_FOR)


def show_policy(work: Work) -> Response:
    """The policy as a page, with how each sentence is kept folded beneath it."""
    body = privacy_body(work.unit.vault.policy, work.evidence.published(), work.evidence.signed())
    return work.render("privacy.html", body=body, versions=work.versions.all)


def show_version(work: Work) -> Response:
    """An earlier version, as it was published; the one in force has a page of its own."""
    known = work.versions.all
    place = next((place for place, each in enumerate(known) if each.version == work.path["version"]), 0)
    if place == 0:
        return work.redirect("/privacy")
    body = privacy_body(known[place].policy(), None)
    until = known[place - 1].effective
    return work.render("version.html", shown=known[place], until=until, body=body, versions=known)


def show_changes(work: Work) -> Response:
    """The version in force beside the one before it: what it protects less, and every sentence that reads otherwise."""
    from avow.engine.compare import compare  # only when somebody asks

    known = work.versions.all
    if len(known) == 1:
        return work.redirect("/privacy")
    new, old = work.unit.vault.policy, known[1].policy()
    return work.render(
        "changes.html",
        new=known[0],
        old=known[1],
        comparison=comparison_html(compare(old, new)),
        sentences=sentences_html(old, new),
        versions=known,
    )


def show_why(work: Work) -> Response:
    """Why a kind of mail is sent: the sentences that permit it, and those that say what else holds of it."""
    policy, message = work.unit.vault.policy, work.path["message"]
    if message not in policy.messages:
        return work.render("why_unknown.html", status=404, versions=work.versions.all)
    permitting = dict.fromkeys(
        rule.sentence
        for rule in policy.rules
        if (rule.modal, rule.verb) == ("may", "send") and _names(policy, rule, message)
    )
    other = dict.fromkeys(rule.sentence for rule in policy.rules if _names(policy, rule, message))
    return work.render(
        "why.html",
        label=policy.vocabulary.label(message, "message"),
        permitting=list(permitting),
        other=[sentence for sentence in other if sentence not in permitting],
        versions=work.versions.all,
    )


def _names(policy: Policy, rule: Rule, message: str) -> bool:
    """Whether a rule is about a message, by its name or by a word that includes it."""
    named = [*(rule.objects if rule.verb == "send" else ())]
    named += [term for phrase in rule.phrases if phrase.preposition == "in" for term in phrase.terms]
    return any(policy.vocabulary.covers("message", str(term), message) for term in named)


#: The pages of the policy, by path.
PAGES: dict[str, Callable[[Work], Response]] = {
    "/privacy": show_policy,
    "/privacy/versions/{version}": show_version,
    "/privacy/changes": show_changes,
    f"{WHY}/{{message}}": show_why,
}
