"""Policies and flows to decide on: a plain one, and one in which nearly every rule has a condition.

The guarded one is asked of Avow and of its peers: rules that permit or forbid an action by a role on a category, for a
purpose, with a recipient, each of which may be left out, under conditions on consents, age and policy version. What
forbids wins, and what nothing permits is refused. A question names a user, who has one role: the peers look that up in
their entities or facts, Avow's caller in a dictionary. Avow takes the action as the channel.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import NamedTuple

CATEGORIES = [f"{group}.{field}" for group in ("contact", "order", "card", "visit", "device") for field in "abcdefgh"]
PURPOSES = [f"purpose{i}" for i in range(24)]
RECIPIENTS = [f"recipient{i}" for i in range(24)]
CHANNELS = ["https", "smtps", "sftp"]
ROLES = ["storefront", "clerk", "expert"]

FRONT = {
    "site": "bench", "title": "Bench", "version": "1", "effective": "2026-01-01",
    "categories": {"everything": {"includes": CATEGORIES}} | {name: {} for name in CATEGORIES},
    "purposes": {name: {} for name in PURPOSES}, "recipients": {name: {} for name in RECIPIENTS},
    "messages": {"newsletter": {}},
}  # fmt: skip


class Flow(NamedTuple):
    """A flow as its caller has it at hand."""

    category: str
    recipient: str
    purpose: str
    role: str
    channel: str


def plain_policy(rules: int) -> str:
    """A policy with this many rules: two thirds permissions, one in four with a condition, and prohibitions."""
    chosen = random.Random(rules)
    made = []
    for number in range(rules):
        category = ", ".join(chosen.sample(CATEGORIES, 3))
        recipients, purpose = ", ".join(chosen.sample(RECIPIENTS, 2)), chosen.choice(PURPOSES)
        if number % 6 < 4:
            guard = " when consented(newsletter)" if number % 6 == 3 else ""
            made.append(f"may share {category} with {recipients} for {purpose} over https{guard}")
        else:
            one, with_whom = chosen.choice(CATEGORIES), chosen.choice(RECIPIENTS)
            made.append(f"never share {one} with {with_whom} for {purpose} by expert")
    return _policy({"roles": {name: {} for name in ROLES}}, made)


def _policy(extra: dict[str, object], rules: Sequence[object]) -> str:
    blocks = (f"\nSentence {number}.\n\n```avow #s{number}\n{rule}\n```\n" for number, rule in enumerate(rules))
    return "---\n" + json.dumps(FRONT | extra) + "\n---\n" + "".join(blocks)


def flows(number: int, seed: int) -> list[Flow]:
    """Different flows; about one in fifty is permitted by the plain policy."""
    chosen = random.Random(seed)
    every = {
        Flow(*(chosen.choice(words) for words in (CATEGORIES, RECIPIENTS, PURPOSES, ROLES, CHANNELS)))
        for _ in range(number * 2)
    }
    return sorted(every)[:number]


ACTIONS = ["collect", "read", "update", "share", "store", "export", "profile", "delete"]
STAFF = [f"role{i}" for i in range(6)]
USERS = {f"user{i:02d}": STAFF[i % len(STAFF)] for i in range(60)}
CONSENTS = [f"consent{i}" for i in range(6)]
FEW_PURPOSES, FEW_RECIPIENTS = PURPOSES[:12], RECIPIENTS[:10]


class Rule(NamedTuple):
    """One guarded rule; an empty word limits nothing, and a zero is no bound."""

    permits: bool
    role: str
    action: str
    category: str
    purpose: str
    recipient: str
    consent: str = ""
    without: str = ""
    least_age: int = 0
    below_age: int = 0
    least_version: int = 0

    @property
    def head(self) -> tuple[str, ...]:
        """The words that it limits a flow to."""
        return self.role, self.action, self.category, self.purpose, self.recipient

    @property
    def guarded(self) -> bool:
        """Whether it has a condition."""
        return any((self.consent, self.without, self.least_age, self.below_age, self.least_version))

    def __str__(self) -> str:
        words = [f"{'may' if self.permits else 'never'} share {self.category or 'everything'}"]
        words += [f"with {self.recipient}"] * bool(self.recipient) + [f"for {self.purpose}"] * bool(self.purpose)
        words += [f"by {self.role}"] * bool(self.role) + [f"over {self.action}"]
        guard = [f"consented({self.consent})"] * bool(self.consent)
        guard += [f"not consented({self.without})"] * bool(self.without)
        guard += [f"age >= {self.least_age}"] * bool(self.least_age)
        guard += [f"age < {self.below_age}"] * bool(self.below_age)
        guard += [f"policy_version >= {self.least_version}"] * bool(self.least_version)
        return " ".join(words) + (f" when {' and '.join(guard)}" if guard else "")


class Request(NamedTuple):
    """A flow under the guarded rules, with what is known of the person."""

    user: str
    action: str
    category: str
    purpose: str
    recipient: str
    consents: tuple[str, ...]
    age: int
    version: int


def rules(number: int, seed: int = 7) -> list[Rule]:
    """Different rules, four fifths permissions. None makes another one idle: Avow would not read such a policy."""
    chosen = random.Random(seed)
    made: list[Rule] = []
    while len(made) < number:
        rule = _rule(chosen, permits=len(made) % 5 != 4)
        bare = [other for other in made if not other.permits and not other.guarded]
        idle = any(_covers(other, rule) for other in bare) if rule.permits else False
        blocks = not rule.permits and not rule.guarded and any(_covers(rule, other) for other in made if other.permits)
        if not idle and not blocks and all(rule.head != other.head for other in made) and any(rule.head[2:]):
            made.append(rule)
    return made


def _rule(chosen: random.Random, *, permits: bool) -> Rule:
    def some(chance: float, words: Sequence[str]) -> str:
        return chosen.choice(words) if chosen.random() < chance else ""

    def bound(chance: float, numbers: Sequence[int]) -> int:
        return chosen.choice(numbers) if chosen.random() < chance else 0

    if permits:
        rule = Rule(True, some(0.67, STAFF), chosen.choice(ACTIONS), chosen.choice(CATEGORIES),
                    chosen.choice(FEW_PURPOSES), chosen.choice(FEW_RECIPIENTS), some(0.4, CONSENTS))  # fmt: skip
        return rule._replace(least_age=bound(0.2, [13, 16, 18]), least_version=bound(0.3, [2, 3, 4]))
    rule = Rule(False, "", chosen.choice(ACTIONS), some(0.7, CATEGORIES), some(0.5, FEW_PURPOSES),
                some(0.7, FEW_RECIPIENTS))  # fmt: skip
    return rule._replace(without=some(0.6, CONSENTS), below_age=bound(0.3, [16]))


def _covers(wide: Rule, narrow: Rule) -> bool:
    return all(word in ("", other) for word, other in zip(wide.head, narrow.head, strict=True))


def requests(made: Sequence[Rule], number: int, seed: int = 11) -> list[Request]:
    """Half aimed at a permission, half at random."""
    chosen = random.Random(seed)
    permits = [rule for rule in made if rule.permits]
    asked = []
    for index in range(number):
        consents = tuple(name for name in CONSENTS if chosen.random() < 0.7)
        age, version = chosen.randint(10, 80), chosen.randint(1, 5)
        words = [chosen.choice(each) for each in (STAFF, ACTIONS, CATEGORIES, FEW_PURPOSES, FEW_RECIPIENTS)]
        if index % 2 == 0:
            words = [said or word for said, word in zip(chosen.choice(permits).head, words, strict=True)]
        role, action, category, purpose, recipient = words
        user = chosen.choice([name for name, own in USERS.items() if own == role])
        asked.append(Request(user, action, category, purpose, recipient, consents, age, version))
    return asked


def guarded_policy(made: Sequence[Rule]) -> str:
    """The guarded rules as a policy of Avow, a sentence each."""
    extra: dict[str, object] = {
        "roles": {name: {} for name in STAFF}, "channels": {name: {} for name in ACTIONS},
        "things": {name: {} for name in CONSENTS}, "predicates": {"policy_version": {"arguments": 0}},
    }  # fmt: skip
    return _policy(extra, made)
