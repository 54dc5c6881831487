"""The visit: what the policy lets a site note of it, and nothing else.

A visit begins when a page is entered from outside the site. Its fields lie sealed under a person of
their own, so that no visit shares a key with a customer or with another visit.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from avow.edge.intake import Intake
from avow.vault.columns import owner, personal
from avow.vault.envelope import Label
from avow.vault.vault import new_id

if TYPE_CHECKING:
    from avow.vault.unit import Unit

#: The fields a visit may have: attribute, and the category that the policy must permit to log.
FIELDS = {"time": "visit.time", "referrer": "visit.referrer", "browser": "visit.browser"}


def visit_record(base: type[Any]) -> type[Any]:
    """The record class of visits for one site."""
    return type(
        "Visit",
        (base,),
        {
            "__tablename__": "avow_visit",
            "__module__": __name__,
            "__annotations__": {},
            "__stays__": "a visit tells of a browser, and of no customer who could go along",
            "visitor": owner(),
            **{name: personal(category, field=f"avow.{category}", optional=True) for name, category in FIELDS.items()},
        },
    )


class Visits:
    """Notes visits for one site. `subject` is the policy's name for a visitor, `purpose` what they are noted for."""

    def __init__(self, record: type[Any], *, subject: str, purpose: str) -> None:
        self.record = record
        self.subject = subject
        self.purpose = purpose

    def note(self, unit: Unit, intake: Intake) -> None:
        """Note the visit that this request begins, field by field as permitted; nothing where none is."""
        if intake.visit["inside"]:
            return
        seen = {
            "time": datetime.fromtimestamp(unit.vault.clock(), UTC).strftime("%Y-%m-%dT%H:%MZ"),
            "referrer": intake.visit["referrer"],
            "browser": intake.visit["browser"],
        }
        kept = {name: value for name, value in seen.items() if value and self._may(unit, FIELDS[name], value)}
        if not kept:
            return
        visitor = unit.vault.new_person()
        visit = self.record(id=new_id(), visitor=visitor.id, avow_person=visitor, policy=unit.vault.policy.digest)
        hour = unit.vault.hour()
        for name, value in kept.items():
            unit.judge("log", FIELDS[name], subject=self.subject, place=unit.place, purpose=self.purpose)
            field = self.record.__layout__.fields[name]
            label = Label(field.category, unit.vault.policy.digest[:16], unit.place or "", hour)
            setattr(visit, name, visit._sealed(field, value, label))
        unit.db.add(visit)

    def _may(self, unit: Unit, category: str, value: str) -> bool:
        """What is not permitted is not noted; that is the ordinary case, not a refusal to record.

        Neither is a value that holds what nobody declared: the address of a page may end in a card's number.
        """
        if any(category for inspector in unit.vault.inspectors for category in inspector(value)):
            return False
        verdict = unit.vault.policy.judge(
            "log", category, subject=self.subject, place=unit.place, purpose=self.purpose, facts=unit.known()
        )
        return verdict.permitted
