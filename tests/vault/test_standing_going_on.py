"""Going on after a change was announced is accepting it, for who does and for nobody else: on both stores."""

from __future__ import annotations

from typing import Any

import pytest

from avow.errors import Refused
from avow.vault.retention import carry_out
from tests.site.conftest import Browser

from .helpline import CIRCLE, newer
from .helpline.acts import LOGGED_IN, OLD, of, research

DAY = 86_400
CIRCLE_2 = newer(CIRCLE, research="contact")


def goes_on(service: Any, person: str, purpose: str = "operation", place: str | None = "members_area") -> None:
    """A member is recognised on a page."""
    site = service.versions.site
    with site.acting("website", purpose, place=place, channel="https") as work:
        work.recognise(of(work, site.Member, person), LOGGED_IN)


def banner(service: Any) -> None:
    """Somebody looks at the main page."""
    answer = Browser(service.versions.site.opened.app).get("/")
    assert answer.status_code == 200
    assert "version 2 is in force" in answer.text


@pytest.mark.promise("S11", "works")
def test_going_on_after_the_change_was_announced_is_recorded_and_accepts_it(hedgerow: Any) -> None:
    hedgerow.versions.under(CIRCLE_2)
    banner(hedgerow)
    goes_on(hedgerow, hedgerow.ann)
    assert hedgerow.versions.standings() == [("2", "returned", "members_area")]
    assert research(hedgerow, "Member", "email", hedgerow.ann) == "ann@example.org"
    goes_on(hedgerow, hedgerow.ann)
    assert len(hedgerow.versions.standings()) == 1, "the first time counts"


@pytest.mark.promise("S11", "works")
def test_who_goes_on_is_under_the_newer_version_from_that_page_on(hedgerow: Any) -> None:
    site: Any = hedgerow.versions.under(CIRCLE_2)
    banner(hedgerow)
    with site.acting("website", "operation", place="members_area", channel="https") as work:
        member = of(work, site.Member, hedgerow.ann)
        work.recognise(member, LOGGED_IN)
        assert work.unit.open(member.email, "research") == "ann@example.org"


@pytest.mark.promise("S11", "holds")
def test_data_of_who_has_not_come_back_is_handled_by_the_old_version(hedgerow: Any) -> None:
    clock = hedgerow.versions.clock
    site: Any = hedgerow.versions.under(CIRCLE_2)
    banner(hedgerow)
    goes_on(hedgerow, hedgerow.ann)
    with pytest.raises(Refused, match=OLD):
        research(hedgerow, "Member", "email", hedgerow.bo)
    clock.advance(89 * DAY)
    assert carry_out(site.opened.vault) == 1, "Bo's feedback goes when the old version says"
    with site.acting("website", "operation") as work:
        assert [each.person for each in work.select(site.Feedback)] == [hedgerow.ann]


@pytest.mark.promise("S11", "holds")
def test_coming_back_before_the_change_is_announced_accepts_nothing(hedgerow: Any) -> None:
    hedgerow.versions.under(CIRCLE_2)
    goes_on(hedgerow, hedgerow.ann)
    assert hedgerow.versions.standings() == []
    with pytest.raises(Refused, match=OLD):
        research(hedgerow, "Member", "email", hedgerow.ann)


@pytest.mark.promise("S11", "holds")
def test_no_version_takes_effect_before_its_banner_is_up(hedgerow: Any) -> None:
    """Also where somebody agreed to it in another way."""
    site: Any = hedgerow.versions.under(CIRCLE_2.replace("returned(version)", "consented(version)"))
    with site.acting("website", "operation", place="members_area") as work:
        work.accept(of(work, site.Member, hedgerow.ann), "I agree.")
    with pytest.raises(Refused, match=OLD):
        research(hedgerow, "Member", "email", hedgerow.ann)
    banner(hedgerow)
    assert research(hedgerow, "Member", "email", hedgerow.ann) == "ann@example.org"


@pytest.mark.promise("S11", "holds")
def test_stopping_the_newsletter_is_not_going_on(hedgerow: Any) -> None:
    """Neither for that purpose, when logged in, nor by a secret link."""
    site: Any = hedgerow.versions.under(CIRCLE_2)
    banner(hedgerow)
    goes_on(hedgerow, hedgerow.ann, purpose="unsubscribing", place="unsubscribe_page")
    with site.acting("website", "operation", place="unsubscribe_page", channel="https") as work:
        secret = work.secret(of(work, site.Member, hedgerow.ann), "stop")
        assert work.presented(site.Member, secret, "stop") is not None
    assert hedgerow.versions.standings() == []
    with pytest.raises(Refused, match=OLD):
        research(hedgerow, "Member", "email", hedgerow.ann)


@pytest.mark.promise("S11", "holds")
def test_nobody_goes_on_in_the_place_of_another(hedgerow: Any) -> None:
    """Neither a member of staff at the desk, nor a program that has no page."""
    site: Any = hedgerow.versions.under(CIRCLE_2)
    banner(hedgerow)
    goes_on(hedgerow, hedgerow.ann, place=None)
    with site.acting("website", "operation", place="members_area") as work:
        work.recognise(of(work, site.Member, hedgerow.ann), LOGGED_IN)
    desk = site.acting("website", "operation", place="console", channel="https")
    desk._unit.staff = True
    with desk as work:
        work.recognise(of(work, site.Member, hedgerow.ann), LOGGED_IN)
    assert hedgerow.versions.standings() == []


@pytest.mark.promise("S11", "holds")
def test_no_acceptance_is_kept_that_the_policy_does_not_let_be_kept(hedgerow: Any) -> None:
    hedgerow.versions.under(CIRCLE_2.replace("may keep acceptance about member for operation", "may keep contact"))
    banner(hedgerow)
    goes_on(hedgerow, hedgerow.ann)
    assert hedgerow.versions.standings() == []


@pytest.mark.promise("S11", "holds")
def test_a_page_that_did_not_work_accepts_nothing(hedgerow: Any) -> None:
    """What was noted goes with the rollback, also within the same unit."""
    site: Any = hedgerow.versions.under(CIRCLE_2)
    banner(hedgerow)
    with site.acting("website", "operation", place="members_area", channel="https") as work:
        member = of(work, site.Member, hedgerow.ann)
        work.recognise(member, LOGGED_IN)
        work.unit.open(member.email, "research")
        work.unit.rollback()
        member = of(work, site.Member, hedgerow.ann)
        with pytest.raises(Refused, match=OLD):
            work.unit.open(member.email, "research")
    assert hedgerow.versions.standings() == []


def test_who_came_under_the_version_in_force_leaves_no_row(hedgerow: Any) -> None:
    site: Any = hedgerow.versions.under(CIRCLE_2)
    banner(hedgerow)
    with site.acting("website", "operation", place="members_area", channel="https") as work:
        cy = work.collect(site.Member, person=work.person(), email="cy@example.org").person
    goes_on(hedgerow, cy)
    assert hedgerow.versions.standings() == []
