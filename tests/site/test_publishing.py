"""Publishing a version: everybody whom it concerns is written to, once, whatever dies meanwhile; on both stores."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from avow.errors import Refused, SetupError
from avow.site.announcing import JOB
from avow.testing.certificates import Authority
from avow.testing.clock import FrozenClock
from avow.testing.mailbox import Mailbox
from avow.vault import publishing
from tests.structure.tree import ROOT
from tests.vault.helpline import HELPLINE, Versions, helpline, newer

SECOND, THIRD = newer(HELPLINE), newer(HELPLINE, "3", research="device, request")


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def lanyard(tmp_path: Path, store: str, clock: FrozenClock) -> Iterator[Any]:
    """The helpline under its first version, with eleven people; every other one has a computer."""
    authority = Authority.create(tmp_path / "ca")
    with Mailbox(authority) as mail:
        settings = {"endpoints": {"mail": mail.url}, "ca": authority.ca, "timeout": 5.0}
        versions = Versions(helpline, tmp_path / "data", clock, store=store, **settings)
        site: Any = versions.under(HELPLINE)
        with site.acting("website", "support", place="profile", channel="https") as work:
            for number in range(11):
                person = work.person()
                work.collect(site.Customer, person=person, name=f"No. {number}", email=f"{number}@example.org")
                if number % 2:
                    work.collect(site.Device, person=person, make="Abacus")
        yield SimpleNamespace(versions=versions, mail=mail, data=tmp_path / "data", store=store)
        versions.close()


ODD = [f"{number}@example.org" for number in (1, 3, 5, 7, 9)]


def written_to(lanyard: Any) -> list[str]:
    return sorted(mail.recipients[0] for mail in lanyard.mail.received)


def states(site: Any) -> list[str]:
    with site.opened.vault.store.reading() as connection:
        return sorted(connection.scalars(select(site.home.schema.outbox.c.state)))


@pytest.mark.promise("N17", "works")
def test_each_is_written_to_once_however_often_it_is_started(lanyard: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "BATCH", 3)
    for source in (SECOND, SECOND, HELPLINE, SECOND):
        site: Any = lanyard.versions.under(source)
        site.opened.background.round()
        assert written_to(lanyard) == ODD


@pytest.mark.promise("N17", "works")
@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_process_that_is_killed_within_a_batch_is_made_up_for(lanyard: Any, batches: int) -> None:
    """Everything was queued, nothing committed: the next start goes on from there, and nobody is written to twice."""
    versions = lanyard.versions
    versions.close()
    command = [sys.executable, "-m", "tests.vault.helpline", str(lanyard.data), lanyard.store, str(versions.clock())]
    killed = subprocess.run([*command, str(batches)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    site: Any = versions.under(SECOND)
    assert len(states(site)) <= 3 * batches
    site.opened.background.round()
    assert written_to(lanyard) == ODD


@pytest.mark.promise("N17", "holds")
def test_one_batch_after_the_other_is_looked_at_and_nobody_is_left_out(
    lanyard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many people there are, one transaction holds no more than a batch of them."""
    monkeypatch.setattr(publishing, "BATCH", 2)
    site: Any = lanyard.versions.under(SECOND)
    queued, told = 0, []
    while site.opened.jobs.turn(JOB):
        now = len(states(site))
        told.append(now - queued)
        queued = now
    assert (sum(told), len(told), max(told) <= 2) == (5, 6, True)
    site.opened.courier.run()
    assert written_to(lanyard) == ODD


@pytest.mark.promise("N17", "holds")
def test_whom_it_does_not_concern_nobody_can_write_to(lanyard: Any) -> None:
    site: Any = lanyard.versions.under(SECOND)
    with site.acting("website", "announcement") as work:
        for customer in work.select(site.Customer):
            has = bool(work.select(site.Device, site.Device.person == customer.person))
            if has:
                work.send("announcement", customer)
            else:
                with pytest.raises(Refused, match="#new-use-announced"):
                    work.send("announcement", customer)


