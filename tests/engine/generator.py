"""Random policies and random flows, from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from avow.engine import Policy
from avow.errors import PolicyError
from avow.language import read
from avow.language.verbs import DUTIES, FLOWS
from avow.values import DIMENSIONS

WORDS: dict[str, list[str]] = {
    "category": ["contact", "contact.email", "contact.name", "contact.name.first", "order", "order.note", "card",
                 "card.number", "everything", "visit.time", "cookie", "cookie.cart"],
    "cookie": ["cookie", "cookie.cart"],
    "purpose": ["service", "shipping", "payment", "marketing", "news"],
    "subject": ["person", "customer", "visitor"],
    "role": ["staff", "clerk", "expert"],
    "place": ["site", "checkout", "account", "mail"],
    "channel": ["https", "http", "smtps"],
    "message": ["letter", "letter.news", "receipt"],
    "recipient": ["carriers", "ups", "fedex", "processor"],
    "form": ["counts", "counts(group 20)", "counts(group 5)", "digits", "noise", "noise(epsilon 1, group 20)",
             "noise(group 50, epsilon 0.5)", "noise(epsilon 2, group 20)", "noise(epsilon 2, group 50, year 3)"],
    "thing": ["notice", "session", "version"],
}  # fmt: skip

FRONT = """\
---
site: random
title: A random policy
version: "1"
effective: 2026-01-01
contact: {email: a@b.example}
categories:
  contact: user.contact
  contact.email: user.contact.email
  contact.name: user.name
  contact.name.first: user.name
  order: user.order
  order.note: {}
  card: {}
  card.number: {}
  everything: {includes: [contact, order]}
  visit.time: {}
purposes:
  service: {includes: [shipping]}
  shipping: {}
  payment: {under: service}
  marketing: {}
  news: {under: [marketing, service]}
subjects: {customer: {}, visitor: {}}
roles: {staff: {}, clerk: {under: staff}, expert: {}}
places: {site: {includes: [checkout, account]}, checkout: {}, account: {}}
messages: {letter: {}, letter.news: {}, receipt: {}}
recipients: {carriers: {}, ups: {under: carriers}, fedex: {under: carriers}, processor: {}}
cookies: {cart: {purpose: service}}
forms: {counts: {}, digits: {}, noise: {arguments: {epsilon: at_most, group: at_least}}}
things: {notice: {}, session: {}}
events: {closed: {}, paid: {}}
predicates: {valid: {arguments: 0}, sure: {arguments: 1}}
---
"""

OPENING = (
    FRONT
    + """
Somebody signs.

