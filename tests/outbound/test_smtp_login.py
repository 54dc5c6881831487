"""Logging in to a mail server: within TLS, once, and without a trace of the password."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from avow.errors import DeliveryError, Rejected, Unreachable
from avow.outbound.smtp import SmtpChannel
from avow.testing.certificates import Authority
from avow.testing.mailbox import Mailbox
from tests.outbound.servers import served

SHOP, ANN = "shop@shop.example", "ann.canary@example.com"

PASSWORD = "canary-password-Q7 é"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module", params=["implicit", "starttls"])
def asking(authority: Authority, request: pytest.FixtureRequest) -> Iterator[Mailbox]:
    with Mailbox(authority, starttls=request.param == "starttls", user="shop", password=PASSWORD) as peer:
        yield peer


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SHOP, ANN, "Your order"
    message.set_content("Canary Q7")
    return message


def test_a_server_that_asks_who_sends_is_logged_in_to_over_tls(asking: Mailbox) -> None:
    before = len(asking.received)
    known = SmtpChannel(asking.url, ca=asking.ca, user="shop", password=PASSWORD)
    known.send(letter(), sender=SHOP, recipient=ANN)
    assert len(asking.received) == before + 1


def test_a_refused_login_is_refused_for_good_and_says_nothing_of_the_password(
    asking: Mailbox, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    before, logins = len(asking.received), asking.logins
    wrong = SmtpChannel(asking.url, ca=asking.ca, user="shop", password=PASSWORD + "!")
    with pytest.raises(Rejected, match="refused the login of the configured user with 535; the mail did not") as caught:
        wrong.send(letter(), sender=SHOP, recipient=ANN)
    said = f"{caught.value!r}{caught.value}{caplog.text}{''.join(capfd.readouterr())}{wrong!r}"
    assert "canary" not in said
    assert base64.b64encode(f"\0shop\0{PASSWORD}!".encode()).decode() not in said
    assert caught.value.__context__ is None
    assert (asking.logins, len(asking.received)) == (logins + 1, before)


def test_without_a_login_a_server_that_asks_for_one_takes_nothing(asking: Mailbox) -> None:
    before = len(asking.received)
    with pytest.raises(Rejected, match="refused the recipient with 530"):
        SmtpChannel(asking.url, ca=asking.ca).send(letter(), sender=SHOP, recipient=ANN)
    assert len(asking.received) == before


@pytest.mark.parametrize("starttls", [False, True])
def test_a_server_that_offers_no_login_is_not_told_the_password(authority: Authority, starttls: bool) -> None:
    with Mailbox(authority, starttls=starttls) as mailbox:
        eager = SmtpChannel(mailbox.url, ca=mailbox.ca, user="shop", password=PASSWORD)
        with pytest.raises(Rejected, match="does not offer AUTH PLAIN"):
            eager.send(letter(), sender=SHOP, recipient=ANN)
        assert (mailbox.logins, mailbox.received) == (0, ())


def test_a_password_does_not_leave_without_tls_however_loudly_it_is_asked_for(authority: Authority) -> None:
    asked: list[bytes] = []

    def ask(client: socket.socket) -> None:
        client.sendall(b"220 mail\r\n")
        asked.append(client.recv(999))
        client.sendall(b"250-mail\r\n250 AUTH PLAIN\r\n")
        asked.append(client.recv(999))

    with served(ask, listens=False) as server:
        stripped = SmtpChannel(
            f"smtp+starttls://127.0.0.1:{server.port}", ca=authority.ca, user="shop", password=PASSWORD
        )
        with pytest.raises(Unreachable, match="TLS"):
            stripped.send(letter(), sender=SHOP, recipient=ANN)
    assert not any(b"AUTH" in said or b"shop\0" in said for said in asked)


@pytest.mark.parametrize(("answer", "expected"), [(b"454 later\r\n", Unreachable), (b"334 \r\n", Unreachable)])
def test_a_login_that_is_put_off_is_tried_again_later(
    authority: Authority, answer: bytes, expected: type[DeliveryError]
) -> None:
    def ask(client: socket.socket) -> None:
        client.sendall(b"220 mail\r\n")
        client.recv(999)
        client.sendall(b"250-mail\r\n250 AUTH PLAIN LOGIN\r\n")
        client.recv(999)
        client.sendall(answer)
        client.recv(999)

    with served(ask, authority, listens=False) as server:
        later = SmtpChannel(f"smtps://127.0.0.1:{server.port}", ca=authority.ca, user="shop", password=PASSWORD)
        with pytest.raises(expected, match="did not leave"):
            later.send(letter(), sender=SHOP, recipient=ANN)
