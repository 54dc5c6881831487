"""Sends leave after the commit, judged again, once under one id, and retried while the peer is away."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from avow.errors import OutcomeUnknown, Refused, SetupError
from avow.outbox.queue import LEASE, MOST_ATTEMPTS
from tests.noted import entries


def states(site: Any) -> list[tuple[str, int]]:
    outbox = site.home.schema.outbox
    with site.opened.vault.store.reading() as connection:
        return [(row.state, row.attempts) for row in connection.execute(select(outbox).order_by(outbox.c.due))]


def events(site: Any) -> list[str]:
    return sorted(entry.event for entry in entries(site) if entry.event not in ("permitted", "refused"))


def share(site: Any, ann: tuple[str, str]) -> None:
    with site.acting("desk", "lending", place="hall") as work:
        work.share(work.db.get(site.Member, ann), "binder")


def test_a_share_leaves_after_the_commit_with_exactly_its_fields(site: Any, ann: tuple[str, str], peers: Any) -> None:
    seen: list[str] = []

    @site.shared("binder")
    def bound(work: Any, member: Any, reply: Any) -> None:
        seen.append(reply["tracking"])
        work.update(member, shelf="bound")

    share(site, ann)
    assert peers.binder.received == ()
    assert site.opened.courier.run() == 1
    (label,) = peers.binder.received
    assert label.fields == {"contact.name": "Ann Example", "contact.address": "1 Lane"}
    assert label.headers["idempotency-key"] == label.reference
    assert seen == [label.tracking]
    assert states(site) == [("done", 1)]
    assert events(site) == ["attempted", "done"]
    with site.acting("desk", "lending") as work:
        assert work.db.get(site.Member, ann).shelf == "bound"


def test_nothing_is_queued_when_the_unit_is_rolled_back_or_a_field_is_refused(site: Any, ann: tuple[str, str]) -> None:
    with suppress(RuntimeError), site.acting("desk", "lending") as work:
        work.share(work.db.get(site.Member, ann), "binder")
        raise RuntimeError
    with site.acting("desk", "lending") as work:
        member = work.db.get(site.Member, ann)
        with pytest.raises(Refused, match="#binder"):
            work.share(member, "binder", purpose="advertising")
        with pytest.raises(Refused, match="`printer` is not a recipient"):
            work.share(member, "printer")
        with pytest.raises(SetupError, match="none of the fields"):
            work.share(member, "bank")
    assert states(site) == []


def test_a_mail_is_filled_in_when_it_leaves(site: Any, ann: tuple[str, str], peers: Any) -> None:
    with site.acting("desk", "lending", place="hall") as work:
        work.send("notice", work.db.get(site.Member, ann))
    site.opened.courier.run()
    (mail,) = peers.mail.received
    assert (list(mail.recipients), mail.message["Subject"]) == (["ann@example.org"], "Your book is here, Ann Example")
    assert "Dear Ann Example," in mail.text
    assert f"{site.opened.settings.base}/card/" in mail.text


def test_a_peer_that_is_away_is_tried_again_later_and_gets_it_once(
    site: Any, ann: tuple[str, str], peers: Any, clock: Any
) -> None:
    share(site, ann)
    peers.binder.down = True
    assert site.opened.courier.run() == 1
    assert states(site) == [("ready", 1)]
    assert site.opened.courier.run() == 0  # not at once again
    peers.binder.down = False
    peers.binder.fails_midway = True
    clock.advance(10)
    assert site.opened.courier.run() == 1
    peers.binder.fails_midway = False
    clock.advance(10)
    assert site.opened.courier.run() == 1
    assert states(site) == [("done", 3)]
    assert len(peers.binder.received) == 1  # the second attempt had arrived; the third was known by its key
    assert events(site) == ["attempted"] * 3 + ["done", "failed", "unknown"]  # each attempt says how it ended


def test_a_send_is_given_up_after_many_attempts(site: Any, ann: tuple[str, str], peers: Any, clock: Any) -> None:
    share(site, ann)
    peers.binder.down = True
    for _ in range(MOST_ATTEMPTS + 3):
        site.opened.courier.run()
        clock.advance(4000)
    assert states(site) == [("failed", MOST_ATTEMPTS)]


def test_a_refusal_for_good_is_not_repeated(site: Any, ann: tuple[str, str], peers: Any, clock: Any) -> None:
    peers.mail.declines = "550 5.1.1 no such mailbox"
    with site.acting("desk", "lending", place="hall") as work:
        work.send("notice", work.db.get(site.Member, ann))
    site.opened.courier.run()
    clock.advance(10_000)
    assert site.opened.courier.run() == 0
    assert states(site) == [("failed", 1)]
    assert events(site) == ["attempted", "failed"]


def test_an_attempt_whose_worker_died_becomes_due_again(
    site: Any, ann: tuple[str, str], peers: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(site, ann)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(site.opened.courier, "_deliver", die)
        with pytest.raises(KeyboardInterrupt):
            site.opened.courier.run()
    assert states(site) == [("attempted", 1)]
    assert site.opened.courier.run() == 0
    clock.advance(LEASE + 1)
    site.opened.courier.run()
    assert states(site) == [("done", 2)]
    assert len(peers.binder.received) == 1
    assert events(site) == ["attempted", "attempted", "done", "unknown"]


def test_an_attempt_that_outlived_its_lease_undoes_nothing(
    site: Any, ann: tuple[str, str], peers: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped for a while comes back, and what it was at was done elsewhere."""
    share(site, ann)
    courier = site.opened.courier
    late: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(courier, "_deliver", lambda send, parcel: late.append((send, parcel)))
        courier.run()
    clock.advance(LEASE + 1)
    courier.run()
    assert states(site) == [("done", 2)]
    [(send, parcel)] = late

    def unanswered() -> dict[str, Any]:
        raise OutcomeUnknown("no answer came")

    for outcome in (unanswered, parcel):
        courier._deliver(send, outcome)
        assert states(site) == [("done", 2)]
    assert courier.run() == 0
    assert events(site) == ["attempted", "attempted", "done", "done", "unknown", "unknown"]


