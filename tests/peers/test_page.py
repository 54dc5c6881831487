"""The page of the peers says field by field what arrived, and in words what did not."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from playwright.sync_api import sync_playwright

from avow.engine import Policy
from avow.outbound.https import HttpsChannel
from avow.outbound.sftp import SftpChannel
from avow.outbound.smtp import SmtpChannel
from avow.outbound.ways import MailWay, json_line
from avow.testing.card_processor import CardProcessor
from avow.testing.carrier import Carrier
from avow.testing.mailbox import Mailbox
from avow.testing.peers.allowed import Permissions
from avow.testing.peers.page import Page, linked
from avow.testing.supplier import HttpsSupplier
from avow.testing.supplier_mail import MailSupplier
from avow.testing.supplier_sftp import SftpSupplier

CHROMIUM = "/usr/bin/chromium"
HOSTILE = '<script>alert(1)</script> & "quotes"'
LINK = "http://127.0.0.1:8000/order/AbCdEf0123456789AbCdEf0123456789AbCdEf0123456789"


class Peers:
    """One of each kind, and two carriers."""

    def __init__(self, processor: CardProcessor, ups: Carrier, fedex: Carrier, mail: Mailbox, page: Page) -> None:
        self.processor, self.ups, self.fedex, self.mail, self.page = processor, ups, fedex, mail, page

    def pay(self) -> None:
        card = {"number": "4242424242424242", "code": "9731", "expiry": "12/29", "name": "Ann Miller"}
        body = {"attempt": "a1", "amount": "41.90", "currency": "USD", "card": card}
        HttpsChannel(self.processor.url, ca=self.processor.ca).post(body, idempotency="a1")

    def ship(self, key: str = "k", name: str = "Ann Miller") -> None:
        body = {"reference": key, "fields": {"contact.name": name, "contact.address": "1 Market Lane"}}
        HttpsChannel(self.ups.url, ca=self.ups.ca).post(body, idempotency=key)

    def write(self, text: str, subject: str = "Your order") -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "shop@shop.example", "ann@example.com", subject
        message.set_content(text)
        channel = SmtpChannel(self.mail.url, ca=self.mail.ca)
        channel.send(message, sender="shop@shop.example", recipient="ann@example.com")


@pytest.fixture
def peers() -> Iterator[Peers]:
    with (
        CardProcessor() as processor,
        Carrier(name="ups") as ups,
        Carrier(name="fedex") as fedex,
        Mailbox(name="mail") as mail,
        Page([processor, ups, fedex, mail], ["contact.email"]) as page,
    ):
        yield Peers(processor, ups, fedex, mail, page)


def fetch(page: Page, path: str = "/", **headers: str) -> tuple[int, dict[str, str], str]:
    client = http.client.HTTPConnection("127.0.0.1", page.port, timeout=5)
    client.request("GET", path, headers=headers)
    response = client.getresponse()
    body = response.read().decode()
    client.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def test_before_anything_arrives_it_says_so_for_each(peers: Peers) -> None:
    _, _, body = fetch(peers.page)
    assert body.count("Nothing has arrived here yet") == 4


def test_each_section_says_what_arrived_and_what_did_not(peers: Peers) -> None:
    peers.pay()
    peers.ship()
    peers.write("thank you")
    missing = {section.name: section.missing for section in peers.page.sections()}
    assert missing["processor"] == "contact.address, contact.email, contact.name"
    assert missing["ups"] == "amount, card.code, card.expiry, card.name, card.number, contact.email"
    assert missing["mail"].startswith("a card number")
    _, _, body = fetch(peers.page)
    for shown in ("Ann Miller", "1 Market Lane", "•••• 4242", "41.90 USD", "Payment authorised", "ann@example.com"):
        assert shown in body
    assert body.count("Nothing has arrived here yet") == 1, "nothing came to fedex"
    assert "4242424242424242" not in body
    assert "9731" not in repr([section.arrivals for section in peers.page.sections() if section.name == "processor"])


def test_suppliers_show_their_orders_with_the_attempt_that_brought_them(tmp_path: Path) -> None:
    fields = {"contact.name": "Ann Miller", "order.items": "2 quinces"}
    with (
        HttpsSupplier(name="north") as north,
        SftpSupplier(tmp_path, name="south") as south,
        MailSupplier(name="west") as west,
        Page([north, south, west], ["contact.email"]) as page,
    ):
        assert fetch(page)[2].count("no order, no field of anybody") == 3
        HttpsChannel(north.url, ca=north.ca).post({"reference": "attempt1", "fields": fields}, idempotency="attempt1")
        files = SftpChannel(south.url, user="shop", key=south.key, host_key=south.host_key)
        files.put("attempt2.jsonl", json_line(fields))
        mailbox = MailWay(SmtpChannel(west.url, ca=west.ca), mailbox="orders@west.example", sender="shop@shop.example")
        mailbox.hand_over("attempt3", fields, 0.0)
        sections = page.sections()
        body = fetch(page)[2]
    assert [section.kind for section in sections] == [
        "supplier, over HTTPS",
        "supplier, over SFTP",
        "supplier, over mail",
    ]
    for number, section in enumerate(sections, 1):
        (arrival,) = section.arrivals
        assert dict(arrival.fields) == {**fields, "attempt": f"attempt{number}"}
        assert section.missing == "contact.email"
    assert body.count("Order to fill") == 3


def test_the_newest_comes_first(peers: Peers) -> None:
    for key in ("first", "second"):
        peers.ship(key, name=f"{key} person")
    _, _, body = fetch(peers.page)
    assert body.index("second person") < body.index("first person")


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "4111111111111111", "4111-1111-1111-1111"])
def test_a_mail_with_a_card_number_raises_an_alarm(peers: Peers, number: str) -> None:
    peers.write("thank you")
    peers.write(f"paid with {number}")
    section = peers.page.sections()[-1]
    assert "in 1 of 2 mails" in section.alarm
    assert section.missing == ""
    assert "Look here" in fetch(peers.page)[2]


def test_what_arrived_is_text_never_markup(peers: Peers) -> None:
    peers.ship(name=HOSTILE)
    peers.write(HOSTILE, subject=HOSTILE)
    _, _, body = fetch(peers.page)
    assert body.count("&lt;script&gt;") == 3
    assert "<script" not in body


def test_links_lead_to_this_computer_only() -> None:
    text = f"See {LINK}. Or https://127.0.0.1/a, http://127.0.0.1.evil.example/ https://shop.example/ <http://127.0.0.1:1/x>"
    shown = str(linked(text))
    assert f'<a href="{LINK}">{LINK}</a>.' in shown
    assert '<a href="https://127.0.0.1/a">https://127.0.0.1/a</a>,' in shown
    assert '<a href="http://127.0.0.1:1/x">' in shown
    assert shown.count("<a ") == 3


@given(
    st.text()
    | st.lists(st.sampled_from(["http://127.0.0.1", ":80", "/", '"', "'", "<", ">", "&", " ", ".x"])).map("".join)
)
def test_linked_text_is_the_text_and_every_link_is_local(text: str) -> None:
    shown = linked(text)
    assert Markup(shown).striptags() == " ".join(text.split())
    for link in str(shown).split('<a href="')[1:]:
        address = link.partition('"')[0]
        assert address.partition("://")[2].startswith("127.0.0.1")
        assert address.partition("127.0.0.1")[2][:1] in ("", ":", "/")


def test_another_host_name_is_refused(peers: Peers) -> None:
    """A name that points at 127.0.0.1 must not let a foreign site read the page (DNS rebinding)."""
    peers.ship()
    status, _, body = fetch(peers.page, Host=f"evil.example:{peers.page.port}")
    assert status == 403
    assert "Ann" not in body


def test_it_runs_no_scripts_and_is_not_kept(peers: Peers) -> None:
    status, headers, body = fetch(peers.page)
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert "http-equiv" not in body, "it looks again only when asked"
    assert 'http-equiv="refresh"' in fetch(peers.page, "/?watch")[2]
    assert fetch(peers.page, "/other")[0] == 404
    assert fetch(peers.page, "/page.css")[1]["content-type"].startswith("text/css")


def test_it_reads_well_at_both_widths_and_its_links_work(peers: Peers) -> None:
    peers.pay()
    peers.ship(name="Maximiliana-Konstantinopolitanska" * 3)
    peers.write(f"thank you: {peers.page.url}?watch\n{LINK}\n")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width in (375, 1280):
            tab = browser.new_page(viewport={"width": width, "height": 800})
            tab.goto(peers.page.url)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            found = Axe().run(tab).response["violations"]
            assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
        tab.get_by_role("link", name=f"{peers.page.url}?watch").click()
        assert tab.url == f"{peers.page.url}?watch"
        browser.close()


# -- the sentences --------------------------------------------------------------------------------------

POLICY = """\
---
site: hall
title: Privacy at the hall
version: "1"
effective: 2026-11-22
contact: {email: desk@hall.example}
categories:
  contact: user.contact
  contact.name: user.name
  contact.address: user.contact.address
  contact.email: user.contact.email
  order: user.behavior
  order.lines: user.behavior.purchase_history.lines
