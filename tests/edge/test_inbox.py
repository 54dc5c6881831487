"""The inbox: for the published address only, encrypted or within this machine, and 250 only when it is done."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session

from avow.edge import inbox as inbox_module
from avow.edge.inbox import LARGEST, MAILS, Allowance, Inbox
from avow.errors import Refused, SetupError
from avow.testing.certificates import Authority
from avow.values import Sentence, Verdict

DESK = "desk@club.example"
MAIL = b"From: ann@example.org\r\nSubject: x\r\n\r\nhello\r\n"


@contextmanager
def listening(receive: Any, **options: Any) -> Iterator[Inbox]:
    inbox = Inbox("127.0.0.1", 0, accepts=(DESK,), receive=receive, **options)
    inbox.start()
    try:
        yield inbox
    finally:
        inbox.stop()


@pytest.fixture
def taken() -> list[tuple[bytes, str]]:
    return []


@pytest.fixture
def inbox(taken: list[tuple[bytes, str]]) -> Iterator[Inbox]:
    with listening(lambda content, channel: taken.append((content, channel))) as running:
        yield running


def client(inbox: Inbox) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", inbox.port, local_hostname="client.example", timeout=10)


def reply(inbox: Inbox, *, to: str = DESK, sender: str = "ann@example.org", content: bytes = MAIL) -> int:
    """The code with which a mail is answered, at whatever step that is decided."""
    with client(inbox) as session:
        session.ehlo()
        steps: list[Callable[[], tuple[int, bytes]]] = [
            lambda: session.mail(sender),
            lambda: session.rcpt(to),
            lambda: session.data(content),
        ]
        for step in steps:
            try:
                code, _ = step()
            except smtplib.SMTPDataError as error:
                code = error.smtp_code
            if code != 250:
                break
        return int(code)


def test_a_mail_is_taken_with_the_channel_that_it_came_over(inbox: Inbox, taken: list[tuple[bytes, str]]) -> None:
    assert reply(inbox) == 250
    assert taken == [(MAIL, "loopback")]


@pytest.mark.parametrize("to", [DESK.upper(), "postmaster@club.example", "Postmaster@Club.Example"])
def test_the_address_is_known_in_any_case_and_so_is_the_postmaster(inbox: Inbox, to: str) -> None:
    assert reply(inbox, to=to) == 250


@pytest.mark.parametrize("to", ["other@club.example", "ann@example.org", "desk@club.example.org"])
def test_nothing_is_relayed(inbox: Inbox, taken: list[tuple[bytes, str]], to: str) -> None:
    assert reply(inbox, to=to) == 550
    assert not taken


def test_a_bounce_is_taken_and_dropped(inbox: Inbox, taken: list[tuple[bytes, str]]) -> None:
    assert reply(inbox, sender="") == 250
    assert not taken


def test_a_mail_that_is_too_large_is_refused(inbox: Inbox, taken: list[tuple[bytes, str]]) -> None:
    assert reply(inbox, content=MAIL + b"a line of the text\r\n" * 40_000) == 552
    assert LARGEST < 20 * 40_000
    assert not taken


def test_what_failed_is_asked_for_again_and_nothing_of_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(content: bytes, channel: str) -> None:
        raise RuntimeError("canary Q7")

    with listening(fail) as inbox:
        assert reply(inbox) == 451
    assert "RuntimeError" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.promise("I2", "holds")
@pytest.mark.promise("I9", "holds")
def test_its_server_logs_nothing_of_a_mail_however_logging_is_configured(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `avow serve`: the inbox begins to listen, and then the web server configures logging."""
    logger = logging.getLogger("mail.log")  # which another test of this process may have silenced already
    monkeypatch.setattr(logger, "filters", [])
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    with caplog.at_level(logging.DEBUG), listening(lambda content, channel: None) as inbox:
        uvicorn.Config("nowhere:app")
        assert reply(inbox, sender="canary@example.org", content=b"Subject: canary\r\n\r\ncanary\r\n") == 250
        with client(inbox) as session:
            assert session.docmd("CANARY")[0] == 500
            session.ehlo("canary.example")
        logging.getLogger("beside").debug("this is kept")
    assert "this is kept" in caplog.text
    assert "canary" not in caplog.text.lower()


def test_what_the_policy_refuses_goes_back_with_its_sentence() -> None:
    sentence = Sentence("cards", "Card numbers are never kept – nowhere.", ("I2",), "enforced", 1)

    def refuse(content: bytes, channel: str) -> None:
        raise Refused("keep card", Verdict(False, (sentence,), (), "rule", "reason"))

    with listening(refuse) as inbox, client(inbox) as session:
        session.ehlo()
        session.mail("ann@example.org")
        session.rcpt(DESK)
        code, said = session.data(MAIL)
    assert code == 550
    assert b"Card numbers are never kept ? nowhere." in said


