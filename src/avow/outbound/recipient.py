"""Sharing a record with a declared recipient: exactly the fields that the policy lists for it.

Each field is judged when the share is asked for and again when it leaves; one refused field stops the
whole share. The text goes from the envelope into what is sent and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from avow.errors import SetupError
from avow.outbound.ways import ERASE
from avow.vault.columns import Field

if TYPE_CHECKING:
    from avow.engine import Policy
    from avow.outbound.ways import Way
    from avow.outbox.queue import Send
    from avow.vault.record import Record
    from avow.vault.unit import Unit


class RecipientDoor:
    """The door to one recipient, over HTTPS, SFTP or mail."""

    def __init__(self, policy: Policy, name: str, way: Way) -> None:
        self.policy = policy
        self.name = name
        self.channel = way.channel
        self._way = way

    def pack(self, unit: Unit, send: Send, record: Record) -> Callable[[], Mapping[str, Any]]:
        """Judge every field, then return what sends them; see `avow.outbox.courier.Door`."""
        now = unit.vault.clock()
        if send.calls_back:
            return lambda: self._way.hand_over(send.id, {ERASE: send.record_id}, now)  # nothing of anybody in it
        fields = shared_fields(self.policy, self.name, record, purpose=send.purpose, channel=self.channel)
        judge_share(unit, self.name, record, fields, purpose=send.purpose, channel=self.channel)
        values: dict[str, str] = {}
        for field in fields:
            key = field.id if field.category in values else field.category  # never the attribute: it may be renamed
            values[key] = getattr(record, field.name)._reveal()
        return lambda: self._way.hand_over(send.id, values, now)


def shared_fields(policy: Policy, name: str, record: Record, *, purpose: str, channel: str) -> list[Field]:
    """The fields of `record` that the policy lists for the recipient; those left empty are not among them.

    Raises:
        UnknownTerm: the policy declares no such recipient; a refusal, which names the nearest sentence.
        SetupError: the record has none of the recipient's fields.
    """
    if name not in policy.recipients:
        for field in record.__layout__.fields.values():
            policy.judge("share", field.category, recipient=name, purpose=purpose, channel=channel)  # raises
    recipient = policy.recipients[name]
    fields = [
        field
        for field in record.__layout__.fields.values()
        if any(policy.vocabulary.covers("category", wide, field.category) for wide in recipient.fields)
        and getattr(record, field.name) is not None
    ]
    if not fields:
        raise SetupError(
            f"a {type(record).__name__} has none of the fields that the policy lists for `{name}`",
            help=f"it lists {', '.join(recipient.fields) or 'none'}",
        )
    return fields


def judge_share(unit: Unit, name: str, record: Record, fields: list[Field], *, purpose: str, channel: str) -> None:
    """Ask for each field of `record` whether it may be shared; the first refusal raises."""
    for field in fields:
        value = getattr(record, field.name)
        unit.judge(
            "share", field.category, value=value, recipient=name, purpose=purpose, channel=channel, role=unit.role
        )
