"""An exchange: the attempt is durable before the socket, the values serve once, the outcome is told in the end."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from avow.edge.form import Form, card_code, card_expiry, card_number
from avow.errors import OutcomeUnknown, Refused, SetupError
from avow.outbound.exchange import ASK_AFTER, NEVER_SEEN_AFTER
from tests.outbox.conftest import ann, clock, peers, site

__all__ = ["ann", "clock", "peers", "site"]  # fixtures


class Fine(Form):
    number = card_number("card.number", "Card number")
    code = card_code("card.code", "Code")
    expiry = card_expiry("card.expiry", "Good until")


GOOD = "4242 4242 4242 4242"


@pytest.fixture(autouse=True)
def pays(site: Any) -> list[str]:
    """Write down every outcome, as a service would; the card fields of the bank's protocol beside the number."""
    told: list[str] = []

    @site.settled("bank")
    def settled(work: Any, member: Any, reply: Any) -> None:
        told.append(reply.status)
        work.update(member, fine=reply.status)
        if reply.status == "done":
            work.update(member, source="bank", at="hall", last4=reply["last4"])

    return told


def given(number: str = GOOD) -> Fine:
    return Fine({"number": number, "code": "123", "expiry": "12/99"})


def pay(site: Any, ann: tuple[str, str], number: str = GOOD) -> Any:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        card = work.once("card", given(number))
        return work.exchange(card, "bank", about=work.db.get(site.Member, ann), amount="1.50", currency="EUR")


def fine(site: Any, ann: tuple[str, str]) -> tuple[str, str]:
    exchange = site.home.schema.exchange
    with site.acting("desk", "lending") as work:
        states = work.db.scalars(select(exchange.c.state)).all()
        return work.db.get(site.Member, ann).fine, states[-1]


def test_the_outcome_and_what_it_changes_are_one(site: Any, ann: tuple[str, str], peers: Any, pays: list[str]) -> None:
    reply = pay(site, ann)
    assert (reply.status, reply["last4"], pays) == ("done", "4242", ["done"])
    assert fine(site, ann) == ("done", "done")
    (payment,) = peers.bank.received
    assert payment.attempt == reply.attempt
    assert repr(reply) == "<reply done>"


def test_a_declined_card_is_declined(site: Any, ann: tuple[str, str], pays: list[str]) -> None:
    assert pay(site, ann, "4000 0000 0000 0002").status == "declined"
    assert fine(site, ann) == ("declined", "declined")


def test_nothing_happens_when_the_peer_is_down(site: Any, ann: tuple[str, str], peers: Any) -> None:
    peers.bank.down = True
    assert pay(site, ann).status == "failed"
    assert fine(site, ann) == ("failed", "failed")
    assert site.opened.exchanges.settle() == 0


@pytest.mark.parametrize("trouble", ["fails_midway", "nonsense", "slow"])
def test_an_unknown_outcome_is_asked_for_and_never_paid_twice(
    site: Any, ann: tuple[str, str], peers: Any, clock: Any, pays: list[str], trouble: str
) -> None:
    setattr(peers.bank, trouble, 5.0 if trouble == "slow" else True)
    assert pay(site, ann).status == "unknown"
    setattr(peers.bank, trouble, 0.0 if trouble == "slow" else False)
    assert fine(site, ann) == ("unknown", "unknown")
    clock.advance(ASK_AFTER + 1)
    assert site.opened.exchanges.settle() == 1
    assert fine(site, ann) == ("done", "done")
    assert pays == ["unknown", "done"]
    assert len(peers.bank.received) == 1
    assert site.opened.exchanges.settle() == 0


