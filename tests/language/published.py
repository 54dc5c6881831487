"""A small policy with code beside it, as somebody would publish it."""

from __future__ import annotations

from pathlib import Path

from avow.language.predicates import fingerprint

CODE = '''\
"""What a delivery depends on."""

from __future__ import annotations

from avow import Facts

FARTHEST = 50


def deliverable(facts: Facts, what: str) -> bool | None:
    """Whether it is near enough; only what has a weight is delivered at all."""
    distance = facts.get("distance")
    if distance is None or what != "contact.address":
        return None
    return distance <= FARTHEST


def cost(facts: Facts) -> float | None:
    """What the delivery costs."""
    weight = facts.get("weight")
    return None if weight is None else 2 * weight
'''
DELIVERABLE = '{arguments: 1, function: "predicates.py:deliverable", fingerprint: "FINGERPRINT"}'
COST = '{function: "predicates.py:cost", fingerprint: "FINGERPRINT"}'
RULE = "may share contact.address with carrier for shipping over https when deliverable(contact.address)"
POLICY = """\
---
site: fruit
title: Privacy at the fruit shop
version: "1"
effective: 2026-11-22
categories: {contact.address: {label: your address}}
purposes: {shipping: {label: bringing you the parcel}}
recipients: {carrier: {label: our carrier, fields: [contact.address], channels: [https]}}
predicates:
  plain: {arguments: 0}
PREDICATES---

Our carrier gets your address, where it delivers.

```avow #carrier
RULES
```
"""


def text(rules: str = RULE, *, code: str = CODE, **predicates: str) -> str:
    """The policy, with the fingerprint of `code` where the predicates have the word FINGERPRINT."""
    declared = predicates or {"deliverable": DELIVERABLE, "cost": COST}
    lines = "".join(f"  {name}: {value}\n" for name, value in declared.items())
    whole = POLICY.replace("PREDICATES", lines).replace("RULES", rules)
    return whole.replace("FINGERPRINT", fingerprint(code))


def publish(folder: Path, rules: str = RULE, *, code: str = CODE, **predicates: str) -> Path:
    """Write policy and code into a folder; returns the policy's path."""
    (folder / "predicates.py").write_text(code, encoding="utf-8")
    policy = folder / "policy.md"
    policy.write_text(text(rules, code=code, **predicates), encoding="utf-8")
    return policy
