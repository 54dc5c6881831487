"""Oso: one Polar rule for each rule, its words in the head, where oso's own index finds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from oso import Oso

from bench.peers.workload import USERS, Request, Rule

_HEAD = """\
decide(user, action, category, purpose, recipient, consents, age, version) if
    has_role(user, role) and
    permit(role, action, category, purpose, recipient, consents, age, version) and
    not forbid(role, action, category, purpose, recipient, consents, age, version);
forbid(_, _, _, _, _, _, _, _) if false;
allow(_, _, _) if false;
"""


def _polar(rule: Rule) -> str:
    body = [f'"{rule.consent}" in consents'] * bool(rule.consent)
    body += [f'not "{rule.without}" in consents'] * bool(rule.without)
    body += [f"age >= {rule.least_age}"] * bool(rule.least_age) + [f"age < {rule.below_age}"] * bool(rule.below_age)
    body += [f"version >= {rule.least_version}"] * bool(rule.least_version)
    said = " and ".join(body)
    head = [f'"{word}"' if word else "_" for word in rule.head]
    head += [name if name in said else "_" for name in ("consents", "age", "version")]
    return f"{'permit' if rule.permits else 'forbid'}({', '.join(head)}){f' if {said}' if said else ''};"


def make(rules: Sequence[Rule]) -> tuple[Callable[[Request], Any], Callable[[Any], bool]]:
    """The peer, ready to be asked."""
    engine = Oso()
    roles = "".join(f'has_role("{user}", "{role}");\n' for user, role in USERS.items())
    engine.load_str(_HEAD + roles + "\n".join(map(_polar, rules)))

    def prepare(request: Request) -> tuple[Any, ...]:
        return (*request[:5], list(request.consents), request.age, request.version)

    def decide(prepared: tuple[Any, ...]) -> bool:
        return any(True for _ in engine.query_rule("decide", *prepared))

    return prepare, decide