def test_what_is_no_longer_permitted_does_not_leave(
    site: Any, ann: tuple[str, str], peers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(site, ann)
    closed = site.policy.parse(
        site.policy.source.replace(
            "may share contact.name, contact.address with binder for", "may share contact.name with binder for"
        )
    )
    monkeypatch.setattr(site.opened.vault, "policy", closed)
    site.opened.courier.run()
    assert peers.binder.received == ()
    assert states(site)[0][0] == "refused"


def test_a_faulty_record_does_not_hold_up_the_others(site: Any, ann: tuple[str, str], peers: Any, clock: Any) -> None:
    share(site, ann)
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        bob = work.collect(site.Member, person=work.person(), name="Bob", email="bob@example.org", address="2 Lane")
        work.share(bob, "binder")
        table = site.Member.__table__
        damaged = table.c.name.type.stored(b"\x01damaged")
        work.db.execute(table.update().where(table.c.id == bob.id).values(name=damaged))
    site.opened.courier.run()
    assert [label.fields["contact.name"] for label in peers.binder.received] == ["Ann Example"]
    assert sorted(state for state, _ in states(site)) == ["done", "ready"]


def test_several_workers_share_the_outbox(site: Any, ann: tuple[str, str], peers: Any) -> None:
    for _ in range(12):
        share(site, ann)
    threads = [Thread(target=site.opened.courier.run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(site) == [("done", 1)] * 12
    assert len(peers.binder.received) == 12


def test_a_broken_template_does_not_hold_up_the_others(
    site: Any, ann: tuple[str, str], peers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("nmae")

    monkeypatch.setattr(site.opened.templates, "get_template", broken)
    with site.acting("desk", "lending", place="hall") as work:
        work.send("notice", work.db.get(site.Member, ann))
    share(site, ann)
    site.opened.courier.run()
    assert len(peers.binder.received) == 1
    assert sorted(states(site)) == [("done", 1), ("ready", 1)]
