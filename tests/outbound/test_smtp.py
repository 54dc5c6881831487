"""Mail out: verified TLS or nothing, one recipient, no header that was not set."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP, compat32
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from avow.errors import DeliveryError, OutcomeUnknown, Rejected, SetupError, Unreachable
from avow.outbound.smtp import SmtpChannel
from avow.testing.certificates import Authority
from avow.testing.mailbox import Mailbox
from tests.outbound.servers import TLS_1_1, served, talk_tls_1_1

SHOP, ANN = "shop@shop.example", "ann.canary@example.com"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module", params=["implicit", "starttls"])
def open_mailbox(authority: Authority, request: pytest.FixtureRequest) -> Iterator[Mailbox]:
    with Mailbox(authority, starttls=request.param == "starttls") as peer:
        yield peer


@pytest.fixture
def mailbox(open_mailbox: Mailbox) -> Iterator[Mailbox]:
    yield open_mailbox
    open_mailbox.slow, open_mailbox.nonsense, open_mailbox.fails_midway, open_mailbox.declines = 0.0, False, False, ""


def channel(peer: Mailbox, timeout: float = 5.0) -> SmtpChannel:
    return SmtpChannel(peer.url, ca=peer.ca, timeout=timeout)


def letter(text: str = "Canary Q7\n", **headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in {"From": SHOP, "To": ANN, "Subject": "Your order", **headers}.items():
        message[name] = value
    message.set_content(text)
    return message


def send(peer: Mailbox, message: EmailMessage, recipient: str = ANN, sender: str = SHOP, timeout: float = 5.0) -> None:
    channel(peer, timeout).send(message, sender=sender, recipient=recipient)


def test_a_mail_arrives_as_it_was_written(mailbox: Mailbox) -> None:
    text = "Dear Zoë,\n\n.\n..two dots\n.one dot\nyour order: 4 cheeses, 41.90 €\n"
    before = len(mailbox.received)
    send(mailbox, letter(text, Subject="Käse für Zoë"))
    mail = mailbox.received[-1]
    assert len(mailbox.received) == before + 1
    assert (mail.sender, tuple(mail.recipients)) == (SHOP, (ANN,))
    assert mail.message["Subject"] == "Käse für Zoë"
    assert mail.text.replace("\r\n", "\n") == text
    assert mail.content.isascii(), "a server without 8BITMIME takes it, too"


def test_lines_that_look_like_the_end_of_a_mail_are_content(mailbox: Mailbox) -> None:
    text = ".\nMAIL FROM:<x@x.example>\n.\r\n.\n"
    before = len(mailbox.received)
    send(mailbox, letter(text))
    assert len(mailbox.received) == before + 1
    assert mailbox.received[-1].text.splitlines() == text.splitlines()


def test_an_address_beyond_ascii_is_delivered(mailbox: Mailbox) -> None:
    send(mailbox, letter(To="zoë@exämple.example"), recipient="zoë@exämple.example")
    assert tuple(mailbox.received[-1].recipients) == ("zoë@exämple.example",)


@pytest.mark.parametrize(
    "url", ["smtp://mail.example", "smtp://mail.example:465", "https://x/", "mail.example:465", "smtps://a:b@c"]
)
def test_a_server_without_tls_is_refused_by_its_address(url: str) -> None:
    with pytest.raises(SetupError, match="help:"):
        SmtpChannel(url)


@pytest.mark.parametrize("starttls", [False, True])
def test_a_certificate_that_does_not_verify_gets_nothing(authority: Authority, starttls: bool) -> None:
    faults = {
        "expired": authority.issue("old", expired=True),
        "certificate": authority.issue("w", san=["other.example"]),
    }
    for fault, certificate in faults.items():
        with Mailbox(authority, certificate=certificate, starttls=starttls) as peer:
            with pytest.raises(Unreachable, match=f"{fault}.*did not leave"):
                send(peer, letter())
            assert peer.received == ()
    with Mailbox(starttls=starttls) as stranger:
        with pytest.raises(Unreachable, match="certificate did not verify"):
            SmtpChannel(stranger.url, ca=authority.ca).send(letter(), sender=SHOP, recipient=ANN)
        assert stranger.received == ()


def test_a_server_that_offers_no_starttls_gets_nothing(authority: Authority) -> None:
    with Mailbox(authority, starttls=True, plain=True) as peer:
        with pytest.raises(Unreachable, match="TLS"):
            send(peer, letter())
        assert peer.received == ()
    with Mailbox(authority, plain=True) as peer:
        with pytest.raises(Unreachable, match="TLS"):
            send(peer, letter(), timeout=1)
        assert peer.received == ()


def test_a_server_that_speaks_tls_1_1_only_gets_nothing(authority: Authority) -> None:
    with served(lambda client: client.sendall(b"220 mail\r\n"), authority, TLS_1_1, listens=False) as server:
        assert talk_tls_1_1(server.port, authority) == "TLSv1.1", "it does speak that"
        strict = SmtpChannel(f"smtps://127.0.0.1:{server.port}", ca=authority.ca)
        with pytest.raises(Unreachable, match=r"TLS 1\.2"):
            strict.send(letter(), sender=SHOP, recipient=ANN)


def test_what_was_said_before_tls_does_not_count_after_it(authority: Authority) -> None:
    """Replies put in before the handshake (CVE-2011-0411 and its kind) must not answer commands sent after it."""
    asked: list[bytes] = []

    def inject(client: socket.socket) -> None:
        client.sendall(b"220 mail\r\n")
        client.recv(999)
        client.sendall(b"250-mail\r\n250 STARTTLS\r\n")
        client.recv(999)
        client.sendall(b"220 go\r\n250 mail\r\n250 OK\r\n250 OK\r\n354 go\r\n250 OK\r\n")
        asked.append(client.recv(999))

    with served(inject, listens=False) as server:
        fooled = SmtpChannel(f"smtp+starttls://127.0.0.1:{server.port}", ca=authority.ca)
        with pytest.raises(Unreachable):
            fooled.send(letter(), sender=SHOP, recipient=ANN)
    assert b"Canary" not in b"".join(asked)


def test_a_server_that_is_down_is_unreachable(authority: Authority) -> None:
    with Mailbox(authority) as peer:
        peer.down = True
        with pytest.raises(Unreachable, match="nothing listens there"):
            send(peer, letter())
        peer.down = False
        send(peer, letter())
        assert len(peer.received) == 1


@pytest.mark.parametrize(
    ("reply", "expected"), [("550 5.1.1 no ann.canary here", Rejected), ("451 4.3.0 later", Unreachable)]
)
def test_a_refused_recipient_is_refused_for_good_or_for_now(
    mailbox: Mailbox, reply: str, expected: type[DeliveryError]
) -> None:
    mailbox.declines = reply
    before = len(mailbox.received)
    with pytest.raises(DeliveryError, match=f"the recipient.* with {reply[:3]}") as caught:
        send(mailbox, letter())
    assert type(caught.value) is expected
    assert len(mailbox.received) == before


@pytest.mark.parametrize(
    ("reply", "expected"),
    [(b"552 too large", Rejected), (b"452 later", OutcomeUnknown), (b"<h1>It works!</h1>", OutcomeUnknown),
     (b"250-OK\r\n" * 9000 + b"250 OK", OutcomeUnknown), (b"2" * 99_999, OutcomeUnknown), (b"\xff\0", OutcomeUnknown)],
)  # fmt: skip
def test_the_last_reply_decides_what_is_known(mailbox: Mailbox, reply: bytes, expected: type[DeliveryError]) -> None:
    mailbox.nonsense = reply
    with pytest.raises(DeliveryError) as caught:
        send(mailbox, letter())
    assert type(caught.value) is expected


def test_a_server_that_hangs_up_after_the_content_leaves_the_outcome_unknown(mailbox: Mailbox) -> None:
    mailbox.fails_midway = True
    with pytest.raises(OutcomeUnknown, match="was sent the mail, but the connection was lost"):
        send(mailbox, letter())


def test_a_slow_server_leaves_the_outcome_unknown(mailbox: Mailbox) -> None:
    mailbox.slow = 60.0
    with pytest.raises(OutcomeUnknown, match="no answer in time"):
        send(mailbox, letter(), timeout=1.5)


@pytest.mark.parametrize("greeting", [b"2", b"220-tarpit\r\n"])
def test_a_tarpit_meets_one_deadline(authority: Authority, greeting: bytes) -> None:
    def drip(client: socket.socket) -> None:
        while True:
            client.sendall(greeting)
            time.sleep(0.1)

    with served(drip, authority, listens=False) as server, pytest.raises(Unreachable, match="no answer in time"):
        SmtpChannel(f"smtps://127.0.0.1:{server.port}", ca=authority.ca, timeout=0.5).send(
            letter(), sender=SHOP, recipient=ANN
        )


def test_the_host_name_of_this_machine_is_not_told(authority: Authority) -> None:
    heard: list[bytes] = []

    def listen(client: socket.socket) -> None:
        client.sendall(b"220 mail\r\n")
        heard.append(client.recv(999))

    with served(listen, authority, listens=False) as server, contextlib.suppress(DeliveryError):
        SmtpChannel(f"smtps://127.0.0.1:{server.port}", ca=authority.ca).send(letter(), sender=SHOP, recipient=ANN)
    assert heard == [b"ehlo shop.example\r\n"]


def test_no_error_holds_an_address_or_the_mail(mailbox: Mailbox) -> None:
    for reply in (b"550 ann.canary Canary Q7", b"450 ann.canary Canary Q7", b"ann.canary Canary Q7"):
        mailbox.nonsense = reply
        with pytest.raises(DeliveryError) as caught:
            send(mailbox, letter())
        assert "canary" not in f"{caught.value!r}{caught.value}".lower()
        assert caught.value.__context__ is None, "no error of smtplib hangs on"


@pytest.mark.parametrize("name", ["Cc", "Bcc", "To", "Resent-To"])
def test_a_mail_that_names_another_recipient_is_refused(mailbox: Mailbox, name: str) -> None:
    before = len(mailbox.received)
    message = letter()
    del message[name]
    message[name] = f"{ANN}, bob@example.com"
    with pytest.raises(Rejected, match="another recipient"):
        send(mailbox, message)
    assert len(mailbox.received) == before


@pytest.mark.parametrize(
    "address",
    ["", "ann", "@", "ann@", "@example.com", "ann@example.com, bob@example.com", "<ann@example.com>",
     "ann@exam ple.com", "a" * 250 + "@b.example",
     "ann@example.com\r\nRCPT TO:<bob@example.com>", "ann@example.com>\r\nDATA", "ann@example.com\0",
     "ann@example.com\u2028bob@example.com", "ann\ud800@example.com", "ann@example.com> SIZE=1"],
)  # fmt: skip
def test_what_is_not_one_address_is_refused_before_connecting(address: str) -> None:
    nowhere = SmtpChannel("smtps://127.0.0.1:1")
    with pytest.raises(Rejected, match="recipient of a mail is not a mail address"):
        nowhere.send(letter(), sender=SHOP, recipient=address)
    with pytest.raises(Rejected, match="sender of a mail is not a mail address"):
        nowhere.send(letter(), sender=address, recipient=ANN)


def raw(headers: list[tuple[str, str]], text: str) -> EmailMessage:
    """A mail whose headers no policy has looked at, as any code could build it."""
    message = Message(policy=compat32)
    message._headers = headers  # type: ignore[attr-defined]
    message.set_payload(text)
    return cast(EmailMessage, message)


BREAKS = ["\r\n", "\n", "\r", "\0", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
ENCODED = "=?utf-8?q?x=0D=0ABcc:_eve@evil.example?="
ODD = [*' \t.é<>,:;"\\()@', "x" * 90, "Bcc: eve@evil.example", "RCPT TO:<eve@evil.example>", ENCODED, ANN]
# Most of what has no line break is sent, and looked at where it arrives; what has one is refused.
MILD = st.lists(st.sampled_from(ODD), max_size=8).map("".join)
HOSTILE = st.lists(st.sampled_from([*BREAKS, *ODD]) | st.text(max_size=8), max_size=8).map("".join)


@pytest.fixture(scope="module")
def sink(authority: Authority) -> Iterator[Mailbox]:
    with Mailbox(authority) as peer:
        yield peer


@pytest.mark.parametrize("line_end", BREAKS)
def test_a_line_break_in_a_header_is_refused_before_connecting(line_end: str) -> None:
    nowhere = SmtpChannel("smtps://127.0.0.1:1")
    for headers in (
        [("Subject", f"x{line_end}Bcc: eve@evil.example")],
        [(f"Subject{line_end}Bcc", "eve@evil.example")],
    ):
        with pytest.raises(Rejected, match="line break"):
            nowhere.send(raw([("To", ANN), *headers], "x"), sender=SHOP, recipient=ANN)


def test_a_line_break_in_a_part_of_a_mail_is_refused_before_connecting() -> None:
    message = letter()
    message.add_attachment(b"x", maintype="text", subtype="plain", filename="x")
    part = next(message.iter_attachments())
    part._headers.append(("X-Note", "x\r\n\r\ny"))  # type: ignore[attr-defined]
    with pytest.raises(Rejected, match="line break"):
        SmtpChannel("smtps://127.0.0.1:1").send(message, sender=SHOP, recipient=ANN)


@given(
    subject=MILD | HOSTILE,
    name=st.just("X-Note") | HOSTILE,
    to=st.just(ANN) | HOSTILE,
    text=HOSTILE,
    policy=st.booleans(),
)
@example(subject=ENCODED, name="X", to=ANN, text="", policy=True)
def test_whatever_stands_in_a_mail_no_header_and_no_recipient_is_added(
    sink: Mailbox, subject: str, name: str, to: str, text: str, policy: bool
) -> None:
    before = sink.wait_for(0)
    names = ["Subject", name, "To"]
    if policy:
        message = EmailMessage()
        try:
            for header, value in zip(names, (subject, "x", to), strict=True):
                message[header] = value
            message.set_content(text)
        except (ValueError, TypeError, LookupError, AttributeError):
            return  # the mail could not even be written
    else:
        message = raw([("Subject", subject), (name, "x"), ("To", to)], text)
    expected = [key.lower() for key in message]
    try:
        channel(sink).send(message, sender=SHOP, recipient=ANN)
    except Rejected:
        assert sink.received == before
        return
    mail = sink.received[-1]
    assert tuple(mail.recipients) == (ANN,)
    head = mail.content.partition(b"\r\n\r\n")[0].split(b"\r\n") if not mail.content.startswith(b"\r\n") else []
    written = [line.partition(b":")[0].decode().lower() for line in head if line[:1] not in (b" ", b"\t")]
    assert written == expected
    assert "bcc" not in written or "bcc" in expected
    assert message_from_bytes(mail.content, policy=SMTP).keys() == message.keys()


def test_threads_share_a_channel(sink: Mailbox) -> None:
    shared = channel(sink)
    threads = [
        threading.Thread(
            target=shared.send, args=(letter(Subject=f"thread {n}"),), kwargs={"sender": SHOP, "recipient": ANN}
        )
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {f"thread {n}" for n in range(20)} <= {mail.message["Subject"] for mail in sink.received}
