"""A new use is announced by mail to those whom it concerns, and waits until they give something new: on both stores."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from avow.errors import Refused, SetupError
from avow.vault.retention import carry_out, due

from .helpline import HELPLINE, newer
from .helpline.acts import LOGGED_IN, OLD, deliver, gives, of, research

DAY = 86_400
SECOND, THIRD = newer(HELPLINE), newer(HELPLINE, "3", research="device, request")


@pytest.mark.promise("N17", "works")
def test_a_new_use_is_announced_to_exactly_those_whom_it_concerns(lanyard: Any) -> None:
    lanyard.versions.under(SECOND)
    assert deliver(lanyard) == ["ann@example.org"]
    (mail,) = lanyard.mail.received
    assert "Version 2 of our policy states a new use" in mail.text
    assert lanyard.versions.standings() == [("2", "mailed", "")]


@pytest.mark.promise("N17", "works")
def test_who_was_told_and_gave_something_new_is_under_the_newer_version(lanyard: Any) -> None:
    lanyard.versions.under(SECOND)
    deliver(lanyard)
    gives(lanyard, lanyard.ann)
    assert research(lanyard, "Device", "make", lanyard.ann) == "Abacus"
    lanyard.versions.under(SECOND)
    assert research(lanyard, "Device", "make", lanyard.ann) == "Abacus", "it is durable"


@pytest.mark.promise("N17", "holds")
def test_the_new_use_before_the_mail_went_out_is_refused(lanyard: Any) -> None:
    lanyard.versions.under(SECOND)
    gives(lanyard, lanyard.ann)
    with pytest.raises(Refused, match=OLD):
        research(lanyard, "Device", "make", lanyard.ann)
    deliver(lanyard)
    with pytest.raises(Refused, match=OLD):
        research(lanyard, "Device", "make", lanyard.ann)


@pytest.mark.promise("N17", "holds")
def test_the_new_use_of_who_has_not_been_reached_is_refused(lanyard: Any) -> None:
    """Queued is not told: the mail server takes nothing now, or says no for good."""
    lanyard.versions.under(SECOND)
    for reply in ("451 4.3.0 later", "550 5.1.1 no such mailbox"):
        lanyard.mail.declines = reply
        assert deliver(lanyard) == []
        gives(lanyard, lanyard.ann, name=reply)
        with pytest.raises(Refused, match=OLD):
            research(lanyard, "Device", "make", lanyard.ann)
        lanyard.versions.clock.advance(60)
    assert lanyard.versions.standings() == []


@pytest.mark.promise("N17", "holds")
def test_the_new_use_after_a_bounce_is_refused(lanyard: Any) -> None:
    site: Any = lanyard.versions.under(SECOND)
    deliver(lanyard)
    gives(lanyard, lanyard.ann)
    with site.acting("website", "support") as work:
        work.bounced(of(work, site.Customer, lanyard.ann))
    with pytest.raises(Refused, match=OLD):
        research(lanyard, "Device", "make", lanyard.ann)
    gives(lanyard, lanyard.ann, name="Ann Once More")
    with pytest.raises(Refused, match=OLD):
        research(lanyard, "Device", "make", lanyard.ann)


@pytest.mark.promise("N17", "holds")
def test_a_bounce_takes_back_that_somebody_was_told_where_nothing_else_is_asked(lanyard: Any) -> None:
    simple = SECOND.replace(" and not bounced(version) and resubmitted(version)", "")
    site: Any = lanyard.versions.under(simple)
    deliver(lanyard)
    assert research(lanyard, "Device", "make", lanyard.ann) == "Abacus"
    with site.acting("website", "support") as work:
        work.bounced(of(work, site.Customer, lanyard.ann))
    with pytest.raises(Refused, match=OLD):
        research(lanyard, "Device", "make", lanyard.ann)


@pytest.mark.promise("N17", "holds")
def test_the_new_use_without_something_new_is_refused(lanyard: Any) -> None:
    lanyard.versions.under(SECOND)
    deliver(lanyard)
    with pytest.raises(Refused, match=OLD):
        research(lanyard, "Device", "make", lanyard.ann)


@pytest.mark.promise("N17", "holds")
def test_what_others_write_about_somebody_is_no_submission_of_theirs(lanyard: Any) -> None:
    site: Any = lanyard.versions.under(SECOND)
    deliver(lanyard)
    with site.acting("website", "support", place="profile", channel="https") as work:
        work.update(of(work, site.Customer, lanyard.ann), name="Nobody Was Here")
    desk = site.opened.unit("agent", "support", place="profile", channel="https", staff=True)
    with desk:
        customer = desk.db.get(site.Customer, next(iter(_keys(desk, site.Customer, lanyard.ann))))
        desk.recognise(customer, LOGGED_IN)
        desk.update(customer, name="The Desk Wrote It")
    with site.acting("website", "support", place="profile", channel="https") as work:
        work.recognise(of(work, site.Customer, lanyard.bo), LOGGED_IN)
        work.update(of(work, site.Customer, lanyard.ann), name="Bo Wrote It")
    assert lanyard.versions.standings() == [("2", "mailed", "")]
    with pytest.raises(Refused, match=OLD):
        research(lanyard, "Device", "make", lanyard.ann)


def _keys(unit: Any, kind: Any, person: str) -> list[tuple[str, str]]:
    return [(row.person, row.id) for row in unit.db.scalars(select(kind).where(kind.person == person))]


@pytest.mark.promise("N17", "holds")
def test_being_told_of_one_version_is_not_being_told_of_a_weaker_one_after_it(lanyard: Any) -> None:
    lanyard.versions.under(SECOND)
    deliver(lanyard)
    gives(lanyard, lanyard.ann)
    lanyard.versions.under(THIRD)
    with pytest.raises(Refused, match=OLD):
        research(lanyard, "Device", "make", lanyard.ann)
    assert deliver(lanyard) == ["ann@example.org"] * 2
    gives(lanyard, lanyard.ann, name="Ann again")
    assert research(lanyard, "Device", "make", lanyard.ann) == "Abacus"


@pytest.mark.promise("N17", "holds")
def test_a_page_that_shows_the_announcement_is_no_mail(lanyard: Any) -> None:
    """Where the sentence says to whom it is announced, being told on a page opens nothing."""
    simple = SECOND.replace("mailed(version) and not bounced(version) and resubmitted(version)", "consented(version)")
    site: Any = lanyard.versions.under(simple)
    with site.acting("website", "support", place="profile") as work:
        work.unit.discharge("announce", "version")
        work.accept(of(work, site.Customer, lanyard.ann), "I agree.")
    with pytest.raises(Refused, match=OLD):
        research(lanyard, "Device", "make", lanyard.ann)
    deliver(lanyard)
    assert research(lanyard, "Device", "make", lanyard.ann) == "Abacus"


@pytest.mark.promise("N17", "holds")
@pytest.mark.parametrize("fact", ["mailed(version)", "bounced(version)", "resubmitted(version)", "concerned(subject)"])
def test_nobody_tells_the_vault_what_only_the_vault_can_know(lanyard: Any, fact: str) -> None:
    site: Any = lanyard.versions.under(SECOND)
    with (
        pytest.raises(SetupError, match="was supplied from outside"),
        site.acting("website", "support", facts={fact: True}),
    ):
        pass
    site.facts(lambda work, record, recipient: {fact: True})
    with pytest.raises(SetupError, match="was supplied from outside"), site.acting("website", "support") as work:
        work.regard(of(work, site.Customer, lanyard.ann))


@pytest.mark.promise("N17", "holds")
def test_what_was_to_be_gone_sooner_is_gone_sooner_until_the_newer_version_holds(lanyard: Any) -> None:
    clock, site = lanyard.versions.clock, lanyard.versions.site
    with site.acting("website", "support", place="profile", channel="https") as work:
        for person in (lanyard.ann, lanyard.bo):
            work.collect(site.Request, person=of(work, site.Customer, person).avow_person, words="?", arrived=clock())
    site = lanyard.versions.under(newer(HELPLINE, research="request"))
    assert deliver(lanyard) == ["ann@example.org", "bo@example.org"]
    gives(lanyard, lanyard.ann)
    clock.advance(89 * DAY)
    assert [one.waiting for one in due(site.opened.vault)] == [1, 2]
    assert carry_out(site.opened.vault) == 1
    with site.acting("website", "support") as work:
        assert [request.person for request in work.select(site.Request)] == [lanyard.ann]
        work.bounced(of(work, site.Customer, lanyard.ann))
    assert carry_out(site.opened.vault) == 1, "the mail has come back: what the earlier version destroys is destroyed"