def test_an_attempt_that_never_arrived_fails_after_a_while(
    site: Any, ann: tuple[str, str], clock: Any, pays: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = site.opened.exchanges.channel_of("bank")

    def lost(*_: object, **__: object) -> None:
        raise OutcomeUnknown("lost on the way")

    with monkeypatch.context() as patch:
        patch.setattr(channel, "post", lost)
        assert pay(site, ann).status == "unknown"
    clock.advance(ASK_AFTER + 1)
    assert site.opened.exchanges.settle() == 0  # it might still arrive
    clock.advance(NEVER_SEEN_AFTER)
    assert site.opened.exchanges.settle() == 1
    assert fine(site, ann) == ("failed", "failed")


def test_a_crash_before_the_answer_leaves_an_attempt_that_is_asked_for(
    site: Any, ann: tuple[str, str], peers: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(site.opened.exchanges, "_write_outcome", die)
        with pytest.raises(KeyboardInterrupt):
            pay(site, ann)
    assert fine(site, ann) == ("due", "attempted")
    clock.advance(60)
    assert site.opened.exchanges.settle() == 1
    assert fine(site, ann) == ("done", "done")
    assert len(peers.bank.received) == 1


def test_an_outcome_that_two_workers_learn_at_once_changes_things_once(
    site: Any, ann: tuple[str, str], peers: Any, clock: Any, pays: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    peers.bank.fails_midway = True
    assert pay(site, ann).status == "unknown"
    peers.bank.fails_midway = False
    clock.advance(ASK_AFTER + 1)
    channel = site.opened.exchanges.channel_of("bank")
    ask = channel.get

    def slowly(path: str) -> Any:
        answer = ask(path)
        monkeypatch.setattr(channel, "get", ask)
        assert site.opened.exchanges.settle() == 1  # the other worker has asked as well, and is quicker
        return answer

    monkeypatch.setattr(channel, "get", slowly)
    site.opened.exchanges.settle()
    assert pays == ["unknown", "done"]
    assert fine(site, ann) == ("done", "done")


def test_an_outcome_that_cannot_be_written_holds_up_nothing_else(
    site: Any, ann: tuple[str, str], peers: Any, clock: Any, pays: list[str]
) -> None:
    peers.bank.fails_midway = True
    pay(site, ann)
    pay(site, ann)
    peers.bank.fails_midway = False
    clock.advance(ASK_AFTER + 1)
    hook = site.on_settled["bank"]
    troubled: list[str] = []

    @site.settled("bank")
    def settled(work: Any, member: Any, reply: Any) -> None:
        troubled.append(reply.attempt)
        if reply.attempt == troubled[0]:
            raise RuntimeError("the service has a fault here")
        hook(work, member, reply)

    assert site.opened.background.round() > 1  # the other payment is settled, and the ledger is integrated
    assert len(set(troubled)) == 2
    assert site.opened.exchanges.settle() == 0  # and the troubled one is not asked about without pause
    site.settled("bank")(hook)
    clock.advance(ASK_AFTER + 1)
    assert site.opened.exchanges.settle() == 1


def test_what_was_flushed_becomes_durable_with_the_attempt_and_not_before(
    site: Any, ann: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    def order() -> None:
        with site.acting("desk", "lending", place="hall", channel="https") as work:
            member = work.db.get(site.Member, ann)
            work.update(member, fine="unknown")
            work.db.flush()
            work.exchange(work.once("card", given()), "bank", about=member, amount="1.50", currency="EUR")

    for step, found in (("_write_attempt", None), ("_write_outcome", ("unknown", "attempted"))):
        with monkeypatch.context() as patch:
            patch.setattr(site.opened.exchanges, step, die)
            with pytest.raises(KeyboardInterrupt):
                order()
        if found is None:
            with site.acting("desk", "lending") as work:
                assert work.db.get(site.Member, ann).fine == "due"
        else:
            assert fine(site, ann) == found


def test_the_values_serve_once_and_only_where_permitted(site: Any, ann: tuple[str, str], peers: Any) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.db.get(site.Member, ann)
        card = work.once("card", given())
        with pytest.raises(Refused, match="#bank"):
            work.exchange(card, "bank", about=member, purpose="advertising", amount="1.50", currency="EUR")
        with pytest.raises(Refused, match="#b"):
            work.exchange(card, "binder", about=member, amount="1.50", currency="EUR")
        with pytest.raises(Refused, match="is not a recipient"):
            work.exchange(card, "printer", about=member, amount="1.50", currency="EUR")
        work.exchange(card, "bank", about=member, amount="1.50", currency="EUR")
        with pytest.raises(Refused, match="serves once"):
            work.exchange(card, "bank", about=member, amount="1.50", currency="EUR")
    assert len(peers.bank.received) == 1


def test_unwritten_changes_must_be_committed_first(site: Any, ann: tuple[str, str], peers: Any) -> None:
    with site.acting("desk", "lending", place="hall", channel="https") as work:
        member = work.db.get(site.Member, ann)
        member.shelf = "C"
        with pytest.raises(SetupError, match="unwritten changes"):
            work.exchange(work.once("card", given()), "bank", about=member, amount="1.50", currency="EUR")
    assert peers.bank.received == ()


def test_a_failing_hook_loses_no_payment(site: Any, ann: tuple[str, str], peers: Any, clock: Any) -> None:
    faults = [RuntimeError("the service stumbles")]
    proper = site.on_settled["bank"]

    @site.settled("bank")
    def settled(work: Any, member: Any, reply: Any) -> None:
        if faults:
            raise faults.pop()
        proper(work, member, reply)

    assert pay(site, ann).status == "unknown"
    assert fine(site, ann) == ("due", "attempted")
    clock.advance(60)
    assert site.opened.exchanges.settle() == 1
    assert fine(site, ann) == ("done", "done")
    assert len(peers.bank.received) == 1


def test_a_late_yes_overrides_never_seen(
    site: Any, ann: tuple[str, str], peers: Any, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    exchanges = site.opened.exchanges
    channel = exchanges.channel_of("bank")
    post, live = channel.post, exchanges._live

    def while_the_clock_jumps(*given: Any, **options: Any) -> Any:
        clock.advance(NEVER_SEEN_AFTER + 100)
        settled: list[int] = []
        for _ in range(2):
            worker = Thread(target=lambda: settled.append(exchanges.settle()))
            worker.start()
            worker.join()
            live.clear()
        assert settled == [0, 1]  # it is under way in this process; another process could not know
        return post(*given, **options)

    monkeypatch.setattr(channel, "post", while_the_clock_jumps)
    assert pay(site, ann).status == "done"
    assert fine(site, ann) == ("done", "done")
    assert len(peers.bank.received) == 1
