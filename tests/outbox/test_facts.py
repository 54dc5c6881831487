"""What the site knows of a person counts when something is queued, and again when it is about to leave."""

from __future__ import annotations

from typing import Any

import pytest

from avow.errors import Refused
from tests.outbox.test_courier import states


def member(site: Any, work: Any, key: tuple[str, str]) -> Any:
    return work.db.get(site.Member, key)


def wishes(site: Any, wants: dict[str, bool]) -> None:
    """The club knows by a member's id who wants news."""

    @site.facts
    def known(work: Any, record: Any, recipient: str | None) -> dict[str, bool]:
        return {"consented(news)": wants[record.owner_id]} if record.owner_id in wants else {}


def test_a_mail_needs_the_consent_of_its_own_person(site: Any, ann: tuple[str, str], peers: Any) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        bob = work.collect(site.Member, person=work.person(), name="Bob", email="bob@example.org")
        keys = {"ann": ann, "bob": (bob.person, bob.id)}
    wishes(site, {ann[0]: True, keys["bob"][0]: False})
    with site.acting("desk", "lending") as work:
        work.send("news", member(site, work, keys["ann"]))
        with pytest.raises(Refused, match="#news"):  # what is known of Ann is not known of Bob
            work.send("news", member(site, work, keys["bob"]))
        work.send("news", member(site, work, keys["ann"]))
    assert site.opened.courier.run() == 2
    assert {mail.recipients for mail in peers.mail.received} == {("ann@example.org",)}


@pytest.mark.parametrize("later", [None, False])
def test_a_queued_mail_stays_when_consent_is_gone_before_it_leaves(
    site: Any, ann: tuple[str, str], peers: Any, later: bool | None
) -> None:
    wants = {ann[0]: True}
    wishes(site, wants)
    with site.acting("desk", "lending") as work:
        work.send("news", member(site, work, ann))
    wants.pop(ann[0])
    if later is not None:
        wants[ann[0]] = later
    site.opened.courier.run()
    assert peers.mail.received == ()
    assert states(site) == [("refused", 0)]


def test_a_share_is_judged_by_what_is_known_for_its_recipient(site: Any, ann: tuple[str, str], peers: Any) -> None:
    asked: list[tuple[str, str | None]] = []

    @site.facts
    def known(work: Any, record: Any, recipient: str | None) -> dict[str, bool]:
        asked.append((record.owner_id, recipient))
        return {}

    with site.acting("desk", "lending", place="hall") as work:
        work.share(member(site, work, ann), "binder")
    site.opened.courier.run()
    assert asked == [(ann[0], "binder")] * 2
    assert len(peers.binder.received) == 1


def test_a_unit_forgets_what_it_knew_of_another(site: Any, ann: tuple[str, str]) -> None:
    wishes(site, {ann[0]: True})
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        bob = work.collect(site.Member, person=work.person(), name="Bob", email="bob@example.org")
        work.regard(member(site, work, ann))
        assert work.unit.known().get("consented(news)") is True
        work.regard(bob)
        assert work.unit.known().get("consented(news)") is None
