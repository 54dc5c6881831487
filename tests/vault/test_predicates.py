"""Published code decides on the way of a datum: what it lets in is kept, what it refuses or cannot tell is not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Mapped

from avow import Sealed, Site, owner, personal
from avow.errors import Refused, SetupError
from avow.language.predicates import fingerprint
from avow.testing.clock import FrozenClock

CODE = """\
from avow import Facts


def deliverable(facts: Facts, what: str) -> bool | None:
    distance = facts.get("distance")
    if distance is None:
        return None
    return distance / facts["per_day"] <= 3


def weight(facts: Facts) -> float | None:
    return facts.get("grams")
"""
POLICY = """\
---
site: parcels
title: Privacy at the parcel desk
version: "1"
effective: 2026-11-22
contact: {email: desk@parcels.example}
categories: {contact.address: {label: your address}, contact.email: {label: your e-mail address}}
purposes: {shipping: {label: bringing you the parcel}}
subjects: {customer: {}}
roles: {desk: {label: the desk}}
places: {counter: {label: the counter}}
recipients: {carrier: {label: our carrier, fields: [contact.address], channels: [https]}}
predicates:
  deliverable: {arguments: 1, function: "predicates.py:deliverable", fingerprint: "FINGERPRINT"}
  weight: {function: "predicates.py:weight", fingerprint: "FINGERPRINT"}
---

We ask where you live if we can deliver there within three days, and keep it.

```avow #ask
may collect contact.address from customer at counter over https when deliverable(contact.address)
may keep contact.address about customer
```

Our carrier gets it for parcels of less than a kilogram.

```avow #carrier
may share contact.address with carrier for shipping over https when weight < 1000
```
"""


@pytest.fixture
def begin(store: str, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens the site with other code, and with another policy if it is given one."""
    opened: list[Any] = []

    def begin(code: str = CODE, policy: str = POLICY) -> Any:
        while opened:
            opened.pop().close()
        (tmp_path / "predicates.py").write_text(code, "utf-8")
        (tmp_path / "policy.md").write_text(policy.replace("FINGERPRINT", fingerprint(code)), "utf-8")
        site: Any = Site(tmp_path / "policy.md")

        class Parcel(site.Record):  # type: ignore[misc]
            __tablename__ = "parcel"
            person: Mapped[str] = owner()
            address: Mapped[Sealed] = personal("contact.address", field="parcel.address")

        site.Parcel = Parcel
        site.open(tmp_path / "data", store=store, background=False, clock=FrozenClock())
        opened.append(site)
        return site

    yield begin
    for site in opened:
        site.close()


def collect(site: Any, **facts: float) -> Any:
    with site.acting("desk", "shipping", place="counter", channel="https", facts=facts) as work:
        return work.collect(site.Parcel, person=work.person(), address="1 Lane")


def kept(site: Any) -> int:
    with site.opened.vault.store.reading() as connection:
        return connection.scalar(select(func.count()).select_from(site.Parcel.__table__)) or 0


def test_what_the_code_permits_is_kept(begin: Callable[..., Any]) -> None:
    site = begin()
    collect(site, distance=30.0, per_day=10.0)
    assert kept(site) == 1


@pytest.mark.parametrize(
    ("facts", "known"),
    [({"distance": 31.0, "per_day": 10.0}, "false"), ({}, "unknown"), ({"distance": 1.0, "per_day": 0.0}, "unknown")],
)
def test_what_it_refuses_or_cannot_tell_is_not(
    begin: Callable[..., Any], caplog: pytest.LogCaptureFixture, facts: dict[str, float], known: str
) -> None:
    site = begin()
    with pytest.raises(Refused, match=rf"#ask needs .*`deliverable\(contact.address\)` is {known}"):
        collect(site, **facts)
    assert kept(site) == 0
    failed = [record for record in caplog.records if record.name == "avow.predicates"]
    assert [record.levelno for record in failed] == (
        [logging.ERROR] if "per_day" in facts and known == "unknown" else []
    )


def test_a_fact_that_comes_to_be_known_counts_from_then_on(begin: Callable[..., Any]) -> None:
    site = begin()
    collect(site, distance=3.0, per_day=1.0)
    with site.acting("desk", "shipping", channel="https") as work:
        flow = {"recipient": "carrier", "channel": "https"}
        with pytest.raises(Refused, match="#carrier"):
            work.unit.judge("share", "contact.address", **flow)
        work.unit.facts["grams"] = 999.0
        assert work.unit.judge("share", "contact.address", **flow).permitted
        work.unit.facts["grams"] = 1000.0
        with pytest.raises(Refused, match="#carrier"):
            work.unit.judge("share", "contact.address", **flow)


def test_no_route_answers_in_the_place_of_the_code(begin: Callable[..., Any]) -> None:
    site = begin()
    with pytest.raises(SetupError, match=r"`deliverable\(contact.address\)` was given as a fact"):
        site.acting("desk", "shipping", facts={"deliverable(contact.address)": True})
    with site.acting("desk", "shipping", place="counter", channel="https") as work:
        work.unit.facts["deliverable(contact.address)"] = True
        with pytest.raises(SetupError, match="was given as a fact"):
            work.unit.judge("collect", "contact.address", source="customer", place="counter", channel="https")
    assert kept(site) == 0


@pytest.mark.promise("I13", "holds")
def test_other_code_under_the_same_words_does_not_decide_about_what_was_collected_before(
    begin: Callable[..., Any],
) -> None:
    """It is another version, and nobody knows any more what the code of the old one would have said."""
    collect(begin(), distance=3.0, per_day=1.0)
    lenient = CODE.replace('facts.get("grams")', "1.0")
    site = begin(lenient, POLICY.replace('version: "1"', 'version: "2"'))
    collect(site, distance=3.0, per_day=1.0)
    with site.acting("desk", "shipping", channel="https") as work:
        flow = {"recipient": "carrier", "channel": "https"}
        for parcel in work.select(site.Parcel):
            value = parcel.address
            if value.version == site.policy.digest[:16]:
                assert work.unit.judge("share", "contact.address", value=value, **flow).permitted
            else:
                with pytest.raises(Refused, match="collected under version 1 of the policy"):
                    work.unit.judge("share", "contact.address", value=value, **flow)
    assert kept(site) == 2
