"""No mail tells who opens it: looked for when the shop opens, when a mail leaves, and in what arrives (I5)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from avow.cli.serve import load_site
from avow.errors import SetupError

from .conftest import SHOP, Gourmet, Peers
from .subscribers import ANN, BOB, CONTACT_LINES, SERVICE, begin, genuine, reworded, subscribe

TELLING = {
    "a picture from elsewhere": ('<img src="https://count.example/p.gif">', "no-open-tracking"),
    "a picture of our own": ('<img src="{{ base }}/p.gif">', "no-open-tracking"),
    "a receipt": ("Disposition-Notification-To: service@quinceandbarrel.example", "plain-mail"),
    "a link by way of a counter": ("https://count.example/to/honey", "plain-mail"),
    "a link that tells who": ("{{ base }}/products/honey?from=newsletter", "plain-mail"),
    "a link that grew": ('{{ links("stop") }}?opened=1', "plain-mail"),
}


@pytest.mark.promise("I5", "holds")
@pytest.mark.parametrize("what", TELLING)
def test_a_template_that_would_tell_who_opens_it_stops_the_shop_from_opening(tmp_path: Path, what: str) -> None:
    words, anchor = TELLING[what]
    folder = tmp_path / "shop_copy"
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("offer.txt", "issues/2026-49.txt"):
        file = folder / "pages" / "mail" / name
        file.write_text(f"{file.read_text()}\n{words}\n")
    site = load_site(folder)
    with pytest.raises(SetupError) as refusal:
        site.open(tmp_path / "data", background=False)
    assert f"(#{anchor})" in str(refusal.value)
    assert "offer.txt:" in str(refusal.value)
    assert "issues/2026-49.txt:" in str(refusal.value)
    assert not (tmp_path / "data").exists()


@pytest.mark.promise("I5", "holds")
@pytest.mark.parametrize("what", TELLING)
def test_such_a_mail_is_refused_at_the_door_too(gourmet: Gourmet, peers: Peers, what: str) -> None:
    words, anchor = TELLING[what]
    whole = f'Subject: x\n\n{CONTACT_LINES}\n{{{{ links("stop") }}}}\n{words}\n'
    reworded(gourmet, confirmation=whole)
    gourmet.customer().order()
    gourmet.work_off()
    assert peers.mail.received == ()
    assert any(anchor in sentences for verb in ("ask", "collect", "log") for sentences in gourmet.refused(verb))


@pytest.mark.promise("I5", "holds")
def test_a_value_cannot_stand_in_a_link(gourmet: Gourmet, peers: Peers) -> None:
    reworded(gourmet, confirmation=f"Subject: x\n\n{CONTACT_LINES}\n{{{{ base }}}}/products/{{{{ order.name }}}}\n")
    gourmet.customer().order()
    gourmet.work_off()
    assert peers.mail.received == ()
    assert ("plain-mail",) in gourmet.refused("log")


@pytest.mark.promise("I5", "holds")
def test_what_arrives_loads_nothing_asks_for_nothing_and_goes_to_one(gourmet: Gourmet, peers: Peers) -> None:
    subscribe(gourmet, peers, ANN, BOB)
    gourmet.customer().order()
    begin(gourmet)
    gourmet.work_off()
    for _ in ("offer", "survey"):
        gourmet.work_off(later=15 * 86400.0)
    subjects = {mail.message["Subject"] for mail in peers.mail.received}
    assert len(subjects) >= 5, subjects
    for mail in peers.mail.received:
        assert len(mail.recipients) == 1
        assert mail.message.get_all("To") == [mail.recipients[0]]
        assert not {"Cc", "Bcc", "Disposition-Notification-To", "Return-Receipt-To"} & set(mail.message.keys())
        assert mail.message.get_content_type() == "text/plain"
        assert not re.search(r"<[a-z!/]", mail.text)
        assert set(re.findall(r"https?://[^/\s]+", mail.text)) == {"https://shop.example"}
        assert "?" not in "".join(re.findall(r"https?://\S+", mail.text))
        assert genuine(gourmet, mail)
        assert all(way in mail.text for way in (SERVICE, "+1 555 0100", "1 Market Lane, Exampleton"))
        (why,) = re.findall(r"Why this mail\? https://shop.example(/privacy/why/[a-z_]+)\n", mail.text)
        page = gourmet.customer().get(why)
        assert (page.status_code, "No mail leaves us unless" in page.text) == (200, True)


@pytest.mark.promise("I14", "holds")
@pytest.mark.parametrize("left_out", ["email", "phone", "address"])
def test_a_mail_that_does_not_say_how_to_reach_us_does_not_leave(gourmet: Gourmet, peers: Peers, left_out: str) -> None:
    lines = CONTACT_LINES.replace(f"{{{{ policy.contact.{left_out} }}}}", "")
    reworded(gourmet, confirmation=f'Subject: x\n\n{lines}\n{{{{ links("stop") }}}}\n')
    gourmet.customer().order()
    gourmet.work_off()
    assert peers.mail.received == ()
    with gourmet.opened.vault.store.reading() as connection:
        [note] = connection.scalars(sql("SELECT note FROM avow_outbox WHERE name = 'confirmation'"))
    assert "contact_details" in note
    [duty] = [duty for duty in gourmet.site.policy.duties if duty.object == "contact_details" and duty.timing == "with"]
    assert sorted(duty.phrases[0][1]) == sorted(gourmet.site.policy.messages)
