"""Mail to the published address: who wants no more or objects is heeded, all else is for the desk (I9, I15)."""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from .conftest import Gourmet, Peers, Shop, serving
from .customer import PAYS
from .subscribers import ANN, BOB, SERVICE, THEIR, choices, facts, module, ordered, seen, send, taking_mail, write

# -- works: by mail -----------------------------------------------------------------------------------


@pytest.mark.promise("I15", "works")
def test_by_mail_with_its_confirmation_on_the_page(tmp_path: Path, peers: Peers, page: Any) -> None:
    with serving(tmp_path, peers, "--inbox", "127.0.0.1:0") as shop:
        page.goto(f"{shop.base}/stop")
        number = page.get_by_role("region", name="Other ways").locator("strong").inner_text()
        page.goto(f"{shop.base}/stop/seen/{number}")
        assert page.get_by_role("heading", name="Nothing under this number").is_visible()
        assert write(inbox_of(shop), "Thank you.", subject=f"No more mail {number}") == 250
        page.reload()
        assert page.get_by_role("heading", name="It has stopped").is_visible()
        assert page.get_by_text("as you told us by mail").is_visible()
        assert peers.mail.received == ()
        assert ANN not in shop.log.read_text()


def inbox_of(shop: Shop) -> int:
    found = re.search(r"smtp://127\.0\.0\.1:(\d+)", shop.said)
    assert found, shop.said
    return int(found[1])


@pytest.mark.promise("I9", "works")
@pytest.mark.promise("I15", "works")
@pytest.mark.parametrize(
    ("subject", "text", "topics"),
    [
        ("unsubscribe", "", {"newsletter", "marketing"}),
        ("Stop", "", {"mail"}),
        ("Please stop!", "", {"mail"}),
        ("Your newsletter", "Hello,\n\nplease stop sending me these.\n", {"mail"}),
        ("Re: News", "No more mail, please.\n\n> Here is our issue\n", {"mail"}),
        ("Hello", "Please remove me from your list.\n", {"mail"}),
        ("Hello", "Take me off, thank you.\n", {"mail"}),
        ("Objection", "", {"other_uses"}),
        ("My data", "I strongly object to any use beyond my order.\n", {"other_uses"}),
        ("I object", "and I want no more mail.\n", {"other_uses", "mail"}),
    ],
)
def test_what_is_written_is_heeded(gourmet: Gourmet, subject: str, text: str, topics: set[str]) -> None:
    with taking_mail(gourmet) as port:
        assert write(port, text, subject=subject) == 250
    assert set(choices(gourmet, ANN)) == {(topic, "no") for topic in topics}
    assert requests(gourmet) == []


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Where is my parcel?", "It did not stop at my door.\n"),
        ("Please do not stop the newsletter", ""),
        ("I do not object", ""),
        ("The brie", "was very good.\n\n> To end it, unsubscribe by this link:\n> https://shop.example/stop/x\n"),
        ("The brie", "was very good.\n\nOn Monday, 2 November 2026, Quince & Barrel wrote:\nunsubscribe\n"),
        ("The brie", "\n".join(["one more line"] * 12) + "\nunsubscribe\n"),
    ],
)
def test_anything_else_is_a_question_for_the_desk(gourmet: Gourmet, subject: str, text: str) -> None:
    with taking_mail(gourmet) as port:
        assert write(port, text, subject=subject, sender=f"Ann Example <{ANN}>") == 250
    assert choices(gourmet, ANN) == []
    [(name, address, words, where, state)] = requests(gourmet)
    assert (name, address, where, state) == ("Ann Example", ANN, "mailbox", "open")
    assert words.startswith(subject)
    assert "unsubscribe by" not in words


def requests(gourmet: Gourmet) -> list[tuple[str, ...]]:
    """What the desk has to answer."""
    kind = module(gourmet, "request").Request
    with gourmet.acting("answers", place="desk") as work:
        return [(r.name._reveal(), r.email._reveal(), r.text._reveal(), r.came_by, r.state) for r in work.select(kind)]


def test_a_wish_with_a_long_story_is_heeded_and_read(gourmet: Gourmet) -> None:
    with taking_mail(gourmet) as port:
        write(port, "No more mail, please.\n" + "The last parcel came late. " * 20)
    assert choices(gourmet, ANN) == [("mail", "no")]
    assert len(requests(gourmet)) == 1


def test_html_mails_are_read(gourmet: Gourmet) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ANN, SERVICE, "Hello"
    message.set_content("<p>Please <b>remove me</b>.</p><blockquote>I object</blockquote>", subtype="html")
    with taking_mail(gourmet) as port:
        assert send(port, message.as_bytes()) == 250
    assert choices(gourmet, ANN) == [("mail", "no")]


def test_programs_and_bounces_are_taken_and_say_nothing(gourmet: Gourmet) -> None:
    with taking_mail(gourmet) as port:
        assert write(port, "unsubscribe", Auto_Submitted="auto-replied") == 250
        assert send(port, b"Subject: unsubscribe\r\n\r\nstop\r\n") == 250  # nobody's
    assert choices(gourmet, ANN) == []
    assert requests(gourmet) == []


def test_a_forged_objection_is_heeded_kept_with_its_way_and_taken_back_by_the_owner(
    gourmet: Gourmet, peers: Peers
) -> None:
    path = ordered(gourmet, peers)
    with taking_mail(gourmet) as port:
        assert write(port, "stop", sender=f"Somebody Else <{THEIR}>") == 250
    assert "as you told us by mail" in seen(gourmet, path)
    gourmet.clock.advance(1.0)
    gourmet.customer().send(f"{path}/again", {"what": "mail"}, page=path)
    assert not facts(gourmet, THEIR)["objected(mail)"]


def test_no_mail_subscribes_anybody(gourmet: Gourmet) -> None:
    with taking_mail(gourmet) as port:
        for words in ("subscribe", "Yes, send me the newsletter", "I no longer object", "Please send mail again"):
            write(port, words, subject=words)
    assert not facts(gourmet, ANN)["consented(newsletter)"]
    assert choices(gourmet, ANN) == []


# -- holds: what is kept ------------------------------------------------------------------------------


@pytest.mark.promise("I9", "holds")
@pytest.mark.promise("I15", "holds")
def test_what_was_said_is_sealed_and_stands_in_no_log(gourmet: Gourmet, caplog: pytest.LogCaptureFixture) -> None:
    words = "Canary-Tvq7: I have said it three times."
    with taking_mail(gourmet) as port:
        write(port, words, subject="No more mail", sender=f"Ann Canary-Name <{ANN}>")
        write(port, words, subject="A question of mine", sender=f"Bob Canary-Name <{BOB}>")
    page = gourmet.customer().send("/stop", {"email": BOB, "what": "mail", "words": words}).headers["location"]
    assert words in gourmet.texts()["objection"]
    for canary in (ANN, BOB, "Canary-Tvq7", "Canary-Name", "A question of mine", page.rpartition("/")[2]):
        assert canary.encode() not in gourmet.stored()
        assert canary not in caplog.text
        assert canary not in str(gourmet.entries())


@pytest.mark.promise("I2", "holds")
def test_a_card_number_in_a_mail_is_kept_nowhere_and_the_objection_counts(gourmet: Gourmet) -> None:
    with taking_mail(gourmet) as port:
        assert write(port, f"My card is {PAYS}, when does it come?", sender=BOB) == 550
        assert write(port, f"No more mail. My card was {PAYS}.") == 250
    assert requests(gourmet) == []
    assert choices(gourmet, ANN) == [("mail", "no")]
    assert all(PAYS not in text for texts in gourmet.texts().values() for text in texts)
