"""HTTPS out: verified TLS or nothing, and exact knowledge of what left."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from avow.errors import DeliveryError, OutcomeUnknown, Rejected, SetupError, Unreachable
from avow.outbound.https import ANSWER_LIMIT, HttpsChannel
from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority
from tests.outbound.servers import TLS_1_1, served, talk_tls_1_1

BODY = {"reference": "7", "fields": {"contact.name": "Canary Q7"}}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def carrier(authority: Authority) -> Iterator[Carrier]:
    with Carrier(authority) as peer:
        yield peer


def channel(peer: Carrier, timeout: float = 5.0) -> HttpsChannel:
    return HttpsChannel(peer.url, ca=peer.ca, timeout=timeout)


def answer(head: str, body: bytes = b"", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_label_arrives_field_by_field(carrier: Carrier) -> None:
    reply = channel(carrier).post(BODY, idempotency="7")
    (label,) = carrier.received
    assert reply == {"tracking": label.tracking}
    assert (label.reference, label.fields) == ("7", {"contact.name": "Canary Q7"})
    assert label.headers["idempotency-key"] == "7"


def test_nothing_but_what_http_needs_travels_in_the_headers(carrier: Carrier) -> None:
    channel(carrier).post(BODY, idempotency="7")
    assert set(carrier.received[0].headers) == {
        "host", "accept", "connection", "content-type", "content-length", "idempotency-key",
    }  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/labels", "ftp://127.0.0.1/", "//127.0.0.1/", "https:///labels", "https://ann:pw@host/",
        "https://host/?to=ann", "https://host/#x", "https://ho st/", "https://ho\nst/", "https://host:99999/", "https://hоst/",
    ],
)  # fmt: skip
def test_any_address_that_is_not_plainly_https_is_refused(url: str) -> None:
    with pytest.raises(SetupError, match="help:"):
        HttpsChannel(url)


def test_an_unreadable_authority_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"nothing\.pem.*No such file"):
        HttpsChannel("https://127.0.0.1/", ca=tmp_path / "nothing.pem")
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(SetupError, match="PEM"):
        HttpsChannel("https://127.0.0.1/", ca=tmp_path / "empty.pem")


def test_an_expired_certificate_gets_nothing(authority: Authority) -> None:
    with Carrier(authority, certificate=authority.issue("old", expired=True)) as peer:
        with pytest.raises(Unreachable, match=r"certificate has expired.*nothing was sent"):
            channel(peer).post(BODY, idempotency="7")
        assert peer.received == ()


def test_a_certificate_of_another_host_gets_nothing(authority: Authority) -> None:
    with Carrier(authority, certificate=authority.issue("other", san=["other.example"])) as peer:
        with pytest.raises(Unreachable, match="certificate did not verify"):
            channel(peer).post(BODY, idempotency="7")
        assert peer.received == ()


def test_a_certificate_of_a_foreign_authority_gets_nothing(authority: Authority) -> None:
    with Carrier() as stranger:
        with pytest.raises(Unreachable, match="certificate did not verify"):
            HttpsChannel(stranger.url, ca=authority.ca).post(BODY, idempotency="7")
        with pytest.raises(Unreachable, match="certificate did not verify"):
            HttpsChannel(stranger.url).post(BODY, idempotency="7")
        assert stranger.received == ()


def test_a_peer_that_speaks_plain_http_gets_nothing(authority: Authority) -> None:
    with served(lambda client: client.sendall(answer("", b"{}"))) as server:
        with pytest.raises(Unreachable, match=r"TLS 1\.2 or newer could not be agreed"):
            HttpsChannel(f"https://127.0.0.1:{server.port}/", ca=authority.ca).post(BODY, idempotency="7")
        assert b"Canary" not in server.read


def test_a_peer_that_speaks_tls_1_1_only_gets_nothing(authority: Authority) -> None:
    with served(lambda client: client.sendall(answer("", b"{}")), authority, TLS_1_1) as server:
        assert talk_tls_1_1(server.port, authority) == "TLSv1.1", "it does speak that"
        strict = HttpsChannel(f"https://127.0.0.1:{server.port}/", ca=authority.ca)
        with pytest.raises(Unreachable, match=r"TLS 1\.2"):
            strict.post(BODY, idempotency="7")
        assert b"Canary" not in server.read


def test_session_keys_are_not_written_where_the_environment_says(
    carrier: Carrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    channel(carrier).post(BODY, idempotency="7")
    assert not (tmp_path / "keys").exists()


def test_proxies_of_the_environment_are_not_used(carrier: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert channel(carrier).post(BODY, idempotency="7")["tracking"]


def test_a_peer_that_is_down_is_unreachable_and_taken_up_again(carrier: Carrier) -> None:
    carrier.down = True
    with pytest.raises(Unreachable, match="nothing listens there"):
        channel(carrier).post(BODY, idempotency="7")
    carrier.down = False
    assert channel(carrier).post(BODY, idempotency="7")["tracking"]


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="name could not be resolved"):
        HttpsChannel("https://nowhere.invalid/").post(BODY, idempotency="7")


def test_a_redirect_is_not_followed(carrier: Carrier) -> None:
    with Carrier() as elsewhere:
        for status in ("301 Moved", "302 Found", "303 See Other", "307 Again", "308 Again"):
            carrier.nonsense = answer(f"Location: {elsewhere.url}\r\n", status=status)
            with pytest.raises(OutcomeUnknown, match="redirect"):
                channel(carrier).post(BODY, idempotency="7")
        assert elsewhere.received == ()


def test_a_peer_that_hangs_up_instead_of_answering_leaves_the_outcome_unknown(carrier: Carrier) -> None:
    carrier.fails_midway = True
    with pytest.raises(OutcomeUnknown, match="was sent the request"):
        channel(carrier).post(BODY, idempotency="7")
    assert len(carrier.received) == 1
    carrier.fails_midway = False
    reply = channel(carrier).post(BODY, idempotency="7")
    assert reply == {"tracking": carrier.received[0].tracking}
    assert len(carrier.received) == 1, "the same key twice is one label"


def test_a_slow_peer_leaves_the_outcome_unknown(carrier: Carrier) -> None:
    carrier.slow = 60.0
    with pytest.raises(OutcomeUnknown, match="no answer in time"):
        channel(carrier, timeout=1.5).post(BODY, idempotency="7")


def test_a_peer_that_answers_byte_by_byte_meets_one_deadline(authority: Authority) -> None:
    def drip(client: socket.socket) -> None:
        for byte in answer("", b"{}" + b" " * 1000):
            client.sendall(bytes([byte]))
            time.sleep(0.1)

    with served(drip, authority) as server, pytest.raises(OutcomeUnknown, match="no answer in time"):
        HttpsChannel(f"https://127.0.0.1:{server.port}/", ca=authority.ca, timeout=1.5).post(BODY, idempotency="7")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b'"text"', b"7", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 60_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b'{"n": ' + b"9" * 5000 + b"}", b"<h1>It works!</h1>",
    ],
)  # fmt: skip
def test_an_answer_that_is_no_json_object_leaves_the_outcome_unknown(carrier: Carrier, body: bytes) -> None:
    carrier.nonsense = answer("", body)
    with pytest.raises(OutcomeUnknown, match="not a JSON object"):
        channel(carrier).post(BODY, idempotency="7")


@pytest.mark.parametrize(
    "nonsense", [b"SSH-2.0-OpenSSH\r\n", b"\0" * 99, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90_000]
)
def test_an_answer_that_is_no_http_leaves_the_outcome_unknown(carrier: Carrier, nonsense: bytes) -> None:
    carrier.nonsense = nonsense
    with pytest.raises(OutcomeUnknown):
        channel(carrier).post(BODY, idempotency="7")


def test_an_answer_above_the_limit_is_not_read_to_its_end(carrier: Carrier) -> None:
    whole = b'{"a": "' + b"x" * (ANSWER_LIMIT - 9) + b'"}'
    carrier.nonsense = answer("", whole)
    assert len(channel(carrier).post(BODY, idempotency="7")["a"]) == ANSWER_LIMIT - 9
    carrier.nonsense = answer("", whole + b" ")
    with pytest.raises(OutcomeUnknown, match="larger than"):
        channel(carrier).post(BODY, idempotency="7")


def test_an_endless_row_of_interim_answers_meets_the_deadline(authority: Authority) -> None:
    def interim(client: socket.socket) -> None:
        while True:
            client.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50)

    with served(interim, authority) as server, pytest.raises(OutcomeUnknown, match="no answer in time"):
        HttpsChannel(f"https://127.0.0.1:{server.port}/", ca=authority.ca, timeout=1.5).post(BODY, idempotency="7")


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, Rejected), (403, Rejected), (404, Rejected), (422, Rejected), (409, OutcomeUnknown), (429, OutcomeUnknown),
     (408, OutcomeUnknown), (425, OutcomeUnknown), (500, OutcomeUnknown), (503, OutcomeUnknown)],
)  # fmt: skip
def test_each_status_says_whether_to_try_again(carrier: Carrier, status: int, expected: type[DeliveryError]) -> None:
    carrier.nonsense = answer("", b'{"tracking": "no"}', status=f"{status} No")
    with pytest.raises(DeliveryError, match=str(status)) as caught:
        channel(carrier).post(BODY, idempotency="7")
    assert type(caught.value) is expected


def test_no_error_holds_what_was_sent_or_answered(carrier: Carrier) -> None:
    echo = b"Canary Q7"
    for nonsense in (echo, answer("", echo), answer("", b"{}", status="400 Canary Q7"), b"HTTP/1.1 Canary Q7\r\n\r\n"):
        carrier.nonsense = nonsense
        with pytest.raises(DeliveryError) as caught:
            channel(carrier).post(BODY, idempotency="7")
        assert "Canary" not in f"{caught.value!r}{caught.value}"
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None, "no error of a parser hangs on"


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX-Other: b", "ä", "x" * 129])
def test_a_key_that_could_add_a_header_is_refused(carrier: Carrier, key: str) -> None:
    with pytest.raises(SetupError, match="idempotency key"):
        channel(carrier).post(BODY, idempotency=key)
    assert carrier.received == ()


@pytest.mark.parametrize("path", ["", "..", "a/../b", "./a", "/a", "a//b"])
def test_a_path_cannot_leave_the_address(carrier: Carrier, path: str) -> None:
    with pytest.raises(SetupError, match="steps"):
        channel(carrier).get(path)


def test_a_path_is_data(authority: Authority) -> None:
    with served(lambda client: client.sendall(answer("", b'{"ok": 1}')), authority) as server:
        asked = HttpsChannel(f"https://127.0.0.1:{server.port}/base/", ca=authority.ca)
        assert asked.get("a b?x=1#y\r\nHost: z") == {"ok": 1}
        assert server.read.startswith(b"GET /base/a%20b%3Fx%3D1%23y%0D%0AHost%3A%20z HTTP/1.1\r\n")


def test_threads_share_a_channel(carrier: Carrier) -> None:
    shared = channel(carrier)
    threads = [
        threading.Thread(
            target=shared.post, args=({"reference": f"{n}", "fields": {}},), kwargs={"idempotency": f"{n}"}
        )
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {label.reference for label in carrier.received} == {str(n) for n in range(20)}
