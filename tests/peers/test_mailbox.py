"""The mailbox takes mail over TLS, and never without."""

from __future__ import annotations

import logging
import smtplib
import ssl
from email.message import EmailMessage

import pytest

from avow.outbound.smtp import SmtpChannel
from avow.testing.mailbox import Mailbox


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@shop.example", "ann@example.com", "Grüße"
    message.set_content("Dear Zoë, canary Q7\n")
    return message


def test_what_arrived_is_kept_as_bytes_and_read_as_text() -> None:
    with Mailbox() as peer:
        SmtpChannel(peer.url, ca=peer.ca).send(letter(), sender="shop@shop.example", recipient="ann@example.com")
        (mail,) = peer.received
    assert mail.message["Subject"] == "Grüße"
    assert mail.text.strip() == "Dear Zoë, canary Q7"
    assert mail.content.startswith(b"From: shop@shop.example\r\n")


def test_before_starttls_it_takes_no_mail() -> None:
    with Mailbox(starttls=True) as peer, smtplib.SMTP("127.0.0.1", peer.port, local_hostname="x", timeout=5) as client:
        client.ehlo()
        assert client.mail("shop@shop.example")[0] == 530
        client.starttls(context=ssl.create_default_context(cafile=peer.ca))
        client.ehlo()
        assert client.mail("shop@shop.example")[0] == 250


def test_a_mail_is_not_logged_at_any_level(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG), Mailbox() as peer:
        SmtpChannel(peer.url, ca=peer.ca).send(letter(), sender="shop@shop.example", recipient="ann@example.com")
        assert len(peer.received) == 1
    captured = capfd.readouterr()
    for said in (caplog.text, captured.out, captured.err):
        assert "ann@example.com" not in said
        assert "canary" not in said


def test_a_mail_without_plain_text_says_so() -> None:
    message = EmailMessage()
    message["From"], message["To"] = "shop@shop.example", "ann@example.com"
    message.set_content("<p>Hello</p>", subtype="html")
    with Mailbox() as peer:
        SmtpChannel(peer.url, ca=peer.ca).send(message, sender="shop@shop.example", recipient="ann@example.com")
        assert peer.received[0].text == "no plain text"
