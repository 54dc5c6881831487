"""The newsletter: asked for, confirmed, sent with a way out, ended at once; and no mail tells who opens it (I5)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text as sql

from avow.cli.serve import load_site
from avow.errors import Refused

from .conftest import SHOP, Gourmet, Peers, Shop
from .customer import CONTACT, Customer, anchors
from .subscribers import (
    ANN,
    BOB,
    CONTACT_LINES,
    SERVICE,
    ask,
    begin,
    choices,
    facts,
    genuine,
    issues,
    link,
    module,
    module_of,
    one_click,
    reworded,
    subscribe,
)

POST = {"List-Unsubscribe": "One-Click"}

#: The row of somebody who has said yes, in SQL.
HERS = "FROM shop_choice WHERE state = 'yes'"


# -- works --------------------------------------------------------------------------------------------


@pytest.mark.promise("I5", "works")
def test_from_the_page_to_an_issue_to_the_end_in_a_browser(tls_shop: Shop, page: Any) -> None:
    page.goto(f"{tls_shop.base}/newsletter")
    page.get_by_label("Your e-mail address").fill(ANN)
    page.get_by_label("Yes, send me the newsletter").check()
    page.get_by_role("button", name="Send me the newsletter").click()
    page.get_by_role("heading", name="Please look into your mail").wait_for()
    [mail] = tls_shop.peers.mail.wait_for(1)
    assert mail.recipients == (ANN,)
    page.goto(f"{tls_shop.base}{link(mail, 'newsletter')}")
    page.get_by_role("button", name="Yes, send me the newsletter").click()
    page.get_by_role("heading", name="You get the newsletter").wait_for()
    begin_beside(tls_shop)
    issue = tls_shop.peers.mail.wait_for(2)[1]
    assert issue.message["Subject"] == "The last quinces, and what to do with them"
    assert one_click(issue) in issue.text
    page.goto(one_click(issue))
    assert page.get_by_role("button").count() == 1
    assert page.get_by_label("The newsletter").is_checked()
    page.get_by_role("button", name="Stop it").click()
    page.get_by_role("heading", name="This has stopped").wait_for()
    assert page.get_by_role("status").get_by_text("The newsletter, since").is_visible()


def begin_beside(shop: Shop, issue: str = "2026-48") -> None:
    """Begin an issue in the running shop's database, from another process's place."""
    site: Any = load_site(SHOP)
    site.open(shop.data, background=False)
    try:
        with site.acting("storefront", "newsletter_service", place="desk") as work:
            assert module_of(site, "newsletter").begin(work, issue)
    finally:
        site.close()


@pytest.mark.promise("I5", "works")
def test_one_post_of_a_mail_program_ends_it(gourmet: Gourmet, peers: Peers) -> None:
    """RFC 8058: no cookie, no token, no origin; both kinds of form."""
    subscribe(gourmet, peers, ANN, BOB)
    assert begin(gourmet)
    gourmet.work_off()
    to_ann, to_bob = sorted(issues(peers), key=lambda mail: mail.recipients[0])
    program = gourmet.customer().http
    form = program.post(one_click(to_ann), data=POST)
    multipart = program.post(one_click(to_bob), files={"List-Unsubscribe": (None, "One-Click")})
    for answer in (form, multipart):
        assert answer.status_code == 200
        assert "This has stopped" in answer.text
        assert "set-cookie" not in answer.headers
    begin(gourmet, "2026-49")
    gourmet.work_off()
    assert len(issues(peers)) == 2


@pytest.mark.promise("I5", "works")
def test_an_issue_has_the_headers_of_a_list_and_is_signed(gourmet: Gourmet, peers: Peers) -> None:
    subscribe(gourmet, peers, ANN)
    begin(gourmet)
    gourmet.work_off()
    [issue] = issues(peers)
    message = issue.message
    secret = link(issue, "stop")
    assert message["List-Unsubscribe"] == f"<https://shop.example{secret}>, <mailto:{SERVICE}?subject=unsubscribe>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "<newsletter.quinceandbarrel.example>"
    assert message["List-Help"] == f"<mailto:{SERVICE}?subject=help>, <https://shop.example/privacy>"
    assert message["List-Owner"] == f"<mailto:{SERVICE}>"
    assert (message["Auto-Submitted"], message["Precedence"]) == ("auto-generated", "bulk")
    assert re.fullmatch(r"<[0-9a-f]{32}@quinceandbarrel\.example>", message["Message-ID"])
    assert message.get_content_type() == "text/plain"
    assert genuine(gourmet, issue)
    for header in ("List-Unsubscribe", "List-Unsubscribe-Post", "From"):
        assert issue.content.count(f":{header}:".encode()) >= 2, f"{header} is not signed against additions"
    assert all(way in issue.text for way in (SERVICE, "+1 555 0100", "1 Market Lane, Exampleton"))


@pytest.mark.promise("I5", "works")
def test_the_box_at_the_checkout_is_empty_and_asks_by_mail_when_it_is_ticked(gourmet: Gourmet, peers: Peers) -> None:
    customer = gourmet.customer()
    customer.put_into_cart()
    box = re.search(r'<input type="checkbox" name="newsletter"[^>]*>', customer.get("/checkout").text)
    assert box
    assert "checked" not in box[0]
    customer.order()
    gourmet.work_off()
    assert choices(gourmet, CONTACT["email"]) == []
    gourmet.customer().order(newsletter="yes")
    gourmet.work_off()
    assert choices(gourmet, CONTACT["email"]) == [("newsletter", "asked")]
    [asked] = [mail for mail in peers.mail.received if "newsletter" in mail.message["Subject"]]
    assert asked.recipients == (CONTACT["email"],)


@pytest.mark.promise("I5", "works")
def test_the_words_agreed_to_are_kept_with_day_and_page(gourmet: Gourmet, peers: Peers) -> None:
    subscribe(gourmet, peers, ANN)
    kind = module(gourmet, "choice").Choice
    agreed = module(gourmet, "newsletter").AGREED
    assert agreed in gourmet.customer().get("/newsletter").text.replace("&amp;", "&")
    with gourmet.acting("newsletter_service", place="newsletter_page") as work:
        [choice] = work.select(kind, kind.email == ANN)
        assert choice.agreed._reveal() == agreed
        assert (choice.place, choice.state, choice.policy) == ("newsletter_page", "yes", gourmet.site.policy.digest)
        assert choice.asked <= choice.since < gourmet.clock()


def test_an_issue_is_sent_once_and_a_second_begins_by_itself_never(gourmet: Gourmet, peers: Peers) -> None:
    subscribe(gourmet, peers, ANN, BOB)
    assert begin(gourmet)
    gourmet.work_off()
    gourmet.work_off(later=600.0)
    assert not begin(gourmet)
    assert not begin(gourmet, "1999-01")
    gourmet.work_off(later=600.0)
    assert sorted(mail.recipients[0] for mail in issues(peers)) == [ANN, BOB]
    with gourmet.acting("newsletter_service", place="desk") as work:
        found = {issue.name: (issue.state, issue.count) for issue in module(gourmet, "newsletter").issues(work)}
    assert found == {"2026-48": ("sent", 2), "2026-49": ("ready", 0)}


@pytest.mark.promise("I5", "holds")
def test_an_issue_that_is_queued_piece_by_piece_reaches_each_once(
    gourmet: Gourmet, peers: Peers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module(gourmet, "newsletter"), "BATCH", 1)
    subscribe(gourmet, peers, ANN, BOB)
    assert begin(gourmet)
    for _ in range(3):
        gourmet.work_off(later=60.0)
    assert sorted(mail.recipients[0] for mail in issues(peers)) == [ANN, BOB]


def test_who_asked_twice_gets_one(gourmet: Gourmet, peers: Peers) -> None:
    """Also where both mails were answered: of an address the latest choice counts."""
    ask(gourmet.customer(), ANN)
    gourmet.work_off(later=25 * 3600.0)
    ask(gourmet.customer(), ANN.upper())
    gourmet.work_off()
    for mail in peers.mail.received:
        gourmet.customer().send(link(mail, "newsletter"), {})
        gourmet.clock.advance(1.0)
    begin(gourmet)
    gourmet.work_off()
    assert len(issues(peers)) == 1


def test_who_asks_again_after_the_end_gets_it_again(gourmet: Gourmet, peers: Peers) -> None:
    subscribe(gourmet, peers, ANN)
    begin(gourmet)
    gourmet.work_off()
    gourmet.customer().http.post(one_click(issues(peers)[0]), data=POST)
    gourmet.clock.advance(25 * 3600.0)
    assert facts(gourmet, ANN)["withdrawn(newsletter)"]
    subscribe(gourmet, peers, ANN)
    begin(gourmet, "2026-49")
    gourmet.work_off()
    assert len(issues(peers)) == 2


def test_nobody_is_told_whether_an_address_is_known_nor_mailed_twice_a_day(gourmet: Gourmet, peers: Peers) -> None:
    subscribe(gourmet, peers, BOB)
    answers = []
    for address in (ANN, ANN, BOB):
        answer = gourmet.customer().send("/newsletter", {"email": address, "agree": "yes"})
        answers.append((answer.status_code, answer.headers["location"]))
    gourmet.work_off()
    assert len(set(answers)) == 1
    assert [mail.recipients for mail in peers.mail.received].count((ANN,)) == 1
    assert [mail.recipients for mail in peers.mail.received].count((BOB,)) == 1


def test_the_mailed_question_runs_out(gourmet: Gourmet, peers: Peers) -> None:
    ask(gourmet.customer(), ANN)
    gourmet.work_off()
    path = link(peers.mail.received[0], "newsletter")
    gourmet.clock.advance(8 * 24 * 3600.0)
    assert gourmet.customer().get(path).status_code == 404
    assert choices(gourmet, ANN) == [("newsletter", "asked")]


# -- holds: the opt-in --------------------------------------------------------------------------------


@pytest.mark.promise("I5", "holds")
def test_without_a_confirmed_yes_no_issue_comes(gourmet: Gourmet, peers: Peers) -> None:
    """Not to who only ordered, not to who was typed in by somebody, not after a mere look at the link."""
    ask(gourmet.customer(), ANN)
    gourmet.customer().order()
    gourmet.work_off()
    asked = next(mail for mail in peers.mail.received if mail.recipients == (ANN,))
    assert "Was it you?" in gourmet.customer().get(link(asked, "newsletter")).text
    assert choices(gourmet, ANN) == [("newsletter", "asked")]
    kind = module(gourmet, "choice").Choice
    with gourmet.acting("newsletter_service", place="newsletter_page") as work:
        [choice] = work.select(kind, kind.email == ANN)
        [order] = work.select(gourmet.Order)
        for record in (choice, order):
            with pytest.raises(Refused) as refusal:
                work.send("newsletter", record, edition="2026-48")
            assert anchors(refusal.value) == {"newsletter"}
    begin(gourmet)
    gourmet.work_off()
    assert issues(peers) == []


@pytest.mark.promise("I5", "holds")
def test_a_form_without_the_box_or_from_elsewhere_subscribes_nobody(gourmet: Gourmet, peers: Peers) -> None:
    customer = gourmet.customer()
    assert customer.send("/newsletter", {"email": ANN}).status_code == 422
    ask(customer, ANN)
    gourmet.work_off()
    path = link(peers.mail.received[0], "newsletter")
    assert customer.http.post("/newsletter", data={"email": BOB, "agree": "yes"}).status_code == 403
    assert customer.http.post(path, data=POST).status_code == 403  # one click ends, and never begins
    assert choices(gourmet, ANN) == [("newsletter", "asked")]
    assert choices(gourmet, BOB) == []


@pytest.mark.promise("I5", "holds")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE shop_choice SET state = 'yes'",
        "UPDATE shop_choice SET state = 'yes', since = since + 1",
        f"UPDATE shop_choice SET state = 'yes', mark = (SELECT mark {HERS})",
        f"UPDATE shop_choice SET (state, mark, since) = (SELECT state, mark, since {HERS})",
    ],
)
def test_a_consent_that_is_written_into_the_database_is_none(gourmet: Gourmet, peers: Peers, change: str) -> None:
    subscribe(gourmet, peers, BOB)
    ask(gourmet.customer(), ANN)
    gourmet.work_off()
    with gourmet.opened.vault.store.writing() as connection:
        connection.execute(sql(f"{change} WHERE state = 'asked'"))
    assert not facts(gourmet, ANN)["consented(newsletter)"]
    begin(gourmet)
    gourmet.work_off()
    assert [mail.recipients for mail in issues(peers)] == [(BOB,)]


# -- holds: the way out -------------------------------------------------------------------------------


@pytest.mark.promise("I5", "holds")
def test_no_issue_comes_after_the_end_not_even_one_that_waits(gourmet: Gourmet, peers: Peers) -> None:
    subscribe(gourmet, peers, ANN)
    begin(gourmet)
    gourmet.work_off()
    begin(gourmet, "2026-49")
    gourmet.opened.jobs.run()  # queued, and not sent yet
    gourmet.customer().http.post(one_click(issues(peers)[0]), data=POST)
    gourmet.work_off()
    assert len(issues(peers)) == 1
    assert ("newsletter-ends",) in gourmet.refused("send")
    kind = module(gourmet, "choice").Choice
    with gourmet.acting("newsletter_service", place="newsletter_page") as work:
        choice = next(c for c in work.select(kind, kind.email == ANN) if c.state == "yes")
        with pytest.raises(Refused) as refusal:
            work.send("newsletter", choice, edition="2026-49")
        assert "newsletter-ends" in anchors(refusal.value)


@pytest.mark.promise("I5", "holds")
def test_looking_at_the_link_ends_nothing(gourmet: Gourmet, peers: Peers) -> None:
    """Programs that scan mail follow every link."""
    subscribe(gourmet, peers, ANN)
    begin(gourmet)
    gourmet.work_off()
    for method in ("GET", "HEAD", "OPTIONS"):
        gourmet.customer().http.request(method, one_click(issues(peers)[0]))
    assert choices(gourmet, ANN) == [("newsletter", "yes")]
    again = f"{one_click(issues(peers)[0])}/again"
    assert gourmet.customer().http.post(again, data=POST).status_code == 403


@pytest.mark.promise("I5", "holds")
@pytest.mark.parametrize("way", ["", "{% set way_out = links('stop') %}"], ids=["no link", "a link unwritten"])
@pytest.mark.parametrize("message", ["newsletter", "offer", "survey"])
def test_a_mail_without_its_way_out_does_not_leave(gourmet: Gourmet, peers: Peers, message: str, way: str) -> None:
    gourmet.customer().order()
    subscribe(gourmet, peers, CONTACT["email"])
    before = len(peers.mail.received)
    reworded(gourmet, **{message: f"Subject: News\n\n{way}Hello {CONTACT_LINES}\n"})
    kind = module(gourmet, "choice").Choice
    purpose = "newsletter_service" if message == "newsletter" else "marketing"
    with gourmet.acting(purpose, place="desk") as work:
        [choice] = work.select(kind, kind.email == CONTACT["email"])
        work.send(message, choice)
    gourmet.work_off()
    assert len(peers.mail.received) == before
    assert "refused: `must offer unsubscribe in " in last_note(gourmet)


@pytest.mark.promise("I5", "holds")
def test_where_one_click_could_be_overheard_no_issue_leaves(gourmet: Gourmet, peers: Peers) -> None:
    """RFC 8058 asks for HTTPS; plain HTTP counts on this machine only, for trying the shop out."""
    subscribe(gourmet, peers, ANN)
    for base, arrives in (("http://shop.example", False), ("http://127.0.0.1:8000", True)):
        object.__setattr__(gourmet.opened.settings, "base", base)
        before = len(peers.mail.received)
        begin(gourmet, "2026-48" if not arrives else "2026-49")
        gourmet.work_off()
        assert len(peers.mail.received) - before == int(arrives)


def last_note(gourmet: Gourmet) -> str:
    """What the outbox says of the send that was put in last and did not leave."""
    with gourmet.opened.vault.store.reading() as connection:
        rows = connection.execute(sql("SELECT state, note FROM avow_outbox WHERE state != 'done'")).all()
    return "; ".join(f"{row.state}: {row.note}" for row in rows)


@pytest.mark.promise("I5", "holds")
def test_the_shop_keeps_nobodys_address_in_the_clear(shop: Shop) -> None:
    customer = Customer(shop.base)
    ask(customer, ANN)
    [mail] = shop.peers.mail.wait_for(1)
    customer.send(link(mail, "newsletter"), {})
    begin_beside(shop)
    issue = shop.peers.mail.wait_for(2)[1]
    customer.http.post(one_click(issue), data=POST)
    shop.process.terminate()
    shop.process.wait(timeout=20)
    left = b"\0".join(file.read_bytes() for file in shop.data.iterdir() if file.is_file())
    for canary in (ANN, ANN.partition("@")[0], one_click(issue).rpartition("/")[2]):
        assert canary.encode() not in left
        assert canary not in shop.log.read_text()
