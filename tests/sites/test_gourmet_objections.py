"""After an objection nothing comes any more of what it is about, queued or not, whatever way it came (I9, I15)."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import DictLoader
from sqlalchemy import text as sql

from avow.errors import Refused

from .conftest import Gourmet, Peers
from .customer import anchors, hidden
from .subscribers import ANN, BOB, THEIR, begin, choices, facts, issues, module, ordered, subscribe, taking_mail, write

# -- holds: nothing comes after it --------------------------------------------------------------------

#: What each objection stops, and the sentence that says so.
STOPPED = {
    "mail": {
        "newsletter": {"no-more-mail"},
        "offer": {"no-more-mail"},
        "survey": {"no-more-mail"},
        "opt_in": {"no-more-mail"},
        "answer": {"no-more-mail"},
        "notice": {"no-more-mail"},
    },
    "other_uses": {
        "newsletter": {"other-uses"},
        "offer": {"other-uses"},
        "survey": {"other-uses"},
        "opt_in": {"other-uses"},
        "notice": {"other-uses"},
    },
    "marketing": {"offer": {"use-marketing"}, "survey": {"use-marketing"}},
}
PURPOSE = {
    "newsletter": "newsletter_service",
    "opt_in": "newsletter_service",
    "offer": "marketing",
    "survey": "marketing",
    "answer": "answers",
    "notice": "communication",
}
ROW = {"mail": "I15", "other_uses": "I9", "marketing": "I9"}


def cases() -> list[Any]:
    return [
        pytest.param(topic, message, marks=pytest.mark.promise(ROW[topic], "holds"), id=f"{topic}-{message}")
        for topic, messages in STOPPED.items()
        for message in messages
    ]


def subscriber(gourmet: Gourmet, peers: Peers) -> str:
    """Somebody who ordered and gets the newsletter; the path of their link."""
    path = ordered(gourmet, peers)
    subscribe(gourmet, peers, THEIR)
    return path


def put_by_hand(gourmet: Gourmet, message: str) -> None:
    """Queue a mail about the order, before anybody objected."""
    with gourmet.acting(PURPOSE[message], place="desk") as work:
        [order] = work.select(gourmet.Order)
        work.send(message, order, edition="2026-48" if message == "newsletter" else "")


@pytest.mark.parametrize(("topic", "message"), cases())
def test_nothing_of_it_leaves_any_more_queued_or_not(gourmet: Gourmet, peers: Peers, topic: str, message: str) -> None:
    path = subscriber(gourmet, peers)
    before = len(peers.mail.received)
    put_by_hand(gourmet, message)
    gourmet.customer().send(path, {"what": topic})
    with pytest.raises(Refused) as refusal:
        put_by_hand(gourmet, message)
    assert STOPPED[topic][message] <= anchors(refusal.value)
    gourmet.work_off()
    assert len(peers.mail.received) == before
    states = outbox(gourmet)
    assert [state for name, state in states if name.partition("/")[0] == message and state == "refused"]
    assert any(STOPPED[topic][message] <= set(sentences) for sentences in gourmet.refused("send"))


def outbox(gourmet: Gourmet) -> list[tuple[str, str]]:
    with gourmet.opened.vault.store.reading() as connection:
        return [(row.name, row.state) for row in connection.execute(sql("SELECT name, state FROM avow_outbox"))]


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        pytest.param("mail", "No more mail.", marks=pytest.mark.promise("I15", "holds"), id="mail"),
        pytest.param("other_uses", "I object.", marks=pytest.mark.promise("I9", "holds"), id="other_uses"),
    ],
)
@pytest.mark.parametrize("way", ["page", "mail", "staff"])
def test_by_whatever_way_nothing_leaves_any_more(
    gourmet: Gourmet, peers: Peers, way: str, topic: str, words: str
) -> None:
    """The issue, the offer and the survey stay away; the order that is under way goes on."""
    subscriber(gourmet, peers)
    begin(gourmet)
    gourmet.opened.jobs.run()  # the issue waits in the outbox
    if way == "page":
        gourmet.customer().send("/stop", {"email": THEIR.upper(), "what": topic})
    elif way == "mail":
        with taking_mail(gourmet) as port:
            write(port, words, sender=THEIR)
    else:
        with gourmet.site.acting("service_desk", "answers", place="phone", channel="https") as work:
            module(gourmet, "stop").object(work, THEIR, [topic], "phone", words)
    before = [mail.message["Subject"] for mail in peers.mail.received]
    gourmet.customer().order()
    for _ in range(3):
        gourmet.work_off(later=15 * 86400.0)
    begin(gourmet, "2026-49")
    gourmet.work_off()
    after = [mail.message["Subject"] for mail in peers.mail.received][len(before) :]
    assert after == ["Thank you for your order at Quince & Barrel"]
    assert len(peers.ups.received) == 2


@pytest.mark.promise("I9", "holds")
def test_contact_data_is_opened_for_nothing_beyond_orders(gourmet: Gourmet, peers: Peers) -> None:
    path = ordered(gourmet, peers)
    gourmet.customer().send(path, {"what": "other_uses"})
    for purpose in ("marketing", "communication"):
        with gourmet.acting(purpose, place="desk") as work:
            [order] = work.select(gourmet.Order)
            work.regard(order)
            with pytest.raises(Refused) as refusal:
                order.email.open()
            assert "other-uses" in anchors(refusal.value)
    with gourmet.acting("ordering") as work:
        [order] = work.select(gourmet.Order)
        work.regard(order)
        assert order.email.open() == THEIR


@pytest.mark.promise("I9", "holds")
@pytest.mark.promise("I15", "holds")
@pytest.mark.parametrize("change", ["state = 'yes'", "state = 'yes', since = since + 1", "state = 'asked'"])
def test_an_objection_that_is_turned_round_in_the_database_stays_one(
    gourmet: Gourmet, peers: Peers, change: str
) -> None:
    path = ordered(gourmet, peers)
    for topic in ("mail", "other_uses"):
        gourmet.customer().send(path, {"what": topic})
    with gourmet.opened.vault.store.writing() as connection:
        connection.execute(sql(f"UPDATE shop_choice SET {change}"))
    known = facts(gourmet, THEIR)
    assert known["objected(mail)"]
    assert known["objected(other_uses)"]


@pytest.mark.promise("I9", "holds")
@pytest.mark.promise("I15", "holds")
def test_only_who_holds_a_link_of_ours_takes_an_objection_back(gourmet: Gourmet, peers: Peers) -> None:
    path = ordered(gourmet, peers)
    page = gourmet.customer().send("/stop", {"email": THEIR, "what": "mail"}).headers["location"]
    gourmet.clock.advance(1.0)
    token = hidden(gourmet.customer().get(path), "csrf")
    order = gourmet.customer().order()
    for other in (f"{page}/again", "/stop/again", f"/stop/{order.rpartition('/')[2]}/again", f"{path[:-1]}/again"):
        answer = gourmet.customer().send(other, {"what": "mail", "csrf": token})
        assert answer.status_code == 404, other
    assert gourmet.customer().http.post(f"{path}/again", data={"what": "mail"}).status_code == 403
    assert facts(gourmet, THEIR)["objected(mail)"]


@pytest.mark.promise("I15", "holds")
@pytest.mark.parametrize("message", ["confirmation", "offer", "survey", "opt_in"])
def test_a_mail_without_the_link_by_which_all_mail_stops_does_not_leave(
    gourmet: Gourmet, peers: Peers, message: str
) -> None:
    templates = gourmet.opened.templates
    contact = "{{ policy.contact.email }} {{ policy.contact.phone }} {{ policy.contact.address }}"
    known = {name: templates.loader.get_source(templates, name)[0] for name in templates.list_templates()}
    templates.loader = DictLoader({**known, f"mail/{message}.txt": f"Subject: x\n\n{contact}\n"})
    gourmet.customer().order(newsletter="yes")
    for _ in range(3):
        gourmet.work_off(later=15 * 86400.0)
    assert ("x" not in [mail.message["Subject"] for mail in peers.mail.received]) is True
    with gourmet.opened.vault.store.reading() as connection:
        notes = list(connection.scalars(sql(f"SELECT note FROM avow_outbox WHERE name = '{message}'")))
    assert len(notes) == 1
    assert "must offer" in notes[0]


@pytest.mark.promise("I9", "holds")
def test_a_page_that_is_not_for_it_collects_no_objection(gourmet: Gourmet) -> None:
    choose = module(gourmet, "choice").choose
    for place in ("shop", "checkout", "newsletter_page"):
        with gourmet.acting("objections", place=place) as work, pytest.raises(Refused):
            choose(work, ANN, ["mail"], wants=False, place=place, words="no")
        with gourmet.acting("objections", place=place) as work, pytest.raises(Refused) as refusal:
            work.unit.judge("collect", "objection", source="customer", subject="customer", place=place, channel="https")
        assert anchors(refusal.value) == {"objecting"}
    assert choices(gourmet, ANN) == []


def test_issues_are_for_those_who_did_not_object(gourmet: Gourmet, peers: Peers) -> None:
    """One objects; the others' mail is not held up by it."""
    subscribe(gourmet, peers, ANN, BOB)
    gourmet.customer().send("/stop", {"email": ANN, "what": "mail"})
    begin(gourmet)
    gourmet.work_off()
    assert [mail.recipients for mail in issues(peers)] == [(BOB,)]
