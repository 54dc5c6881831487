"""The carrier: one key is one label, and it takes its protocol and nothing else."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from avow.errors import Rejected
from avow.outbound.https import HttpsChannel
from avow.testing.carrier import Carrier
from avow.testing.certificates import Authority
from avow.testing.http import BODY_LIMIT
from avow.testing.peer import LATEST
from tests.outbound.servers import talk_tls_1_1

LABEL = {"reference": "7", "fields": {"contact.name": "Ann Miller"}}


@pytest.fixture
def carrier() -> Iterator[Carrier]:
    with Carrier(name="ups") as peer:
        yield peer


def send(carrier: Carrier, body: object, key: str = "k") -> str:
    return str(HttpsChannel(carrier.url, ca=carrier.ca).post(body, idempotency=key)["tracking"])  # type: ignore[arg-type]


def raw(carrier: Carrier, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    context = ssl.create_default_context(cafile=carrier.ca)
    client = http.client.HTTPSConnection("127.0.0.1", carrier.port, context=context, timeout=5)
    client.request(method, path, body, headers)
    response = client.getresponse()
    said = response.status, json.loads(response.read())["error"]
    client.close()
    return said


def test_the_same_key_is_one_label(carrier: Carrier) -> None:
    assert send(carrier, LABEL) == send(carrier, LABEL)
    assert send(carrier, LABEL, "other") != send(carrier, LABEL)
    assert len(carrier.received) == 2


def test_the_same_key_with_another_content_is_refused(carrier: Carrier) -> None:
    send(carrier, LABEL)
    with pytest.raises(Rejected, match="422"):
        send(carrier, {**LABEL, "reference": "8"})


def test_a_tracking_number_is_never_taken_for_a_card_number(carrier: Carrier) -> None:
    numbers = [send(carrier, LABEL, str(n)) for n in range(30)]
    assert all(number.startswith("TN") and number.endswith("L") and len(number) == 13 for number in numbers)


@pytest.mark.parametrize(
    "body",
    [{}, {"reference": "7"}, {**LABEL, "note": "x"}, {"reference": 7, "fields": {}}, {"reference": "7", "fields": [1]},
     {"reference": "7", "fields": {"contact.name": 1}}],
)  # fmt: skip
def test_whatever_is_no_label_is_refused(carrier: Carrier, body: object) -> None:
    with pytest.raises(Rejected, match="400"):
        send(carrier, body)
    assert carrier.received == ()


def test_every_refusal_says_what_was_wrong(carrier: Carrier) -> None:
    body, key = json.dumps(LABEL).encode(), {"Idempotency-Key": "k"}
    assert raw(carrier, "POST", "/labels", body, {}) == (400, "a label needs the header Idempotency-Key")
    assert raw(carrier, "PUT", "/labels", body, key) == (405, "a label is sent with POST")
    assert raw(carrier, "POST", "/", body, key) == (404, "labels go to /labels")
    assert raw(carrier, "POST", "/labels", b"[" * 9000, key) == (400, "the body is not a JSON object")
    status, error = raw(carrier, "POST", "/labels", b"x" * (BODY_LIMIT + 1), key)
    assert (status, "larger than" in error) == (413, True)


def test_it_keeps_the_latest_labels_only_and_in_order(carrier: Carrier) -> None:
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda n: send(carrier, {"reference": str(n), "fields": {}}, str(n)), range(LATEST + 20)))
    kept = carrier.wait_for(LATEST + 20)
    assert len(kept) == LATEST
    assert {label.tracking for label in kept} < set(sent)
    assert [label.at for label in kept] == sorted(label.at for label in kept)


def test_waiting_for_what_does_not_come_ends_with_the_count(carrier: Carrier) -> None:
    send(carrier, LABEL)
    with pytest.raises(TimeoutError, match="ups got 1 of 2"):
        carrier.wait_for(2, timeout=0.05)


def test_a_client_of_tls_1_1_is_turned_away(tmp_path_factory: pytest.TempPathFactory) -> None:
    authority = Authority.create(tmp_path_factory.mktemp("ca"))
    with Carrier(authority) as carrier, pytest.raises(ssl.SSLError, match=r"(?i)protocol"):
        talk_tls_1_1(carrier.port, authority)


def test_a_client_that_says_nothing_does_not_keep_others_waiting(carrier: Carrier) -> None:
    silent = [socket.create_connection(("127.0.0.1", carrier.port)) for _ in range(100)]
    assert send(carrier, LABEL)
    for each in silent:
        each.close()