def test_250_is_said_after_it_is_done() -> None:
    done, may_end = Event(), Event()

    def slow(content: bytes, channel: str) -> None:
        may_end.wait(10)
        done.set()

    with listening(slow) as inbox, client(inbox) as session:
        session.ehlo()
        session.mail("ann@example.org")
        session.rcpt(DESK)
        session.putcmd("DATA")
        assert session.getreply()[0] == 354
        session.send(MAIL + b".\r\n")
        assert not done.is_set()
        may_end.set()
        assert session.getreply()[0] == 250
        assert done.is_set()


def test_mails_are_worked_on_side_by_side() -> None:
    together = Barrier(2)

    def meet(content: bytes, channel: str) -> None:
        together.wait(10)

    with listening(meet) as inbox:
        sessions = [client(inbox), client(inbox)]
        for session in sessions:
            session.ehlo()
            session.mail("ann@example.org")
            session.rcpt(DESK)
            session.putcmd("DATA")
            session.getreply()
            session.send(MAIL + b".\r\n")
        assert [session.getreply()[0] for session in sessions] == [250, 250]
        for session in sessions:
            session.close()


# -- limits -------------------------------------------------------------------------------------------


def test_an_allowance_fills_up_again_with_time() -> None:
    allowance = Allowance(burst=2, rate=0.5, left=2, at=100.0)
    assert [allowance.take(now) for now in (100.0, 100.0, 100.0, 101.0, 102.0, 102.0)] == [
        True,
        True,
        False,
        False,
        True,
        False,
    ]
    assert [allowance.take(1e9) for _ in range(3)] == [True, True, False]


def test_too_many_mails_are_put_off(taken: list[tuple[bytes, str]]) -> None:
    none_left = Allowance(burst=1, rate=0.0, left=1, at=0.0)
    with listening(lambda content, channel: taken.append((content, channel)), allowance=none_left) as inbox:
        assert [reply(inbox), reply(inbox)] == [250, 451]
    assert len(taken) == 1


def test_a_connection_that_hands_over_too_many_is_ended(inbox: Inbox, taken: list[tuple[bytes, str]]) -> None:
    with client(inbox) as session:
        for _ in range(MAILS):
            session.sendmail("ann@example.org", [DESK], MAIL)
        with pytest.raises(smtplib.SMTPException):
            session.sendmail("ann@example.org", [DESK], MAIL)
    assert len(taken) == MAILS


def test_too_many_connections_are_turned_away(monkeypatch: pytest.MonkeyPatch, inbox: Inbox) -> None:
    monkeypatch.setattr(inbox_module, "CONNECTIONS", 2)
    first, second = client(inbox), client(inbox)
    with pytest.raises(smtplib.SMTPConnectError) as turned:
        client(inbox)
    assert turned.value.smtp_code == 421
    first.close()
    second.close()


# -- encrypted or not at all --------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Authority, ssl.SSLContext]:
    authority = Authority.create(tmp_path)
    issued = authority.issue("inbox")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    return authority, context


def test_over_starttls_it_comes_encrypted(
    taken: list[tuple[bytes, str]], tls: tuple[Authority, ssl.SSLContext]
) -> None:
    authority, context = tls
    keep = lambda content, channel: taken.append((content, channel))  # noqa: E731
    with listening(keep, tls=context) as inbox, client(inbox) as session:
        session.starttls(context=ssl.create_default_context(cafile=str(authority.ca)))
        session.sendmail("ann@example.org", [DESK], MAIL)
    assert taken[0] == (MAIL, "smtps")


async def greeted(inbox: Inbox, peer: str, ssl_of: dict[str, Any] | None) -> str:
    """What somebody with this address hears who begins to hand over a mail."""
    session = Session(asyncio.get_running_loop())
    session.peer, session.ssl = (peer, 40_000), ssl_of  # type: ignore[assignment]  # what asyncio gives it
    server = SMTP(inbox)
    inbox._loop = asyncio.get_running_loop()
    return await inbox.handle_MAIL(server, session, Envelope(), "ann@example.org", [])


def test_from_elsewhere_nothing_is_taken_in_the_clear() -> None:
    inbox = Inbox("127.0.0.1", 0, accepts=(DESK,), receive=lambda content, channel: None)
    assert asyncio.run(greeted(inbox, "192.0.2.7", None)).startswith("530 5.7.0")
    assert asyncio.run(greeted(inbox, "192.0.2.7", {"cipher": "x"})) == "250 OK"
    assert asyncio.run(greeted(inbox, "127.0.0.1", None)) == "250 OK"


def test_without_tls_it_listens_within_this_machine_only() -> None:
    for host in ("0.0.0.0", "192.0.2.1", "mail.example"):
        with pytest.raises(SetupError, match=r"on loopback only.*\n.*certificate"):
            Inbox(host, 0, accepts=(DESK,), receive=lambda content, channel: None)


def test_a_taken_port_is_said(inbox: Inbox) -> None:
    with pytest.raises(SetupError, match=r"cannot be taken on 127\.0\.0\.1:\d+.*\n.*another port"):
        Inbox("127.0.0.1", inbox.port, accepts=(DESK,), receive=lambda content, channel: None).start()
