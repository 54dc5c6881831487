"""Random small policies in pairs, from a seed: small enough that every flow and all facts can be counted."""

from __future__ import annotations

import random

from avow.language import read
from avow.language.rules import Reading

WORDS: dict[str, list[str]] = {
    "category": ["a", "a.x", "b"],
    "recipient": ["r", "r1", "s"],
    "purpose": ["p", "q", "p1"],
    "form": ["sum", "sum(group 5)", "sum(group 20)", "sum(size 5)", "sum(size 20)"],
    "message": ["news"],
    "place": ["mail", "rest"],
}
#: Words that only some versions have: kind, name, what stands above it.
EXTRA = [("recipient", "t", "r"), ("recipient", "u", None), ("purpose", "z", None), ("purpose", "w", "p"),
         ("category", "c", "b")]  # fmt: skip
SECTIONS = {"category": "categories", "recipient": "recipients", "purpose": "purposes"}
FRONT = """\
---
site: small
title: A small policy
version: "{version}"
effective: 2026-01-01
contact: {{email: a@b.example}}
categories: {{a: {{}}, a.x: {{}}, b: {{}}{category}}}
recipients: {{r: {{}}, r1: {{under: r}}, s: {{}}{recipient}}}
purposes: {{p: {{}}, p1: {{under: p}}, q: {{}}{purpose}}}
forms: {{sum: {{{form}}}}}
messages: {{news: {{}}}}
things: {{notice: {{}}, line: {{}}}}
events: {{come: {{}}, gone: {{}}}}
predicates: {{ok: {{arguments: 0}}, sure: {{arguments: 1}}}}
---
"""
#: How the argument of a form may be ordered; `group` has an order that comparing knows by itself, `size` has not.
ORDERS = ["", "", "arguments: {size: at_least}", "arguments: {size: at_most}"]
ATOMS = ["ok", "sure(b)", "age < 13", "age >= 16", "age < 16"]


class Pairs:
    """Pairs of versions; `old_words` and `new_words` say what each has beyond WORDS."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.verbs = self.random.choice([["share"], ["share", "keep"], ["keep"], ["show", "share"], ["share"]])
        # Either purposes or forms, so that the flows stay countable.
        self.slots = {"share": ["with", self.random.choice(["for", "for", "as"])], "keep": ["for"], "show": []}
        new = self.random.sample(EXTRA, self.random.choice([0, 0, 1, 2]))
        self.new_words: list[tuple[str, str, str | None]] = new
        old = [self.statement() for _ in range(self.random.choice([1, 2, 3, 4, 6]))]
        fresh = self.random.random() < 0.25
        size = self.random.choice([1, 2, 3, 4])
        new_rules = [self.statement() for _ in range(size)] if fresh else self.changed(old)
        self.old, self.old_known = self.sound(old, [], self.random.choice(ORDERS))
        self.new, self.new_known = self.sound(new_rules, new, self.random.choice(ORDERS))

    def sound(
        self, statements: list[str], own: list[tuple[str, str, str | None]], form: str
    ) -> tuple[Reading, Reading]:  # fmt: skip
        """The policy as written, and the same knowing all words of both; rules that cannot be said are left out."""
        statements = [*statements, "may open cookie for q"]
        beside = [(kind, name, above if (kind, name, above) in own else None) for kind, name, above in self.new_words]
        while True:
            reading = read(text(statements, own, form=form))
            if not reading.diagnostics:
                return reading, read(text(statements, beside, form=form))
            lines = reading.source.split("\n")
            bad = {lines[fault.line - 1] for fault in reading.diagnostics}
            assert any(s in bad for s in statements), [str(f) for f in reading.diagnostics]
            statements = [s for s in statements if s not in bad]

    def changed(self, rules: list[str]) -> list[str]:
        rules = list(rules)
        for _ in range(self.random.choice([0, 1, 1, 2])):
            at = self.random.randrange(len(rules) + 1)
            if at < len(rules) and self.random.random() < 0.7:
                rules[at : at + 1] = [] if self.random.random() < 0.5 else [self.statement()]
            else:
                rules.insert(at, self.statement())
        if self.random.random() < 0.3:
            self.random.shuffle(rules)
        return rules

    def statement(self) -> str:
        modal = self.random.choices(["may", "never", "must"], [6, 4, 1])[0]
        verb = self.random.choice(self.verbs)
        if modal == "must":
            what = self.random.choice(["notice", "line", "notice, line"])
            when = self.random.choice(
                [f"with {verb}", f"with {verb}(a)", "in b", f"before {verb}(a.x)", "in a", self.narrowed(verb)]
            )
            return f"must {self.random.choice(['attach', 'ask', 'show'])} {what} {when}{self.guard(modal)}".rstrip()
        parts = [modal, "use" if modal == "never" and self.random.random() < 0.1 else verb, self.some("category")]
        for slot in self.slots[verb]:
            if self.random.random() < 0.6 or (modal == "may" and verb == "share"):
                only = "only " if modal == "may" and self.random.random() < 0.25 else ""
                parts.append(only + self.phrase(slot, form=modal == "may"))
        if modal == "may" and verb == "share" and "for" not in self.slots[verb]:
            parts.append("for q")
        if verb == "keep" and modal == "may" and self.random.random() < 0.4:
            parts.append(f"within {self.random.choice([1, 2, 30])} days")
        if verb == "keep" and self.random.random() < 0.3:
            parts.append(self.random.choice(["after come", "after come, gone", "before gone", "before come, gone"]))
        if verb == "show":
            parts.append("at mail" if modal == "may" or self.random.random() < 0.5 else "")
        guard = self.guard(modal)
        if modal == "never" and not guard and self.random.random() < 0.2:
            guard = " otherwise"
        text = " ".join(p for p in parts if p) + guard
        if modal == "never" and self.slots[verb] and self.random.random() < 0.25:
            text += " except " + self.phrase(self.random.choice(self.slots[verb]), form=True)
        return text

    def narrowed(self, verb: str) -> str:
        slots = [slot for slot in self.slots[verb] if slot != "as"]
        limits = [self.phrase(slot, form=False) for slot in slots[: self.random.choice([1, 2])]]
        return " ".join([*limits, f"before {verb}(a)"])

    def phrase(self, slot: str, *, form: bool) -> str:
        kind = {"with": "recipient", "for": "purpose", "as": "form"}[slot]
        return f"{slot} {self.some(kind, form=form)}"

    def some(self, kind: str, *, form: bool = False) -> str:
        pool = [w for w in WORDS[kind] if form or "(" not in w]
        return ", ".join(sorted(self.random.sample(pool, self.random.choice([1, 1, 2]) if len(pool) > 1 else 1)))

    def guard(self, modal: str) -> str:
        if self.random.random() > (0.4 if modal != "must" else 0.2):
            return ""
        atoms = [self.random.choice(["", "", "not "]) + self.random.choice(ATOMS) for _ in range(2)]
        condition = self.random.choice([atoms[0], atoms[0], " and ".join(atoms), " or ".join(atoms)])
        return f" {self.random.choice(['when', 'when', 'unless'])} {condition}"


def text(statements: list[str], words: list[tuple[str, str, str | None]], version: str = "1", form: str = "") -> str:
    extra = {**dict.fromkeys(SECTIONS, ""), "form": form}
    for kind, name, above in words:
        extra[kind] += f", {name}: {{{f'under: {above}' if above else ''}}}"
    body = "".join(f"\nSentence {n}.\n\n```avow #s{n}\n{s}\n```\n" for n, s in enumerate(statements))
    return FRONT.format(version=version, **extra) + body
