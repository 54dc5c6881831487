"""What a policy says about holding for what came before it: read once from its rules.

    may apply version to customer when mailed(version) and not bounced(version) and resubmitted(version)
    must announce version to customer before apply(version)

The first says on what that depends, the second that it is announced to each person before; without `to`, a page of the
site announces it to all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, get_args

from avow.engine import Policy
from avow.errors import SetupError
from avow.language.rules import Rule
from avow.language.syntax import Fact, atoms
from avow.values import Facts

#: How somebody stands to a version: they agreed to it; came back after it was announced; got a mail about it, which may
#: have come back; gave something new under it after that mail.
Way = Literal["consented", "returned", "mailed", "bounced", "resubmitted"]
WAYS: Final[tuple[Way, ...]] = get_args(Way)

#: The fact that each is called by in conditions.
FACT: Final[dict[Way, str]] = {way: f"{way}(version)" for way in WAYS}

WEAKER: Final = "weaker(version)"
CONCERNED: Final = "concerned(subject)"
ANNOUNCED: Final = "done(announce version)"

#: What the vault knows by itself and nobody tells it: it is evidence of what somebody accepted.
KNOWN_HERE: Final = frozenset({*FACT.values(), WEAKER, CONCERNED})


class Applying:
    """What one policy says of it, for the people that its word `subject` names.

    Attributes:
        stated: whether it says anything of it.
        asks: on which ways it depends.
        on_a_page: whether it is announced to all before, and `by_mail`: to each person.
        elsewhere: which of the facts that the vault knows other rules ask for as well.
    """

    def __init__(self, policy: Policy, subject: str) -> None:
        self._policy = policy
        self._subject = subject
        own = [rule for rule in policy.rules if (rule.verb, *map(str, rule.objects)) == ("apply", "version")]
        self.stated = bool(own)
        asked = {fact for rule in own for fact in _facts(rule)}
        self.asks = tuple(way for way in WAYS if FACT[way] in asked)
        self.elsewhere = KNOWN_HERE & {fact for rule in policy.rules if rule not in own for fact in _facts(rule)}
        gates = [rule for rule in policy.rules if _announces_before(rule)]
        self.by_mail = any(phrase.preposition == "to" for rule in gates for phrase in rule.phrases)
        self.on_a_page = any(all(phrase.preposition != "to" for phrase in rule.phrases) for rule in gates)

    def holds(self, known: Facts, *, weaker: bool, announced: bool) -> bool:
        """Whether it holds for what somebody gave before, by what is known of them.

        Args:
            weaker: whether it protects less than the version under which that was given.
            announced: whether a page has announced it.
        """
        if not self.stated:
            return not weaker
        facts = {**known, WEAKER: weaker}
        if self.on_a_page or self.by_mail:
            told = known.get(FACT["mailed"]) is True or not self.by_mail
            facts[ANNOUNCED] = told and (announced or not self.on_a_page)
        found = self._policy.judge("apply", "version", audience=self._subject, facts=self._policy.facts(facts))
        return found.permitted


def check_supplied(facts: Facts) -> None:
    """Refuse facts that the vault knows by itself.

    Raises:
        SetupError: one is among them.
    """
    for name in facts:
        if name.startswith("attested("):
            raise SetupError(
                f"`{name}` was supplied from outside, and a signature is nothing else",
                help="leave it out: who may signs with `avow attest sign`",
            )
    for name in sorted(KNOWN_HERE & facts.keys()):
        raise SetupError(
            f"`{name}` was supplied from outside, and the vault itself knows it",
            help="leave it out: work.accept, work.bounced and what people do are noted as they happen",
        )


def _facts(rule: Rule) -> Iterator[str]:
    if rule.condition is not None:
        yield from (str(atom) for atom in atoms(rule.condition) if isinstance(atom, Fact))


def _announces_before(rule: Rule) -> bool:
    """Whether it is a gate of `apply version`: announced first, or not applied."""
    return (rule.modal, rule.verb, *map(str, rule.objects)) == ("must", "announce", "version") and any(
        phrase.preposition == "before" and any(term.name == "apply" for term in phrase.terms) for phrase in rule.phrases
    )
