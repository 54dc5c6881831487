"""What a template may reach for."""

from __future__ import annotations

import pytest
from jinja2.exceptions import SecurityError
from sqlalchemy.orm import Mapped

from avow.edge.pages import environment
from avow.vault.columns import owner, plain
from avow.vault.record import record_base

_HOME, RECORD, _PERSON = record_base()


class Parcel(RECORD):  # type: ignore[misc, valid-type]
    __tablename__ = "parcel"
    customer: Mapped[str] = owner()
    weight: Mapped[str] = plain("what it weighs")

    def heavy(self) -> bool:
        return True


def rendered(template: str) -> str:
    return environment(None).from_string(template).render(parcel=Parcel(weight="2 kg"))


def test_a_template_reads_what_a_record_holds() -> None:
    assert rendered("{{ parcel.weight }} {{ parcel.heavy() }}") == "2 kg True"


@pytest.mark.parametrize(
    "reached",
    [
        "parcel._seal",
        "parcel._seal()",
        "parcel.__dict__",
        "parcel.__class__.__mro__",
        "parcel|attr('__class__')",
        "parcel.heavy.__func__.__globals__",
        "parcel.heavy.__self__",
        "''.__class__",
    ],
)
def test_a_template_does_not_reach_behind_a_record(reached: str) -> None:
    with pytest.raises(SecurityError):
        rendered("{{ " + reached + " }}")