@pytest.mark.promise("N17", "holds")
def test_a_mail_about_a_version_that_was_overtaken_does_not_leave(lanyard: Any) -> None:
    site: Any = lanyard.versions.under(SECOND)
    assert site.opened.jobs.run() == 1
    assert states(site) == ["ready"] * 5
    lanyard.versions.under(THIRD).opened.background.round()
    assert all("Version 3" in mail.text for mail in lanyard.mail.received)
    assert written_to(lanyard) == ODD
    site = lanyard.versions.under(SECOND)
    site.opened.background.round()
    assert written_to(lanyard) == sorted(ODD * 2), "in force again, it is announced after all"
    with site.opened.vault.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(site.home.schema.outbox)) == 10


def test_a_version_that_protects_no_less_is_announced_to_nobody_by_mail(lanyard: Any) -> None:
    same = HELPLINE.replace('version: "1"', 'version: "1a"').replace("We look at it to help you.", "We look, to help.")
    site: Any = lanyard.versions.under(same)
    site.opened.background.round()
    assert states(site) == []


def test_who_removed_what_it_is_about_before_the_mail_left_gets_none(lanyard: Any) -> None:
    site: Any = lanyard.versions.under(SECOND)
    site.opened.jobs.run()
    with site.acting("website", "support", place="profile", channel="https") as work:
        device = work.select(site.Device)[0]
        [customer] = work.select(site.Customer, site.Customer.person == device.person)
        work.remove(device)
        gone = customer.email.open()
    site.opened.courier.run()
    assert written_to(lanyard) == sorted(set(ODD) - {gone})
    assert states(site) == ["done"] * 4 + ["refused"]


def test_who_has_no_address_is_left_under_the_earlier_version(lanyard: Any) -> None:
    site: Any = lanyard.versions.site
    with site.acting("website", "support", place="profile", channel="https") as work:
        person = work.person()
        work.collect(site.Customer, person=person, name="Cy", email=None)
        work.collect(site.Device, person=person, make="Slate")
    site = lanyard.versions.under(SECOND)
    site.opened.background.round()
    assert written_to(lanyard) == ODD
    with site.acting("website", "research") as work, pytest.raises(Refused, match="collected under version 1"):
        next(one for one in work.select(site.Device) if one.person == person.id).make.open()


def test_people_who_came_later_from_elsewhere_are_looked_at_when_it_is_begun_again(lanyard: Any) -> None:
    site: Any = lanyard.versions.under(SECOND)
    site.opened.background.round()
    vault, table = site.opened.vault, site.home.schema.outbox
    with vault.store.writing() as connection:
        connection.execute(table.delete().where(table.c.id == select(table.c.id).limit(1).scalar_subquery()))
    site.opened.background.round()
    assert len(written_to(lanyard)) == 5
    with vault.store.writing() as connection:
        publishing.begin_again(connection, vault)
    site.opened.background.round()
    assert len(written_to(lanyard)) == 6


@pytest.mark.promise("N17", "holds")
def test_a_site_that_cannot_announce_by_mail_what_its_policy_says_does_not_start(lanyard: Any) -> None:
    def silent(site: Any) -> None:
        site.announcing = None
        site.jobs.clear()

    with pytest.raises(SetupError, match="does not say by which mail"):
        lanyard.versions.under(SECOND, silent)


@pytest.mark.parametrize(
    ("message", "kind", "said"),
    [
        ("announcment", "Customer", "`announcment`, which is no message of the policy"),
        ("announcement", "Device", "a Device has no field of `contact.email`"),
    ],
)
def test_a_mail_or_a_record_that_does_not_fit_is_told_at_the_start(
    lanyard: Any, message: str, kind: str, said: str
) -> None:
    def wrong(site: Any) -> None:
        site.announces(message, getattr(site, kind), role="website", purpose="announcement")

    with pytest.raises(SetupError, match=said):
        lanyard.versions.under(SECOND, wrong)