```avow #own-conduct
attested by staff every 2 months
```
"""
)
ATOMS = ["consented(letter)", "objected(marketing)", "presented(link)", "valid", "sure(order)", "age < 16", "age >= 13",
         "closed", "paid", "attested(own-conduct)"]  # fmt: skip
MAY = [
    "collect",
    "keep",
    "open",
    "show",
    "derive",
    "share",
    "send",
    "publish",
    "set",
    "log",
    "link",
    "use",
    "apply",
    "hold",
]


class Generator:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def policy(self, rules: int) -> Policy:
        """A valid policy of at most this many rules: those that the checker finds fault with are taken out."""
        statements = [f"{statement}" for statement in (self.statement() for _ in range(rules))]
        statements.append("may keep contact.email for shipping")
        while True:
            text = OPENING + "".join(
                f"\nSentence {number}.\n\n```avow #s{number}\n{body}\n```\n" for number, body in enumerate(statements)
            )
            faults = read(text).diagnostics
            if not faults:
                return Policy.parse(text)
            lines = text.split("\n")
            bad = {lines[fault.line - 1] for fault in faults}
            kept = [body for body in statements if not bad & set(body.split("\n"))]
            if len(kept) == len(statements):
                raise PolicyError(tuple(faults))
            statements = kept

    def statement(self) -> str:
        modal = self.random.choices(["may", "never", "must"], [6, 4, 2])[0]
        if modal == "must":
            return self.duty()
        verb = self.random.choice(MAY)
        signature = FLOWS[verb]
        parts = [modal, verb, self.words(signature.objects)]
        needed = {self.random.choice(group) for group in signature.needs} if modal == "may" else set()
        for preposition, kinds in signature.takes.items():
            if kinds and (preposition in needed or self.random.random() < 0.2):
                only = "only " if modal == "may" and self.random.random() < 0.2 else ""
                parts.append(f"{only}{preposition} {self.words(kinds)}")
        if "after" in signature.takes and self.random.random() < 0.15:
            parts.append(
                self.random.choice(
                    [
                        "after closed",
                        "before closed",
                        "within 2 days",
                        "after closed, paid",
                        "before closed, paid",
                        "within 2 days after closed, paid",
                    ]
                )
            )
        if "every" in signature.spans and self.random.random() < 0.15 and modal == "may":
            parts.append("every 3 months")
        parts += self.guard(modal, signature.condition and modal == "may")
        if modal == "never" and self.random.random() < 0.25:
            able = [name for name in signature.takes if name in DIMENSIONS and signature.takes[name]]
            chosen = self.random.sample(able, self.random.choice([1, 1, 2]))
            parts.append("except " + " ".join(f"{name} {self.words(signature.takes[name])}" for name in chosen))
        text = " ".join(parts)
        return text + "\nattested by staff every 2 months" if modal == "may" and self.random.random() < 0.08 else text

    def duty(self) -> str:
        verb = self.random.choice(sorted(DUTIES - {"apply", "set", "send"}))
        parts = ["must", verb, self.random.choice(["notice", "contact.email", "card, order", "letter", "version"])]
        parts.append(self.random.choice([
            "", "before collect(contact)", "before publish", "before use(contact.email)", "in letter", "in receipt",
            "with share(order)", "with link", "at checkout", "at site", "for shipping", "over https", "within 3 days",
            "every 2 weeks", "after closed", "before send, share(card)", "to customer", "by staff at account",
            "at checkout before collect(contact)", "before open, share(order) for shipping", "with ups before share",
            "over https before use(contact.email)", "about customer by staff before keep",
            "before link(card) with order", "from customer at site before collect",
            "in letter before send for news over smtps",
        ]))  # fmt: skip
        parts += [part for part in self.guard("must", False) if part != "otherwise"]
        return " ".join(part for part in parts if part)

    def guard(self, modal: str, needed: bool) -> list[str]:
        if needed or self.random.random() < 0.35:
            return [self.random.choice(["when", "unless"]), self.condition(2)]
        if modal == "never" and self.random.random() < 0.3:
            return ["otherwise"]
        return []

    def condition(self, depth: int) -> str:
        if depth == 0 or self.random.random() < 0.5:
            return self.random.choice(["", "", "not "]) + self.random.choice(ATOMS)
        word = self.random.choice([" and ", " or "])
        return word.join(f"{self.random.choice(['', 'not '])}({self.condition(depth - 1)})" for _ in range(2))

    def words(self, kinds: tuple[str, ...]) -> str:
        pool = [word for kind in kinds for word in WORDS.get(kind, [])]
        return ", ".join(self.random.sample(pool, min(len(pool), self.random.choice([1, 1, 2, 3]))))

    def flow(self) -> dict[str, str]:
        """Verb, object, and some of the dimensions that the verb takes, by their prepositions."""
        verb = self.random.choice([name for name in MAY if name != "use"])
        signature = FLOWS[verb]
        flow = {"verb": verb, "object": self.word(signature.objects)}
        for preposition, kinds in signature.takes.items():
            if preposition in DIMENSIONS and kinds and self.random.random() < 0.6:
                flow[preposition] = self.word(kinds)
        return flow

    def word(self, kinds: tuple[str, ...]) -> str:
        return self.random.choice([w for kind in kinds for w in WORDS.get(kind, [])])

    def facts(self, policy: Policy) -> dict[str, bool | float | None]:
        """Some facts true, some false, some given as unknown, the others not given."""
        names = [
            "consented(letter)",
            "objected(marketing)",
            "presented(link)",
            "valid",
            "sure(order)",
            "closed",
            "paid",
        ]
        names += [f"attested({anchor})" for anchor in policy.attested]
        names += [f"due({sentence.anchor})" for sentence in policy.sentences]
        names += [f"done({duty.verb} {duty.object})" for duty in policy.duties]
        facts: dict[str, bool | float | None] = {}
        for name in names:
            chosen = self.random.choice(["true", "true", "false", "unknown", "absent"])
            if chosen != "absent":
                facts[name] = {"true": True, "false": False, "unknown": None}[chosen]
        if self.random.random() < 0.7:
            facts["age"] = self.random.choice([12.0, 13.0, 15.9, 16.0, 40.0, True])
        return facts

    def flows(self, number: int) -> Iterator[dict[str, str]]:
        for _ in range(number):
            yield self.flow()
