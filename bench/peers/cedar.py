"""Cedar, through cedarpy: policies and entities are parsed once, and the handles passed with each question."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import cedarpy

from bench.peers.workload import CATEGORIES, ROLES, Flow, Rule


def text(rules: Sequence[Rule]) -> str:
    """The rules as Cedar policies."""
    return "\n".join(_policy(rule) for rule in rules)


def _policy(rule: Rule) -> str:
    resource = ", ".join(f'Category::"{name}"' for name in rule.categories)
    when = [
        f"resource in [{resource}]",
        f"{json.dumps(list(rule.recipients))}.contains(context.recipient)",
        f'context.purpose == "{rule.purpose}"',
    ]
    if rule.channel:
        when.append(f'context.channel == "{rule.channel}"')
    if rule.consent:
        when.append(f'context.consents.contains("{rule.consent}")')
    principal = f'principal in Role::"{rule.role}"' if rule.role else "principal"
    effect = "permit" if rule.permits else "forbid"
    head = f'{effect}({principal}, action == Action::"share", resource)'
    return f"{head} when {{ {' && '.join(when)} }};"


def make(rules: Sequence[Rule]) -> tuple[Callable[[Flow], Any], Callable[[Any], bool]]:
    """The peer, ready to be asked."""
    policies = cedarpy.PolicySet.from_str(text(rules))
    kinds = [("Role", name) for name in ROLES] + [("Category", name) for name in CATEGORIES]
    entities = cedarpy.Entities.from_json_str(
        json.dumps([{"uid": {"type": kind, "id": name}, "attrs": {}, "parents": []} for kind, name in kinds])
    )

    def prepare(flow: Flow) -> dict[str, Any]:
        return {
            "principal": f'Role::"{flow.role}"',
            "action": 'Action::"share"',
            "resource": f'Category::"{flow.category}"',
            "context": {
                "recipient": flow.recipient, "purpose": flow.purpose, "channel": flow.channel, "consents": [],
            },
        }  # fmt: skip

    def decide(prepared: dict[str, Any]) -> bool:
        return bool(cedarpy.is_authorized(prepared, policies, entities, None).allowed)

    return prepare, decide
