"""Oso: the rules as Polar facts, one for each combination of words, which its own index finds fastest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from oso import Oso

from bench.peers.workload import Flow, Rule

_HEAD = """\
decide(role, category, recipient, purpose, channel, consents) if
    permit(role, category, recipient, purpose, channel, consents) and
    not forbid(role, category, recipient, purpose, channel, consents);
forbid(_, _, _, _, _, _) if false;
allow(_, _, _) if false;
"""


def text(rules: Sequence[Rule]) -> str:
    """The rules in Polar."""
    return _HEAD + "\n".join(line for rule in rules for line in _facts(rule))


def _facts(rule: Rule) -> list[str]:
    name = "permit" if rule.permits else "forbid"
    role, channel = (f'"{word}"' if word else "_" for word in (rule.role, rule.channel))
    consents, body = ("consents", f' if "{rule.consent}" in consents') if rule.consent else ("_", "")
    return [
        f'{name}({role}, "{category}", "{recipient}", "{rule.purpose}", {channel}, {consents}){body};'
        for category, recipient in product(rule.categories, rule.recipients)
    ]


def make(rules: Sequence[Rule]) -> tuple[Callable[[Flow], Any], Callable[[Any], bool]]:
    """The peer, ready to be asked."""
    engine = Oso()
    engine.load_str(text(rules))

    def prepare(flow: Flow) -> tuple[Any, ...]:
        return flow.role, flow.category, flow.recipient, flow.purpose, flow.channel, []

    def decide(prepared: tuple[Any, ...]) -> bool:
        return any(True for _ in engine.query_rule("decide", *prepared))

    return prepare, decide