purposes: {shipping: essential.service.fulfillment}
subjects: {customer: customer}
places: {hall: {label: the hall}}
messages: {notice: {label: the notice}}
recipients:
  carriers: {label: our carriers}
  ups: {label: UPS, under: carriers, fields: [contact.name, contact.address], channels: [https]}
  makers: {label: the makers}
  creamery: {label: the creamery, under: makers, fields: [contact.name, order.lines], channels: [https]}
---

The carrier gets your name & address.

```avow #carriers
may share contact.name, contact.address with carriers for shipping over https
```

A maker gets your name.

```avow #names
may share contact with makers for shipping over https
```

And it gets its lines.

```avow #lines
may share order with creamery for shipping over https
```

A notice may come by mail.

```avow #notice
may send notice to contact.email over smtps
```
"""


def test_it_names_the_sentences_by_which_things_arrived(peers: Peers) -> None:
    permissions = Permissions(Policy.parse(POLICY), "http://127.0.0.1:8000")
    with (
        HttpsSupplier(name="creamery") as creamery,
        Page([peers.ups, creamery, peers.mail], permissions=permissions) as page,
    ):
        peers.ship()
        fields = {"contact.name": "Ann", "order.lines": "1 × brie"}
        body = {"reference": "r", "fields": fields}
        HttpsChannel(creamery.url, ca=creamery.ca).post(body, idempotency="r")
        peers.write("Hello")
        _, _, text = fetch(page)
    assert (
        'allowed by “The carrier gets your name &amp; address.” <a href="http://127.0.0.1:8000/privacy#carriers">'
        in text
    )
    assert text.count("#carriers</a>") == 1, "once for all the fields of a label"
    assert "contact.name: allowed by “A maker gets your name.”" in text
    assert "order.lines: allowed by “And it gets its lines.”" in text
    assert "Mail may leave by 1 sentence of the policy" in text
    assert 'href="http://127.0.0.1:8000/privacy#notice"' in text
    assert "Look here" not in text


def test_it_calls_for_a_look_where_no_sentence_lets_something_arrive(peers: Peers) -> None:
    permissions = Permissions(Policy.parse(POLICY), "")
    with Page([peers.ups, peers.processor], permissions=permissions) as page:
        body = {"reference": "k", "fields": {"contact.name": "Ann", "contact.email": "a@example.com", "shoe": "42"}}
        HttpsChannel(peers.ups.url, ca=peers.ups.ca).post(body, idempotency="k")
        _, _, text = fetch(page)
    assert text.count("No sentence of the policy lets ups have") == 1
    assert "<code>contact.email</code>" in text
