"""The shop's service as a process: what it says when it cannot start, and that it speaks TLS or loopback only."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ROOT, SHOP, Peers, Shop, serving
from .customer import CONTACT, Customer


def serve(*options: str) -> subprocess.CompletedProcess[str]:
    """Run `avow serve` on the shop where it is expected to end by itself."""
    command = [sys.executable, "-m", "avow", "serve", str(SHOP), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def is_one_sentence(done: subprocess.CompletedProcess[str], said: str, todo: str) -> None:
    """It ended with an error that says what is wrong and what to do, and nothing else."""
    assert done.returncode == 1
    assert not done.stdout
    error, help = done.stderr.strip().splitlines()
    assert error.startswith("error: ")
    assert said in error
    assert help.startswith("  help: ")
    assert todo in help


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        is_one_sentence(serve("--port", port, "--data", str(tmp_path)), "cannot listen", "another port")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file" / "data", Path("/proc/avow")):
        is_one_sentence(serve("--port", "0", "--data", str(folder)), "cannot be made", "this user may write")
    (tmp_path / "locked").mkdir(mode=0o555)
    if os.geteuid() != 0:  # root may write anywhere
        is_one_sentence(serve("--port", "0", "--data", str(tmp_path / "locked")), "cannot be written", "another folder")


def damage(data: Path) -> None:
    file = data / "site.db"
    file.write_bytes(b"\x00 not a database at all \x00" * 400)
    for rest in ("site.db-wal", "site.db-shm"):
        (data / rest).unlink(missing_ok=True)


FAULTS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a damaged database": (damage, "damaged", "backup"),
    "a missing keyring": (lambda data: (data / "keyring").unlink(), "keyring", "backup"),
    "a keyring cut in half": (lambda data: os.truncate(data / "keyring", 40), "keyring", "backup"),
    "a keyring that others may read": (lambda data: (data / "keyring").chmod(0o644), "keyring", "chmod"),
    "a missing checkpoint of the ledger": (
        lambda data: (data / "ledger.checkpoint").unlink(),
        "is missing",
        "put it back",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_installation_that_is_not_whole_is_not_served(tmp_path: Path, peers: Peers, fault: str) -> None:
    with serving(tmp_path, peers) as shop:
        Customer(shop.base).order()
        peers.mail.wait_for(1)
    break_it, said, todo = FAULTS[fault]
    break_it(shop.data)
    before = {file.name: file.read_bytes() for file in shop.data.iterdir()}
    is_one_sentence(serve("--port", "0", "--data", str(shop.data)), said, todo)
    assert {name: (shop.data / name).read_bytes() for name in before if name != "site.db-shm"} == {
        name: content for name, content in before.items() if name != "site.db-shm"
    }


@pytest.mark.promise("I12", "holds")
def test_the_service_speaks_no_plain_http_outside_the_machine_and_no_old_tls(tmp_path: Path, peers: Peers) -> None:
    is_one_sentence(serve("--host", "0.0.0.0", "--port", "0", "--data", str(tmp_path)), "loopback only", "--cert")
    issued = peers.authority.issue("shop")
    with serving(tmp_path, peers, "--cert", str(issued.certificate), "--key", str(issued.key)) as shop:
        port = int(shop.base.rpartition(":")[2])
        plain = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        plain.request("GET", "/checkout")
        with pytest.raises((http.client.HTTPException, OSError)):
            plain.getresponse()
        plain.close()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", port), 5) as line, pytest.raises(ssl.SSLError):
            old.wrap_socket(line)


@pytest.mark.promise("I12", "works")
@pytest.mark.promise("I7", "works")
@pytest.mark.promise("I8", "works")
def test_an_order_over_tls_goes_its_whole_way(tls_shop: Shop) -> None:
    context = ssl.create_default_context(cafile=str(tls_shop.peers.authority.ca))
    customer = Customer(tls_shop.base, verify=context)
    paths = {carrier: customer.order(carrier=carrier) for carrier in ("ups", "fedex")}
    mails = tls_shop.peers.mail.wait_for(2)
    for carrier, peer in (("ups", tls_shop.peers.ups), ("fedex", tls_shop.peers.fedex)):
        [label] = peer.wait_for(1)
        assert label.fields["contact.name"] == CONTACT["name"]
        assert any(f"{tls_shop.base}{paths[carrier]}" in mail.text for mail in mails)
    assert [payment.status for payment in tls_shop.peers.processor.received] == ["authorised"] * 2
    assert customer.get(paths["ups"]).headers["strict-transport-security"]
    assert "Traceback" not in tls_shop.log.read_text()


@pytest.mark.promise("I2", "works")
def test_an_order_outlives_the_process(tmp_path: Path, peers: Peers) -> None:
    with serving(tmp_path, peers) as shop:
        path = Customer(shop.base).order()
    with serving(tmp_path, peers) as again:
        page = Customer(again.base).get(path).text
    assert all(text in page for text in CONTACT.values())
