"""Cedar, through cedarpy: policies and entities are parsed once, and the handles passed with each question."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import cedarpy

from bench.peers.workload import CATEGORIES, STAFF, USERS, Request, Rule


def _policy(rule: Rule) -> str:
    scope = [
        f'principal in Role::"{rule.role}"' if rule.role else "principal",
        f'action == Action::"{rule.action}"',
        f'resource == Category::"{rule.category}"' if rule.category else "resource",
    ]
    when = [f'context.purpose == "{rule.purpose}"'] * bool(rule.purpose)
    when += [f'context.recipient == "{rule.recipient}"'] * bool(rule.recipient)
    when += [f'context.consents.contains("{rule.consent}")'] * bool(rule.consent)
    when += [f'!(context.consents.contains("{rule.without}"))'] * bool(rule.without)
    when += [f"context.age >= {rule.least_age}"] * bool(rule.least_age)
    when += [f"context.age < {rule.below_age}"] * bool(rule.below_age)
    when += [f"context.version >= {rule.least_version}"] * bool(rule.least_version)
    body = f" when {{ {' && '.join(when)} }}" if when else ""
    return f"{'permit' if rule.permits else 'forbid'}({', '.join(scope)}){body};"


def _entity(kind: str, name: str, role: str) -> dict[str, Any]:
    parents = [{"type": "Role", "id": role}] if role else []
    return {"uid": {"type": kind, "id": name}, "attrs": {}, "parents": parents}


def make(rules: Sequence[Rule]) -> tuple[Callable[[Request], Any], Callable[[Any], bool]]:
    """The peer, ready to be asked."""
    policies = cedarpy.PolicySet.from_str("\n".join(map(_policy, rules)))
    things = [("Role", name, "") for name in STAFF] + [("Category", name, "") for name in CATEGORIES]
    things += [("User", name, role) for name, role in USERS.items()]
    entities = cedarpy.Entities.from_json_str(json.dumps([_entity(*thing) for thing in things]))

    def prepare(request: Request) -> dict[str, Any]:
        return {
            "principal": f'User::"{request.user}"',
            "action": f'Action::"{request.action}"',
            "resource": f'Category::"{request.category}"',
            "context": {
                "purpose": request.purpose,
                "recipient": request.recipient,
                "consents": list(request.consents),
                "age": request.age,
                "version": request.version,
            },
        }

    def decide(prepared: dict[str, Any]) -> bool:
        return bool(cedarpy.is_authorized(prepared, policies, entities, None).allowed)

    return prepare, decide
