"""One policy and one stream of flows, the same for Avow and for its peers."""

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


class Flow(NamedTuple):
    """A flow as its caller has it at hand."""

    category: str
    recipient: str
    purpose: str
    role: str
    channel: str


class Rule(NamedTuple):
    """A permission or a prohibition to share; an empty word limits nothing."""

    permits: bool
    categories: tuple[str, ...]
    recipients: tuple[str, ...]
    purpose: str
    channel: str = ""
    role: str = ""
    consent: str = ""

    def __str__(self) -> str:
        words = [f"{'may' if self.permits else 'never'} share {', '.join(self.categories)}"]
        words.append(f"with {', '.join(self.recipients)} for {self.purpose}")
        words += [f"over {self.channel}"] * bool(self.channel) + [f"by {self.role}"] * bool(self.role)
        return " ".join(words + [f"when consented({self.consent})"] * bool(self.consent))


def rules(number: int) -> list[Rule]:
    """This many rules: two thirds permissions, some with a condition, and prohibitions."""
    chosen = random.Random(number)
    made = []
    for index in range(number):
        categories = tuple(chosen.sample(CATEGORIES, 3))
        recipients, purpose = tuple(chosen.sample(RECIPIENTS, 2)), chosen.choice(PURPOSES)
        if index % 6 < 4:
            consent = "newsletter" if index % 6 == 3 else ""
            made.append(Rule(True, categories, recipients, purpose, "https", consent=consent))
        else:
            category, recipient = chosen.choice(CATEGORIES), chosen.choice(RECIPIENTS)
            made.append(Rule(False, (category,), (recipient,), purpose, role="expert"))
    return made


def policy(made: Sequence[Rule]) -> str:
    """The rules as a policy of Avow, a sentence each."""
    front = {
        "site": "bench", "title": "Bench", "version": "1", "effective": "2026-01-01",
        "categories": {name: {} for name in CATEGORIES}, "purposes": {name: {} for name in PURPOSES},
        "recipients": {name: {} for name in RECIPIENTS}, "roles": {name: {} for name in ROLES},
        "messages": {"newsletter": {}},
    }  # fmt: skip
    blocks = (f"\nSentence {number}.\n\n```avow #s{number}\n{rule}\n```\n" for number, rule in enumerate(made))
    return "---\n" + json.dumps(front) + "\n---\n" + "".join(blocks)


def flows(number: int, seed: int) -> list[Flow]:
    """Different flows; about one in fifty is permitted."""
    chosen = random.Random(seed)
    every = {
        Flow(*(chosen.choice(words) for words in (CATEGORIES, RECIPIENTS, PURPOSES, ROLES, CHANNELS)))
        for _ in range(number * 2)
    }
    return sorted(every)[:number]
